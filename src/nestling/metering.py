"""Adds up what a conversation used without going through all of it again at each look."""

from __future__ import annotations

import threading
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from nestling.options import options
from nestling.usage import Meter, Usage, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nestling.conversation import Conversation
    from nestling.records import Namespace, Record


class Metering:
    """Keeps the sum of the oldest rows, as far as all of them have ended.

    It stands until one of them is edited or dropped, or until prices are others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._meter = Meter()
        #: Rows that are in it, the `seq` of the last, and what else it depends on.
        self._rows = self._last = 0
        self._stands_on: Any = None

    def usage(self, conversation: Conversation) -> Usage:
        """What was used so far; the conversation is locked only to be copied."""
        # Whoever holds the conversation's lock must not wait for somebody who waits for that one.
        mine = self._lock.acquire(blocking=False)
        try:
            with conversation.lock:
                conversation.settle()
                rows, boxes = conversation.rows(), dict(conversation.namespaces)
                meter = conversation.past.copied()
                if mine:
                    self._begin(conversation, meter)
            if mine:
                meter = self._add(rows, boxes)
            return usage_of(meter, rows[self._rows if mine else 0 :], boxes, conversation.clock())
        finally:
            if mine:
                self._lock.release()

    def _begin(self, conversation: Conversation, past: Meter) -> None:
        """What was added up before, if it still stands, else what is not kept any more."""
        stands_on = (conversation.past, conversation.left_out, dict(options.prices))
        stands = stands_on == self._stands_on and conversation.edited_from > self._last
        if not stands:
            self._meter, self._rows, self._last = past, 0, 0
        self._meter.spans, self._meter.since = past.spans, past.since
        self._stands_on, conversation.edited_from = stands_on, float("inf")

    def _add(self, rows: list[Record], boxes: Mapping[str, Namespace]) -> Meter:
        ended = list(takewhile(lambda row: "ended_at" in row, rows[self._rows :]))
        for record in ended:
            self._meter.add(record, boxes["|".join(record["namespace"])], record["ended_at"])
        if ended:
            self._rows, self._last = self._rows + len(ended), ended[-1]["seq"]
        return self._meter
