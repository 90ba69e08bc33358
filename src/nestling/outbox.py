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
from nestling.records import Patch, Rows, Snapshot
from nestling.snapshot import MAX_BYTES, MAX_ROWS, Snapshots
from nestling.unsent import Unsent

log = logging.getLogger("nestling")

#: Seconds between two messages: 28 a second and two of an answer make no more than 30.
FRAME = 1 / 28
#: Patches that are kept for a page that missed some.
RING = 90
#: Seconds after which a writer without work ends its thread.
_IDLE = 2.0
#: Seconds into a run that hears no page until its first unasked snapshot.
DEAF = 10.0


class Outbox(Unsent):
    """Sends what one conversation says. `on_frame` is called after each flush, unlocked."""

    def __init__(
        self,
        conversation: Conversation,
        send: Callable[[Mapping[str, Any]], None],
        on_frame: Callable[[], None] = lambda: None,
        around: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        super().__init__(conversation)
        self._snapshots = Snapshots(conversation, self.tail, self.changed, self.namespace)
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
        self.forget()
        self._run = False

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
        body = self.take()
        if not body:
            return None
        self.n += 1
        return cast(Patch, {"type": "patch", "epoch": self.epoch, "n": self.n, **body})

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
                **self._snapshots.state(self.unseen),
            }
