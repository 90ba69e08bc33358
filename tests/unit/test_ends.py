"""Every end of a run: nothing is left open, the tree tells the truth, the view can run again."""

import asyncio
import re
import threading
import time

import graphs
import pytest
from builders import ainvoked, astreamed, check, invoked, streamed
from graphs import ASK, BOOM, model
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphDrained, GraphRecursionError
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.runtime import RunControl
from langgraph.types import interrupt

from nestling import watch
from nestling.demo import Reply, ScriptedChatModel, call
from nestling.demo.parts import agent_tool, model_node
from nestling.run import STOPPED

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


# --- completed, interrupted -------------------------------------------------------------------


@any_way
def test_completed(how):
    view = watch(house())
    how(view, ASK)
    ended(
        view,
        "completed",
        """
house [completed]
├─ You: Go.
└─ team [completed]
   └─ talk: Before.
""",
    )
    runs_again(view, how)


@any_way
def test_interrupted(how):
    ask = ("ask", lambda state: {"messages": [AIMessage(f"Sure: {interrupt('Sure?')}")]})
    view = watch(house(ask, checkpointer=InMemorySaver()), config=ON_A_THREAD)
    how(view, ASK)
    ended(
        view,
        "interrupted",
        """
house [interrupted]
├─ You: Go.
└─ team [interrupted]
   ├─ talk: Before.
   └─ ? Sure?
""",
    )
    (pending,) = view.pending
    view.resume("yes")
    assert pending.id not in {p.id for p in view.pending}
    ended(
        view,
        "completed",
        """
house [completed]
├─ You: Go.
└─ team [completed]
   ├─ talk: Before.
   ├─ ? Sure?
   └─ ask: Sure: yes
""",
    )


# --- failed -----------------------------------------------------------------------------------


def fails(view, how, kind=ValueError, match=BOOM):
    with pytest.raises(kind, match=match) as caught:
        how(view, ASK)
    assert view.error is caught.value


@any_way
def test_a_model_fails_in_mid_sentence(how):
    broken = Reply("I will never finish", error=ValueError(BOOM), error_after=2)
    poet = create_agent(once(broken, "Finished."), [], name="poet")
    view = watch(one_after_the_other("house", ("poet", poet)))
    fails(view, how)
    ended(
        view,
        "failed",
        f"""
house [failed]
├─ You: Go.
└─ poet [failed]
   ├─ poet: I will
   └─ ! ValueError: {BOOM}
""",
    )
    assert view.transcript.find(type="ai")[0]["status"] == "aborted"
    runs_again(view, how)


@any_way
def test_a_tool_fails_and_the_one_beside_it_is_done(how):
    calls = [call("broken", text="x"), call("shout", text="hey")]
    script = once(Reply("Both.", calls), "Well.")
    view = watch(create_agent(script, [graphs.broken, graphs.shout], name="solo"))
    fails(view, how)
    ended(
        view,
        "failed",
        f"""
solo [failed]
├─ You: Go.
├─ solo: Both.
├─ broken({{"text": "x"}}) [failed] -> {BOOM}
├─ shout({{"text": "hey"}}) [completed] -> HEY
└─ ! ValueError: {BOOM}
""",
    )
    runs_again(view, how)


@any_way
def test_a_node_fails(how):
    view = watch(house(falls(ValueError(BOOM))))
    fails(view, how)
    ended(
        view,
        "failed",
        f"""
house [failed]
├─ You: Go.
└─ team [failed]
   ├─ talk: Before.
   ├─ · fall
   └─ ! ValueError: {BOOM}
""",
    )
    runs_again(view, how)


@any_way
def test_a_tool_fails_three_deep(how):
    weak = once(Reply("I break.", [call("broken", text="x")]), "I hold.")
    tool = agent_tool(create_agent(weak, [graphs.broken], name="weak"), "Is weak.")
    script = model(Reply("I ask.", [call("weak", request="Who?")]), "Answered.")
    boss = create_agent(script, [tool], name="boss")
    inner = one_after_the_other("inner", ("boss", boss))
    view = watch(one_after_the_other("outer", ("inner", inner)))
    fails(view, how)
    ended(
        view,
        "failed",
        f"""
outer [failed]
├─ You: Go.
└─ inner [failed]
   └─ boss [failed]
      ├─ boss: I ask.
      └─ weak({{"request": "Who?"}}) [failed] -> {BOOM}
         └─ weak [failed]
            ├─ boss: Who?
            ├─ weak: I break.
            ├─ broken({{"text": "x"}}) [failed] -> {BOOM}
            └─ ! ValueError: {BOOM}
""",
    )
    runs_again(view, how)


@any_way
def test_the_sibling_of_a_failure_is_cancelled(how):
    _, wait = waits()
    weak = one_after_the_other("weak", says("Weak."), falls(ValueError(BOOM)))
    patient = one_after_the_other("patient", says("Patient."), wait)
    view = watch(side_by_side("house", patient, weak))
    fails(view, how)
    ended(
        view,
        "failed",
        f"""
house [failed]
├─ You: Go.
├─ patient [cancelled]
│  ├─ talk: Patient.
│  └─ · wait
└─ weak [failed]
   ├─ talk: Weak.
   ├─ · fall
   └─ ! ValueError: {BOOM}
""",
    )
    rows = {r["speaker"]: r["status"] for r in view.transcript.find(type="update")}
    # callbacks tell that a sync node, which nobody can stop, came to its end
    assert rows == {"wait": "completed" if how is streamed else "cancelled", "fall": "failed"}
    runs_again(view, how)


def test_the_same_failure_of_the_next_run_is_told_where_it_happened_too():
    def fall(state):
        raise ValueError(BOOM)

    view = watch(house(("fall", fall), checkpointer=InMemorySaver()), config=ON_A_THREAD)
    fails(view, invoked)
    with pytest.raises(ValueError, match=BOOM):
        view.invoke(None)  # the same tasks once more
    errors = view.transcript.find(type="error")
    assert [view.namespaces["|".join(e["namespace"])]["label"] for e in errors] == ["team"] * 2
    check(view)


# --- at the limit of steps ----------------------------------------------------------------------


def tireless(name="loop"):
    """An agent that goes on and on in its first run."""
    left = [Reply("Again.", [call("add", a=1, b=2)])] * 2
    script = ScriptedChatModel(script=lambda m: left.pop() if left else "Enough.")
    return create_agent(script, [graphs.add], name=name)


LIMIT = {"recursion_limit": 3}
LIMITED = "! GraphRecursionError: Recursion limit of 3 reached without hitting a stop condition."


def at_the_limit(view):
    """The tree without the hints of the error, which no line is long enough for."""
    cut = [line.partition(" You can")[0] for line in str(view).splitlines()]
    assert view.status == "failed"
    check(view)
    return "\n".join(cut)


@any_way
def test_the_root_comes_to_its_limit(how):
    view = watch(tireless(), config=LIMIT)
    fails(view, how, GraphRecursionError, "limit of 3")
    assert (
        at_the_limit(view)
        == f"""\
loop [failed]
├─ You: Go.
├─ loop: Again.
├─ add({{"a": 1, "b": 2}}) [completed] -> 3
├─ loop: Again.
├─ add({{"a": 1, "b": 2}}) [cancelled]
└─ {LIMITED}"""
    )
    runs_again(view, how)


@any_way
def test_a_graph_inside_comes_to_its_limit_and_says_so_itself(how):
    view = watch(one_after_the_other("house", ("team", tireless())), config=LIMIT)
    fails(view, how, GraphRecursionError, "limit of 3")
    assert (
        at_the_limit(view)
        == f"""\
house [failed]
├─ You: Go.
└─ loop [failed]
   ├─ loop: Again.
   ├─ add({{"a": 1, "b": 2}}) [completed] -> 3
   ├─ loop: Again.
   ├─ add({{"a": 1, "b": 2}}) [cancelled]
   └─ {LIMITED}"""
    )
    runs_again(view, how)


@any_way
def test_the_limit_of_an_agent_that_a_tool_rescues_is_told_in_its_box(how):
    agent = tireless("weak")

    def ask(request: str) -> str:
        """Asks."""
        try:
            return agent.invoke({"messages": [("user", request)]}, LIMIT)["messages"][-1].text
        except GraphRecursionError:
            return "It is tired."

    script = model(Reply("I ask.", [call("ask", request="Who?")]), "Answered.")
    view = watch(create_agent(script, [ask], name="boss"))
    how(view, ASK)
    tree = [line.partition(" You can")[0] for line in str(view).splitlines()]
    assert (
        "\n".join(tree)
        == f"""\
boss [completed]
├─ You: Go.
├─ boss: I ask.
├─ ask({{"request": "Who?"}}) [completed] -> It is tired.
│  └─ weak [failed]
│     ├─ boss: Who?
│     ├─ weak: Again.
│     ├─ add({{"a": 1, "b": 2}}) [completed] -> 3
│     ├─ weak: Again.
│     ├─ add({{"a": 1, "b": 2}}) [cancelled]
│     └─ {LIMITED}
└─ boss: Answered."""
    )
    assert view.error is None
    check(view)


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
        if record.get("type") == "ai" and record["status"] == "completed":
            if record["content"] == text:
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
    while not begun.is_set():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while view.status == "running":  # a task of its own ends when it is its turn
        await asyncio.sleep(0.01)
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
