"""Edits in, small numbered patches out: merged per record, at frame rate, from one writer.

The first change after a quiet frame leaves at once and two patches are never closer than
`FRAME`; answers to a page leave at once, and the patches after them wait so much longer.
Nothing here knows Jupyter: `send` takes a dict. A page that has a gap says hello
and gets what it lacks from a ring of recent patches, or a snapshot.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from nestling.conversation import Conversation
from nestling.records import TEXT_FIELDS, Namespace, Patch, Record, Rows, Snapshot, TextField
from nestling.snapshot import MAX_BYTES, MAX_ROWS, MAX_WHOLE, Snapshots, split, whole

log = logging.getLogger("nestling")

#: Seconds between two messages: 28 a second and two of an answer make no more than 30.
FRAME = 1 / 28
#: Characters of text in one message: at most six bytes each when escaped, so below 1 MB.
MAX_CHARS = 150_000
#: Of these so many may be taken by others beside one record that is larger than all of them.
_BESIDE = 20_000
#: Patches that are kept for a page that missed some.
RING = 90
#: Bytes of the number of a record.
_SEQ = 10
#: What a page forgets of a box that was dropped and is back in the same frame: it still has it.
_BARE: dict[str, Any] = {
    "counts": {},
    "ended_at": None,
    "note": None,
    "usage": None,
    "progress": None,
}
#: Seconds after which a writer without work ends its thread.
_IDLE = 2.0
#: Seconds into a run that hears no page until its first unasked snapshot.
DEAF = 10.0


class Outbox:
    """The consumer of one conversation. `on_frame` is called after each flush, unlocked."""

    def __init__(
        self,
        conversation: Conversation,
        send: Callable[[Mapping[str, Any]], None],
        on_frame: Callable[[], None] = lambda: None,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.conversation = conversation
        self._snapshots = Snapshots(conversation, self._pending, self.changed, self.namespace)
        self.send = send
        self.on_frame = on_frame
        #: What the writer sends in.
        self.around = around
        self._lock = conversation.lock
        self._wake = threading.Condition(self._lock)
        self._writer: threading.Thread | None = None
        self._closed = False
        self._dirty = False
        self._deaf: float | None = None
        self._due = 0.0
        #: When the writer may send again.
        self._free = 0.0
        self.reset()
        conversation.consumer = self

    def reset(self) -> None:
        """A new epoch: pages that hold the old one ask for everything."""
        self.epoch = secrets.token_hex(4)
        self.n = 0
        self._ring: deque[Patch] = deque(maxlen=RING)
        self._forget()
        self._run = False

    def _forget(self) -> None:
        self._drop: dict[str, list[int]] = {}
        self._namespaces: dict[str, dict[str, Any] | None] = {}
        self._add: dict[int, Record] = {}
        self._set: dict[int, dict[str, Any]] = {}
        self._append: dict[tuple[int, TextField], str] = {}

    # --- what the conversation says, under its lock ----------------------------------------

    def added(self, record: Record) -> None:
        self._add[record["seq"]] = record
        self.dirty()

    def changed(self, record: Record, fields: dict[str, Any]) -> None:
        seq = record["seq"]
        if seq not in self._add:
            for field in TEXT_FIELDS:
                if field in fields:
                    self._append.pop((seq, field), None)
            self._set.setdefault(seq, {}).update(fields)
        self.dirty()

    def grown(self, record: Record, field: TextField, text: str) -> None:
        if record["seq"] not in self._add:
            key = (record["seq"], field)
            self._append[key] = self._append.get(key, "") + text
        self.dirty()

    def dropped(self, record: Record) -> None:
        seq = record["seq"]
        self._set.pop(seq, None)
        for field in TEXT_FIELDS:
            self._append.pop((seq, field), None)
        if self._add.pop(seq, None) is None:
            self._drop.setdefault("|".join(record["namespace"]), []).append(seq)
        self.dirty()

    def namespace(self, namespace: Namespace, fields: Mapping[str, Any] | None) -> None:
        key = namespace["key"]
        changed = whole(self.conversation, namespace) if fields is None else fields
        before = self._namespaces.get(key, {})
        self._namespaces[key] = {**(_BARE if before is None else before), **changed}
        self.dirty()

    def namespace_dropped(self, key: str) -> None:
        self._namespaces[key] = None
        self.dirty()

    def run(self) -> None:
        self._run = True
        self.dirty()

    def dirty(self) -> None:
        if self._dirty:
            return
        self._dirty = True
        if self._writer is None and not self._closed:
            writer = threading.Thread(target=self._write, name="nestling", daemon=True)
            try:
                writer.start()
            except RuntimeError:  # there are too many, or Python ends
                self._dirty = False  # the next change tries again
                return
            self._writer = writer
        self._wake.notify()

    # --- the writer -------------------------------------------------------------------------

    def _write(self) -> None:
        while True:
            with self._lock:
                if not self._dirty and not self._closed:
                    self._wake.wait(_IDLE)
                if not self._dirty or self._closed:
                    self._writer = None
                    return
                early = self._free - time.monotonic()
                if early > 0:
                    self._wake.wait(early)  # or until it is closed
                    continue
            began = time.monotonic()
            try:
                with self.around():
                    self.flush()
                    self._remind(began)
                self.on_frame()
            except Exception:
                log.warning("The display could not be updated; the run goes on.", exc_info=True)
            with self._lock:
                # a slow flush widens the frame, so that the run keeps most of the time
                now = time.monotonic()
                self._free = max(self._free, now + max(FRAME, 3 * (now - began)))

    def hear(self, hears: bool) -> None:
        """Whether pages can be heard. In a sync cell some kernels hear none until it ends.

        A page with a gap then says hello in vain, so snapshots go out at doubling intervals,
        and one at the end of a run that was long enough for any.
        """
        with self._lock:
            if not hears:
                self._deaf, self._due = DEAF, time.monotonic() + DEAF
            elif self._deaf is not None:
                reminded, self._deaf = self._deaf > DEAF, None
                if reminded:
                    self.send(self.snapshot())

    def _remind(self, now: float) -> None:
        with self._lock:
            if self._deaf is not None and now >= self._due:
                self._deaf *= 2
                self._due = now + self._deaf
                self.send(self.snapshot())

    def close(self) -> None:
        """Ends the writer; what is pending is dropped."""
        with self._lock:
            self._closed = True
            self._wake.notify()

    # --- patches ----------------------------------------------------------------------------

    def flush(self) -> None:
        """Sends what has changed, up to the size of one message."""
        with self._lock:
            patch = self._collect()
            if patch is not None:
                self._ring.append(patch)
                self.send(patch)
                self._wait_a_frame()

    def _wait_a_frame(self) -> None:
        """A message more has been sent, or is about to be."""
        self._free = max(self._free, time.monotonic()) + FRAME

    def _collect(self) -> Patch | None:
        self._dirty = False
        self.conversation.settle()
        self._dirty = False
        body: dict[str, Any] = {}
        if self._run:
            body["run"], self._run = self.conversation.run_state(), False
        room = MAX_CHARS
        if self._drop:
            body["drop"], room = self._take_dropped(room)
        if self._namespaces and not self._drop:  # their rows have to go first
            body["namespaces"], room = self._take_namespaces(room)
        if self._add and not self._namespaces and not self._drop:  # their boxes have to go first
            body["add"], room = self._take_added(room)
        if self._set:
            body["set"], room = self._take_changed(room, first="add" not in body)
        if self._append and room > 0:
            body["append"] = self._take_grown(room)
        body = {name: part for name, part in body.items() if part}
        if self._drop or self._namespaces or self._add or self._set or self._append:
            self.dirty()  # the rest goes in the next frame
        if not body:
            return None
        self.n += 1
        return cast(Patch, {"type": "patch", "epoch": self.epoch, "n": self.n, **body})

    def _take_dropped(self, room: int) -> tuple[dict[str, list[int]], int]:
        taken: dict[str, list[int]] = {}
        for key in list(self._drop):
            room -= len(json.dumps(key)) + 4
            count = room // _SEQ
            if taken and count <= 0:
                break
            seqs = self._drop.pop(key)
            taken[key], rest = seqs[: max(count, 1)], seqs[max(count, 1) :]
            room -= len(taken[key]) * _SEQ
            if rest:
                self._drop[key] = rest
                break
        return taken, room

    def _take_namespaces(self, room: int) -> tuple[dict[str, dict[str, Any] | None], int]:
        taken: dict[str, dict[str, Any] | None] = {}
        for key, box in list(self._namespaces.items()):
            extra = len(json.dumps({key: box}))
            if taken and extra > room:
                break
            taken[key] = self._namespaces.pop(key)
            room -= extra
        return taken, room

    def _take_added(self, room: int) -> tuple[list[Record], int]:
        taken: list[Record] = []
        for seq in list(self._add):
            record = cast("dict[str, Any]", dict(self._add[seq]))
            later, extra = _split(record)
            if taken and not _has_room(room, extra):  # the first always has: boxes are no text
                break
            del self._add[seq]
            if later:
                self._set[seq] = later
            room -= extra
            room -= self._cut(record, seq, room)
            taken.append(cast(Record, record))
        return taken, room

    def _take_changed(self, room: int, first: bool) -> tuple[list[tuple[int, dict[str, Any]]], int]:
        """`first`: there are no records in this message, so that even the largest has room."""
        taken: list[tuple[int, dict[str, Any]]] = []
        for seq in list(self._set):
            if seq in self._add:  # its record has to go first
                continue
            fields = dict(self._set[seq])
            later, extra = _split(fields)
            if (taken or not first) and not _has_room(room, extra):
                break
            if later:
                self._set[seq] = later
            else:
                del self._set[seq]
            room -= extra
            room -= self._cut(fields, seq, room)
            taken.append((seq, fields))
        return taken, room

    def _take_grown(self, room: int) -> list[Any]:
        taken: list[Any] = []
        for (seq, field), text in list(self._append.items()):
            if seq in self._add or seq in self._set:
                continue
            if room <= 0:
                break
            head, rest = text[:room], text[room:]
            del self._append[seq, field]
            if rest:
                self._append[seq, field] = rest
            room -= len(head)
            taken.append((seq, head) if field == "content" else (seq, head, field))
        return taken

    def _cut(self, fields: dict[str, Any], seq: int, room: int) -> int:
        """Leaves at most `room` characters of text in `fields`; the rest is appended later."""
        size = 0
        for field in TEXT_FIELDS:
            text = fields.get(field)
            if not text:
                continue
            limit = max(room - size, 0)
            if len(text) > limit:
                fields[field] = text[:limit]
                self._append[seq, field] = text[limit:] + self._append.get((seq, field), "")
            size += min(len(text), limit)
        return size

    def _pending(self, record: Record, field: TextField) -> str:
        """Text at the end of a record that is still to be sent."""
        return self._append.get((record["seq"], field), "")

    # --- what a page asks for ---------------------------------------------------------------

    def hello(self, epoch: str | None, have: int) -> None:
        """Answers a page that has seen everything up to `have` of `epoch`."""
        with self._lock:
            self.flush()
            missing = [patch for patch in self._ring if patch["n"] > have]
            complete = epoch == self.epoch and 0 <= self.n - have == len(missing)
            if not complete or len(json.dumps(missing)) > MAX_BYTES:
                self.send(self.snapshot())
            elif missing:
                self.send({"type": "missed", "patches": missing})
                self._wait_a_frame()

    def rows(
        self, before: int, limit: int, namespace: str | None = None, closed: bool = False
    ) -> Rows:
        """Up to `limit` rows right before `seq` = `before`, of one namespace or of all.

        Of thousands of boxes those come with them in which they stand, and, if a page has not
        all the `closed` ones of the namespace, those between them.
        """
        with self._lock:
            self.flush()
            limit = min(limit, MAX_ROWS)
            boxes, floor = self._snapshots.boxes_before(before, limit, namespace, closed)
            for box in boxes:  # the page may not have them
                self.namespace(box, None)
            while self._namespaces:
                self.flush()
            # as those patches have left them: the page would miss what they say of these rows
            older = self._snapshots.older(before, limit, namespace, boxes, floor)
            self._wait_a_frame()
            return {
                "type": "rows",
                "epoch": self.epoch,
                "n": self.n,
                "namespace": namespace,
                "before": before,
                **older,
            }

    def answer(self, told: Mapping[str, Any]) -> None:
        """Sends what one page asked for, whatever patches are on their way."""
        with self._lock:
            self._wait_a_frame()
            self.send(told)

    def snapshot(self) -> Snapshot:
        """What patch `n` led to, in one piece, at most 1 MB: the last rows and the boxes."""
        with self._lock:
            self.flush()
            self._wait_a_frame()
            return {
                "type": "snapshot",
                "epoch": self.epoch,
                "n": self.n,
                "run": self.conversation.run_state(),
                **self._snapshots.state(len(self._add)),
            }


def _has_room(room: int, extra: int) -> bool:
    """Whether a record goes in a message with so much `room`; a larger one goes nearly alone."""
    return extra < room or room > MAX_CHARS - _BESIDE


def _split(fields: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """What is taken out of a record for a message of its own, and the bytes of the rest."""
    extra = _extra(fields)
    if extra <= MAX_WHOLE:
        return {}, extra
    return split(fields), _extra(fields)


def _extra(fields: Mapping[str, Any]) -> int:
    """Bytes of what is not text that could be cut, in `fields`."""
    return len(json.dumps({k: v for k, v in fields.items() if k not in TEXT_FIELDS}))
