"""What a page is told of one record when it asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nestling.encode import sketch
from nestling.held import tell
from nestling.records import Record

if TYPE_CHECKING:
    from nestling.view import View

#: Bytes of the record, of all its events, and of all that is told.
_MAX_RECORD = 400_000
_MAX_EVENTS = 200_000
_MAX_BYTES = 900_000


def inspect(view: View, command: Mapping[str, Any]) -> dict[str, Any]:
    """All there is to tell of the record `id`: itself, what its step changed, its events.

    `{record, diff, events}`, each absent where there is none, or no room for it: 1 MB at most.
    """
    conversation, inspection = view._conversation, view._adapter.inspection
    name = command.get("id")
    with conversation.lock:
        conversation.settle()
        record = conversation.records.get(name) if isinstance(name, str) else None
        if record is None:
            return {}
        told: dict[str, Any] = {"record": _capped(record)}
        step = inspection.step_of(record)
        if step is not None:
            told["diff"] = step.told()
        room, events = _MAX_EVENTS, []
        for event in reversed(inspection.events_of(record)):
            if event.size > room:
                break
            room -= event.size
            told_event = {"type": event.kind, "ns": list(event.ns), "at": event.at}
            events.append({**told_event, "data": tell(event.data)})
        if events:
            told["events"] = events[::-1]
    for name in ("events", "diff"):
        if len(json.dumps(told)) > _MAX_BYTES:
            told.pop(name, None)
    return told


def _capped(record: Record) -> dict[str, Any]:
    """A record that fits in an answer: what is large in it is cut, and says so."""
    if len(json.dumps(record)) <= _MAX_RECORD:
        return dict(record)
    cut: dict[str, Any] = {}
    for name, value in record.items():
        large = isinstance(value, (str, list, dict)) and len(json.dumps(value)) > _MAX_RECORD // 8
        cut[name] = sketch(value, 2_000, _MAX_RECORD // 8)[0] if large else value
    return cut
