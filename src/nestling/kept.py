"""Records and namespaces under every key they are looked up by; puts them in, drops the oldest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from nestling.counts import Tally
from nestling.records import OPEN, Namespace, Record, TextField
from nestling.usage import Meter

#: These may still change: by the run, or by an answer to it.
_KEPT = OPEN | {"pending", "interrupted"}


class Consumer(Protocol):
    """Hears of every edit, under the lock; text arrives merged, at `settle`."""

    def added(self, record: Record) -> None: ...
    def changed(self, record: Record, fields: dict[str, Any]) -> None: ...
    def grown(self, record: Record, field: TextField, text: str) -> None: ...
    def dropped(self, record: Record) -> None: ...
    def namespace(self, namespace: Namespace, fields: Mapping[str, Any] | None) -> None: ...
    def namespace_dropped(self, key: str) -> None: ...
    def run(self) -> None: ...
    def dirty(self) -> None: ...


class Kept:
    """What is kept of a conversation, and who hears of it."""

    def __init__(self) -> None:
        self.consumer: Consumer | None = None
        #: Called with each record that is dropped, by whoever else remembers it.
        self.on_drop: Callable[[Record], None] = lambda record: None
        #: Number of records that are kept; None keeps all.
        self.max_records: int | None = None
        #: Counts the edits of each list, for those who look once per frame.
        self.edits = {"live_chat": 0, "chat_history": 0}
        self.empty()

    def empty(self) -> None:
        self.live: list[Record] = []
        self.history: list[Record] = []
        self.records: dict[str, Record] = {}
        self.namespaces: dict[str, Namespace] = {}
        #: Boxes that were dropped: the run may go on in them.
        self._dropped_boxes: dict[str, Namespace] = {}
        self.counts = Tally()
        #: What the records that were dropped had used; when tasks and runs began.
        self.past = Meter()
        #: How many records were dropped.
        self.left_out = 0
        #: The lowest `seq` of the rows that were edited since this was set to infinity.
        self.edited_from: float = 0
        self._rows_in: dict[str, list[Record]] = {}
        self._boxes_in: dict[str, list[Namespace]] = {}

    # --- reading --------------------------------------------------------------------------

    def rows(self) -> list[Record]:
        """Every record in order of `seq`."""
        return self.history + self.live

    def rows_in(self, key: str) -> list[Record]:
        """The records of one namespace, without those inside it."""
        return self._rows_in.get(key, [])

    def boxes_in(self, key: str) -> list[Namespace]:
        """The boxes right inside of one namespace."""
        return self._boxes_in.get(key, [])

    # --- putting in -----------------------------------------------------------------------

    def put(self, record: Record) -> None:
        """A new record at the end of `live`."""
        self.records[record["id"]] = record
        self._rows_in.setdefault("|".join(record["namespace"]), []).append(record)
        self.live.append(record)
        self.edited(record)
        if self.consumer is not None:
            self.consumer.added(record)
        self.count(record)

    def put_namespace(self, box: Namespace) -> None:
        """A box that is new, or comes back after it was dropped."""
        if self._dropped_boxes.pop(box["key"], None) is box:
            self.counts.put_back(box["key"])
            self._tell_counts("")
        if box["parent"] is not None and box["parent"] not in self.namespaces:
            self.put_back(box["parent"])
        self.namespaces[box["key"]] = box
        if box["parent"] is not None:
            self._boxes_in.setdefault(box["parent"], []).append(box)
        if self.consumer is not None:
            self.consumer.namespace(box, None)

    def put_back(self, key: str) -> None:
        """A box that was dropped with all that stood in it, as something new comes in there."""
        self.put_namespace(self._dropped_boxes[key])

    def forget_box(self, key: str) -> None:
        """A box that was dropped and does not go on."""
        self._dropped_boxes.pop(key, None)
        self.counts.forget(key)

    def is_kept(self, record: Record) -> bool:
        """Whether a record was not dropped."""
        return self.records.get(record["id"]) is record

    def edited(self, record: Record) -> None:
        if record["seq"] < self.edited_from:
            self.edited_from = record["seq"]
        past = self.history and record["seq"] <= self.history[-1]["seq"]
        self.edits["chat_history" if past else "live_chat"] += 1

    def count(self, record: Record) -> None:
        """A record is new, or its status has changed."""
        if self.counts.update(record):
            self._tell_counts("|".join(record["namespace"]))

    def _tell_counts(self, key: str) -> None:
        if self.consumer is not None:
            self.consumer.namespace(self.namespaces[key], {"counts": self.counts.of(key)})

    # --- dropping -------------------------------------------------------------------------

    def drop_oldest(self) -> None:
        """Drops the oldest finished records over `max_records`, boxes left empty with them."""
        if self.max_records is None:
            return
        excess = len(self.history) + len(self.live) - self.max_records
        for records in (self.history, self.live):
            at = 0
            while excess > 0 and at < len(records):
                if records[at]["status"] in _KEPT:
                    at += 1
                    continue
                self.edits["chat_history" if records is self.history else "live_chat"] += 1
                self._drop(records.pop(at))
                excess -= 1

    def drop_shells(self) -> None:
        """Drops boxes that ended after the last of their records had gone."""
        if not self.left_out:
            return
        oldest = next((record["seq"] for record in self.rows()), None)
        for box in list(self.namespaces.values()):
            old = oldest is None or box["seq"] < oldest
            if old and box["key"] in self.namespaces and self._is_left_empty(box):
                self._drop_box(box)

    def _drop(self, record: Record) -> None:
        self.left_out += 1
        del self.records[record["id"]]
        self.on_drop(record)
        key = "|".join(record["namespace"])
        self.past.add(record, self.namespaces[key], record["started_at"])
        _remove(self._rows_in[key], record)
        counted = self.counts.update(record, gone=True)
        if self.consumer is not None:
            self.consumer.dropped(record)
            self.consumer.run()
        box = self.namespaces[key]
        if counted:
            self._tell_counts("")
        if not self._is_left_empty(box):
            if counted and key:
                self._tell_counts(key)
            return
        while self._is_left_empty(around := self.namespaces[box["parent"] or ""]):
            box = around
        self._drop_box(box)

    def _is_left_empty(self, box: Namespace) -> bool:
        """Whether a box has ended and nothing that stood in it is kept."""
        return (
            box["parent"] is not None
            and box["status"] not in _KEPT
            and not self.rows_in(box["key"])
            and all(map(self._is_left_empty, self.boxes_in(box["key"])))
        )

    def _drop_box(self, box: Namespace) -> None:
        for inner in list(self.boxes_in(box["key"])):
            self._drop_box(inner)
        key = box["key"]
        self._dropped_boxes[key] = self.namespaces.pop(key)
        _remove(self._boxes_in[box["parent"] or ""], box)
        self._rows_in.pop(key, None)
        self._boxes_in.pop(key, None)
        self.counts.drop(box)
        self._tell_counts("")
        self.past.forget(key, self.namespaces[""]["started_at"])
        self.edited_from = 0
        if self.consumer is not None:
            self.consumer.namespace_dropped(key)


def _remove(items: list[Any], item: Any) -> None:
    """By identity; it is the first, mostly."""
    del items[next(i for i, other in enumerate(items) if other is item)]
