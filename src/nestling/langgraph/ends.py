"""How tasks end, and what they leave: messages, errors, quiet rows, closed boxes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from nestling.conversation import Conversation
from nestling.langgraph.messages import Messages
from nestling.langgraph.nameless import Said
from nestling.langgraph.normalize import Ns
from nestling.langgraph.rows import Rows, plain_error, told
from nestling.langgraph.spaces import Space, Spaces, Task
from nestling.records import NamespaceStatus

#: Ends that are somebody's wish, not a failure.
CANCELS = (KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, SystemExit)
_CANCEL_NAMES = frozenset(kind.__name__ for kind in CANCELS)
#: LangGraph stopped between two steps, as it was asked to; the run can be gone on with.
_DRAINED = "GraphDrained"


def is_cancel(error: Any) -> bool:
    """Whether a task's error is a wish; also one of a recording, or of a remote server."""
    return isinstance(error, CANCELS) or plain_error(error)[0] in _CANCEL_NAMES


def end_of(error: BaseException | None) -> NamespaceStatus | None:
    """How a run ends with an exception that is no failure; None for a failure, or without one."""
    if isinstance(error, CANCELS):
        return "cancelled"
    return "interrupted" if type(error).__name__ == _DRAINED else None


def _is_same(error: Any, other: Any) -> bool:
    """Whether it is one exception, not two that say the same; a recording numbers them."""
    if isinstance(error, Mapping) and isinstance(other, Mapping):
        return error.get("object") is not None and error["object"] == other.get("object")
    return isinstance(error, BaseException) and error is other


class Ends:
    """Everything of the adapter that concerns how a task ends."""

    def __init__(
        self, conversation: Conversation, spaces: Spaces, messages: Messages, rows: Rows
    ) -> None:
        self.conversation = conversation
        self.spaces = spaces
        self.messages = messages
        self.rows = rows
        #: Errors that tasks of this run have told of.
        self.errors: list[Any] = []
        messages.settle_inside = self.settle_inside

    def completed(self, task: Task) -> None:
        self.messages.end_task(task, "completed")
        self._leave(task)
        self._tell_raised(task)
        self.spaces.close_owned(task, "completed")

    def interrupted(self, task: Task) -> None:
        self.messages.end_task(task, "interrupted")
        self.spaces.close_owned(task, "interrupted")

    def cancelled(self, task: Task) -> None:
        """A node was stopped from inside: nobody's failure."""
        self.messages.end_task(task, "cancelled")
        self.spaces.close_owned(task, "cancelled")
        self.unseen(task, "cancelled")
        if task.space.parent is not None and task.space.box["status"] == "running":
            self.conversation.close_namespace(task.space.box, "cancelled")

    def failed(self, task: Task, error: Any) -> None:
        self.messages.end_task(task, "failed", plain_error(error)[1])
        self._tell_raised(task)
        self.spaces.close_owned(task, "failed")
        self.unseen(task, "failed")
        inside = any(told(error, space.errors) for space in self.spaces.inside(task))
        # a `@task` is no box: the entrypoint that called it raises what it raised
        if not inside and not any(_is_same(error, other) for other in self.errors):
            self._tell_error(task.space, error, task.order, task.name)
        self._fail_box(task.space)

    def _tell_error(self, space: Space, error: Any, order: int, node: str | None = None) -> None:
        space.errors.append(error)
        self.errors.append(error)
        self.rows.error(space, error, order, node)

    def _fail_box(self, space: Space) -> None:
        if space.parent is None:  # the run may go on
            return
        if space.box["status"] == "running":
            self.conversation.close_namespace(space.box, "failed")
        else:  # closed with what is around it, for another reason that came first
            self.conversation.set_namespace(space.box, status="failed")

    def raised(self, ns: Ns, error: Any) -> None:
        """A graph raised: one of its tasks did, or it did so itself, at its limit of steps."""
        self.spaces.get(ns).raised = error

    def _tell_raised(self, task: Task) -> None:
        """Its tasks have told all by now: tells of graphs inside that raised by themselves."""
        for space in reversed(list(self.spaces.inside(task))):  # the deepest first
            error, space.raised = space.raised, None
            below = self.spaces.below(space)
            if error is not None and not any(told(error, inner.errors) for inner in below):
                self._tell_error(space, error, space.order)
                self._fail_box(space)

    def settle(self, space: Space, told: Said | None = None) -> None:
        """Tasks that ended and showed nothing, not even in `values`, leave their quiet rows."""
        writers, space.writers = space.writers, []
        for task in writers:
            self.messages.settle(task, Said() if told is None else told)
            self.unseen(task, "completed")

    def settle_inside(self, task: Task) -> None:
        for inner in self.spaces.inside(task):
            self.settle(inner)

    def _leave(self, task: Task) -> None:
        """A task is done; one inside it without a RESULT has handed over to another graph."""
        for space in self.spaces.inside(task):
            self.settle(space)
            for left in [task for tasks in space.open.values() for task in tasks]:
                self.spaces.finish(left)
                self.unseen(left, "completed")
                if space.box["status"] == "running":
                    self.conversation.set_namespace(space.box, note="handoff")

    def unseen(self, task: Task, status: str) -> None:
        """The quiet row of a task that showed nothing."""
        if not task.shown:
            self.rows.update(task.space, task.name, task.order, status, task.result)
        task.shown, task.result = True, None
