"""Completed, interrupted, failed: nothing is left open, and the view can run again."""

import graphs
import pytest
from builders import check, invoked, streamed
from endings import (
    ON_A_THREAD,
    any_way,
    ended,
    falls,
    house,
    once,
    one_after_the_other,
    runs_again,
    says,
    side_by_side,
    waits,
)
from graphs import ASK, BOOM, model
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.func import entrypoint, task
from langgraph.types import interrupt

from nestling import watch
from nestling.demo import Reply, ScriptedChatModel, call
from nestling.demo.parts import agent_tool

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


def test_what_a_task_raises_through_its_entrypoint_is_told_once():
    @task
    def fall(text):
        raise ValueError(text)

    @entrypoint()
    def flow(text):
        return fall(text).result()

    view = watch(flow)
    with pytest.raises(ValueError, match="no"):
        view.invoke("no")
    assert len(view.transcript.find(type="error")) == 1
    check(view)
