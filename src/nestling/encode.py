"""Any Python value -> a JSON-safe stand-in that says what it was. Never raises.

A value that JSON cannot hold must not reach a trait or a message: the trait would keep it, and
after a reload every widget of the notebook would stay at "Loading widget...".
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, TypeAlias
from uuid import UUID

JSON: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None

MAX_TEXT = 100_000
#: Bytes of all the text in one value.
MAX_BYTES = 400_000
MAX_DEPTH = 12
MAX_ITEMS = 5_000
#: Characters of the name of a class.
_MAX_NAME = 100
#: Integers beyond it are rounded by JavaScript.
MAX_INT = 2**53

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def text(value: str) -> str:
    """`value` with lone surrogates replaced by U+FFFD, whole otherwise."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def short(value: Any, limit: int = 80) -> str:
    """One line for a person: JSON without spaces to spare, cut at `limit` characters."""
    plain = value if isinstance(value, str) else json.dumps(encode(value), ensure_ascii=False)
    line = " ".join(text(plain).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def encode(value: Any) -> JSON:
    """A JSON-safe copy of `value`, capped in depth, number of items and length of text."""
    return _Encoder().encode(value, 0)


def sketch(value: Any, items: int, room: int) -> tuple[JSON, int]:
    """As `encode`, with at most `items` items and `room` bytes of text; and about its bytes."""
    encoder = _Encoder(items, room)
    plain = encoder.encode(value, 0)
    return plain, room - encoder.room + 16 * (encoder.items + items - MAX_ITEMS)


class _Encoder:
    """One walk: counts items and remembers the containers it is inside of."""

    def __init__(self, items: int = MAX_ITEMS, room: int = MAX_BYTES) -> None:
        self.items = MAX_ITEMS - items
        self.room = room
        self.inside: set[int] = set()

    def encode(self, value: Any, depth: int) -> JSON:
        if value is None or value is True or value is False:
            return value
        self.items += 1
        if self.items > MAX_ITEMS:
            return "… (more items left out)"
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is int:
            return value if -MAX_INT <= value <= MAX_INT else self._text(_big(value))
        if kind is float:
            return value if math.isfinite(value) else _not_finite(value)
        try:
            if id(value) in self.inside:
                return f"<{_name(kind)}: contains itself>"
            if depth >= MAX_DEPTH:
                return f"<{_name(kind)}: too deep>"
            self.inside.add(id(value))
            try:
                return self._object(value, kind, depth)
            finally:
                self.inside.discard(id(value))
        except Exception as error:  # noqa: BLE001  # a user's __repr__ or property may raise anything
            return f"<{_name(kind)}: {_name(type(error))} while reading it>"

    def _object(self, value: Any, kind: type, depth: int) -> JSON:
        if isinstance(value, Mapping):
            return self._mapping(value.items(), depth)
        if isinstance(value, (list, tuple)):
            fields = getattr(value, "_fields", None)
            if fields and isinstance(value, tuple):
                return self._mapping(zip(fields, value, strict=False), depth)
            return self._items(value, depth)
        if isinstance(value, (set, frozenset)):
            return {_name(kind): self._items(sorted(value, key=repr), depth)}
        if isinstance(value, Enum):
            return self.encode(value.value, depth)
        if isinstance(value, str):
            return self._text(str(value))
        if isinstance(value, (int, float)):
            return self.encode(float(value) if isinstance(value, float) else int(value), depth)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"<{_name(kind)}, {len(value):,} bytes>"
        if isinstance(value, (date, time)):
            return value.isoformat()
        if isinstance(value, (UUID, Decimal, PurePath, timedelta, complex)):
            return self._text(str(value))
        if isinstance(value, BaseException):
            return f"{_name(kind)}: {self._text(str(value))}"
        if isinstance(value, type):
            return f"<class {_name(value)}>"
        if dataclasses.is_dataclass(value):
            fields = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.repr)
            return {_name(kind): self._mapping(fields, depth)}
        return self._foreign(value, kind, depth)

    def _foreign(self, value: Any, kind: type, depth: int) -> JSON:
        """Objects of libraries that may not be installed, told by what they can do."""
        root = kind.__module__.partition(".")[0]
        if hasattr(kind, "model_fields") and hasattr(kind, "get_lc_namespace"):  # LangChain's
            keep = ("type", "content", "name", "tool_calls", "tool_call_id", "id", "status")
            found = ((name, getattr(value, name, None)) for name in keep)
            return self._mapping(((k, v) for k, v in found if v not in (None, [])), depth)
        if hasattr(kind, "model_fields"):  # pydantic: SecretStr stays masked in its repr
            fields = ((name, getattr(value, name, None)) for name in kind.model_fields)
            return {_name(kind): self._mapping(fields, depth)}
        if root == "numpy" and getattr(value, "ndim", None) == 0:
            return self.encode(value.item(), depth + 1)
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple):
            size = " × ".join(str(side) for side in shape)
            dtype = getattr(value, "dtype", None)
            return self._text(f"<{_name(kind)} {size}{f' {dtype}' if dtype is not None else ''}>")
        return self._text(_ADDRESS.sub("", repr(value)))

    def _text(self, value: str) -> str:
        """`value` as far as there is room for it."""
        kept = text(value[:MAX_TEXT])
        size = len(kept) if kept.isascii() and kept.isprintable() else len(json.dumps(kept))
        whole = len(value) <= MAX_TEXT and size <= self.room
        if size > self.room:
            kept = kept[: max(len(kept) * self.room // size, 20)]
            self.items = MAX_ITEMS  # nothing goes on after it
        self.room = max(self.room - size, 0)
        return kept if whole else f"{kept}… ({len(value):,} characters in all)"

    def _mapping(self, items: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key, item in items:
            if self.items > MAX_ITEMS:
                plain["…"] = "(more items left out)"
                break
            name = self._text(key) if isinstance(key, str) else str(self.encode(key, depth + 1))
            plain[name] = self.encode(item, depth + 1)
        return plain

    def _items(self, items: Iterable[Any], depth: int) -> list[Any]:
        plain = []
        for item in items:
            plain.append(self.encode(item, depth + 1))
            if self.items > MAX_ITEMS:
                break
        return plain


def _name(kind: type) -> str:
    return kind.__name__[:_MAX_NAME]


def _big(value: int) -> str:
    # Python itself refuses to write out what is longer than a few thousand digits
    return str(value) if value.bit_length() < 10_000 else f"<int, {value.bit_length():,} bits>"


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
