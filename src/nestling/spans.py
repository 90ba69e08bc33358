"""What was done when, for the timeline of a page that does not hold every row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nestling.records import Record

if TYPE_CHECKING:
    from nestling.view import View

Kind: TypeAlias = Literal["model", "tool", "failed", "wait"]
#: Seconds since the epoch; `end` is None of what goes on; the `seq` of the first record in it.
Span: TypeAlias = tuple[Kind, float, float | None, int]

#: Bytes of one answer.
MAX_BYTES = 800_000
#: Seconds, at least and at most.
FINEST, COARSEST = 0.001, 1e6


def spans(view: View, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The spans of every namespace, and its seconds.

    `asked["resolution"]` is in seconds: spans of one kind that lie closer are one. It is made
    coarser until the answer has room. Returns `spans` (key -> list of `[kind, start, end, seq]`),
    `seconds` (key -> `[model, tools, waiting]`, as in `view.usage`), `upto` (the last `seq` that
    is in it) and the `resolution`.
    """
    wish = asked.get("resolution")
    fits = isinstance(wish, int | float) and FINEST <= wish <= COARSEST
    resolution = float(wish) if fits else FINEST  # type: ignore[arg-type]
    conversation = view._conversation
    with conversation.lock:
        rows = conversation.rows()
        usage = conversation.usage()
        found: dict[str, list[Span]] = {}
        for record in rows:
            span = span_of(record)
            if span is not None:
                found.setdefault("|".join(record["namespace"]), []).append(span)
    seconds = {
        key: [part.model_seconds, part.tool_seconds, part.waiting_seconds]
        for key, part in usage.namespaces.items()
        if part.model_seconds or part.tool_seconds or part.waiting_seconds
    }
    shown = {key: merged(each, resolution) for key, each in found.items()}
    while len(json.dumps([shown, seconds])) > MAX_BYTES:
        if resolution < COARSEST:
            resolution *= 4
            shown = {key: merged(each, resolution) for key, each in found.items()}
        else:  # so many agents: of the last ones
            found = dict(list(found.items())[len(found) // 2 :])
            shown = {key: shown[key] for key in found}
            seconds = {key: seconds[key] for key in found if key in seconds}
    return {
        "spans": shown,
        "seconds": seconds,
        "upto": rows[-1]["seq"] if rows else 0,
        "resolution": resolution,
    }


def span_of(record: Record) -> Span | None:
    """What a record is on the timeline; None when it is nothing there."""
    kind, status = record["type"], record["status"]
    start, end = round(record["started_at"], 3), record.get("ended_at")
    end = None if end is None else round(end, 3)
    if kind == "error" or status == "failed":
        return "failed", start, start if end is None else end, record["seq"]
    if kind == "ai":
        return "model", start, end, record["seq"]
    if kind == "interrupt":
        return "wait", start, end, record["seq"]
    # A call that ran an agent is a lane of its own; one that was rejected never ran.
    if kind == "tool_call" and status != "rejected" and not record.get("spawned"):
        return "tool", start, end, record["seq"]
    return None


def merged(found: Iterable[Span], resolution: float) -> list[Span]:
    """Spans in order of their start; those of one kind closer than `resolution` seconds are one."""
    last: dict[Kind, int] = {}
    result: list[Span] = []
    for span in sorted(found, key=lambda span: (span[1], span[3])):
        kind, start, end, _ = span
        before = last.get(kind)
        if before is not None:
            _, began, until, seq = result[before]
            if until is None or start - until < resolution:
                until = None if until is None or end is None else max(until, end)
                result[before] = (kind, began, until, seq)
                continue
        last[kind] = len(result)
        result.append(span)
    return result
