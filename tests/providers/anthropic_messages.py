"""Anthropic's messages: content blocks that start, grow by deltas and stop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.providers.replay import Script, Step, pieces, sse

MODEL = "claude-sonnet-4-5-20250929"
#: A failure in the middle of the stream.
ERROR = sse(
    {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error"
)

#: A block as it starts, its deltas, and the block when it is whole.
Block = tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]


def says(text: str, citations: Sequence[dict[str, Any]] = ()) -> Block:
    """Text, with the sources it names."""
    deltas: list[dict[str, Any]] = [
        {"type": "citations_delta", "citation": citation} for citation in citations
    ]
    deltas += [{"type": "text_delta", "text": piece} for piece in pieces(text)]
    start = {"type": "text", "text": "", **({"citations": []} if citations else {})}
    return start, deltas, {"type": "text", "text": text, "citations": list(citations) or None}


def thinks(text: str) -> Block:
    """Thinking, which ends in a signature that only the provider can read."""
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(text)]
    deltas.append({"type": "signature_delta", "signature": "c2lnbmVk"})
    whole = {"type": "thinking", "thinking": text, "signature": "c2lnbmVk"}
    return {"type": "thinking", "thinking": "", "signature": ""}, deltas, whole


def hides(data: str) -> Block:
    """Thinking that is not told."""
    block = {"type": "redacted_thinking", "data": data}
    return block, [], block


def calls(name: str, call_id: str, **args: Any) -> Block:
    """A call of one of the caller's tools."""
    return _use("tool_use", name, call_id, args)


def searches(query: str, *, use_id: str = "srvtoolu_1") -> Block:
    """A web search that the provider runs."""
    return _use("server_tool_use", "web_search", use_id, {"query": query})


def finds(*results: tuple[str, str], use_id: str = "srvtoolu_1") -> Block:
    """What the search found: `(url, title)` of each page."""
    found = [
        {
            "type": "web_search_result",
            "url": url,
            "title": title,
            "encrypted_content": "c2VjcmV0",
            "page_age": None,
        }
        for url, title in results
    ]
    block = {"type": "web_search_tool_result", "tool_use_id": use_id, "content": found}
    return block, [], block


def cites(url: str, title: str, cited: str) -> dict[str, Any]:
    return {
        "type": "web_search_result_location",
        "url": url,
        "title": title,
        "cited_text": cited,
        "encrypted_index": "c2VjcmV0",
    }


def message(*blocks: Block, usage: tuple[int, int] = (9, 4), message_id: str = "msg_01") -> Script:
    """An answer made of blocks."""
    whole = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [block[2] for block in blocks],
        "stop_reason": "tool_use"
        if any(b[0]["type"] == "tool_use" for b in blocks)
        else "end_turn",
        "stop_sequence": None,
        "usage": _usage(*usage),
    }
    start = {**whole, "content": [], "stop_reason": None, "usage": _usage(usage[0], 1)}
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    events: list[Step] = [_event("message_start", message=start), _event("ping")]
    for index, block in enumerate(blocks):
        events += _told(block, index)
    events += [_event("message_delta", delta=end, usage=_usage(*usage)), _event("message_stop")]
    return Script(events, whole)


def _told(block: Block, index: int) -> Iterator[bytes]:
    start, deltas, _ = block
    yield _event("content_block_start", index=index, content_block=start)
    for delta in deltas:
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _use(kind: str, name: str, use_id: str, args: dict[str, Any]) -> Block:
    deltas = [{"type": "input_json_delta", "partial_json": ""}]
    deltas += [
        {"type": "input_json_delta", "partial_json": piece} for piece in pieces(json.dumps(args))
    ]
    block = {"type": kind, "id": use_id, "name": name, "input": {}}
    return block, deltas, {**block, "input": args}


def _event(name: str, **data: Any) -> bytes:
    return sse({"type": name, **data}, name)


def _usage(read: int, written: int) -> dict[str, Any]:
    return {
        "input_tokens": read,
        "output_tokens": written,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }
