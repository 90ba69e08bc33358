"""Shapes in: every event LangGraph hands out becomes `(type, namespace, data)`.

Messages are read through `read_message`, so that live LangChain objects, the plain dicts of a
remote server and those of a recording go one way from here on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from nestling.langgraph import sdk, v3

Ns: TypeAlias = tuple[str, ...]


class Event(NamedTuple):
    """One normalised event.

    `type` is LangGraph's stream mode, or one of ours:

    `link`      `{graph, tool_call_id}`: what an inline callback knows of a namespace
    `raised`    the exception that a graph ended with, as a callback hears of it
    `lifecycle`  `{event, graph_name, cause, error}`: how a namespace begins and ends
    `interrupts`  the `Interrupt`s that a `values` part carries
    `broken`    the id of a message that goes no further
    `error`     `{error, message}`: a server's run failed
    `unknown`   anything that is not an event of LangGraph
    """

    type: str
    ns: Ns
    data: Any


MODES = frozenset(
    {"messages", "updates", "values", "tasks", "tools", "custom", "checkpoints", "debug"}
)
OURS = frozenset({"link", "raised", "lifecycle", "interrupts", "broken", "error"})


@dataclass(slots=True)
class Memory:
    """What protocols need remembered between two events."""

    v3: v3.Memory = field(default_factory=v3.Memory)
    sdk: sdk.Memory = field(default_factory=dict)
    #: Modes that were seen; what others repeat of them is needless.
    seen: set[str] = field(default_factory=set)

    def clear(self) -> None:
        self.v3.clear()
        self.sdk.clear()
        self.seen.clear()


def normalize(event: Any, memory: Memory) -> Iterator[Event]:
    """The events in `event`: v2 and v3, the four shapes of v1, raw parts of the SDK."""
    for found in _read(event, memory):
        memory.seen.add(found.type)
        yield from _unwrapped(found, memory.seen)


def _unwrapped(event: Event, seen: set[str]) -> Iterator[Event]:
    """Debug events and checkpoints hold tasks and states: where nothing else tells of those."""
    data = event.data
    if event.type == "debug" and isinstance(data, Mapping):
        kind, payload = data.get("type"), data.get("payload")
        if kind == "checkpoint":
            yield from _unwrapped(Event("checkpoints", event.ns, payload), seen)
        elif kind in ("task", "task_result") and "tasks" not in seen:
            yield Event("tasks", event.ns, payload)
    elif event.type == "checkpoints" and isinstance(data, Mapping):
        before = (data.get("metadata") or {}).get("source") == "input"  # nothing in it yet
        if "values" not in seen and data.get("values") and not before:
            yield Event("values", event.ns, data["values"])
    else:
        yield event


def _read(event: Any, memory: Memory) -> Iterator[Event]:
    if isinstance(event, Mapping):
        if "type" in event and "data" in event:
            yield from _part(event, memory)
        elif v3.is_event(event):
            yield from _checked(v3.read(event, memory.v3), event)
        elif sdk.is_part(event):
            yield from _raw(event, memory)
        else:
            yield _guess((), event)
    elif isinstance(event, tuple) and sdk.is_part(event):
        yield from _raw(event, memory)
    elif isinstance(event, tuple) and len(event) == 3 and _is_ns(event[0]):
        yield _known(event[1], event[0], event[2])
    elif isinstance(event, tuple) and len(event) == 2 and _is_mode(event[0]):
        yield Event(event[0], (), event[1])
    elif isinstance(event, tuple) and len(event) == 2 and _is_ns(event[0]):
        yield _guess(event[0], event[1])
    else:
        yield _guess((), event)


def _raw(part: Any, memory: Memory) -> Iterator[Event]:
    name, ns, data = sdk.split(part)
    if name in MODES or name in sdk.EVENTS:
        yield from _sdk(name, ns, data, memory)
    else:
        yield Event("unknown", ns, part if isinstance(part, Mapping) else part._asdict())


def _sdk(name: str, ns: Ns, data: Any, memory: Memory) -> Iterator[Event]:
    for kind, place, told in sdk.read(name, ns, data, memory.sdk):
        if name.startswith("messages/") and not place:  # only the metadata tells where
            place = namespace_of(told[1])
        yield Event(kind, place, told)


def _checked(events: Iterator[v3.Told], whole: Any) -> Iterator[Event]:
    for kind, ns, data in events:
        yield _known(kind, ns, data, whole)


def _part(part: Mapping[str, Any], memory: Memory) -> Iterator[Event]:
    ns = part.get("ns", ())
    if not isinstance(ns, (tuple, list)) or not all(isinstance(s, str) and s for s in ns):
        yield Event("unknown", (), part)
        return
    if part["type"] in sdk.EVENTS and "ns" in part:
        yield from _sdk(part["type"], tuple(ns), part["data"], memory)
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
        if {"type", "payload", "step"} <= set(data):
            return Event("debug", ns, data)
        if {"config", "values", "metadata", "next"} <= set(data):
            return Event("checkpoints", ns, data)
        if data and all(value is None or isinstance(value, Mapping) for value in data.values()):
            return Event("updates", ns, data)
        if "__interrupt__" in data:
            return Event("updates", ns, data)
        told = {"type", "method", "event"} & set(data)  # an event, but none that is known
        if data and not told and all(isinstance(key, str) for key in data):
            return Event("values", ns, data)
    return Event("unknown", ns, data)


def namespace_of(metadata: Mapping[str, Any]) -> Ns:
    """The namespace of the graph whose node has this metadata.

    Drops the node's own segment, and one for each `@task` that it was called from.
    """
    ns = tuple(str(metadata.get("langgraph_checkpoint_ns") or "").split("|"))
    path: Any = metadata.get("langgraph_path") or ()
    drop = 1
    while is_task_path(path):
        drop += 1
        path = path[1]
    return ns[:-drop]


def is_task_path(path: Any) -> bool:
    """Whether this is the path of a `@task`, called by what `path[1]` leads to."""
    return len(path) == 4 and path[0] == "__pregel_push" and path[-1] is True


def _is_mode(value: Any) -> bool:
    return isinstance(value, str) and (value in MODES or value in OURS)


def _is_ns(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(part, str) and part for part in value)


# --- messages -----------------------------------------------------------------------------

#: Under which LangGraph tells several writes of one task to one field.
_WRITES = "$writes"
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
    #: What it was read of.
    source: Any


def read_message(value: Any) -> Message | None:
    """The message in `value` (an object of LangChain or its dict), None when it is none."""
    read: Callable[..., Any]
    fields = None if isinstance(value, dict) else getattr(value, "__dict__", None)
    if fields and "content" in fields and "additional_kwargs" in fields:
        read = fields.get  # a pydantic model is slow to say that it lacks an attribute
        kind = read("type")
    elif isinstance(value, Mapping):
        if "content" not in value:
            return None
        read = value.get
        kind = read("type") or read("role")
    elif hasattr(value, "content") and hasattr(value, "additional_kwargs"):
        read = _reader(value)
        kind = read("type")
    else:
        return None
    message_id = read("id")
    if not isinstance(kind, str) or isinstance(message_id, (Mapping, list)):
        return None
    told_as, chunk = _kind(kind)
    return Message(  # by position: by name it takes three times as long
        told_as,
        chunk,
        message_id if message_id is None else str(message_id),
        read("content"),
        read("name"),
        read("tool_calls") or [],
        read("invalid_tool_calls") or [],
        read("tool_call_chunks") or [] if chunk else [],
        read("tool_call_id"),
        read("status"),
        read("artifact"),
        read("usage_metadata"),
        read("additional_kwargs") or {},
        read("response_metadata") or {},
        read("chunk_position") == "last",
        value,
    )


@lru_cache(maxsize=64)
def _kind(kind: str) -> tuple[str, bool]:
    """Our name of a type or role, and whether it is that of a chunk."""
    name = kind.removesuffix("Chunk").removesuffix("Message").lower()
    return _ROLES.get(name, name), kind.endswith("Chunk")


def _reader(value: Any) -> Callable[..., Any]:
    return lambda name, default=None: getattr(value, name, default)


#: What states may hold thousands of, and is no message: numbers of an embedding.
_NUMBERS = frozenset({bool, int, float, type(None)})


def messages_in(update: Any, skip: Callable[[Any], bool] | None = None) -> Iterator[Message]:
    """Messages in what a node returned or in a state: one level deep, as LangGraph looks.

    Those of a list that `skip` knows are left out.
    """
    message = read_message(update)
    if message is not None:
        yield message
        return
    if isinstance(update, (list, tuple)):
        values: Any = update
    elif isinstance(update, Mapping):
        values = update
    else:  # a state that is a pydantic model or a dataclass, a Command with an update
        inner = getattr(update, "update", None) if hasattr(update, "goto") else None
        values = inner if isinstance(inner, Mapping) else _fields(update)
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield from _in_field(value, name == "messages", skip=skip)
    else:
        for value in values:
            yield from _in_field(value, False, isinstance(update, list), skip)


def _in_field(
    value: Any, words: bool, packed: bool = False, skip: Callable[[Any], bool] | None = None
) -> Iterator[Message]:
    """Messages in one field of a state.

    `words`: a plain str is one, of a person; `packed`: it stands in a list of updates.
    """
    message = _read_as_written(value, words)
    if message is not None:
        yield message
    elif isinstance(value, Mapping) and _WRITES in value:
        for write in value[_WRITES]:
            yield from _in_field(write, words, packed)
    elif isinstance(value, (list, tuple)):
        for item in value:
            if item.__class__ in _NUMBERS or (skip is not None and skip(item)):
                continue
            message = _read_as_written(item, words) or _read_list(item)
            if message is not None:
                yield message
    elif hasattr(value, "goto") or (packed and isinstance(value, Mapping)):
        yield from messages_in(value)


def _read_as_written(value: Any, words: bool) -> Message | None:
    if isinstance(value, str):
        return read_message({"type": "human", "content": value}) if words else None
    return read_message(value) or read_pair(value)


def _read_list(value: Any) -> Message | None:
    """A pair that JSON made a list of."""
    return read_pair(tuple(value)) if isinstance(value, list) else None


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
