"""What changed between two states of a graph, key by key; lists by their items."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nestling.encode import text
from nestling.held import hold
from nestling.seen import Seen

#: Keys of a state that are told, items of a list, and how many are compared one by one.
_KEYS = 50
_TOLD = 20
_COMPARED = 2_000


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
    before: Mapping[str, Seen], after: Mapping[str, Seen]
) -> tuple[list[dict[str, Any]], int]:
    """What is new, other or gone, by key, and about how many bytes that is.

    Each is `{key, op}` with `op` `added` (`after`), `removed` (`before`), `changed` (`before`,
    `after`; of a dict only what differs) or `items`: of a list that had `was` items and has `is`
    now, and is another from `at` on, those that are `new` and `gone`, at most 20 of each. `same`
    is how many from `at` on are in both.
    """
    found: list[dict[str, Any]] = []
    size = 0
    for key in (*after, *(key for key in before if key not in after)):
        change = _change(before.get(key), after.get(key))
        if change is None:
            continue
        if len(found) == _KEYS:
            found.append({"key": "…", "op": "changed", "after": "(more keys left out)"})
            break
        told: dict[str, Any] = {"key": text(key)}
        for name, value in change.items():
            if name in ("op", "at", "was", "is", "same"):
                told[name] = value
            else:
                told[name], bytes_told = hold(value)
                size += bytes_told
        size += 100
        found.append(told)
    return found, size


def _change(old: Seen | None, new: Seen | None) -> dict[str, Any] | None:
    """None where nothing changed, or where there is as little as before."""
    if new is None:
        return {"op": "removed", "before": old and _whole(old)}
    if old is None:
        if isinstance(new.inside, list) and new.inside:
            return _items(Seen([], [], {}), new)
        empty = new.value is None or (new.inside is not None and not new.inside)
        return None if empty else {"op": "added", "after": new.value}
    if isinstance(old.inside, list) and isinstance(new.inside, list):
        return _items(old, new)
    if isinstance(old.inside, dict) and isinstance(new.inside, dict):
        return _entries(old, new)
    if old.inside is None and new.inside is None and old.is_as(None, new, None):
        return None
    if old.value is None:
        return {"op": "added", "after": new.value}
    return {"op": "changed", "before": _whole(old), "after": new.value}


def _whole(old: Seen) -> Any:
    if isinstance(old.inside, list):
        return [old.then(i) for i in range(len(old.inside))]
    return old.then() if old.inside is None else {**old.inside, **old.copies}


def _items(old: Seen, new: Seen) -> dict[str, Any] | None:
    before, after = old.inside or [], new.inside or []
    was, now = len(before), len(after)
    at = _alike(old, new)
    if at == was == now:
        return None
    gone, fresh = _apart(old, new, at)
    told: dict[str, Any] = {"op": "items", "at": at, "was": was, "is": now}
    if was - at > len(gone):
        told["same"] = was - at - len(gone)
    if fresh:
        told["new"] = [after[i] for i in fresh[:_TOLD]]
    if gone:
        told["gone"] = [old.then(i) for i in gone[:_TOLD]]
    return told


def _alike(old: Seen, new: Seen) -> int:
    """How many items two lists have in common at their beginning."""
    before, after = old.inside or [], new.inside or []
    common = min(len(before), len(after))
    if all(map(operator.is_, before, after)):  # as long as the shorter one
        looked: Iterable[int] = sorted(i for i in old.copies if i < common)
    else:
        looked = range(min(common, _COMPARED))
    return next((i for i in looked if not old.is_as(i, new, i)), common)


def _apart(old: Seen, new: Seen, at: int) -> tuple[Sequence[int], Sequence[int]]:
    """Which items from `at` on are gone, and which are new: what is in both keeps its order."""
    before, after = old.inside or [], new.inside or []
    was, now = len(before), len(after)
    tail = 0
    while tail < min(was, now, at + _COMPARED) - at and old.is_as(
        was - tail - 1, new, now - tail - 1
    ):
        tail += 1
    was, now = was - tail, now - tail
    gone, fresh = range(at, was), range(at, now)
    if not gone or not fresh or max(len(gone), len(fresh)) > _COMPARED:
        return gone, fresh
    places: dict[Any, list[int]] = {}
    for i in reversed(gone):
        places.setdefault(_name(before[i]), []).append(i)
    kept: dict[int, int] = {}
    last = -1
    for there in fresh:
        here = places.get(_name(after[there]), [])
        while here and here[-1] <= last:
            here.pop()
        if here and old.is_as(here[-1], new, there):
            last = here.pop()
            kept[there] = last
    left = set(kept.values())
    return [i for i in gone if i not in left], [i for i in fresh if i not in kept]


def _name(item: Any) -> Any:
    """What an item is recognised by in another place: the id of a message, or itself."""
    if isinstance(item, (str, int, float)):
        return item
    name = item.get("id") if isinstance(item, dict) else getattr(item, "id", None)
    return ("id", name) if isinstance(name, str) else ("at", id(item))


def _entries(old: Seen, new: Seen) -> dict[str, Any] | None:
    before, after = old.inside or {}, new.inside or {}
    gone = [key for key in before if key not in after]
    fresh = [key for key in after if key not in before or not old.is_as(key, new, key)]
    if not gone and not fresh:
        return None
    was = {key: old.then(key) for key in (*gone, *(key for key in fresh if key in before))}
    return {"op": "changed", "before": was, "after": {key: after[key] for key in fresh}}
