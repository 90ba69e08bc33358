"""The raw stream of a LangGraph server: `StreamPart(event, data)` of langgraph_sdk.

`event` is `mode` or `mode|namespace`. In the `messages` mode a server tells each message again
and again with all that has been said so far; what was told before is remembered, so that only
what is new goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from nestling.langgraph.v3 import Told

#: What surrounds a run and shows nothing.
_SILENT = frozenset({"metadata", "end", "feedback", "heartbeat"})
#: Events of the server's own, beside LangGraph's modes.
EVENTS = (
    frozenset(
        {"messages/metadata", "messages/partial", "messages/complete", "messages-tuple", "error"}
    )
    | _SILENT
)


@dataclass(slots=True)
class Partial:
    """What has been told of one message."""

    metadata: Mapping[str, Any] = field(default_factory=dict)
    content: Any = ""
    calls: Any = None
    usage: dict[str, int] = field(default_factory=dict)


Memory: TypeAlias = dict[str, Partial]


def is_part(event: Any) -> bool:
    """Whether `event` is a part of that stream: the SDK's tuple, or `{event, data}`."""
    if isinstance(event, tuple):
        return isinstance(getattr(event, "event", None), str) and hasattr(event, "data")
    return isinstance(event.get("event"), str) and "data" in event and "type" not in event


def split(event: Any) -> tuple[str, tuple[str, ...], Any]:
    """`(name, namespace, data)` of a part."""
    read = event.get if isinstance(event, Mapping) else partial(getattr, event)
    whole, data = read("event"), read("data")
    name, *ns = str(whole).split("|")
    return name, tuple(ns), data


def read(name: str, ns: tuple[str, ...], data: Any, memory: Memory) -> Iterator[Told]:
    """The normalised events in one part."""
    if name in _SILENT:
        return
    if name == "messages/metadata":
        for key, told in data.items():
            memory.setdefault(key, Partial()).metadata = told.get("metadata") or {}
    elif name == "messages/partial":
        for message in data:
            yield from _partial(ns, message, memory)
    elif name == "messages/complete":
        for message in data:
            known = memory.pop(str(message.get("id")), None)
            whole = {**message, "type": str(message.get("type")).removesuffix("MessageChunk")}
            yield "messages", ns, (whole, known.metadata if known is not None else {})
    elif name in ("messages", "messages-tuple"):
        yield "messages", ns, tuple(data)
    else:
        yield name, ns, data
        if name == "values" and isinstance(data, Mapping) and data.get("__interrupt__"):
            yield "interrupts", ns, data["__interrupt__"]


def _partial(ns: tuple[str, ...], message: Mapping[str, Any], memory: Memory) -> Iterator[Told]:
    """What a message says beyond what it said before."""
    before = memory.setdefault(str(message.get("id")), Partial())
    content, calls = message.get("content"), message.get("tool_calls") or []
    if message.get("type") not in ("ai", "AIMessageChunk"):
        yield "messages", ns, (message, before.metadata)
        return
    grown = _growth(before.content, content)
    if grown is None:  # it was rewritten
        whole = {**message, "type": "ai"}
        yield "messages", ns, (whole, before.metadata)
    else:
        usage = message.get("usage_metadata") or {}
        counts = {name: count for name, count in usage.items() if isinstance(count, int)}
        more = {name: count - before.usage.get(name, 0) for name, count in counts.items()}
        before.usage = counts or before.usage
        news = repr(calls) != repr(before.calls)  # 80 and 80.0 are equal
        chunk = {
            "type": "AIMessageChunk",
            "id": message.get("id"),
            "content": grown,
            "tool_calls": [c for c in calls if c.get("id")] if news else [],
            "usage_metadata": more or None,
        }
        yield "messages", ns, (chunk, before.metadata)
    before.content, before.calls = content, calls


def _growth(before: Any, content: Any) -> Any:
    """What `content` adds to `before`; None when it does not go on from there."""
    if isinstance(content, str):
        if before == "" or (isinstance(before, str) and content.startswith(before)):
            return content[len(before) :]
        return None
    if not isinstance(content, list):
        return "" if content is None else None
    if before == "":
        return content
    if not isinstance(before, list) or len(before) > len(content):
        return None
    grown: list[Any] = content[len(before) :]
    for old, new in zip(reversed(before), reversed(content[: len(before)]), strict=True):
        if old == new:
            continue
        more = _block_growth(old, new)
        if more is None:
            return None
        grown = [more, *grown]
    return grown


def _block_growth(old: Any, new: Any) -> dict[str, Any] | None:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return None
    for name in ("text", "reasoning", "thinking", "partial_json"):
        said, told = old.get(name), new.get(name)
        if isinstance(said, str) and isinstance(told, str) and told.startswith(said):
            return {**new, name: told[len(said) :]}
    return None
