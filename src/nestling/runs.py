"""The graph's own methods, shown as they happen; runs in the background, answers, other code's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from nestling.run import STOPPED, Run
from nestling.turns import RUNNING, Turns

if TYPE_CHECKING:
    from nestling.langgraph.source import Source
    from nestling.pending import Pending

NO_GRAPH = "This view has no graph to run. Make one with nestling.watch(graph)."
NO_LOOP = "No event loop is running in this thread. Use view.start(..., thread=True)."


class Runs(Turns):
    """The part of a view that runs graphs."""

    _callback: Any = None
    stream_tokens: bool

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
        from nestling.langgraph.source import NOTHING

        run = run or Run(self, config, input, context=options.get("context"), hears=False)
        source = self._source(run, config, options)
        with run:
            stream = self._graph.stream(input, source.config, **source.options)
            try:
                for item in stream:
                    mode, ns, data, theirs, shown = source.read(item)
                    if shown:
                        self._feed(mode, ns, data)
                    if theirs is not NOTHING:
                        yield theirs
                    if run.stopping:
                        raise KeyboardInterrupt(STOPPED)
            finally:
                if hasattr(stream, "close"):
                    stream.close()
                if run.stopping:
                    source.stopped()

    async def _astream(
        self, run: Run | None, input: Any, config: Any = None, **options: Any
    ) -> AsyncIterator[Any]:
        __tracebackhide__ = True
        from nestling.langgraph.source import NOTHING

        run = run or Run(self, config, input, context=options.get("context"))
        source = self._source(run, config, options)
        with run:
            run.in_task()
            stream = self._graph.astream(input, source.config, **source.options)
            try:
                async for item in stream:
                    mode, ns, data, theirs, shown = source.read(item)
                    if shown:
                        self._feed(mode, ns, data)
                    if theirs is not NOTHING:
                        run.is_read = True
                        yield theirs
                        run.is_read = False
                    if run.stopping:
                        raise asyncio.CancelledError(STOPPED)
            finally:
                if hasattr(stream, "aclose"):
                    await stream.aclose()
                if run.stopping:
                    await source.astopped()

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
        command = answer(self, value)
        asked = self._adapter.interrupts.pending[next(iter(command.resume))].run
        options = {} if asked is None or asked.context is None else {"context": asked.context}
        return command, None if asked is None else asked.config, options

    # --- inside -----------------------------------------------------------------------------

    def _ready(self) -> Any:
        if self._graph is None:
            raise RuntimeError(NO_GRAPH)
        if self._conversation.running:
            raise RuntimeError(RUNNING)
        return self._graph

    def _source(self, run: Run, config: Any, options: Mapping[str, Any]) -> Source:
        from nestling.langgraph.source import source_of

        config = self._merged(config)
        feed = partial(self._feed_inner, run)
        return source_of(self._graph, config, options, self.stream_tokens, feed)
