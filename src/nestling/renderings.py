"""Calls the user's renderers for one view: beside the run, once for each finished record."""

from __future__ import annotations

import logging
import threading
from collections import deque
from copy import deepcopy
from typing import Any

from nestling.artifacts import drawn_by
from nestling.conversation import Conversation
from nestling.records import OPEN, Record
from nestling.renderers import Function, renderer

log = logging.getLogger("nestling")

#: Seconds that the end of a run waits for renderers; the rest goes on in their thread.
PATIENCE = 5.0


class Renderings:
    """What is to be drawn, and a thread that does it. All but `drain` is called under the lock."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        conversation.renderings = self
        #: Goes on while something waits.
        self._thread: threading.Thread | None = None
        self.clear()

    def clear(self) -> None:
        self._waiting: deque[str] = deque()
        self._objects: dict[str, Any] = {}
        #: What was drawn of each record, or is about to be.
        self._seen: dict[str, tuple[Any, ...]] = {}

    def finished(self, record: Record) -> None:
        """A record may have come to its end."""
        key = record["id"]
        if record["status"] in OPEN or record["status"] == "interrupted":
            return
        if key not in self._objects and renderer.of_record(record) is None:
            return
        state = record.get("version"), record.get("attempt")  # it may come to an end again
        if self._seen.get(key) == state:
            return
        if len(self._seen) > 2 * len(self.conversation.records) + 100:  # max_records
            kept = self.conversation.records
            self._seen = {key: state for key, state in self._seen.items() if key in kept}
            self._objects = {key: one for key, one in self._objects.items() if key in kept}
        self._seen[key] = state
        self._waiting.append(key)
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="nestling-render", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # there are too many, or Python ends
                return  # the next record tries again
            self._thread = thread

    def told(self, record: Record, value: Any) -> None:
        """The object that a record tells of."""
        key = record["id"]
        if key not in self._objects and renderer.of_object(value) is not None:
            self._objects[key] = value
            self.finished(record)

    def drain(self) -> None:
        """Waits until all is drawn, at most `PATIENCE`."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(PATIENCE)

    def _work(self) -> None:
        while True:
            with self.conversation.lock:
                if not self._waiting:
                    self._thread = None
                    return
            try:
                self._next()
            except Exception:
                log.warning("A record could not be drawn; the run goes on.", exc_info=True)

    def _next(self) -> None:
        """Draws one record, if one waits."""
        conversation = self.conversation
        with conversation.lock:
            if not self._waiting:
                return
            key = self._waiting.popleft()
            record = conversation.records.get(key)
            if record is None:
                self._objects.pop(key, None)
                return
            function: Function | None = None
            given: Any = self._objects.get(key)
            if key in self._objects:
                function = renderer.of_object(given)
            if function is None:
                function = renderer.of_record(record)
                if function is not None:
                    conversation.settle()
                    given = deepcopy(record)
        if function is None:  # removed meanwhile
            return
        mime = drawn_by(function, given)
        with conversation.lock:
            if conversation.records.get(key) is not record:
                return
            if mime is not None or record["type"] != "artifact":
                conversation.set(record, mime=mime)
        conversation.tell()
