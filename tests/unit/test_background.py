"""Runs in the background: as a task of the loop, or in a thread."""

import asyncio
import contextvars
import threading
import time

import graphs
import pytest
from builders import check, lines
from graphs import ASK, BOOM
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

from nestling import demo, watch
from nestling.turns import RUNNING

ON_A_THREAD = {"configurable": {"thread_id": "1"}}


def graph_of(node, **compiling):
    builder = StateGraph(MessagesState)
    builder.add_node("work", node)
    builder.add_edge(START, "work")
    return builder.compile(**compiling)


def slow(seconds=5.0):
    async def work(state):
        await asyncio.sleep(seconds)
        return {"messages": [AIMessage("slept")]}

    return graph_of(work)


# --- without a loop -------------------------------------------------------------------------


def test_it_returns_at_once_and_gives_what_the_graph_returns():
    view = watch(demo.nested_team(delay=0.001))
    run = view.start(ASK)
    assert (run.status, view.status) == ("running", "running")
    assert repr(run) == "<nestling.Run running>"
    result = run.result(20)
    assert result["messages"][-1].text.endswith("nested_team is done.")
    assert (run.status, view.status) == ("completed", "completed")
    assert view.value is result
    assert f"{view}\n" == graphs.golden("nested_team").read_text()
    check(view)


def test_a_failure_reaches_whoever_waits():
    view = watch(graphs.raising_node())
    run = view.start(ASK)
    with pytest.raises(ValueError, match=BOOM) as caught:
        run.result(20)
    assert view.error is caught.value
    assert run.status == "failed"
    check(view)


def test_waiting_has_an_end():
    view = watch(slow())
    run = view.start(ASK)
    with pytest.raises(TimeoutError):
        run.result(0.05)
    assert run.status == "running"
    run.stop()
    with pytest.raises(asyncio.CancelledError):
        run.result(20)


def test_stop_ends_it_at_once():
    view = watch(slow())
    run = view.start(ASK)
    time.sleep(0.2)
    began = time.monotonic()
    view.stop()
    with pytest.raises(asyncio.CancelledError):
        run.result(20)
    assert time.monotonic() - began < 3
    assert (run.status, view.status) == ("cancelled", "cancelled")
    check(view)
    run.stop()  # nothing any more
    view.stop()


def test_it_sees_the_context_of_its_caller():
    name, seen = contextvars.ContextVar("name"), []
    name.set("mine")
    view = watch(graph_of(lambda state: seen.append((name.get(), threading.current_thread()))))
    view.start(ASK).result(20)
    assert seen[0][0] == "mine"
    assert seen[0][1] is not threading.main_thread()


def test_two_at_a_time_say_so():
    view = watch(slow())
    run = view.start(ASK)
    for again in (view.invoke, view.start, view.stream):
        with pytest.raises(RuntimeError) as caught:
            again(ASK)
        assert str(caught.value) == RUNNING
    run.stop()
    with pytest.raises(asyncio.CancelledError):
        run.result(20)


def test_a_second_run_is_a_turn_below_the_first():
    view = watch(graphs.helper())
    for _ in range(2):
        view.start(ASK).result(20)
    told = [r["content"] for r in view.transcript.find(type=["user", "ai"])]
    assert told == ["Go.", "I shout.", "Helped."] * 2
    check(view)


def test_a_task_needs_a_loop():
    with pytest.raises(RuntimeError, match="thread=True"):
        watch(slow()).start(ASK, thread=False)


# --- on a loop ------------------------------------------------------------------------------


async def test_on_a_loop_it_is_a_task():
    threads = []

    async def work(state):
        threads.append(threading.current_thread())

    view = watch(graph_of(work))
    run = view.start(ASK)
    assert view.status == "running"
    await run
    assert await run == view.value  # as often as one likes
    assert threads == [threading.current_thread()]
    assert run.result() == view.value  # it is there
    check(view)


async def test_waiting_without_await_would_stop_the_loop():
    view = watch(slow())
    run = view.start(ASK)
    with pytest.raises(RuntimeError, match="Use 'await run' here"):
        run.result()
    run.stop()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert run.status == "cancelled"
    check(view)


async def test_a_run_that_is_stopped_before_its_first_step_ends_too():
    view = watch(slow())
    run = view.start(ASK)
    view.stop()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert view.status == "cancelled"
    check(view)


async def test_whoever_waits_no_longer_stops_it():
    view = watch(slow())
    run = view.start(ASK)
    waiter = asyncio.ensure_future(asyncio.wait_for(run, 0.1))
    with pytest.raises(TimeoutError):
        await waiter
    await asyncio.sleep(0.05)
    assert view.status == "cancelled"
    check(view)


async def test_a_thread_goes_on_while_the_loop_stands_still():
    view = watch(graphs.helper())
    run = view.start(ASK, thread=True)
    assert run.result(20)["messages"][-1].text == "Helped."
    assert await run is run.result()
    check(view)


async def test_a_stop_after_the_end_leaves_the_caller_alone():
    view = watch(graph_of(lambda state: {"messages": [AIMessage("done")]}))
    async for _ in view.astream(ASK):
        view.stop()
        break
    await asyncio.sleep(0.05)  # would be cancelled here
    assert view.status == "cancelled"


# --- checkpointers --------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sqlite", "async sqlite"])
def saver(request, tmp_path):
    if request.param == "memory":
        return lambda: _given(InMemorySaver())
    path = str(tmp_path / "checkpoints.sqlite")
    if request.param == "sqlite":
        return lambda: _entered(SqliteSaver.from_conn_string(path))
    return lambda: AsyncSqliteSaver.from_conn_string(path)


class _Given:
    def __init__(self, value):
        self.value = value

    async def __aenter__(self):
        return self.value

    async def __aexit__(self, *_):
        pass


def _given(value):
    return _Given(value)


class _Entered(_Given):
    async def __aenter__(self):
        return self.value.__enter__()

    async def __aexit__(self, *ended):
        self.value.__exit__(*ended)


def _entered(value):
    return _Entered(value)


async def test_every_checkpointer_works_in_the_background(saver):
    async with saver() as checkpointer:
        view = watch(
            graph_of(lambda state: {"messages": [AIMessage("kept")]}, checkpointer=checkpointer)
        )
        for _ in range(2):
            await view.start(ASK, ON_A_THREAD)
    assert lines(view) == ["├─ You: Go.", "├─ work: kept", "├─ You: Go.", "└─ work: kept"]
    check(view)


async def test_a_thread_that_needs_the_loop_cannot_be_waited_for_there(tmp_path):
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "db")) as checkpointer:
        view = watch(graph_of(lambda state: {}, checkpointer=checkpointer))
        run = view.start(ASK, ON_A_THREAD, thread=True)
        with pytest.raises(RuntimeError, match="Use 'await run' here"):
            run.result()
        await run
    assert view.status == "completed"


def test_a_sync_checkpointer_works_without_a_loop(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "db")) as checkpointer:
        view = watch(graph_of(lambda state: {}, checkpointer=checkpointer))
        view.start(ASK, ON_A_THREAD).result(20)
    assert view.status == "completed"
