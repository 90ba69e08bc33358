"""What a page is given of a conversation at once: the last rows, the boxes, within 1 MB."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from nestling.conversation import Conversation
from nestling.records import OPEN, TEXT_FIELDS, Namespace, Older, Record, State, TextField

#: Bytes of one snapshot or answer, and its number of rows.
MAX_BYTES = 900_000
MAX_ROWS = 500
#: Bytes of all that is not text in one record: of what has more, the largest fields come later.
MAX_WHOLE = 750_000
#: Bytes of a row that is sent for the header of its box, and how many rows of a box are looked
#: through for it.
_MAX_FACE = 20_000
_LOOKED_AT = 20
#: A box may go on, so that patches tell of it.
_GOES_ON = OPEN | {"interrupted"}
#: Characters of a text too large for a snapshot that stand in it; the rest follows.
_HEAD = 10_000
INFINITY = float("inf")


class Snapshots:
    """Reads a conversation as the patches that were sent have left it."""

    def __init__(
        self,
        conversation: Conversation,
        #: Text at the end of a record that is still to be sent.
        pending: Callable[[Record, TextField], str],
        #: Sends fields of a record again.
        send: Callable[[Record, dict[str, Any]], None],
        #: Sends a whole box.
        send_box: Callable[[Namespace, None], None],
    ) -> None:
        self.conversation = conversation
        self._pending = pending
        self._send = send
        self._send_box = send_box
        #: A snapshot had no room for all boxes, so that a page may not have those of older rows.
        self.partial = False

    def state(self, unsent: int) -> State:
        """The last rows but for `unsent` ones, and the boxes.

        Where there are thousands of boxes, or they have no room, only the last of them, those that
        are open and those that hold these rows.
        """
        conversation = self.conversation
        rows = conversation.rows()
        rows = rows[: len(rows) - unsent]
        kept = self.last(rows, MAX_ROWS, MAX_BYTES // 2)
        floor = kept[0]["seq"] if len(kept) < len(rows) else 0
        kept, shown, floor = self._in_boxes(kept, floor)
        room = MAX_BYTES - _size([kept, shown]) - sum(_size(key) + 20 for key in shown)
        earlier = self._earlier(floor, shown, room)
        closed = self._closed(shown, MAX_BYTES - _size([kept, shown, earlier]))
        if earlier:
            room = MAX_BYTES - _size([kept, shown, earlier, closed])
            boxes = [conversation.namespaces[key] for key in shown]
            kept = self._faces(boxes, floor, room) + kept
        live = conversation.live[0]["seq"] if conversation.live else INFINITY
        return {
            "namespaces": shown,
            "chat_history": [record for record in kept if record["seq"] < live],
            "live_chat": [record for record in kept if record["seq"] >= live],
            "floor": floor,
            "earlier": earlier,
            "closed": closed,
        }

    def last(self, records: list[Record], limit: int, room: int) -> list[Record]:
        """Copies of the last records that fit in `room` bytes."""
        kept: list[Record] = []
        cut: list[tuple[Record, dict[str, Any]]] = []
        for record in reversed(records[-limit:]) if limit > 0 else ():
            copy = cast("dict[str, Any]", dict(record))
            for field in TEXT_FIELDS:
                pending = self._pending(record, field)
                if pending:  # still to come, as an append
                    copy[field] = copy[field][: -len(pending)]
            size, missing = _size(copy), dict[str, Any]()
            if size > MAX_BYTES // 2:
                missing = {field: record[field] for field in TEXT_FIELDS if field in copy}
                copy |= {field: copy[field][:_HEAD] for field in missing}
                missing |= split(copy)
                size = _size(copy)
            room -= size
            if room < 0 and kept:
                break
            kept.append(cast(Record, copy))
            if missing:
                cut.append((record, missing))
        for record, fields in cut:  # in pieces, for whoever has only their beginnings now
            self._send(record, fields)
        return kept[::-1]

    def boxes_of(
        self, rows: Iterable[Record], since: float = INFINITY, before: float = INFINITY
    ) -> dict[str, Namespace]:
        """The boxes in which `rows` stand and all around them, the outermost first.

        Also those with a `seq` from `since` to `before`.
        """
        boxes = self.conversation.namespaces
        found: dict[str, Namespace] = {"": boxes[""]}
        for row in rows:
            found |= self._around("|".join(row["namespace"]), found)
        for key, box in boxes.items() if since < INFINITY else ():
            if since <= box["seq"] < before:
                found |= self._around(key, found)
        return found

    def _around(self, key: str, found: Mapping[str, Namespace]) -> dict[str, Namespace]:
        """A box and those around it that are not `found`, the outermost first."""
        boxes, inner = self.conversation.namespaces, []
        parent: str | None = key
        while parent is not None and parent not in found:
            inner.append(boxes[parent])
            parent = boxes[parent]["parent"]
        return {box["key"]: box for box in reversed(inner)}

    def _in_boxes(
        self, rows: list[Record], floor: int
    ) -> tuple[list[Record], dict[str, dict[str, Any]], int]:
        """The last of `rows` that have room with their boxes, all boxes, and `floor`.

        When those are too many, the boxes from `floor` on, those of the rows, and of the others
        that may go on as many as fit; the rest of these is sent after the snapshot.
        """
        boxes = self.conversation.namespaces
        every = {key: whole(self.conversation, box) for key, box in boxes.items()}
        sizes = {key: _size(box) + 2 * _size(key) + 20 for key, box in every.items()}
        room = MAX_BYTES - _size(rows)
        if sum(sizes.values()) <= (room if len(every) <= MAX_ROWS else min(room, MAX_BYTES // 3)):
            return rows, every, floor
        self.partial = True
        last = [seq for seq in seqs(boxes.values()) if seq >= floor]
        if len(last) > MAX_ROWS:
            floor = last[-MAX_ROWS]
        while True:
            rows = [record for record in rows if record["seq"] >= floor]
            shown = self.boxes_of(rows, floor)
            room = MAX_BYTES - _size(rows) - sum(sizes[key] for key in shown)
            last = sorted({*seqs(rows), *seqs(shown.values())})
            last = last[bisect_left(last, floor) :]
            if room >= 0 or len(last) < 2:
                break
            floor = last[len(last) // 2]
        for key, box in boxes.items():
            if box["status"] in _GOES_ON and key not in shown:
                line = self._around(key, shown)
                cost = sum(sizes[inner] for inner in line)
                if cost <= room:
                    shown |= line
                    room -= cost
                else:
                    for inner in line.values():
                        self._send_box(inner, None)
        return rows, {key: box for key, box in every.items() if key in shown}, floor

    def boxes_before(
        self, before: int, limit: int, namespace: str | None, closed: bool
    ) -> tuple[list[Namespace], int | None]:
        """The boxes that come with the last `limit` rows before `seq` = `before`.

        Those that are `closed` between the rows of one namespace count as rows; then the `seq`
        is given from which on all are among them, 0 when none is left out.
        """
        if not self.partial or limit <= 0:
            return [], None
        rows = older_than(before, self.conversation, namespace)
        if namespace is None:
            since = rows[-limit]["seq"] if len(rows) > limit else 0
            return list(self.boxes_of(rows[-limit:], since, before).values()), None
        if not closed:
            return list(self.boxes_of(rows[-limit:]).values()), None
        inside = [box for box in self.conversation.boxes_in(namespace) if box["seq"] < before]
        last = sorted([*seqs(inside), *seqs(rows)])
        floor = last[-limit] if len(last) > limit else 0
        around = self.boxes_of(rows[-1:])
        return [*around.values(), *(box for box in inside if box["seq"] >= floor)], floor

    def older(
        self,
        before: int,
        limit: int,
        namespace: str | None,
        boxes: list[Namespace],
        floor: int | None,
    ) -> Older:
        """Rows before `seq` = `before`, after `boxes_before` were sent."""
        rows = older_than(before, self.conversation, namespace)
        if floor is None:
            kept = self.last(rows, limit, MAX_BYTES)
            return {"records": kept, "earlier": len(rows) - len(kept)}
        wanted = [record for record in rows if record["seq"] >= floor]
        kept = self.last(wanted, limit, MAX_BYTES // 2)
        if len(kept) < len(wanted):
            floor = kept[0]["seq"]
        found = {record["seq"]: record for record in kept}
        for face in self._faces(boxes, INFINITY, MAX_BYTES - _size(kept)):
            found.setdefault(face["seq"], face)
        records = [found[seq] for seq in sorted(found)]
        return {"records": records, "earlier": len(rows) - len(kept), "floor": floor}

    def _closed(self, shown: Mapping[str, Any], room: int) -> dict[str, int]:
        """Namespace -> number of boxes right inside of it that are not `shown`.

        As many as `room` bytes hold, those that are shown first.
        """
        boxes = self.conversation.namespaces
        found = Counter(box["parent"] or "" for key, box in boxes.items() if key not in shown)
        closed: dict[str, int] = {}
        for key in sorted(found, key=lambda key: key not in shown):
            room -= _size(key) + 20
            if room < 0:
                break
            closed[key] = found[key]
        return closed

    def _earlier(self, floor: int, shown: Mapping[str, Any], room: int) -> dict[str, int]:
        """Namespace -> number of its rows before `floor`.

        Of boxes that are not `shown` as many as `room` bytes hold; the last stands for the others.
        """
        found: dict[str, int] = {}
        last: str | None = None
        for key in self.conversation.namespaces if floor else ():
            older = len(older_than(floor, self.conversation, key))
            if not older:
                continue
            place = key
            if key not in shown:
                room -= _size(key) + 20
                place = last = key if room > 0 or last is None else last
            found[place] = found.get(place, 0) + older
        return found

    def _faces(self, boxes: Iterable[Namespace], floor: float, room: int) -> list[Record]:
        """What headers of boxes are drawn with, of rows before `floor`: of the last boxes first."""
        found: dict[int, Record] = {}
        for box in sorted(boxes, key=lambda box: box["seq"], reverse=True):
            for record in self._face(box):
                seq, size = record["seq"], _size(record)
                unsent = any(self._pending(record, field) for field in TEXT_FIELDS)
                if seq >= floor or seq in found or unsent or size > min(_MAX_FACE, room):
                    continue
                found[seq] = cast(Record, dict(record))
                room -= size
        return [found[seq] for seq in sorted(found)]

    def _face(self, box: Namespace) -> Iterator[Record]:
        """The call that opened a box, and what was said last in it."""
        conversation = self.conversation
        call = conversation.records.get(box["spawned_by"] or "")
        if call is not None:
            yield call
        for record in reversed(conversation.rows_in(box["key"])[-_LOOKED_AT:]):
            told = record["type"] in ("error", "interrupt") or record["content"]
            if told and record["type"] not in ("user", "update"):
                yield record
                return


def seqs(items: Iterable[Record] | Iterable[Namespace]) -> list[int]:
    """The `seq` of each, in order."""
    return sorted(item["seq"] for item in items)


def older_than(seq: int, conversation: Conversation, namespace: str | None) -> list[Record]:
    """The rows before `seq`, of one namespace or of all."""
    rows = conversation.rows() if namespace is None else conversation.rows_in(namespace)
    return rows[: bisect_left(rows, seq, key=lambda record: record["seq"])]


def whole(conversation: Conversation, box: Namespace) -> dict[str, Any]:
    """A namespace with its counts, as the wire has it."""
    counts = conversation.counts.of(box["key"])
    return {**box, "counts": counts} if counts else dict(box)


def split(fields: dict[str, Any]) -> dict[str, Any]:
    """Takes the largest fields out of a record, or of a part of one, until a message holds it."""
    sizes = {name: _size(value) for name, value in fields.items() if name not in TEXT_FIELDS}
    taken: dict[str, Any] = {}
    room = MAX_WHOLE - sum(sizes.values())
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if room >= 0 or len(fields) == 1:
            break
        taken[name] = fields.pop(name)
        room += sizes[name]
    return taken


def _size(value: Any) -> int:
    """Bytes on the wire, at most."""
    return len(json.dumps(value))
