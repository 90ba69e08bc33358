"""Runs that other code starts: all that a callback handler hears of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nestling.langgraph.callbacks import Callbacks
from nestling.langgraph.links import Run as Heard
from nestling.run import Run

if TYPE_CHECKING:
    from nestling.runs import Runs


class Elsewhere(Callbacks):
    """`view.callback`: shows every outermost graph that is run with it.

    What only streams tell of is not there: custom events, state that no node returned, cached
    nodes; and tokens where the model is not asked to stream. While the view runs its own graph,
    or is fed by hand, nothing is heard.
    """

    def __init__(self, runs: Runs) -> None:
        super().__init__(runs._feed_inner, "nothing")
        self._runs = runs
        self._run: Run | None = None
        #: The outermost graphs that go on.
        self._open: set[UUID] = set()

    def opens(self, run_id: UUID, run: Heard | None, metadata: Mapping[str, Any]) -> bool:
        if not self._open:
            if self._runs._conversation.running:
                return False
            thread = metadata.get("thread_id")
            config = {"configurable": {"thread_id": thread}} if thread else None
            given = run.input if run is not None else None
            self.tasks.clear()
            self._run = Run(self._runs, config, given, hears=False)
            self._run.__enter__()
            self.feed("values", (), given)
        self._open.add(run_id)
        return True

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        super().on_chain_end(outputs, run_id=run_id)
        if run_id in self._open:
            self.feed("values", (), outputs)
            self._close(run_id, None)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        super().on_chain_error(error, run_id=run_id)
        if run_id in self._open:
            self._close(run_id, error)

    def _close(self, run_id: UUID, error: BaseException | None) -> None:
        self._open.discard(run_id)
        run = self._run
        if run is not None and not self._open:
            self._run = None
            run.__exit__(None, error, None)
