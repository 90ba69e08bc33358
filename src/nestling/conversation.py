"""The truth: records and namespaces, edited in a few ways, each edit told to those who watch.

Pure Python without Jupyter, LangGraph or a clock of its own. Every method must be called
under `lock`; properties and `settle` take it themselves where reading has to be consistent.
"""

from __future__ import annotations

from collections.abc import Callable

from nestling.edits import MAX_NAME, Edits, cut
from nestling.metering import Metering
from nestling.records import (
    Namespace,
    NamespaceStatus,
    Record,
    RunState,
    RunStatus,
)
from nestling.usage import Usage

#: What an open record becomes when its run or box ends, by record type and by the end.
_CLOSED: dict[str, dict[str, str]] = {
    "ai": {"completed": "completed", "interrupted": "completed"},
    "tool_call": {"interrupted": "interrupted"},
}
_CLOSED_ELSE = {"ai": "aborted", "tool_call": "cancelled"}


class Conversation(Edits):
    """Messages of the run that goes on (`live_chat`) and of those before (`chat_history`)."""

    def __init__(self, clock: Callable[[], float], label: str = "graph") -> None:
        super().__init__(clock)
        self.status: RunStatus = "idle"
        self.turn = 0
        self.problems = 0
        self.thread_id: str | None = None
        self.started_at: float | None = None
        self.ended_at: float | None = None
        #: Seconds of what this run goes on with after an interrupt.
        self.active_before = 0.0
        self._metering = Metering()
        self._clear(label)

    def _clear(self, label: str) -> None:
        self.empty()
        self.add_namespace((), label=label, parent=None, status="idle")

    # --- reading --------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self.status == "running"

    def run_state(self) -> RunState:
        state: RunState = {"status": self.status, "turn": self.turn, "now": self.clock()}
        if self.started_at is not None:
            state["started_at"] = self.started_at
        if self.ended_at is not None:
            state["ended_at"] = self.ended_at
        if self.active_before:
            state["active_before"] = self.active_before
        if self.thread_id is not None:
            state["thread_id"] = cut(self.thread_id, MAX_NAME)
        if self.problems:
            state["problems"] = self.problems
        if self.left_out:
            state["left_out"] = self.left_out
        return state

    def usage(self) -> Usage:
        """What was used so far."""
        return self._metering.usage(self)

    # --- its course ----------------------------------------------------------------------------

    def begin(self, thread_id: str | None = None) -> None:
        """A new run: its records go to `live_chat`."""
        self.turn += 1
        if self.status != "interrupted":
            self.active_before = 0.0
        elif self.started_at is not None and self.ended_at is not None:
            self.active_before += self.ended_at - self.started_at
        self.started_at, self.ended_at = self.clock(), None
        self.past.since = self.started_at
        self.thread_id = thread_id
        root = self.namespaces[""]
        self.set_namespace(root, status="running", started_at=self.started_at, ended_at=None)
        self._set_status("running")

    def close_namespace(self, namespace: Namespace, status: NamespaceStatus) -> None:
        """Ends a box and what is still open in it; boxes inside are ended alike."""
        inner = "cancelled" if status == "failed" else status
        inside = list(self._boxes_in.get(namespace["key"], ()))
        while inside:
            other = inside.pop()
            inside += self._boxes_in.get(other["key"], ())
            self._close_one(other, inner)
        self._close_one(namespace, status)

    def _close_one(self, namespace: Namespace, status: NamespaceStatus) -> None:
        for record in list(self._open.get(namespace["key"], {}).values()):
            self.close_record(record, status)
        if namespace["status"] == "running":
            self.set_namespace(namespace, status=status, ended_at=self.clock())

    def close_record(self, record: Record, end: str) -> None:
        """Ends one open record as a run or box that ended as `end` leaves it."""
        kind = record["type"]
        self.set(record, status=_CLOSED.get(kind, {}).get(end, _CLOSED_ELSE.get(kind, end)))

    def end(self, status: NamespaceStatus) -> None:
        """Ends the run: everything open gets its true status and moves to `chat_history`."""
        self.settle()
        inner = "cancelled" if status == "failed" else status
        for unfinished in list(self._open.values()):
            for record in list(unfinished.values()):
                self.close_record(record, inner)
        self._open.clear()
        self.ended_at = self.clock()
        if self.past.since is not None:
            self.past.spans.append((self.past.since, self.ended_at))
            self.past.since = None
        for namespace in self.namespaces.values():
            if namespace["parent"] is not None and namespace["status"] == "running":
                self.set_namespace(namespace, status=inner, ended_at=self.ended_at)
        self.set_namespace(self.namespaces[""], status=status, ended_at=self.ended_at)
        self.history.extend(self.live)
        if self.live:
            self.edits["live_chat"] += 1
            self.edits["chat_history"] += 1
        self.live = []
        self._set_status(status)
        self.limit()
        self.drop_shells()

    def clear(self) -> None:
        root = self.namespaces[""]
        self.status, self.turn, self.problems = "idle", 0, 0
        self.started_at = self.ended_at = self.thread_id = None
        self.active_before = 0.0
        self.edits["live_chat"] += bool(self.live)
        self.edits["chat_history"] += bool(self.history)
        self._clear(root["label"])

    def problem(self) -> None:
        """Counts a fault of the display."""
        self.problems += 1
        if self.consumer is not None:
            self.consumer.run()

    # --- inside ---------------------------------------------------------------------------

    def _set_status(self, status: RunStatus) -> None:
        self.status = status
        if self.consumer is not None:
            self.consumer.run()
        self._tell("status", status, self.namespaces[""])
