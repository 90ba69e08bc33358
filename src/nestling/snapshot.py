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
    ) -> None:
        self.conversation = conversation
        self._pending = pending
        self._send = send

    def state(self, unsent: int) -> State:
        """The last rows but for `unsent` ones, and the boxes.

        Where there are thousands of boxes, only the last of them, those that are open and those
        that hold these rows.
        """
        conversation = self.conversation
        rows = conversation.rows()
        rows = rows[: len(rows) - unsent]
        kept = self.last(rows, MAX_ROWS, MAX_BYTES // 2)
        floor = kept[0]["seq"] if len(kept) < len(rows) else 0
        boxes: Mapping[str, Namespace] = conversation.namespaces
        if self.many_boxes():
            last = [seq for seq in seqs(boxes.values()) if seq >= floor][-MAX_ROWS:]
            if len(last) == MAX_ROWS:
                floor = last[0]
                kept = [record for record in kept if record["seq"] >= floor]
            boxes = self.boxes_of(kept, floor)
        earlier = self._earlier(floor)
        shown = {key: whole(conversation, box) for key, box in boxes.items()}
        if earlier:
            room = MAX_BYTES - len(json.dumps([kept, shown, earlier]))
            kept = self._faces(boxes.values(), floor, room) + kept
        live = conversation.live[0]["seq"] if conversation.live else INFINITY
        return {
            "namespaces": shown,
            "chat_history": [record for record in kept if record["seq"] < live],
            "live_chat": [record for record in kept if record["seq"] >= live],
            "floor": floor,
            "earlier": earlier,
            "closed": self._closed(boxes),
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
            size = len(json.dumps(copy))
            if size > MAX_BYTES // 2:
                texts: dict[str, str] = {f: copy[f] for f in TEXT_FIELDS if f in copy}
                copy |= {field: text[:_HEAD] for field, text in texts.items()}
                size = len(json.dumps(copy))
                cut.append((record, {f: record[f] for f in TEXT_FIELDS if f in copy}))
            room -= size
            if room < 0 and kept:
                break
            kept.append(cast(Record, copy))
        for record, texts in cut:  # in pieces, for whoever has only their beginnings now
            self._send(record, texts)
        return kept[::-1]

    def many_boxes(self) -> bool:
        """Whether a snapshot has no room for all boxes."""
        boxes = self.conversation.namespaces
        return len(boxes) > MAX_ROWS and len(json.dumps(boxes)) > MAX_BYTES // 3

    def boxes_of(
        self, rows: Iterable[Record], since: float = INFINITY, before: float = INFINITY
    ) -> Mapping[str, Namespace]:
        """The boxes in which `rows` stand, those that are open, and all around them.

        Also those with a `seq` from `since` to `before`.
        """
        boxes = self.conversation.namespaces
        wanted = {"|".join(row["namespace"]) for row in rows}
        wanted |= {key for key, box in boxes.items() if box["status"] in _GOES_ON}
        wanted |= {key for key, box in boxes.items() if since <= box["seq"] < before}
        for key in list(wanted):
            parent = boxes[key]["parent"]
            while parent is not None and parent not in wanted:
                wanted.add(parent)
                parent = boxes[parent]["parent"]
        return {key: box for key, box in boxes.items() if key in wanted}

    def boxes_before(
        self, before: int, limit: int, namespace: str | None, closed: bool
    ) -> tuple[list[Namespace], int | None]:
        """The boxes that come with the last `limit` rows before `seq` = `before`.

        Those that are `closed` between the rows of one namespace count as rows; then the `seq`
        is given from which on all are among them, 0 when none is left out.
        """
        if not self.many_boxes() or limit <= 0:
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
        for face in self._faces(boxes, INFINITY, MAX_BYTES - len(json.dumps(kept))):
            found.setdefault(face["seq"], face)
        records = [found[seq] for seq in sorted(found)]
        return {"records": records, "earlier": len(rows) - len(kept), "floor": floor}

    def _closed(self, shown: Mapping[str, Namespace]) -> dict[str, int]:
        """Namespace -> number of boxes right inside of it that are not among `shown`."""
        left = self.conversation.namespaces.keys() - shown.keys()
        return dict(Counter(self.conversation.namespaces[key]["parent"] or "" for key in left))

    def _earlier(self, floor: int) -> dict[str, int]:
        """Namespace -> number of its rows before `floor`."""
        found: dict[str, int] = {}
        if floor:
            for key in self.conversation.namespaces:
                older = len(older_than(floor, self.conversation, key))
                if older:
                    found[key] = older
        return found

    def _faces(self, boxes: Iterable[Namespace], floor: float, room: int) -> list[Record]:
        """What headers of boxes are drawn with, of rows before `floor`: of the last boxes first."""
        found: dict[int, Record] = {}
        for box in sorted(boxes, key=lambda box: box["seq"], reverse=True):
            for record in self._face(box):
                seq, size = record["seq"], len(json.dumps(record))
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
