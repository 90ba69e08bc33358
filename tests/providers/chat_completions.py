"""OpenAI's chat completions: `data: {...}` chunks, then `data: [DONE]`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from tests.providers.replay import Script, Step, pieces, sse

MODEL = "gpt-4.1-2025-04-14"
#: What the stream says when the provider fails in the middle of it.
ERROR = sse({"error": {"message": "The server had an error.", "type": "server_error"}})


def call(name: str, call_id: str, **args: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(args)}
    return {"id": call_id, "type": "function", "function": function}


def completion(
    text: str = "",
    calls: Sequence[dict[str, Any]] = (),
    *,
    usage: tuple[int, int] = (9, 4),
    message_id: str = "chatcmpl-1",
) -> Script:
    """An answer of text and of calls, whose arguments arrive interleaved."""
    finish = "tool_calls" if calls else "stop"
    counted = _usage(*usage)

    def chunk(delta: dict[str, Any], **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
        return sse({**_head(message_id), "choices": [choice], "usage": None})

    events: list[Step] = [chunk({"role": "assistant", "content": "", "refusal": None})]
    events += [chunk({"content": piece}) for piece in pieces(text)]
    events += [chunk({"tool_calls": [fragment]}) for fragment in _fragments(calls)]
    events.append(chunk({}, finish_reason=finish))
    events.append(sse({**_head(message_id), "choices": [], "usage": counted}))
    events.append(sse("[DONE]"))
    message = {"role": "assistant", "content": text or None, "tool_calls": list(calls) or None}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    whole = {**_head(message_id), "object": "chat.completion"}
    return Script(events, {**whole, "choices": [choice], "usage": counted})


def _head(message_id: str) -> dict[str, Any]:
    return {
        "id": message_id,
        "object": "chat.completion.chunk",
        "created": 1754000000,
        "model": MODEL,
        "system_fingerprint": "fp_1",
    }


def _usage(prompt: int, completed: int) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completed,
        "total_tokens": prompt + completed,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _fragments(calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    opened = [
        {**call, "index": index, "function": {**call["function"], "arguments": ""}}
        for index, call in enumerate(calls)
    ]
    by_call = [
        [{"index": index, "function": {"arguments": piece}} for piece in pieces(arguments)]
        for index, arguments in enumerate(call["function"]["arguments"] for call in calls)
    ]
    return opened + [one for turn in zip_longest(*by_call) for one in turn if one is not None]
