"""What has changed and was not sent yet: merged per record, taken in pieces of one message."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, cast

from nestling.conversation import Conversation
from nestling.records import TEXT_FIELDS, Namespace, Record, TextField
from nestling.snapshot import MAX_WHOLE, split, whole

#: Characters of text in one message: at most six bytes each when escaped, so below 1 MB.
MAX_CHARS = 150_000
#: Of these so many may be taken by others beside one record that is larger than all of them.
_BESIDE = 20_000
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


class Unsent:
    """The consumer of one conversation. All of it is called under the conversation's lock."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self._run = False
        self.forget()

    def forget(self) -> None:
        self._drop: dict[str, list[int]] = {}
        self._namespaces: dict[str, dict[str, Any] | None] = {}
        self._add: dict[int, Record] = {}
        self._set: dict[int, dict[str, Any]] = {}
        self._append: dict[tuple[int, TextField], str] = {}

    @abstractmethod
    def dirty(self) -> None:
        """There is something to send."""

    @property
    def unseen(self) -> int:
        """Number of records that no page has."""
        return len(self._add)

    def tail(self, record: Record, field: TextField) -> str:
        """Text at the end of a record that is still to be sent."""
        return self._append.get((record["seq"], field), "")

    # --- what the conversation says ---------------------------------------------------------

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

    # --- what the next message takes --------------------------------------------------------

    def take(self) -> dict[str, Any]:
        """The body of a patch: as much as one message holds, the rest stays for the next."""
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
        if self._drop or self._namespaces or self._add or self._set or self._append:
            self.dirty()  # the rest goes in the next frame
        return {name: part for name, part in body.items() if part}

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
