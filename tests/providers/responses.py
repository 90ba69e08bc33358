"""OpenAI's Responses API: `event: response....` with items that open, grow and are done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.providers.replay import Script, Step, pieces, sse

MODEL = "gpt-5-2025-08-07"
#: A failure in the middle of the stream.
ERROR = sse(
    {"type": "error", "code": "server_error", "message": "The model broke.", "param": None},
    "error",
)

Event = tuple[str, dict[str, Any]]
#: An item of the output with the events that tell of it between `added` and `done`.
Item = tuple[dict[str, Any], dict[str, Any], list[Event]]


def says(text: str, annotations: Sequence[dict[str, Any]] = (), *, item_id: str = "msg_1") -> Item:
    """A message of one text, with the sources it names."""
    where = {"item_id": item_id, "content_index": 0}
    part = {"type": "output_text", "text": text, "annotations": list(annotations)}
    empty = {"type": "output_text", "text": "", "annotations": []}
    events: list[Event] = [("content_part.added", {**where, "part": empty})]
    events += [("output_text.delta", {**where, "delta": piece}) for piece in pieces(text)]
    events += [
        ("output_text.annotation.added", {**where, "annotation_index": n, "annotation": annotation})
        for n, annotation in enumerate(annotations)
    ]
    events.append(("output_text.done", {**where, "text": text}))
    events.append(("content_part.done", {**where, "part": part}))
    item = {"id": item_id, "type": "message", "role": "assistant", "status": "completed"}
    return {**item, "status": "in_progress", "content": []}, {**item, "content": [part]}, events


def refuses(text: str, *, item_id: str = "msg_1") -> Item:
    where = {"item_id": item_id, "content_index": 0}
    part = {"type": "refusal", "refusal": text}
    events: list[Event] = [
        ("refusal.delta", {**where, "delta": text}),
        ("refusal.done", {**where, "refusal": text}),
    ]
    item = {"id": item_id, "type": "message", "role": "assistant", "status": "completed"}
    return {**item, "content": []}, {**item, "content": [part]}, events


def thinks(*summaries: str, item_id: str = "rs_1") -> Item:
    """Reasoning, told in parts."""
    events: list[Event] = []
    for index, summary in enumerate(summaries):
        where = {"item_id": item_id, "summary_index": index}
        empty, part = ({"type": "summary_text", "text": text} for text in ("", summary))
        events.append(("reasoning_summary_part.added", {**where, "part": empty}))
        events += [
            ("reasoning_summary_text.delta", {**where, "delta": piece}) for piece in pieces(summary)
        ]
        events.append(("reasoning_summary_text.done", {**where, "text": summary}))
        events.append(("reasoning_summary_part.done", {**where, "part": part}))
    item = {"id": item_id, "type": "reasoning", "encrypted_content": "c2VjcmV0"}
    told = [{"type": "summary_text", "text": summary} for summary in summaries]
    return {**item, "summary": []}, {**item, "summary": told}, events


def calls(name: str, call_id: str, **args: Any) -> Item:
    """A call of one of the caller's tools."""
    item_id, arguments = f"fc_{call_id}", json.dumps(args)
    where = {"item_id": item_id}
    events: list[Event] = [
        ("function_call_arguments.delta", {**where, "delta": piece}) for piece in pieces(arguments)
    ]
    events.append(("function_call_arguments.done", {**where, "arguments": arguments, "name": name}))
    item = {"id": item_id, "type": "function_call", "call_id": call_id, "name": name}
    done = {**item, "arguments": arguments, "status": "completed"}
    return {**item, "arguments": "", "status": "in_progress"}, done, events


def searches(query: str, *, item_id: str = "ws_1") -> Item:
    """A web search that the provider runs."""
    steps = ("in_progress", "searching", "completed")
    events: list[Event] = [(f"web_search_call.{step}", {"item_id": item_id}) for step in steps]
    item = {"id": item_id, "type": "web_search_call"}
    action = {"type": "search", "query": query}
    done = {**item, "status": "completed", "action": action}
    return {**item, "status": "in_progress", "action": action}, done, events


def draws(image: str, *, item_id: str = "ig_1") -> Item:
    """An image that the provider makes; a preview comes first."""
    preview = {"partial_image_b64": "cHJl", "partial_image_index": 0, "item_id": item_id}
    events: list[Event] = [
        ("image_generation_call.in_progress", {"item_id": item_id}),
        ("image_generation_call.partial_image", preview),
        ("image_generation_call.completed", {"item_id": item_id}),
    ]
    item = {"id": item_id, "type": "image_generation_call"}
    done = {**item, "status": "completed", "result": image, "output_format": "png"}
    return {**item, "status": "in_progress", "result": None}, done, events


def cites(url: str, title: str) -> dict[str, Any]:
    return {"type": "url_citation", "url": url, "title": title, "start_index": 0, "end_index": 5}


def response(*items: Item, usage: tuple[int, int] = (9, 4), response_id: str = "resp_1") -> Script:
    """An answer made of items."""
    done = [item[1] for item in items]
    counted = {
        "input_tokens": usage[0],
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": usage[1],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": sum(usage),
    }
    begun = {**_head(response_id), "status": "in_progress", "output": [], "usage": None}
    whole = {**_head(response_id), "status": "completed", "output": done, "usage": counted}
    number = iter(range(10_000))

    def event(name: str, /, **data: Any) -> bytes:
        name = f"response.{name}"
        return sse({"type": name, "sequence_number": next(number), **data}, name)

    events: list[Step] = [event("created", response=begun), event("in_progress", response=begun)]
    for index, item in enumerate(items):
        events += _told(item, index, event)
    events.append(event("completed", response=whole))
    return Script(events, whole)


def _told(item: Item, index: int, event: Callable[..., bytes]) -> Iterator[bytes]:
    added, done, between = item
    yield event("output_item.added", output_index=index, item=added)
    for name, data in between:
        yield event(name, output_index=index, **data)
    yield event("output_item.done", output_index=index, item=done)


def _head(response_id: str) -> dict[str, Any]:
    return {
        "id": response_id,
        "object": "response",
        "created_at": 1754000000,
        "model": MODEL,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "text": {"format": {"type": "text"}},
    }
