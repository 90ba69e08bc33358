"""What nodes and tools say by themselves: artifacts, and how far they have come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nestling.conversation import Conversation
from nestling.langgraph.calls import Calls
from nestling.langgraph.normalize import Ns
from nestling.langgraph.spaces import Space, Spaces, Task
from nestling.records import OPEN, Record


class Emitted:
    """Everything of the adapter that concerns `emit_artifact` and `progress`."""

    def __init__(self, conversation: Conversation, spaces: Spaces, calls: Calls) -> None:
        self.conversation = conversation
        self.spaces = spaces
        self.calls = calls
        #: Artifacts of this turn by the ids that the user gave them.
        self._by_id: dict[tuple[str, str | None], Record] = {}
        #: Boxes that show how far one of their nodes has come, by that node's task.
        self.showing: dict[str, Space] = {}

    def begin(self, goes_on: bool) -> None:
        """A new run; `goes_on`: with what was interrupted, and does some of it again."""
        self.showing.clear()
        if not goes_on:
            self._by_id.clear()

    def is_placed(self, ns: Ns, data: Mapping[str, Any]) -> bool:
        """Whether the node has STARTed, and the call is known, that something comes from."""
        task_id, call = data["segment"].partition(":")[2], data["call"]
        if task_id not in self.spaces.tasks:
            return False
        space = self.spaces.by_ns.get(ns)
        return call is None or (space is not None and call in space.calls)

    def artifact(self, ns: Ns, data: Mapping[str, Any]) -> None:
        space, task, call = self._place(ns, data)
        title, given = data.get("title"), data.get("id")
        key = (space.box["key"], given)
        known = self._by_id.get(key) if given else None
        if known is not None and self.conversation.records.get(known["id"]) is known:
            again = {"title": title} if title else {}
            version = known.get("version", 1) + 1
            self.conversation.set(known, version=version, **again, **data["drawn"])
            self.calls.keep(known, data.get("object"))
            return
        name = call.get("name") if call is not None else task.name if task is not None else None
        record = self.calls.add_artifact(
            space,
            str(title or given or name or "artifact"),
            data.get("object"),
            space.box["key"] if call is None else call["id"],
            _order(space, task, call),
            drawn=data["drawn"],
            record_id=given,
        )
        if record is None:
            return
        if given:
            self._by_id[key] = record
        if call is not None:
            self.conversation.set(call, artifacts=[*call.get("artifacts", ()), record["id"]])

    def progress(self, ns: Ns, data: Mapping[str, Any]) -> None:
        space, task, call = self._place(ns, data)
        if call is not None:
            if call["status"] in OPEN:  # else a thread of its own goes on
                self.conversation.set(call, progress=data["progress"])
        elif task is not None and task.id in self.spaces.open:
            self.conversation.set_namespace(space.box, progress=data["progress"])
            self.showing = {key: s for key, s in self.showing.items() if s is not space}
            self.showing[task.id] = space

    def done(self, task: Task) -> None:
        """A RESULT: what its box shows of it goes."""
        space = self.showing.pop(task.id, None)
        if space is not None:
            self.conversation.set_namespace(space.box, progress=None)

    def _place(self, ns: Ns, data: Mapping[str, Any]) -> tuple[Space, Task | None, Record | None]:
        """The nearest box that is there, the task, and the call."""
        while ns not in self.spaces.by_ns:
            ns = ns[:-1]
        space = self.spaces.by_ns[ns]
        task = self.spaces.tasks.get(data["segment"].partition(":")[2])
        return space, task, space.calls.get(data["call"] or "")


def _order(space: Space, task: Task | None, call: Record | None) -> int:
    if call is not None:
        return call["order"]
    return space.order if task is None else task.order
