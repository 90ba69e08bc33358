"""What runs graphs and reads events: the graph's own methods, shown as they happen.

A fault of the graph reaches the caller unchanged; a fault of ours never reaches the graph.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from nestling.conversation import Conversation
from nestling.langgraph.adapter import end_of
from nestling.records import NamespaceStatus
from nestling.run import STOPPED, Run

if TYPE_CHECKING:
    from nestling.langgraph.adapter import Adapter
    from nestling.langgraph.source import Source
    from nestling.pending import Pending

log = logging.getLogger("nestling")

RUNNING = "This view is already running. Use view.stop() or another watch()."
NO_GRAPH = "This view has no graph to run. Make one with nestling.watch(graph)."
NO_LOOP = "No event loop is running in this thread. Use view.start(..., thread=True)."


class Runs:
    """The part of a view that runs graphs and reads events."""

    _graph: Any
    _conversation: Conversation
    _adapter: Adapter
    _error: BaseException | None = None
    _run: Run | None = None
    #: The run whose interrupts wait for an answer.
    _asked: Run | None = None
    _callback: Any = None
    stream_tokens: bool
    #: Merged under the config of each call.
    config: dict[str, Any]

    # --- the graph's own methods ------------------------------------------------------------

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """Runs the graph and shows it. Arguments, result and exceptions are the graph's own."""
        __tracebackhide__ = True
        return self._invoke(None, input, config, kwargs)

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """As `invoke`, on the caller's event loop."""
        __tracebackhide__ = True
        return await self._ainvoke(None, input, config, kwargs)

    def stream(self, input: Any, config: Any = None, **kwargs: Any) -> Iterator[Any]:
        """Yields what the graph's own `stream` yields; the run starts at the first item."""
        self._ready()
        return self._stream(None, input, config, **kwargs)

    def astream(self, input: Any, config: Any = None, **kwargs: Any) -> AsyncIterator[Any]:
        """Yields what the graph's own `astream` yields; the run starts at the first item."""
        self._ready()
        return self._astream(None, input, config, **kwargs)

    def start(
        self, input: Any, config: Any = None, *, thread: bool | None = None, **kwargs: Any
    ) -> Run:
        """Runs the graph in the background and returns at once.

        As a task of the running event loop; in a thread with the caller's context where there is
        no loop, where the checkpointer cannot be awaited, or with `thread=True`. A task stands
        still while a sync cell runs, a thread does not, but a sync node in it ends when it will.
        Further arguments are those of `invoke`.
        """
        from nestling.langgraph.source import loop_of, never_waits

        graph = self._ready()
        try:
            loop: Any = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if thread is None:
            thread = loop is None or never_waits(graph)
        elif not thread and loop is None:
            raise RuntimeError(NO_LOOP)
        run = Run(self, config, input, context=kwargs.get("context"))
        run.__enter__()
        if not thread:
            run.in_loop(partial(self._ainvoke, run, input, config, kwargs))
        elif never_waits(graph) or loop_of(graph) is not None:
            run.in_thread(partial(self._invoke, run, input, config, kwargs), loop_of(graph))
        else:
            run.in_thread(partial(self._ainvoke, run, input, config, kwargs), None)
        return run

    def _invoke(self, run: Run | None, input: Any, config: Any, options: Mapping[str, Any]) -> Any:
        __tracebackhide__ = True
        from nestling.langgraph.source import streamed

        graph = self._graph if run is not None else self._ready()
        twin = streamed(graph, partial(self._stream, run), partial(self._astream, run))
        self._adapter.value = twin.invoke(input, config, **options)
        return self._adapter.value

    async def _ainvoke(
        self, run: Run | None, input: Any, config: Any, options: Mapping[str, Any]
    ) -> Any:
        __tracebackhide__ = True
        from nestling.langgraph.source import streamed

        graph = self._graph if run is not None else self._ready()
        twin = streamed(graph, partial(self._stream, run), partial(self._astream, run))
        self._adapter.value = await twin.ainvoke(input, config, **options)
        return self._adapter.value

    def _stream(
        self, run: Run | None, input: Any, config: Any = None, **options: Any
    ) -> Iterator[Any]:
        __tracebackhide__ = True
        source = self._source(config, options)
        context = options.get("context")
        run = run or Run(self, config, input, context=context, hears=False)
        with run:
            stream = self._graph.stream(input, source.config, **source.options)
            try:
                for item in stream:
                    mode, ns, data, theirs, shown = source.read(item)
                    if shown:
                        self._feed(mode, ns, data)
                    yield from theirs
                    if run.stopping:
                        raise KeyboardInterrupt(STOPPED)
            finally:
                if hasattr(stream, "close"):
                    stream.close()

    async def _astream(
        self, run: Run | None, input: Any, config: Any = None, **options: Any
    ) -> AsyncIterator[Any]:
        __tracebackhide__ = True
        source = self._source(config, options)
        run = run or Run(self, config, input, context=options.get("context"))
        with run:
            run.in_task()
            stream = self._graph.astream(input, source.config, **source.options)
            try:
                async for item in stream:
                    mode, ns, data, theirs, shown = source.read(item)
                    if shown:
                        self._feed(mode, ns, data)
                    for their in theirs:
                        run.is_read = True
                        yield their
                        run.is_read = False
                    if run.stopping:
                        raise asyncio.CancelledError(STOPPED)
            finally:
                if hasattr(stream, "aclose"):
                    await stream.aclose()

    def stop(self) -> None:
        """Cancels the run that goes on, cooperatively. Nothing when idle."""
        run = self._run
        if run is not None:
            run.stop()

    @property
    def callback(self) -> Any:
        """A LangChain callback handler that shows runs which other code starts.

        `graph.invoke(input, config={"callbacks": [view.callback]})`
        """
        if self._callback is None:
            from nestling.langgraph.elsewhere import Elsewhere

            self._callback = Elsewhere(self)
        return self._callback

    # --- answers ----------------------------------------------------------------------------

    @property
    def pending(self) -> tuple[Pending, ...]:
        """What the last run asks: one `Pending` for each interrupt that waits for an answer."""
        from nestling.pending import waiting

        return waiting(self)

    def resume(self, value: Any) -> Any:
        """Answers the interrupt that waits and runs on; returns what `invoke` does.

        With several that wait `value` is `{interrupt_id: answer}`. `RuntimeError` when none does.
        """
        __tracebackhide__ = True
        command, config, options = self._answer(value)
        return self.invoke(command, config, **options)

    async def aresume(self, value: Any) -> Any:
        """As `resume`, on the caller's event loop."""
        __tracebackhide__ = True
        command, config, options = self._answer(value)
        return await self.ainvoke(command, config, **options)

    def _answer(self, value: Any) -> tuple[Any, Any, dict[str, Any]]:
        """What to call the graph with, so that it goes on with this answer."""
        from nestling.pending import answer

        self._ready()
        asked = self._asked
        options = {} if asked is None or asked.context is None else {"context": asked.context}
        return answer(self, value), None if asked is None else asked.config, options

    # --- events by hand ---------------------------------------------------------------------

    def process_event(self, event: Any) -> None:
        """Shows one event of LangGraph: a v2 part or any v1 tuple.

        The first one sets `running`; one after the end begins a new turn. What is not an event
        is kept and shown plainly.
        """
        conversation = self._conversation
        with conversation.lock:
            begins = not conversation.running
            if begins:
                self._begin(None)
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
            try:
                for event in stream:
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
            try:
                async for event in stream:
                    self._show(event)
                    run.is_read = True
                    yield event
                    run.is_read = False
                    if run.stopping:
                        raise asyncio.CancelledError(STOPPED)
            finally:
                if hasattr(stream, "aclose"):
                    await stream.aclose()

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

    # --- inside -----------------------------------------------------------------------------

    def _ready(self) -> Any:
        if self._graph is None:
            raise RuntimeError(NO_GRAPH)
        if self._conversation.running:
            raise RuntimeError(RUNNING)
        return self._graph

    def _merged(self, config: Any) -> Any:
        from nestling.langgraph.source import merged

        return merged(self.config, config)

    def _source(self, config: Any, options: Mapping[str, Any]) -> Source:
        from nestling.langgraph.source import Source

        config = self._merged(config)
        return Source(self._graph, config, options, self.stream_tokens, self._feed_inner)

    def _feed(self, kind: str, ns: tuple[str, ...], data: Any) -> None:
        with self._conversation.lock:
            self._adapter.feed(kind, ns, data)
        if self._conversation.changes:
            self._conversation.tell()

    def _feed_inner(self, kind: str, ns: tuple[str, ...], data: Any) -> None:
        with self._conversation.lock:
            self._adapter.feed_inner(kind, ns, data)
        if self._conversation.changes:
            self._conversation.tell()

    def _start_run(self, run: Run) -> None:
        with self._conversation.lock:
            if self._conversation.running:
                raise RuntimeError(RUNNING)
            self._begin(run.thread_id, asks=run.asks_anew)
            self._run = run
            if run.resume is not None:
                self._adapter.feed("answer", (), run.resume)
            elif run.asks_anew:
                self._adapter.feed("abandon", (), None)
        self._conversation.tell()
        self._shielded(self._show_first)
        self._shielded(lambda: self._hear(run.hears))
        self._shielded(self._sync_status)

    def _begin(self, thread_id: str | None, asks: bool = True) -> None:
        self._error = None
        self._adapter.record("begin", {"thread_id": thread_id, "asks": asks})
        self._conversation.begin(thread_id)
        self._shielded(lambda: self._adapter.begin(asks))

    def _end_run(self, error: BaseException | None, run: Run | None = None) -> None:
        self._run, end = None, end_of(error)
        if not self._conversation.running:
            return
        if error is not None and end is None:
            self._error = error
        self._shielded(lambda: self._fold_end(end, error))
        self._conversation.tell()
        self._asked = run if self._conversation.status == "interrupted" else None
        self._shielded(lambda: self._hear(True))
        self._shielded(self._sync_status)
        if run is None or not run.in_background:
            self._shielded(self._publish_end)

    def _fold_end(self, end: NamespaceStatus | None, error: BaseException | None) -> None:
        with self._conversation.lock:
            self._adapter.record("end", {"status": end, "error": error})
            try:
                if end is None and error is not None:
                    end = "failed"
                    self._adapter.failed(error)
                elif end is None:
                    end = "interrupted" if self._adapter.interrupts.waiting else "completed"
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
