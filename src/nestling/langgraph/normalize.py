"""Shapes in: every event LangGraph hands out becomes `(type, namespace, data)`.

Messages are read through `read_message`, so that live LangChain objects, the plain dicts of a
remote server and those of a recording go one way from here on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

Ns: TypeAlias = tuple[str, ...]


class Event(NamedTuple):
    """One normalised event.

    `type` is LangGraph's stream mode, or one of ours:

    `link`      `{graph, tool_call_id}`: what an inline callback knows of a namespace
    `raised`    the exception that a graph ended with, as a callback hears of it
    `interrupts`  the `Interrupt`s that a `values` part carries
    `answer`    what a run resumes its thread with
    `abandon`   a run asks its thread something new
    `unknown`   anything that is not an event of LangGraph
    """

    type: str
    ns: Ns
    data: Any


MODES = frozenset(
    {"messages", "updates", "values", "tasks", "tools", "custom", "checkpoints", "debug"}
)
OURS = frozenset({"link", "raised", "interrupts", "answer", "abandon"})


def normalize(event: Any) -> Iterator[Event]:
    """The events in `event`: a v2 part or one of the four shapes of v1."""
    if isinstance(event, Mapping) and "type" in event and "data" in event:
        yield from _part(event)
    elif isinstance(event, tuple) and len(event) == 3 and _is_ns(event[0]):
        yield _known(event[1], event[0], event[2])
    elif isinstance(event, tuple) and len(event) == 2 and _is_mode(event[0]):
        yield Event(event[0], (), event[1])
    elif isinstance(event, tuple) and len(event) == 2 and _is_ns(event[0]):
        yield _guess(event[0], event[1])
    else:
        yield _guess((), event)


def _part(part: Mapping[str, Any]) -> Iterator[Event]:
    ns = part.get("ns", ())
    if not isinstance(ns, (tuple, list)) or not all(isinstance(s, str) and s for s in ns):
        yield Event("unknown", (), part)
        return
    yield _known(part["type"], tuple(ns), part["data"], part)
    if part.get("interrupts"):
        yield Event("interrupts", tuple(ns), part["interrupts"])


def _known(mode: Any, ns: Any, data: Any, whole: Any = None) -> Event:
    if isinstance(mode, str) and (mode in MODES or mode in OURS):
        return Event(mode, tuple(ns), data)
    return Event("unknown", tuple(ns), {"type": mode, "data": data} if whole is None else whole)


def _guess(ns: Ns, data: Any) -> Event:
    """The mode of a bare v1 payload, told by its shape."""
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[1], Mapping):
        if read_message(data[0]) is not None:
            return Event("messages", ns, data)
    elif isinstance(data, Mapping):
        if "id" in data and "name" in data and ("triggers" in data or "result" in data):
            return Event("tasks", ns, data)
        if isinstance(data.get("event"), str) and data["event"].startswith("tool-"):
            return Event("tools", ns, data)
        if data and all(value is None or isinstance(value, Mapping) for value in data.values()):
            return Event("updates", ns, data)
        if "__interrupt__" in data:
            return Event("updates", ns, data)
        told = {"type", "method", "event"} & set(data)  # an event, but none that is known
        if data and not told and all(isinstance(key, str) for key in data):
            return Event("values", ns, data)
    return Event("unknown", ns, data)


def _is_mode(value: Any) -> bool:
    return isinstance(value, str) and (value in MODES or value in OURS)


def _is_ns(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(part, str) and part for part in value)


# --- messages -----------------------------------------------------------------------------

_ROLES = {"assistant": "ai", "user": "human"}


class Message(NamedTuple):
    """What nestling reads of a message, whoever made it."""

    type: str
    chunk: bool
    id: str | None
    content: Any
    name: str | None
    tool_calls: list[Any]
    #: Those whose arguments are no JSON.
    invalid_tool_calls: list[Any]
    tool_call_chunks: list[Any]
    tool_call_id: str | None
    status: str | None
    artifact: Any
    usage: Mapping[str, Any] | None
    kwargs: Mapping[str, Any]
    metadata: Mapping[str, Any]
    #: The last chunk of its message.
    last: bool


def read_message(value: Any) -> Message | None:
    """The message in `value` (an object of LangChain or its dict), None when it is none."""
    read: Callable[..., Any]
    if isinstance(value, Mapping):
        kind = value.get("type") or value.get("role")
        read = value.get
        if "content" not in value:
            return None
    else:
        fields = getattr(value, "__dict__", {})
        if "content" in fields and "additional_kwargs" in fields:
            read = fields.get  # a pydantic model is slow to say that it lacks an attribute
        elif hasattr(value, "content") and hasattr(value, "additional_kwargs"):
            read = _reader(value)
        else:
            return None
        kind = read("type")
    message_id = read("id")
    if not isinstance(kind, str) or isinstance(message_id, (Mapping, list)):
        return None
    chunk = kind.endswith("Chunk")
    name = kind.removesuffix("Chunk").removesuffix("Message").lower()
    return Message(
        type=_ROLES.get(name, name),
        chunk=chunk,
        id=message_id if message_id is None else str(message_id),
        content=read("content"),
        name=read("name"),
        tool_calls=read("tool_calls") or [],
        invalid_tool_calls=read("invalid_tool_calls") or [],
        tool_call_chunks=read("tool_call_chunks") or [] if chunk else [],
        tool_call_id=read("tool_call_id"),
        status=read("status"),
        artifact=read("artifact"),
        usage=read("usage_metadata"),
        kwargs=read("additional_kwargs") or {},
        metadata=read("response_metadata") or {},
        last=read("chunk_position") == "last",
    )


def _reader(value: Any) -> Callable[..., Any]:
    return lambda name, default=None: getattr(value, name, default)


def messages_in(update: Any) -> Iterator[Message]:
    """Messages in what a node returned or in a state: one level deep, as LangGraph looks."""
    message = read_message(update)
    if message is not None:
        yield message
        return
    if isinstance(update, (list, tuple)):
        values: Any = update
    elif isinstance(update, Mapping):
        values = update.values()
    else:  # a state that is a pydantic model or a dataclass, a Command with an update
        inner = getattr(update, "update", None) if hasattr(update, "goto") else None
        values = (inner or {}).values() if isinstance(inner, Mapping) else _fields(update)
    for value in values:
        message = read_message(value)
        if message is not None:
            yield message
        elif isinstance(value, (list, tuple)):
            for item in value:
                message = read_message(item) or read_pair(item)
                if message is not None:
                    yield message
        elif hasattr(value, "goto") or (isinstance(update, list) and isinstance(value, Mapping)):
            yield from messages_in(value)


def read_pair(value: Any) -> Message | None:
    """A message as people write it: `("user", "Hello")`."""
    if isinstance(value, tuple) and len(value) == 2 and all(isinstance(v, str) for v in value):
        kind = _ROLES.get(value[0], value[0])
        if kind in ("human", "ai", "system"):
            return read_message({"type": kind, "content": value[1]})
    return None


def _fields(state: Any) -> list[Any]:
    names = getattr(type(state), "model_fields", None) or getattr(
        type(state), "__dataclass_fields__", None
    )
    return [getattr(state, name, None) for name in names] if names else []
