"""One run of a graph: from its start to its end, in the caller's thread or behind its back."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine, Generator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nestling.langgraph.ends import CANCELS
from nestling.langgraph.normalize import messages_in
from nestling.records import RunStatus

if TYPE_CHECKING:
    from nestling.turns import Turns

#: The input of a run that somebody else started.
UNKNOWN: Any = object()
STOPPED = "stopped by view.stop()"
BLOCKED = (
    "Use 'await run' here: the run goes on in the event loop of this thread, "
    "and waiting for it would stop that loop."
)


class Run:
    """A run that `View.start` returned at once.

    `await run` and `run.result()` give what the graph returns and raise what it raises;
    `asyncio.CancelledError` when it was stopped.
    """

    def __init__(
        self,
        turns: Turns,
        config: Mapping[str, Any] | None = None,
        input: Any = UNKNOWN,
        *,
        context: Any = None,
        hears: bool = True,
    ) -> None:
        self.turns = turns
        self.config = config
        self.context = context
        #: What a `Command` answers to the interrupts that wait.
        self.resume = getattr(input, "resume", None)
        self.by_hand = input is UNKNOWN
        #: Ids of the messages in its input; None when it has none of its own, and just goes on.
        self.asks: list[str] | None = None
        if not self.by_hand and input is not None and not hasattr(input, "resume"):
            self.asks = [message.id for message in messages_in(input) if message.id is not None]
        #: The kernel can hear a page meanwhile.
        self.hears = hears
        bound = getattr(turns._graph, "config", None)
        self.thread_id = _thread_id(turns._merged(config)) or _thread_id(bound)
        self.stopping = False
        #: The caller has an item in hand: it will see that the run stops when it asks for more.
        self.is_read = False
        self._status: RunStatus | None = None
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        #: The loop without which nothing goes on, its own or that of a checkpointer.
        self._needs: asyncio.AbstractEventLoop | None = None
        self._future: Future[Any] | None = None
        self._published = False

    def __repr__(self) -> str:
        return f"<nestling.Run {self.status}>"

    # --- from start to end ------------------------------------------------------------------

    def __enter__(self) -> Run:
        if self.turns._run is not self:  # else it was begun by `start`
            self.turns._start_run(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is None:
            self.turns._end_run(error, self)
            self._status = self.turns._conversation.status

    def in_task(self) -> None:
        """Called on the event loop: `stop` cancels the task that iterates."""
        self._task, self._loop = asyncio.current_task(), asyncio.get_running_loop()

    @property
    def in_background(self) -> bool:
        return self._future is not None

    @property
    def status(self) -> RunStatus:
        """`running`, then how it ended."""
        return self._status or "running"

    def stop(self) -> None:
        """Cancels at once where a task runs, else before the next item of the stream."""
        self.stopping = True
        if self._loop is not None and self._status is None:
            with suppress(RuntimeError):  # it has ended meanwhile, and its loop with it
                self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        # else what runs there now is not ours
        if self._status is None and self._task is not None and not self.is_read:
            self._task.cancel(STOPPED)

    # --- behind the caller's back -----------------------------------------------------------

    def in_loop(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Runs `work` as a task of the running event loop."""
        self._future = Future()
        self._loop = self._needs = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._settled(work))
        # cancelled before its first step it would never end
        self._task.add_done_callback(lambda _: self._end(asyncio.CancelledError(STOPPED)))

    def in_thread(self, work: Callable[[], Any], needs: asyncio.AbstractEventLoop | None) -> None:
        """Runs `work` in a thread; a coroutine that it returns gets a loop of its own."""
        self._future = Future()
        self._needs = needs
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._work, work), name="nestling-run", daemon=True
        ).start()

    def _work(self, work: Callable[[], Any]) -> None:
        try:
            made = work()
            if asyncio.iscoroutine(made):
                asyncio.run(self._settled(lambda: made))
            else:
                self._end(None, made)
        except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to who waits
            self._end(error)

    async def _settled(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        try:
            self._end(None, await work())
        except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to who waits
            self._end(error)

    def _end(self, error: BaseException | None, result: Any = None) -> None:
        assert self._future is not None  # noqa: S101  # it runs behind the caller's back
        if self._future.done():
            return
        self.__exit__(None, error, None)  # the graph may not have come as far as its stream
        if error is None:
            self._future.set_result(result)
        elif isinstance(error, CANCELS):
            self._future.set_exception(self._cancelled(error))
        else:
            self._future.set_exception(error)

    def _cancelled(self, error: BaseException) -> BaseException:
        """For who waits: a KeyboardInterrupt or SystemExit there would stop the event loop."""
        if self.stopping:
            return asyncio.CancelledError(STOPPED)
        if isinstance(error, asyncio.CancelledError):
            return error
        cancelled = asyncio.CancelledError(f"cancelled by {error!r}")
        cancelled.__cause__ = error
        return cancelled

    # --- waiting for it ---------------------------------------------------------------------

    def __await__(self) -> Generator[Any, None, Any]:
        return self._wait().__await__()

    async def _wait(self) -> Any:
        __tracebackhide__ = True
        future = self._waited_for()
        try:
            await _done(future)
        except asyncio.CancelledError:  # whoever waits for it does not want it any more
            self.stop()
            raise
        return self._outcome(future)

    def result(self, timeout: float | None = None) -> Any:
        """What the graph returns; waits up to `timeout` seconds, then raises `TimeoutError`.

        `RuntimeError` where waiting would stop the event loop that the run needs.
        """
        __tracebackhide__ = True
        future = self._waited_for()
        if not future.done() and self._needs is not None and self._needs is _running_loop():
            raise RuntimeError(BLOCKED)
        future.exception(timeout)
        return self._outcome(future)

    def _waited_for(self) -> Future[Any]:
        if self._future is None:
            raise RuntimeError("This run goes on in its caller's thread: nobody can wait for it.")
        return self._future

    def _outcome(self, future: Future[Any]) -> Any:
        __tracebackhide__ = True
        if not self._published:  # the cell that waits for a run keeps it
            self._published = True
            self.turns._shielded(self.turns._publish_end)
        error = future.exception()
        if error is not None:
            raise error
        return future.result()


async def _done(future: Future[Any]) -> None:
    """Comes back when `future` is done, whatever became of it."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def wake(_: Future[Any]) -> None:
        with suppress(RuntimeError):  # nobody waits any more, the loop is closed
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(wake)
    await done.wait()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _thread_id(config: Any) -> str | None:
    configurable = config.get("configurable") if isinstance(config, Mapping) else None
    found = (configurable or {}).get("thread_id")
    return None if found is None else str(found)
