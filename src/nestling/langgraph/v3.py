"""The v3 protocol in: `{type: "event", method, params}`, of a local graph or of a server.

Tokens are told in pieces that carry neither the id of their message nor what came before, so
what is being said is remembered from `message-start` to `message-finish`. A local graph gives
each piece its metadata, by which messages that are said at once are told apart; a server does
not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

#: `(type, namespace, data)`: the fields of a normalised event.
Told: TypeAlias = tuple[str, tuple[str, ...], Any]


@dataclass(slots=True)
class Saying:
    """A message between its start and its finish."""

    id: str | None = None
    role: str = "ai"
    tool_call_id: str | None = None
    #: What has been told of each block: its text or arguments.
    blocks: dict[Any, str] = field(default_factory=dict)


@dataclass(slots=True)
class Memory:
    """What one event of the protocol leaves for the next."""

    sayings: dict[tuple[tuple[str, ...], str], Saying] = field(default_factory=dict)
    #: Tool calls whose end the `tools` channel has told.
    done: set[str] = field(default_factory=set)

    def clear(self) -> None:
        self.sayings.clear()
        self.done.clear()


def is_event(event: Mapping[str, Any]) -> bool:
    """Whether `event` is one of the protocol."""
    return isinstance(event.get("method"), str) and isinstance(event.get("params"), Mapping)


def read(event: Mapping[str, Any], memory: Memory) -> Iterator[Told]:
    """The normalised events in one of the protocol."""
    params, method = event["params"], event["method"]
    ns = tuple(str(segment) for segment in params.get("namespace") or ())
    data = params.get("data")
    if method == "messages":
        yield from _message(ns, data, memory)
    elif method == "lifecycle":
        inner = data.get("namespace")  # a local graph tells of every namespace at its root
        yield "lifecycle", ns if inner is None else tuple(inner), data
    elif method == "input.requested":
        yield "interrupts", ns, [{"id": data.get("interrupt_id"), "value": data.get("payload")}]
    elif method == "updates" and set(data) == {"node", "values"}:  # a server's shape
        yield "updates", ns, {data["node"]: data["values"]}
    elif method == "custom" and isinstance(data, Mapping) and set(data) == {"payload"}:
        yield "custom", ns, data["payload"]
    else:
        if method == "tools" and data.get("event") in ("tool-finished", "tool-error"):
            memory.done.add(str(data.get("tool_call_id")))
        yield method, ns, data
    if params.get("interrupts"):
        yield "interrupts", ns, params["interrupts"]


# --- messages -----------------------------------------------------------------------------


def _message(ns: tuple[str, ...], data: Any, memory: Memory) -> Iterator[Told]:
    piece, metadata = (data, {}) if isinstance(data, Mapping) else data
    if not isinstance(piece, Mapping) or "event" not in piece:  # whole: nobody streamed it
        yield "messages", ns, (piece, metadata)
        return
    event = piece["event"]
    place = str(metadata.get("run_id") or metadata.get("langgraph_checkpoint_ns") or "")
    key = (ns, place)
    if event == "message-start":
        memory.sayings[key] = Saying(
            piece.get("id"), str(piece.get("role") or "ai"), piece.get("tool_call_id")
        )
    saying = memory.sayings.setdefault(key, Saying())
    if saying.role != "ai":
        yield from _result(ns, piece, saying, memory)
    elif event == "error":
        yield "broken", ns, saying.id
    else:
        chunk = _chunk(piece, saying)
        if chunk is not None:
            chunk = {"type": "AIMessageChunk", "content": "", "id": saying.id, **chunk}
            yield "messages", ns, (chunk, metadata)
    if event in ("message-finish", "error"):
        del memory.sayings[key]


def _chunk(piece: Mapping[str, Any], saying: Saying) -> dict[str, Any] | None:
    """What a piece adds to an AI message, as a chunk of it; None when it adds nothing."""
    event, index = piece["event"], piece.get("index")
    if event == "message-start":
        return {}
    if event == "message-finish":
        model = piece.get("metadata") or {}
        return {
            "usage_metadata": piece.get("usage"),
            "response_metadata": model,
            "chunk_position": "last",
        }
    block = piece.get("content") or piece.get("delta")
    if not isinstance(block, Mapping):
        return None
    if block.get("type") == "block-delta":
        block = block.get("fields") or {}
        return _grown(block, index, saying, whole=True)
    return _grown(block, index, saying, whole=event == "content-block-finish")


def _grown(
    block: Mapping[str, Any], index: Any, saying: Saying, *, whole: bool
) -> dict[str, Any] | None:
    """What `block` adds: it is a fragment, or all of its text so far."""
    kind = str(block.get("type") or "text").removesuffix("-delta")
    first = index not in saying.blocks
    before = saying.blocks.get(index, "")
    if kind in ("tool-call", "tool_call", "tool_call_chunk", "invalid_tool_call"):
        args = block.get("args")
        if whole and kind == "tool_call" and before:
            return None  # its fragments have told all of it
        told = args if isinstance(args, str) else json.dumps(args) if args is not None else ""
        more = _more(told, before, whole)
        if not first and not more:
            return None
        saying.blocks[index] = before + more
        call = {"index": index, "args": more}
        if first:
            call |= {"id": block.get("id"), "name": block.get("name")}
        return {"tool_call_chunks": [call]}
    if kind in ("text", "reasoning"):
        more = _more(str(block.get(kind) or ""), before, whole)
        saying.blocks[index] = before + more
        if not more:
            return None
        return {"content": more if kind == "text" else [{"type": kind, kind: more}]}
    if kind == "data" or not whole:
        return None  # images and the like are told in full at their finish
    return {"content": [block]}


def _more(told: str, before: str, whole: bool) -> str:
    if not whole:
        return told
    return told[len(before) :] if told.startswith(before) else ""


def _result(
    ns: tuple[str, ...], piece: Mapping[str, Any], saying: Saying, memory: Memory
) -> Iterator[Told]:
    """A message of a tool, which a server tells in a namespace of its own for each call."""
    if piece["event"] in ("content-block-delta", "content-block-finish"):
        block = piece.get("content") or piece.get("delta") or {}
        whole = piece["event"] == "content-block-finish"
        _grown({**block, "type": "text"}, piece.get("index"), saying, whole=whole)
    elif piece["event"] == "message-finish" and saying.role == "tool":
        call_id = saying.tool_call_id
        if call_id is not None and call_id not in memory.done:
            message = {"type": "tool", "content": "".join(saying.blocks.values())}
            above = ns[:-1] if ns and ns[-1].endswith(f":{call_id}") else ns
            yield "messages", above, ({**message, "tool_call_id": call_id}, {})
