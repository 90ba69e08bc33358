"""What the header of a box sums up, kept per namespace so that a page needs no old rows for it."""

from __future__ import annotations

from typing import TypeAlias

from nestling.records import Record

#: Of one namespace alone, without those inside it; zeros are absent. `tools`: calls that opened no
#: box; `failed` of them; `artifacts`; `trouble`: errors and pending interrupts, for which a box
#: stays open.
Counts: TypeAlias = dict[str, int]

_COUNTED = frozenset({"tool_call", "artifact", "error", "interrupt"})


class Tally:
    """The counts of every namespace, right after each edit by the difference that it makes."""

    def __init__(self) -> None:
        self._counts: dict[str, Counts] = {}
        self._parts: dict[int, tuple[str, ...]] = {}

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
        return True

    def forget(self, key: str) -> None:
        """A box that is not kept any more."""
        self._counts.pop(key, None)


def _part(record: Record) -> tuple[str, ...]:
    kind, status = record["type"], record["status"]
    if kind == "tool_call":
        if record.get("spawned"):
            return ()
        return ("tools", "failed") if status == "failed" else ("tools",)
    if kind == "artifact":
        return ("artifacts",)
    return ("trouble",) if kind == "error" or status == "pending" else ()
