"""A turn of the conversation: how a run begins, what it says, how it ends; fed by hand or not.

A fault of the graph reaches the caller unchanged; a fault of ours never reaches the graph.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from nestling.conversation import Conversation
from nestling.langgraph.ends import end_of
from nestling.records import NamespaceStatus
from nestling.run import STOPPED, Run

if TYPE_CHECKING:
    from nestling.langgraph.adapter import Adapter

log = logging.getLogger("nestling")

#: Stands for the item after the last one.
DONE: Any = object()
Look: TypeAlias = Callable[[], AbstractContextManager[None]]
RUNNING = "This view is already running. Use view.stop() or another watch()."


class Turns:
    """The part of a view that reads events."""

    _graph: Any
    _conversation: Conversation
    _adapter: Adapter
    _error: BaseException | None = None
    _run: Run | None = None
    #: Merged under the config of each call.
    config: dict[str, Any]

    # --- events by hand ---------------------------------------------------------------------

    def process_event(self, event: Any) -> None:
        """Shows one event of LangGraph: a v2 part, any v1 tuple, a v3 event, an SDK part.

        The first one sets `running`; one after the end begins a new turn. What is not an event
        is kept and shown plainly.
        """
        conversation = self._conversation
        with conversation.lock:
            begins = not conversation.running
            if begins:
                self._begin()
            self._adapter.process(event)
        conversation.tell()
        if begins:
            self._shielded(self._sync_status)

    def tee(self, stream: Any) -> Any:
        """Wraps an iterator of LangGraph, async or not: yields its items and shows them.

        Every open box is closed when it ends or raises.
        """
        return self._atee(stream) if hasattr(stream, "__aiter__") else self._tee(stream)

    def _tee(self, stream: Any) -> Iterator[Any]:
        __tracebackhide__ = True
        with Run(self, hears=False) as run:
            look, iterator = self._onlooking(run), iter(stream)
            try:
                while (event := _next(iterator, look)) is not DONE:
                    self._show(event)
                    yield event
                    if run.stopping:
                        raise KeyboardInterrupt(STOPPED)
            finally:
                if hasattr(stream, "close"):
                    stream.close()

    async def _atee(self, stream: Any) -> AsyncIterator[Any]:
        __tracebackhide__ = True
        with Run(self) as run:
            run.in_task()
            look, iterator = self._onlooking(run), aiter(stream)
            try:
                while (event := await _anext(iterator, look)) is not DONE:
                    self._show(event)
                    run.is_read = True
                    yield event
                    run.is_read = False
                    if run.stopping:
                        raise asyncio.CancelledError(STOPPED)
            finally:
                if hasattr(stream, "aclose"):
                    await stream.aclose()

    def _onlooking(self, run: Run) -> Look:
        """What the next item of a stream is made in, so that nodes find this view."""
        if "langchain_core" not in sys.modules:  # nothing of LangGraph is run here
            return nullcontext
        from nestling.langgraph.watchers import Onlooker, onlooking

        return partial(onlooking, Onlooker(partial(self._feed_inner, run)))

    def _show(self, event: Any) -> None:
        with self._conversation.lock:
            self._adapter.process(event)
        self._conversation.tell()

    def finalize(self) -> None:
        """Ends a run that was fed by hand. Nothing happens when idle."""
        if self._run is None:
            self._end_run(None)

    def fail(self, error: BaseException) -> None:
        """Ends a run that was fed by hand with an error. Nothing happens when idle."""
        if self._run is None:
            self._end_run(error)

    def stop(self) -> None:
        """Cancels the run that goes on, cooperatively. Nothing when idle."""
        run = self._run
        if run is not None:
            run.stop()

    # --- inside -----------------------------------------------------------------------------

    def _merged(self, config: Any) -> Any:
        from nestling.langgraph.source import merged

        return merged(self.config, config)

    def _feed(self, kind: str, ns: tuple[str, ...], data: Any) -> None:
        with self._conversation.lock:
            self._adapter.feed(kind, ns, data)
        if self._conversation.changes:
            self._conversation.tell()

    def _feed_inner(self, run: Run, kind: str, ns: tuple[str, ...], data: Any) -> None:
        """What a callback tells of `run`: nodes that nobody waits for may outlive it."""
        with self._conversation.lock:
            if self._run is not run:
                return
            self._adapter.feed_inner(kind, ns, data)
        if self._conversation.changes:
            self._conversation.tell()

    def _start_run(self, run: Run) -> None:
        if self._conversation.running:
            raise RuntimeError(RUNNING)
        self._shielded(self._show_first)  # before it runs: a saved text must not run for ever
        with self._conversation.lock:
            if self._conversation.running:
                raise RuntimeError(RUNNING)
            self._begin(run.thread_id, run.asks, run.resume, by_hand=run.by_hand)
            self._run = run
        self._conversation.tell()
        self._shielded(lambda: self._hear(run.hears))
        self._shielded(self._sync_status)

    def _begin(
        self,
        thread_id: str | None = None,
        asks: list[str] | None = None,
        resume: Any = None,
        by_hand: bool = True,
    ) -> None:
        """`asks`: ids of the messages in its input, None without one; `by_hand`: nobody knows."""
        self._error = None
        begun = {"thread_id": thread_id, "asks": asks, "resume": resume, "by_hand": by_hand}
        self._adapter.record("begin", begun)
        self._conversation.begin(thread_id)
        self._shielded(lambda: self._adapter.begin(asks, resume, by_hand))

    def _end_run(self, error: BaseException | None, run: Run | None = None) -> None:
        self._run, end = None, end_of(error)
        if not self._conversation.running:
            return
        self._shielded(lambda: self._fold_end(end, error, run))
        self._conversation.tell()
        self._shielded(lambda: self._hear(True))
        self._shielded(self._sync_status)
        if run is None or not run.in_background:
            self._shielded(self._publish_end)

    def _fold_end(
        self, end: NamespaceStatus | None, error: BaseException | None, run: Run | None = None
    ) -> None:
        """All that an end changes, at once for whoever looks."""
        with self._conversation.lock:
            if end is None and isinstance(error, BaseException):
                self._error = error
            self._adapter.catch_up()
            self._adapter.record("end", {"status": end, "error": error})
            try:
                if end is None and error is not None:
                    end = "failed"
                    self._adapter.failed(error)
                elif end is None:
                    end = self._adapter.verdict()
                self._adapter.ended("completed" if end == "completed" else "cancelled")
                for asked in self._adapter.interrupts.pending.values():
                    asked.run = asked.run or run
            finally:
                self._conversation.end(cast("NamespaceStatus", end))

    def _shielded(self, step: Callable[[], object]) -> None:
        """A fault of the display must not reach the run."""
        try:
            step()
        except Exception:
            log.warning("The display failed; the run goes on.", exc_info=True)
            with self._conversation.lock:
                self._conversation.problem()

    # what a view adds

    def _sync_status(self) -> None:
        raise AssertionError("a view says what its status trait is")

    def _show_first(self) -> None:
        raise AssertionError("a view says how it is displayed")

    def _hear(self, hears: bool) -> None:
        raise AssertionError("a view says what happens while pages cannot be heard")

    def _publish_end(self) -> None:
        raise AssertionError("a view says what a finished run leaves in its cell")


def _next(iterator: Iterator[Any], look: Look) -> Any:
    __tracebackhide__ = True
    with look():
        return next(iterator, DONE)


async def _anext(iterator: AsyncIterator[Any], look: Look) -> Any:
    __tracebackhide__ = True
    with look():
        return await anext(iterator, DONE)
