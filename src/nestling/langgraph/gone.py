"""What need not be remembered with `max_records`: tasks and boxes that are over, with all in them.

What a state may tell again is another matter: ids of messages and calls stay, however old.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nestling.langgraph.spaces import Space, Spaces

#: The latest tasks are remembered, whatever is kept of them.
_LATEST = 1_000


def is_due(spaces: Spaces) -> bool:
    """Whether most of what is remembered may be of no use: then it is worth looking through."""
    conversation = spaces.conversation
    known = len(conversation.records) + len(conversation.namespaces) + len(spaces.open) + _LATEST
    return conversation.left_out > 0 and len(spaces.tasks) > 3 * known


def forget(spaces: Spaces) -> None:
    """Forgets tasks that have ended and boxes of those, of which nothing is kept."""
    conversation, tasks = spaces.conversation, spaces.tasks
    orders = {record["order"] for record in conversation.records.values()}
    latest = max(task.order for task in tasks.values()) - _LATEST
    spaces.tasks = {
        key: task
        for key, task in tasks.items()
        if key in spaces.open
        or task.order in orders
        or task.order > latest
        or task in task.space.writers
    }
    at_work = {task.space for task in spaces.tasks.values()}
    parents = set()
    for space in list(spaces.by_ns.values()):
        parent = space.parent
        if parent is None or space in at_work or not _is_over(spaces, space):
            continue
        family = parent.families[space.family]
        if family[0] is space:  # else one before it could not keep its number
            del family[0], spaces.by_ns[space.ns]
            parent.gone[space.family] += 1
            parents.add(parent)
            spaces.active.discard(space)
            conversation.forget_box(space.box["key"])
    for parent in parents:
        parent.children = [child for child in parent.children if child.ns in spaces.by_ns]
    spaces.forgot()


def _is_over(spaces: Spaces, space: Space) -> bool:
    """Whether nothing comes in a box any more, nor from it in those around it."""
    if space.box["key"] in spaces.conversation.namespaces or space.children:
        return False
    around: Space | None = space
    while around is not None and around.parent is not None:
        if around.owner is None or around.owner.id in spaces.open:
            return False
        around = around.parent
    return ":" in space.segment  # else it remembers, and is asked again
