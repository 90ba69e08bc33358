"""Edits of records and boxes, each told to those who watch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol, cast

from nestling.encode import encode, text
from nestling.kept import Kept
from nestling.records import OPEN, Change, Namespace, Record, RecordType, TextField

log = logging.getLogger("nestling")

#: Texts of any length: they go to the page in pieces.
_IN_PIECES = frozenset({"content", "reasoning", "args_text"})
#: Characters of a text that tells what went wrong, and of all others: ids, names, titles.
_TELLING = frozenset({"error", "message", "traceback"})
MAX_TELLING = 20_000
MAX_NAME = 1_000


class Drawing(Protocol):
    """Hears, under the lock, of records that have ended and of the objects that they tell of."""

    def finished(self, record: Record) -> None: ...
    def told(self, record: Record, value: Any) -> None: ...


class Edits(Kept):
    """The ways in which a conversation changes. Call them under `lock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self.clock = clock
        self.lock = threading.RLock()
        self.callbacks: list[Callable[[Change], None]] = []
        #: Who draws records by functions of the user.
        self.renderings: Drawing | None = None
        #: What they have not been told yet.
        self.changes: list[Change] = []
        self._telling = False

    def empty(self) -> None:
        super().empty()
        self._open: dict[str, dict[str, Record]] = {}
        #: Text that has arrived and is not in its record yet.
        self._tails: dict[tuple[str, TextField], list[str]] = {}
        #: Records without an id of their own by type; ids that came again.
        self._counts: dict[str, int] = {}
        self._copies: dict[str, int] = {}
        self._seq = 0

    def add(
        self,
        record_type: RecordType,
        record_id: str | None,
        namespace: list[str],
        *,
        speaker: str,
        order: int,
        status: str = "completed",
        content: str = "",
        **fields: Any,
    ) -> Record:
        """A new record at the end of `live_chat`; `record_id` None makes one up."""
        now = self.clock()
        record = cast(
            Record,
            {
                "id": self._unique(record_type, record_id),
                "type": record_type,
                "namespace": namespace,
                "speaker": str(speaker),
                "seq": self._next_seq(),
                "order": order,
                "status": status,
                "content": content,
                "started_at": now,
                **{name: value for name, value in fields.items() if value is not None},
            },
        )
        _clean(cast("dict[str, Any]", record))
        key = "|".join(namespace)
        if key not in self.namespaces:
            self.put_back(key)
        if status in OPEN:
            self._open.setdefault(key, {})[record["id"]] = record
        elif status != "pending":
            record["ended_at"] = now
        self.put(record)
        self._tell("add", record["id"], record)
        if self.renderings is not None:
            self.renderings.finished(record)
        self.limit()
        return record

    def set(self, record: Record, **fields: Any) -> None:
        """Sets fields of a record; None removes one."""
        _clean(fields)
        if any(name in fields for name in ("content", "reasoning", "args_text")):
            self.settle()  # what came before must not be appended after
        changed = {k: v for k, v in fields.items() if record.get(k) != v}
        if not changed:
            return
        if not self.is_kept(record):  # it was dropped: nobody hears of it
            _assign(cast("dict[str, Any]", record), changed)
            return
        status = changed.get("status")
        if status is not None:
            unfinished = self._open.setdefault("|".join(record["namespace"]), {})
            if status in OPEN:
                unfinished[record["id"]] = record
                if "ended_at" in record:
                    changed["ended_at"] = None
            elif unfinished.pop(record["id"], None) or record["status"] == "pending":
                changed["ended_at"] = self.clock()
            if status not in OPEN and "progress" in record:
                changed["progress"] = None
        _assign(cast("dict[str, Any]", record), changed)
        self.edited(record)
        if self.consumer is not None:
            self.consumer.changed(record, changed)
        if "status" in changed or "spawned" in changed:
            self.count(record)
        self._tell("set", record["id"], record)
        if self.renderings is not None and (status is not None or "version" in changed):
            self.renderings.finished(record)

    def tell_of(self, record: Record, value: Any) -> None:
        """The object that a record was made of."""
        if self.renderings is not None:
            self.renderings.told(record, value)

    def append(self, record: Record, piece: str, field: TextField = "content") -> None:
        """Text that arrived: the hot path, one look-up and one append."""
        key = (record["id"], field)
        pieces = self._tails.get(key)
        if pieces is None:
            self._tails[key] = [piece]
            if self.consumer is not None:
                self.consumer.dirty()
        else:
            pieces.append(piece)
        if self.callbacks:
            self._tell("append", record["id"], record)

    def add_namespace(
        self,
        namespace: tuple[str, ...],
        *,
        label: str,
        parent: str | None,
        status: Any = "running",
        spawned_by: str | None = None,
        is_agent: bool = False,
        order: int = 0,
    ) -> Namespace:
        segments = [_segment(text(segment)) for segment in namespace]
        box: Namespace = {
            "key": "|".join(segments),
            "namespace": segments,
            "label": cut(text(str(label)), MAX_NAME),
            "parent": parent,
            "spawned_by": spawned_by,
            "status": status,
            "is_agent": is_agent,
            "seq": self._next_seq(),
            "order": order,
            "started_at": self.clock(),
        }
        self.put_namespace(box)
        self._tell("namespace", box["key"], box)
        return box

    def set_namespace(self, namespace: Namespace, **fields: Any) -> None:
        _clean(fields)
        changed = {k: v for k, v in fields.items() if namespace.get(k) != v}
        if not changed:
            return
        if "progress" in namespace and changed.get("status", "running") != "running":
            changed["progress"] = None
        key = namespace["key"]
        if key not in self.namespaces:  # it was dropped, and goes on
            self.put_back(key)
        _assign(cast("dict[str, Any]", namespace), changed)
        if self.consumer is not None:
            self.consumer.namespace(namespace, changed)
        self._tell("namespace", key, namespace)

    def settle(self) -> None:
        """Puts the text that has arrived into its records."""
        if not self._tails:
            return
        tails, self._tails = self._tails, {}
        for (record_id, field), pieces in tails.items():
            record = self.records.get(record_id)
            if record is None:  # it was dropped
                continue
            grown = "".join(pieces)
            whole = record.get(field, "")
            record[field] = ""  # nobody else holds it now: it grows in its place, without a copy
            whole += grown
            record[field] = whole
            self.edited(record)
            if self.consumer is not None:
                self.consumer.grown(record, field, grown)

    def limit(self) -> None:
        """Drops what is over `max_records`."""
        if self.max_records is not None:
            self.settle()
            self.drop_oldest()

    # --- who watches -----------------------------------------------------------------------

    def tell(self) -> None:
        """Tells callbacks what has changed. Not under the lock: they are the user's own code."""
        while True:
            with self.lock:
                if self._telling or not self.changes:  # whoever tells goes on with these
                    return
                self._telling = True
                self.settle()
                changes, self.changes = self.changes, []
            try:
                for change in changes:
                    for callback in tuple(self.callbacks):
                        _call(callback, change)
            finally:
                self._telling = False

    # --- inside ---------------------------------------------------------------------------

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def _unique(self, record_type: str, record_id: str | None) -> str:
        if record_id is None:
            count = self._counts[record_type] = self._counts.get(record_type, 0) + 1
            record_id = f"{record_type}:{count}"
        record_id = cut(text(str(record_id)), MAX_NAME)
        if record_id not in self.records:
            return record_id
        copy = self._copies.get(record_id, 1) + 1
        while f"{record_id}@{copy}" in self.records:
            copy += 1
        self._copies[record_id] = copy
        return f"{record_id}@{copy}"

    def _tell(self, op: Any, key: str, record: Any) -> None:
        if self.callbacks:
            self.changes.append({"op": op, "id": key, "record": record})


def _call(callback: Callable[[Change], None], change: Change) -> None:
    try:
        callback(change)
    except Exception:
        log.warning("An on_event callback raised; the run goes on.", exc_info=True)


#: What goes in as it is; lists and dicts have been encoded by whoever made them.
_PLAIN = (bool, int, float, list, dict, type(None))


def cut(value: str, limit: int) -> str:
    """At most so many characters, the last an ellipsis when there were more."""
    return value if len(value) <= limit else value[: limit - 1] + "…"


def _segment(name: str) -> str:
    """A part of a key: what is cut out of a long one is its middle, for ids stand at the end."""
    half = MAX_NAME // 4
    return name if len(name) <= 2 * half else f"{name[:half]}…{name[-half:]}"


def _clean(fields: dict[str, Any]) -> None:
    """Nothing goes in that UTF-8 or JSON cannot hold, or that is too large for a message."""
    for name, value in fields.items():
        if isinstance(value, str):
            if not value.isascii():
                fields[name] = text(value)
            if len(value) > MAX_NAME and name not in _IN_PIECES:
                fields[name] = cut(fields[name], MAX_TELLING if name in _TELLING else MAX_NAME)
        elif not isinstance(value, _PLAIN):
            fields[name] = encode(value)


def _assign(target: dict[str, Any], fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = value
