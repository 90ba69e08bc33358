"""What is held of values until somebody asks: nothing large, and nothing that could change.

Messages are most of what states hold. They are held as shallow dicts and written out when they
are told; everything else that could change is encoded at once.
"""

from __future__ import annotations

from typing import Any

from nestling.encode import JSON, encode, sketch

#: Items and bytes of text that are held of one value.
_ITEMS = 200
_ROOM = 12_000
_MESSAGE = ("type", "content", "name", "tool_calls", "tool_call_id", "id", "status")


def hold(value: Any, items: int = _ITEMS, room: int = _ROOM) -> tuple[Any, int]:
    """What `tell` makes JSON of, and about how many bytes that will be."""
    if value is None or value.__class__ in (bool, float):
        return value, 8
    if value.__class__ is str and len(value) <= room:
        return value, len(value)
    if value.__class__ is list:
        held, size = [], 16
        for item in value[:items]:
            part, bytes_held = hold(item, items, room)
            held.append(part)
            size += bytes_held
            if size > room:
                break
        if len(held) < len(value):
            held.append(f"… ({len(value):,} items in all)")
        return held, size
    fields = getattr(value, "__dict__", None)
    if fields and "additional_kwargs" in fields and fields.get("content").__class__ is str:
        content = fields["content"]
        message = {name: fields[name] for name in _MESSAGE if fields.get(name)}
        if len(content) > room:
            message["content"] = sketch(content, 1, room)[0]
        return message, min(len(content), room) + 200
    return sketch(value, items, room)


def tell(held: Any) -> JSON:
    """What was held, as JSON."""
    return encode(held)
