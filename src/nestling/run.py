"""Runs: the graph's own methods, shown as they happen, and events fed by hand.

A fault of the graph reaches the caller unchanged; a fault of ours never reaches the graph.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from nestling.conversation import Conversation
from nestling.langgraph.adapter import CANCELS
from nestling.records import NamespaceStatus

if TYPE_CHECKING:
    from nestling.langgraph.adapter import Adapter

log = logging.getLogger("nestling")

RUNNING = "This view is already running. Use view.stop() or another watch()."
NO_GRAPH = "This view has no graph to run. Make one with nestling.watch(graph)."


class Running:
    """The time between the start and the end of a run; its exit says how it ended."""

    def __init__(
        self,
        runs: Runs,
        config: Mapping[str, Any] | None = None,
        input: Any = None,
        *,
        hears: bool = True,
    ) -> None:
        self.runs = runs
        #: What a `Command` answers to the interrupts that wait.
        self.resume = getattr(input, "resume", None)
        self.asks_anew = input is not None and not hasattr(input, "resume")
        #: The kernel can hear a page meanwhile.
        self.hears = hears
        self.thread_id = _thread_id(config)
        self.stopping = False
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Running:
        self.runs._start_run(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.runs._end_run("cancelled" if isinstance(error, CANCELS) else None, error)

    def in_task(self) -> None:
        """Called on the event loop: `stop` cancels the task that iterates."""
        self._task, self._loop = asyncio.current_task(), asyncio.get_running_loop()

    def stop(self) -> None:
        """Cancels at once where a task runs, else before the next item of the stream."""
        self.stopping = True
        if self._loop is not None and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)


class Runs:
    """The part of a view that runs graphs and reads events."""

    _graph: Any
    _conversation: Conversation
    _adapter: Adapter
    _value: Any = None
    _error: BaseException | None = None
    _run: Running | None = None
    stream_tokens: bool
    #: Merged under the config of each call.
    config: dict[str, Any]

    # --- the graph's own methods ------------------------------------------------------------

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """Runs the graph and shows it. Arguments, result and exceptions are the graph's own."""
        __tracebackhide__ = True
        from nestling.langgraph.source import Streamed

        graph = self._ready()
        streamed = Streamed(graph, self.stream, self.astream)
        self._value = type(graph).invoke(streamed, input, config, **kwargs)
        return self._value

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """As `invoke`, on the caller's event loop."""
        __tracebackhide__ = True
        from nestling.langgraph.source import Streamed

        graph = self._ready()
        streamed = Streamed(graph, self.stream, self.astream)
        self._value = await type(graph).ainvoke(streamed, input, config, **kwargs)
        return self._value

    def stream(self, input: Any, config: Any = None, **kwargs: Any) -> Iterator[Any]:
        """Yields what the graph's own `stream` yields; the run starts at the first item."""
        return self._stream(self._ready(), input, config, kwargs)

    def astream(self, input: Any, config: Any = None, **kwargs: Any) -> AsyncIterator[Any]:
        """Yields what the graph's own `astream` yields; the run starts at the first item."""
        return self._astream(self._ready(), input, config, kwargs)

    def _stream(
        self, graph: Any, input: Any, config: Any, options: dict[str, Any]
    ) -> Iterator[Any]:
        __tracebackhide__ = True
        source, config = self._source(graph, config, options)
        with Running(self, config, input, hears=False) as run:
            stream = graph.stream(input, config, **source.options)
            try:
                for item in stream:
                    mode, ns, data, theirs = source.read(item)
                    self._feed(mode, ns, data)
                    yield from theirs
                    if run.stopping:
                        raise KeyboardInterrupt("stopped by view.stop()")
            finally:
                if hasattr(stream, "close"):
                    stream.close()
                if run.stopping:
                    source.stopped()

    async def _astream(
        self, graph: Any, input: Any, config: Any, options: dict[str, Any]
    ) -> AsyncIterator[Any]:
        __tracebackhide__ = True
        source, config = self._source(graph, config, options)
        with Running(self, config, input) as run:
            run.in_task()
            stream = graph.astream(input, config, **source.options)
            try:
                async for item in stream:
                    mode, ns, data, theirs = source.read(item)
                    self._feed(mode, ns, data)
                    for their in theirs:
                        yield their
                    if run.stopping:
                        raise asyncio.CancelledError("stopped by view.stop()")
            finally:
                if hasattr(stream, "aclose"):
                    await stream.aclose()
                if run.stopping:
                    await source.astopped()

    def stop(self) -> None:
        """Cancels the run that goes on, cooperatively. Nothing when idle."""
        run = self._run
        if run is not None:
            run.stop()

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
                self._begin(None)
            self._adapter.process(event)
        if begins:
            self._shielded(self._sync_status)

    def tee(self, stream: Any) -> Any:
        """Wraps an iterator of LangGraph, async or not: yields its items and shows them.

        Every open box is closed when it ends or raises.
        """
        return self._atee(stream) if hasattr(stream, "__aiter__") else self._tee(stream)

    def _tee(self, stream: Any) -> Iterator[Any]:
        __tracebackhide__ = True
        with Running(self, hears=False):
            try:
                for event in stream:
                    with self._conversation.lock:
                        self._adapter.process(event)
                    yield event
            finally:
                if hasattr(stream, "close"):
                    stream.close()

    async def _atee(self, stream: Any) -> AsyncIterator[Any]:
        __tracebackhide__ = True
        with Running(self) as run:
            run.in_task()
            try:
                async for event in stream:
                    with self._conversation.lock:
                        self._adapter.process(event)
                    yield event
            finally:
                if hasattr(stream, "aclose"):
                    await stream.aclose()

    def finalize(self) -> None:
        """Ends a run that was fed by hand. Nothing happens when idle."""
        self._end_run(None, None)

    def fail(self, error: BaseException) -> None:
        """Ends a run that was fed by hand with an error. Nothing happens when idle."""
        self._end_run("cancelled" if isinstance(error, CANCELS) else None, error)

    # --- inside -----------------------------------------------------------------------------

    def _ready(self) -> Any:
        if self._graph is None:
            raise RuntimeError(NO_GRAPH)
        if self._conversation.running:
            raise RuntimeError(RUNNING)
        return self._graph

    def _source(self, graph: Any, config: Any, options: dict[str, Any]) -> Any:
        from nestling.langgraph.source import merged, source_of

        source = source_of(graph, options, self.stream_tokens)
        config = source.configured(merged(self.config, config), self._feed, self._feed_inner)
        return source, config

    def _feed(self, kind: str, ns: tuple[str, ...], data: Any) -> None:
        with self._conversation.lock:
            self._adapter.feed(kind, ns, data)
        if kind == "values" and not ns:
            self._value = data

    def _feed_inner(self, kind: str, ns: tuple[str, ...], data: Any) -> None:
        with self._conversation.lock:
            self._adapter.feed_inner(kind, ns, data)

    def _start_run(self, run: Running) -> None:
        with self._conversation.lock:
            if self._conversation.running:
                raise RuntimeError(RUNNING)
            self._begin(run.thread_id)
            self._run = run
            if run.resume is not None:
                self._shielded(lambda: self._adapter.rows.answer(run.resume))
            elif run.asks_anew:
                self._shielded(self._adapter.rows.abandon)
        self._shielded(self._show_first)
        self._shielded(lambda: self._hear(run.hears))
        self._shielded(self._sync_status)

    def _begin(self, thread_id: str | None) -> None:
        self._error = None
        self._adapter.record("begin", {"thread_id": thread_id})
        self._conversation.begin(thread_id)
        self._shielded(self._adapter.begin)

    def _end_run(self, end: NamespaceStatus | None, error: BaseException | None) -> None:
        self._run = None
        if not self._conversation.running:
            return
        if error is not None and end is None:
            self._error = error
        self._shielded(lambda: self._fold_end(end, error))
        self._shielded(lambda: self._hear(True))
        self._shielded(self._sync_status)
        self._shielded(self._publish_end)

    def _fold_end(self, end: NamespaceStatus | None, error: BaseException | None) -> None:
        with self._conversation.lock:
            self._adapter.record("end", {"status": end, "error": error})
            try:
                if end is None and error is not None:
                    end = "failed"
                    self._adapter.failed(error)
                elif end is None:
                    end = self._adapter.verdict()
                self._adapter.ended("completed" if end == "completed" else "cancelled")
            finally:
                self._conversation.end(cast("NamespaceStatus", end))

    def _shielded(self, step: Any) -> None:
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


def _thread_id(config: Mapping[str, Any] | None) -> str | None:
    configurable = (config or {}).get("configurable") or {}
    found = configurable.get("thread_id")
    return None if found is None else str(found)
