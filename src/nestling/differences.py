"""What changed between two states of a graph, key by key; lists by their items."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

from nestling.encode import text
from nestling.held import hold

#: Keys of a state that are told, items of a list, and how many are compared one by one.
_KEYS = 50
_TOLD = 20
_COMPARED = 2_000

#: What can be compared by value: it is made of little, or its maker says how.
_PLAIN = (str, int, float, bytes, type(None), list, tuple, dict, set, frozenset)


class Seen(NamedTuple):
    """A value of a state as it was; of a list or dict what stood in it then."""

    value: Any
    inside: list[Any] | dict[Any, Any] | None


def seen(value: Any) -> Seen:
    """Holds a value, so that what is done to a list or dict later can be told."""
    if isinstance(value, list):
        return Seen(value, value.copy())
    if isinstance(value, dict):
        return Seen(value, value.copy())
    return Seen(value, None)


def fields_of(state: Any) -> dict[str, Any]:
    """A state by its keys: a mapping, a pydantic model, a dataclass; any other has the key ''."""
    if isinstance(state, Mapping):
        named = {str(key): value for key, value in state.items()}
        return {key: value for key, value in named.items() if not key.startswith("__")}
    names: Any = getattr(type(state), "model_fields", None)
    if names is None and dataclasses.is_dataclass(state):
        names = [field.name for field in dataclasses.fields(state)]
    if names is None:
        return {} if state is None else {"": state}
    return {name: getattr(state, name, None) for name in names}


def differences(
    before: Mapping[str, Seen], after: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], int]:
    """What is new, other or gone, by key, and about how many bytes that is.

    Each is `{key, op}` with `op` `added` (`after`), `removed` (`before`), `changed` (`before`,
    `after`; of a dict only what differs) or `items`: of a list that had `was` items and has `is`
    now, those from `at` on that are `new` and `gone`, at most 20 of each.
    """
    found: list[dict[str, Any]] = []
    size = 0
    for key in (*after, *(key for key in before if key not in after)):
        change = _change(before.get(key), after.get(key), key in after)
        if change is None:
            continue
        if len(found) == _KEYS:
            found.append({"key": "…", "op": "changed", "after": "(more keys left out)"})
            break
        told: dict[str, Any] = {"key": text(key)}
        for name, value in change.items():
            if name in ("op", "at", "was", "is"):
                told[name] = value
            else:
                told[name], bytes_told = hold(value)
                size += bytes_told
        size += 100
        found.append(told)
    return found, size


def _change(old: Seen | None, new: Any, is_there: bool) -> dict[str, Any] | None:
    """None where nothing changed, or where there is as little as before."""
    if not is_there:
        was = old.value if old is not None and old.inside is None else old and old.inside
        return {"op": "removed", "before": was}
    if old is None and isinstance(new, list) and new:
        return _items([], new)
    if old is None:
        empty = new is None or (isinstance(new, (list, dict)) and not new)
        return None if empty else {"op": "added", "after": new}
    if isinstance(old.inside, list) and isinstance(new, list):
        return _items(old.inside, new)
    if isinstance(old.inside, dict) and isinstance(new, dict):
        return _entries(old.inside, new)
    if _same(old.value, new):
        return None
    if old.value is None:
        return {"op": "added", "after": new}
    return {"op": "changed", "before": old.inside or old.value, "after": new}


def _items(old: list[Any], new: list[Any]) -> dict[str, Any] | None:
    common = min(len(old), len(new))
    at = common
    if not all(map(operator.is_, old, new)):  # as long as the shorter one
        at = next((i for i in range(min(common, _COMPARED)) if not _same(old[i], new[i])), at)
    if at == len(old) == len(new):
        return None
    told: dict[str, Any] = {"op": "items", "at": at, "was": len(old), "is": len(new)}
    if at < len(new):
        told["new"] = list(islice(new, at, at + _TOLD))
    if at < len(old):
        told["gone"] = list(islice(old, at, at + _TOLD))
    return told


def _entries(old: dict[Any, Any], new: dict[Any, Any]) -> dict[str, Any] | None:
    gone = {key: value for key, value in old.items() if key not in new}
    fresh = {
        key: value
        for key, value in new.items()
        if key not in old or (old[key] is not value and not _same(old[key], value))
    }
    if not gone and not fresh:
        return None
    before = {**gone, **{key: old[key] for key in fresh if key in old}}
    return {"op": "changed", "before": before, "after": fresh}


def _same(old: Any, new: Any) -> bool:
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
