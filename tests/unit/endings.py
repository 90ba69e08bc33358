"""Ways to run, graphs that end in some way the first time, and what must hold of every end."""

import asyncio
import threading
import time

import pytest
from builders import ainvoked, astreamed, check, invoked, streamed
from graphs import ASK
from langchain_core.runnables import RunnableLambda
from langgraph.graph import START, MessagesState, StateGraph

from nestling.demo import ScriptedChatModel
from nestling.demo.parts import model_node

ON_A_THREAD = {"configurable": {"thread_id": "1"}}


def background(view, value):
    return view.start(value).result(20)


def on_a_loop(view, value):
    async def run():
        return await view.start(value)

    return asyncio.run(run())


WAYS = [invoked, ainvoked, streamed, astreamed, background, on_a_loop]
any_way = pytest.mark.parametrize("how", WAYS)


# --- graphs that end once, and are well the next time -----------------------------------------


def one_after_the_other(name, *nodes, **compiling):
    builder = StateGraph(MessagesState)
    builder.add_sequence(list(nodes))
    builder.add_edge(START, nodes[0][0])
    return builder.compile(name=name, **compiling)


def side_by_side(name, *graphs):
    builder = StateGraph(MessagesState)
    for graph in graphs:
        builder.add_node(graph.name, graph)
        builder.add_edge(START, graph.name)
    return builder.compile(name=name)


def says(text):
    return "talk", model_node(ScriptedChatModel(script=lambda m: text))


def falls(error):
    """A node that raises at its first run, when its START has been told."""
    left = [error]

    def fall(state):
        if left:
            time.sleep(0.05)
            raise left.pop()

    async def afall(state):
        await asyncio.sleep(0.05)
        fall(state)

    return "fall", RunnableLambda(fall, afall)


def waits():
    """A node that takes its time at its first run, and sets `begun`."""
    begun = threading.Event()

    def wait(state):
        if not begun.is_set():
            begun.set()
            time.sleep(0.3)

    async def await_(state):
        if not begun.is_set():
            begun.set()
            await asyncio.sleep(20)

    return begun, ("wait", RunnableLambda(wait, await_))


def once(first, then):
    """The script of a model that answers `first` in its first run."""
    answers = [first]
    return ScriptedChatModel(script=lambda m: answers.pop() if answers else then)


def house(*nodes, **compiling):
    team = one_after_the_other("team", says("Before."), *nodes)
    return one_after_the_other("house", ("team", team), **compiling)


# --- what must hold -------------------------------------------------------------------------


def ended(view, status, tree):
    assert str(view).splitlines() == tree.strip().splitlines()
    assert view.status == status
    assert view._conversation.problems == 0
    check(view)
    if status not in ("failed", "completed"):
        assert view.error is None
    running = [t for t in threading.enumerate() if t.name == "nestling-run"]
    for thread in running:
        thread.join(3)
        assert not thread.is_alive()


def runs_again(view, how=invoked):
    before = [(r["id"], r["seq"], r["status"], r["content"]) for r in view.chat_history]
    how(view, ASK)
    check(view)
    assert view.status == "completed"
    assert view.error is None
    after = [(r["id"], r["seq"], r["status"], r["content"]) for r in view.chat_history]
    assert after[: len(before)] == before
    assert len(after) > len(before)
