"""Interrupts, answers and stops of a run on a server."""

import asyncio
import time

import pytest
from builders import check, plain
from graphs import ASK
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from served import desk

from nestling import watch

ASKED = """\
desk [interrupted]
├─ You: Go.
└─ clerk [interrupted]
   ├─ clerk: I ask.
   ├─ refund({"order": "A-7"}) [interrupted]
   └─ ? {"refund": "A-7"}"""
ANSWERED = """\
desk [completed]
├─ You: Go.
└─ clerk [completed]
   ├─ clerk: I ask.
   ├─ refund({"order": "A-7"}) [completed] -> A-7: granted
   ├─ ? {"refund": "A-7"}
   └─ clerk: It is settled."""


@pytest.mark.parametrize("where", ["here", "there"])
def test_an_interrupt_waits_in_its_box_and_is_answered_there(where, remote, thread):
    graph = desk(InMemorySaver()) if where == "here" else remote("desk")
    view = watch(graph, config=thread)
    out = view.invoke(ASK)
    assert "__interrupt__" in out
    assert str(view) == ASKED
    assert view.status == "interrupted"
    check(view)
    out = view.invoke(Command(resume="granted"))
    assert "__interrupt__" not in out
    assert str(view) == ANSWERED
    (asked,) = view.transcript.find(type="interrupt")
    assert (asked["status"], asked["answer"]) == ("answered", "granted")
    check(view)


async def test_an_interrupt_of_an_async_run_returns_what_the_remote_graph_returns(remote, thread):
    graph, view = remote("desk"), watch(remote("desk"))
    out = await view.ainvoke(ASK, thread)
    bare = await graph.ainvoke(ASK)
    ids = [out["__interrupt__"][0].pop("id"), bare["__interrupt__"][0].pop("id")]
    assert plain(out) == plain(bare)
    assert all(ids)
    out = await view.ainvoke(Command(resume="granted"), thread)
    assert out["messages"][-1]["content"] == "It is settled."
    assert str(view) == ANSWERED


def speaking(view):
    """Set by the first token of the view."""
    spoken = asyncio.Event()
    view.on_event(lambda change: spoken.set() if change["op"] == "append" else None)
    return spoken


async def ended(graph, thread):
    """The status of the only run of a thread, once it has ended."""
    for _ in range(100):
        (run,) = await graph.client.runs.list(thread["configurable"]["thread_id"])
        if run["status"] not in ("pending", "running"):
            return run["status"]
        await asyncio.sleep(0.05)
    return run["status"]


async def test_stop_ends_the_run_here_and_on_the_server(remote, thread):
    graph = remote("slow")
    view = watch(graph, config=thread)
    spoken = speaking(view)
    running = asyncio.create_task(view.ainvoke(ASK))
    await spoken.wait()
    began = time.monotonic()
    view.stop()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - began < 1
    assert view.status == "cancelled"
    check(view)
    assert await ended(graph, thread) == "interrupted"
    assert not (await graph.aget_state(thread)).values.get("messages", [None, None])[2:]


def test_stop_ends_a_sync_run_before_its_next_item(remote, thread):
    graph = remote("slow")
    view = watch(graph, config=thread)
    view.on_event(lambda change: view.stop() if change["op"] == "append" else None)
    with pytest.raises(KeyboardInterrupt):
        view.invoke(ASK)
    assert view.status == "cancelled"
    check(view)
    assert asyncio.run(ended(remote("slow"), thread)) == "interrupted"


async def test_stop_ends_a_run_without_a_thread_too(remote, caplog):
    view = watch(remote("slow"))
    spoken = speaking(view)
    running = asyncio.create_task(view.ainvoke(ASK))
    await spoken.wait()
    view.stop()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert view.status == "cancelled"
    assert "could not be asked to stop" not in caplog.text
    check(view)


def test_a_stream_that_is_closed_early_cancels_what_is_shown(remote):
    view = watch(remote("slow"))
    stream = view.stream(ASK, stream_mode="updates", subgraphs=True)
    next(stream)
    assert view.status == "running"
    stream.close()
    assert view.status == "cancelled"
    check(view)


async def test_an_async_stream_that_is_closed_early_cancels_what_is_shown(remote):
    view = watch(remote("slow"))
    stream = view.astream(ASK, stream_mode="updates", subgraphs=True)
    await anext(stream)
    await stream.aclose()
    assert view.status == "cancelled"
    check(view)
