"""Stopped, cancelled, closed, drained: nothing is left open, and the view can run again."""

import asyncio
import re

import pytest
from builders import ainvoked, astreamed, check, invoked, streamed
from endings import (
    ON_A_THREAD,
    any_way,
    background,
    ended,
    falls,
    house,
    on_a_loop,
    runs_again,
    waits,
)
from graphs import ASK
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl

from nestling import watch
from nestling.run import STOPPED

# --- cancelled --------------------------------------------------------------------------------

#: What a run leaves that ended before the second node of its team was told of.
CUT = """
house [cancelled]
├─ You: Go.
└─ team [cancelled]
   └─ talk: Before.
"""
#: The same when that node was at work.
WAITING = f"{CUT.rstrip().replace('└─ talk', '├─ talk')}\n   └─ · wait\n"


def stop_at(view, text):
    """Stops the view when a message is complete."""

    def heard(change):
        record = change["record"]
        if record.get("content") == text and record["status"] == "completed":
            view.on_event(heard, remove=True)
            view.stop()

    view.on_event(heard)


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        (invoked, KeyboardInterrupt),
        (streamed, KeyboardInterrupt),
        (ainvoked, asyncio.CancelledError),
        (astreamed, asyncio.CancelledError),
        (background, asyncio.CancelledError),
        (on_a_loop, asyncio.CancelledError),
    ],
)
def test_stopped(how, kind):
    begun, wait = waits()
    view = watch(house(wait))
    stop_at(view, "Before.")
    with pytest.raises(kind, match=re.escape(STOPPED)):
        how(view, ASK)
    # a sync stream that is not widened to subgraphs has its next item when the team is done
    ended(view, "cancelled", WAITING if how is streamed else CUT)
    begun.set()
    runs_again(view, how)


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        (invoked, KeyboardInterrupt),
        (streamed, KeyboardInterrupt),
        (ainvoked, KeyboardInterrupt),
        (astreamed, KeyboardInterrupt),
        (background, asyncio.CancelledError),
        (on_a_loop, KeyboardInterrupt),
    ],
)
def test_a_keyboard_interrupt_in_a_node(how, kind):
    view = watch(house(falls(KeyboardInterrupt("now"))))
    with pytest.raises(kind):
        how(view, ASK)
    ended(view, "cancelled", WAITING.replace("wait", "fall"))
    runs_again(view, how)


def test_a_keyboard_interrupt_in_a_thread_is_named_to_whoever_waits():
    view = watch(house(falls(KeyboardInterrupt("now")), checkpointer=OnlySync()))
    run = view.start(ASK, ON_A_THREAD)
    with pytest.raises(asyncio.CancelledError, match="now") as caught:
        run.result(20)
    assert isinstance(caught.value.__cause__, KeyboardInterrupt)
    ended(view, "cancelled", WAITING.replace("wait", "fall"))


class OnlySync(InMemorySaver):
    """A checkpointer that cannot be awaited."""

    async def aget_tuple(self, config):
        raise NotImplementedError


@pytest.mark.parametrize("how", ["ainvoke", "astream", "start"])
async def test_the_task_of_the_caller_is_cancelled(how):
    begun, wait = waits()
    view = watch(house(wait))

    async def call_it():
        if how == "astream":
            return [item async for item in view.astream(ASK)]
        return await getattr(view, how)(ASK)

    task = asyncio.create_task(call_it())
    await asyncio.to_thread(begun.wait, 20)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.05)  # a task of its own ends when it is its turn
    ended(view, "cancelled", WAITING)
    await view.ainvoke(ASK)
    assert view.status == "completed"
    check(view)


def test_a_stream_is_closed_early():
    view = watch(house(waits()[1]))
    stream = view.stream(ASK, stream_mode="messages", subgraphs=True)
    _, (message, _) = next(stream)
    assert message.content == "Before."
    stream.close()
    ended(view, "cancelled", CUT)
    runs_again(view, streamed)


async def test_an_async_stream_is_closed_early():
    begun, wait = waits()
    view = watch(house(wait))
    stream = view.astream(ASK, stream_mode="messages", subgraphs=True)
    _, (message, _) = await anext(stream)
    assert message.content == "Before."
    await stream.aclose()
    ended(view, "cancelled", CUT)
    begun.set()
    await view.ainvoke(ASK)
    assert view.status == "completed"
    check(view)


# --- drained ----------------------------------------------------------------------------------


@any_way
def test_a_drained_run_is_a_pause_that_can_be_gone_on_with(how):
    control = RunControl()

    def drain(state):
        control.request_drain("tea time")
        return {"messages": [AIMessage("Nearly.", id="nearly")]}

    after = ("after", lambda state: {"messages": [AIMessage("After.", id="after")]})
    graph = house(("drain", drain), after, checkpointer=InMemorySaver())
    view = watch(graph, config=ON_A_THREAD)
    drained = Controlled(view, control)
    with pytest.raises(GraphDrained, match="tea time"):
        how(drained, ASK)
    ended(
        view,
        "interrupted",
        """
house [interrupted]
├─ You: Go.
└─ team [interrupted]
   ├─ talk: Before.
   └─ drain: Nearly.
""",
    )
    assert view.pending == ()
    how(view, None)
    ended(
        view,
        "completed",
        """
house [completed]
├─ You: Go.
└─ team [completed]
   ├─ talk: Before.
   ├─ drain: Nearly.
   └─ after: After.
""",
    )


class Controlled:
    """A view whose every call has a `RunControl`."""

    def __init__(self, view, control):
        self.view = view
        self.control = control

    def __getattr__(self, name):
        def controlled(value, **options):
            return getattr(self.view, name)(value, control=self.control, **options)

        return controlled
