"""Runs that other code starts: all that a callback handler hears of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nestling.langgraph.callbacks import Callbacks
from nestling.langgraph.links import Graph
from nestling.langgraph.links import Run as Heard
from nestling.langgraph.normalize import Ns
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
        super().__init__(self._feed, "nothing")
        self._runs = runs
        self._run: Run | None = None
        #: The outermost graphs that go on; the first of them is the root, others are boxes in it.
        self._open: set[UUID] = set()
        self._error: BaseException | None = None

    def _feed(self, kind: str, ns: Ns, data: Any) -> None:
        if self._run is not None:
            self._runs._feed_inner(self._run, kind, ns, data)

    def opens(self, run_id: UUID, run: Heard | None, metadata: Mapping[str, Any]) -> bool:
        if not self._open:
            if self._runs._conversation.running:
                return False
            thread = metadata.get("thread_id")
            config = {"configurable": {"thread_id": thread}} if thread else None
            given = run.input if run is not None else None
            for heard in (self.tasks, self.calls, self.paused, self.holders):
                heard.clear()
            self._run = Run(self._runs, config, given, hears=False)
            self._run.__enter__()
        self._open.add(run_id)
        return True

    def opened(self, run_id: UUID, graph: Graph, run: Heard | None) -> None:
        if run_id in self._open and run is not None:
            self.feed("values", graph.place, run.input)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        graph = self.graphs.get(run_id)
        super().on_chain_end(outputs, run_id=run_id)
        if run_id in self._open and graph is not None:
            self.feed("values", graph.place, outputs)
            self._close(run_id, graph, "completed")

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        graph = self.graphs.get(run_id)
        super().on_chain_error(error, run_id=run_id)
        if run_id in self._open and graph is not None:
            self._error = self._error or error
            self._close(run_id, graph, "failed")

    def _close(self, run_id: UUID, graph: Graph, end: str) -> None:
        self._open.discard(run_id)
        if graph.place:
            self.feed("lifecycle", graph.place, {"event": end})
        run, error = self._run, self._error
        if run is not None and not self._open:
            self._run = self._error = None
            run.__exit__(None, error, None)
