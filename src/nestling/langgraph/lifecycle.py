"""How namespaces begin and end, where events say so and tasks do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nestling.langgraph.normalize import Ns
from nestling.langgraph.rows import plain_error
from nestling.langgraph.spaces import Space, Spaces
from nestling.records import NamespaceStatus

_ENDS: dict[str, NamespaceStatus] = {
    "completed": "completed",
    "failed": "failed",
    "interrupted": "interrupted",
    "drained": "cancelled",
}


class Lifecycle:
    """Reads the `lifecycle` channel of v3."""

    def __init__(self, spaces: Spaces) -> None:
        self.spaces = spaces
        #: Namespaces that failed in this run, with the text of the error.
        self.fallen: list[tuple[Space, str]] = []

    def event(self, ns: Ns, data: Mapping[str, Any]) -> None:
        kind = data["event"]
        space = self.spaces.get(ns)
        if kind in _ENDS:
            self._ended(space, _ENDS[kind])
            if kind == "failed":
                self.fallen.append((space, str(data.get("error") or "")))
        elif ns:
            self._began(space, data)

    def _began(self, space: Space, data: Mapping[str, Any]) -> None:
        self.spaces.reopen(space)
        name = data.get("graph_name")
        if name != space.node:  # else it may be the node's name only
            self.spaces.name(space, {"lc_agent_name": name})
        cause = data.get("cause") or {}
        if cause.get("tool_call_id"):
            self.spaces.link(space.ns, {"tool_call_id": cause["tool_call_id"]})

    def _ended(self, space: Space, status: NamespaceStatus) -> None:
        if space.parent is None:
            return  # the end of the run, which its caller tells
        box, conversation = space.box, self.spaces.conversation
        if box["status"] == "running":
            conversation.close_namespace(box, status)
        elif status == "failed" and box["status"] == "cancelled":  # for one around it
            conversation.set_namespace(box, status=status)

    def where(self, error: Any) -> Space | None:
        """The innermost namespace that told of an error, whose text only it knows."""
        message = plain_error(error)[1]
        fallen = [space for space, text in self.fallen if text == message]
        return max(fallen, key=lambda space: len(space.ns), default=None)
