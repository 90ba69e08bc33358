"""A value of a state as it was at one moment, so that what is changed in place later can be told.

Lists and dicts are copied at their first level whole. What stands below, sets and objects are
copied within a number of parts: a state may be of any size, and this is done at each step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import date, time, timedelta
from itertools import islice
from types import ModuleType
from typing import Any, NamedTuple

from nestling.encode import encode

#: Parts of one state that are copied, and of one value at least; how deep, and keys of a state.
_PARTS = 1_000
_LEAST = 40
_DEEP = 6
_KEYS = 50
#: What of a message is compared and told.
_MESSAGE = ("type", "content", "name", "tool_calls", "tool_call_id", "id", "status")

#: What can be compared by value: it is made of little, or its maker says how.
_PLAIN = (str, int, float, bytes, type(None), list, tuple, dict, set, frozenset)
#: What nobody can change in place.
_STEADY = (str, int, float, bytes, complex, type(None), date, time, timedelta, type, ModuleType)


class Seen(NamedTuple):
    """A value of a state as it was; of a list or dict what stood in it then."""

    value: Any
    inside: list[Any] | dict[Any, Any] | None
    #: Copies of what can change in place: by index or key; under None of the value itself.
    copies: dict[Any, Any]

    def then(self, at: Any = None) -> Any:
        """What stood at an index or key, or the value itself, as it was."""
        if at in self.copies:
            return self.copies[at]
        if at is not None and self.inside is not None:
            return self.inside[at]
        return self.value if self.inside is None else self.inside

    def is_as(self, at: Any, other: Seen, there: Any) -> bool:
        """Whether what stood at `at` is what stands in `other` at `there`, as far as is known."""
        if at in self.copies and there in other.copies:
            return _equal(self.copies[at], other.copies[there])
        old = self.value if self.inside is None else self.inside[at]
        return same(old, other.value if other.inside is None else other.inside[there])


class _Object:
    """Attributes of an object of which only its maker knows how it is shown."""

    def __init__(self, value: Any, parts: dict[str, Any]) -> None:
        self.value, self.parts = value, parts

    def __repr__(self) -> str:
        now = _copies([(None, self.value)], _PARTS).get(None)
        if isinstance(now, _Object) and _equal(self.parts, now.parts):
            return str(encode(self.value))
        return f"<{type(self.value).__name__}, before it was changed in place>"


class _SpentError(Exception):
    """There is no room for more copies."""


def seen(state: dict[str, Any]) -> dict[str, Seen]:
    """Holds the values of a state by key."""
    room = max(_PARTS // max(len(state), 1), _LEAST)
    return {
        key: _seen(value, room if number < _KEYS else 0)
        for number, (key, value) in enumerate(state.items())
    }


def _seen(value: Any, room: int) -> Seen:
    if isinstance(value, list):
        last = range(len(value) - 1, -1, -1)
        return Seen(value, value.copy(), _copies(((i, value[i]) for i in last), room))
    if isinstance(value, dict):
        return Seen(value, value.copy(), _copies(value.items(), room))
    return Seen(value, None, _copies([(None, value)], room))


def _copies(entries: Iterable[tuple[Any, Any]], room: int) -> dict[Any, Any]:
    """Each is whole, or is not there."""
    copies: dict[Any, Any] = {}
    copier = _Copier(room)
    try:
        for at, value in islice(entries, room):
            if not isinstance(value, _STEADY):
                copies[at] = copier.copy(value, 0)
    except _SpentError:
        pass
    except Exception:  # noqa: BLE001  # a user's property or class may raise anything
        return copies
    return copies


class _Copier:
    def __init__(self, room: int) -> None:
        self.room = room

    def copy(self, value: Any, depth: int, inside: bool = False) -> Any:
        """`inside`: of an object, of which nothing is entered that is one as well."""
        if isinstance(value, _STEADY) or depth > _DEEP:
            return value
        self._take(1)
        if isinstance(value, dict):
            return {key: self.copy(part, depth + 1, inside) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            if hasattr(value, "_asdict"):
                return self.copy(value._asdict(), depth, inside)
            return [self.copy(part, depth + 1, inside) for part in self._each(value)]
        if isinstance(value, (set, frozenset)):
            self._take(len(value))
            return set(value)
        return value if inside or callable(value) else self._object(value, depth)

    def _each(self, parts: Iterable[Any]) -> Iterable[Any]:
        for part in parts:
            self._take(1)
            yield part

    def _take(self, parts: int) -> None:
        self.room -= parts
        if self.room < 0:
            raise _SpentError

    def _object(self, value: Any, depth: int) -> Any:
        kind, parts = type(value), getattr(value, "__dict__", None)
        if not isinstance(parts, dict) or hasattr(value, "shape"):
            return value
        if "additional_kwargs" in parts and "content" in parts:
            told = {name: parts[name] for name in _MESSAGE if parts.get(name)}
            return {name: self.copy(part, depth + 1, True) for name, part in told.items()}
        names: Any = getattr(kind, "model_fields", None)
        if names is None and dataclasses.is_dataclass(value):
            names = [field.name for field in dataclasses.fields(value) if field.repr]
        if names is not None:
            more = getattr(value, "__pydantic_extra__", None) or {}
            told = {**{name: parts[name] for name in names if name in parts}, **more}
            return {kind.__name__: self.copy(told, depth, inside=True)}
        told = {name: part for name, part in parts.items() if not name.startswith("_")}
        return _Object(value, self.copy(told, depth, inside=True))


def _equal(old: Any, new: Any) -> bool:
    """Of two copies."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_equal(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_equal, old, new))
    if isinstance(old, _Object) and isinstance(new, _Object):
        return same(old.value, new.value) and _equal(old.parts, new.parts)
    return same(old, new)


def same(old: Any, new: Any) -> bool:
    """By value only what is cheap to compare: of a table it would be every cell."""
    if old is new:
        return True
    if type(old) is not type(new):
        return False
    by_value = isinstance(old, _PLAIN) or hasattr(old, "model_fields_set")
    try:
        return by_value and bool(old == new)
    except Exception:  # noqa: BLE001  # what compares by its own rules may raise anything
        return False
