"""What the header of a box sums up, kept per namespace so that a page needs no old rows for it."""

from __future__ import annotations

from typing import TypeAlias

from nestling.records import Namespace, Record

#: Of one namespace alone, without those inside it; zeros are absent. `tools`: calls that opened no
#: box; `failed` of them; `artifacts`; `trouble`: errors and pending interrupts, for which a box
#: stays open. The root also counts what is not kept any more: its `tools` and `failed`, and of
#: boxes the `tokens` and `agents`.
Counts: TypeAlias = dict[str, int]

_COUNTED = frozenset({"tool_call", "artifact", "error", "interrupt"})
_PAST = frozenset({"tools", "failed"})


class Tally:
    """The counts of every namespace, right after each edit by the difference that it makes."""

    def __init__(self) -> None:
        self._counts: dict[str, Counts] = {}
        self._parts: dict[int, tuple[str, ...]] = {}
        #: What the root counts of boxes that were dropped.
        self._dropped: dict[str, Counts] = {}

    def of(self, key: str) -> Counts:
        return {name: count for name, count in self._counts.get(key, {}).items() if count}

    def update(self, record: Record, gone: bool = False) -> bool:
        """Counts a record as it is now; whether that changes anything."""
        if record["type"] not in _COUNTED:
            return False
        seq = record["seq"]
        before, now = self._parts.get(seq, ()), () if gone else _part(record)
        if before == now:
            return False
        counts = self._counts.setdefault("|".join(record["namespace"]), {})
        for names, change in ((before, -1), (now, 1)):
            for name in names:
                counts[name] = counts.get(name, 0) + change
        if now:
            self._parts[seq] = now
        else:
            del self._parts[seq]
        if gone:
            self._root(dict.fromkeys(_PAST.intersection(before), 1))
        return True

    def drop(self, box: Namespace) -> None:
        """A box that is not kept any more: the root counts what it used."""
        self._counts.pop(box["key"], None)
        used = self._dropped[box["key"]] = {
            "tokens": _tokens(box),
            "agents": int(bool(box.get("is_agent"))),
        }
        self._root(used)

    def put_back(self, key: str) -> None:
        """A box that was dropped is there again, with what it had used."""
        self._root({name: -count for name, count in self._dropped.pop(key, {}).items()})

    def forget(self, key: str) -> None:
        """A box that was dropped and does not come back."""
        self._dropped.pop(key, None)

    def _root(self, more: Counts) -> None:
        counts = self._counts.setdefault("", {})
        for name, count in more.items():
            counts[name] = counts.get(name, 0) + count


def _tokens(box: Namespace) -> int:
    usage = box.get("usage") or {}
    both = usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
    return int(usage.get("total_tokens", both))


def _part(record: Record) -> tuple[str, ...]:
    kind, status = record["type"], record["status"]
    if kind == "tool_call":
        if record.get("spawned"):
            return ()
        return ("tools", "failed") if status == "failed" else ("tools",)
    if kind == "artifact":
        return ("artifacts",)
    return ("trouble",) if kind == "error" or status == "pending" else ()
