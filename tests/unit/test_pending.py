"""Interrupts: shown where they were raised, answered from Python, gone on with in place."""

import asyncio

import pytest
from builders import ainvoked, check, invoked, lines, streamed
from graphs import ASK, add, model, shout
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from uncommon import remembering

from nestling import View, watch
from nestling.demo import Reply, call


def desk(mode="batched", allowed=True):
    """An agent that asks before each of its two tools."""
    calls = [call("add", a=1, b=2), call("shout", text="hey")]
    ask = HumanInTheLoopMiddleware({"add": allowed, "shout": allowed}, interrupt_mode=mode)
    return remembering(
        create_agent(
            model(Reply("Both.", calls), "Done."),
            [add, shout],
            name="desk",
            middleware=[ask],
            checkpointer=InMemorySaver(),
        )
    )


def asking(question):
    def ask(state):
        return {"messages": [AIMessage(f"{question} {interrupt(question)}")]}

    return ask


def graph_of(*nodes, name=None, **compiling):
    builder = StateGraph(MessagesState)
    for node_name, node in nodes:
        builder.add_node(node_name, node)
        builder.add_edge(START, node_name)
    return builder.compile(name=name, **compiling)


def nested():
    inner = graph_of(("ask", asking("Sure?")), name="inner")
    middle = graph_of(("inner", inner), name="middle")
    return remembering(graph_of(("middle", middle), name="outer", checkpointer=InMemorySaver()))


def two():
    nodes = [(name, asking(f"{name}?")) for name in "ab"]
    return remembering(graph_of(*nodes, name="two", checkpointer=InMemorySaver()))


def waiting(make, how=invoked):
    view = watch(make())
    how(view, ASK)
    assert view.status == "interrupted"
    check(view)
    return view


# --- where they stand -----------------------------------------------------------------------


@pytest.mark.parametrize("how", [invoked, ainvoked, streamed])
def test_one_is_shown_once_in_the_deepest_box(how):
    view = waiting(nested, how)
    assert lines(view) == [
        "├─ You: Go.",
        "└─ middle [interrupted]",
        "   └─ inner [interrupted]",
        "      └─ ? Sure?",
    ]
    (pending,) = view.pending
    assert (pending.value, pending.actions) == ("Sure?", ())
    assert [part.partition(":")[0] for part in pending.namespace] == ["middle", "inner"]
    assert view.transcript.find(type="interrupt")[0]["status"] == "pending"


@pytest.mark.parametrize("how", [invoked, ainvoked, streamed])
def test_the_answered_run_goes_on_in_the_same_records(how):
    view = waiting(nested, how)
    before = [(r["id"], r["seq"]) for r in view.chat_history]
    how(view, Command(resume="Yes."))
    assert view.status == "completed"
    assert [(r["id"], r["seq"]) for r in view.chat_history][: len(before)] == before
    assert lines(view) == [
        "├─ You: Go.",
        "└─ middle [completed]",
        "   └─ inner [completed]",
        "      ├─ ? Sure?",
        "      └─ ask: Sure? Yes.",
    ]
    (asked,) = view.transcript.find(type="interrupt")
    assert (asked["status"], asked["answer"]) == ("answered", "Yes.")
    assert view.pending == ()
    check(view)


@pytest.mark.parametrize("how", [invoked, streamed])
def test_the_node_around_an_agent_does_not_repeat_what_it_said_before(how):
    def book(city: str) -> str:
        """Books."""
        return f"{city}: {interrupt('Sure?')}"

    script = model(Reply("I book.", [call("book", city="Rome")]), "Booked.")
    agent = create_agent(script, [book], name="clerk")

    def clerk(state):
        agent.invoke(ASK)
        return {"messages": [AIMessage("The clerk is done.")]}

    graph = graph_of(("clerk", clerk), name="desk", checkpointer=InMemorySaver())
    view = waiting(lambda: remembering(graph), how)
    how(view, Command(resume="yes"))
    assert lines(view) == [
        "├─ You: Go.",
        "├─ clerk [completed]",
        "│  ├─ desk: Go.",
        "│  ├─ clerk: I book.",
        '│  ├─ book({"city": "Rome"}) [completed] -> Rome: yes',
        "│  ├─ ? Sure?",
        "│  └─ clerk: Booked.",
        "└─ clerk: The clerk is done.",
    ]
    check(view)


def test_a_breakpoint_is_a_pause_without_a_question():
    graph = remembering(graph_of(("work", lambda s: {}), checkpointer=InMemorySaver()))
    view = watch(graph)
    view.invoke(ASK, interrupt_before=["work"])
    assert (view.status, view.pending) == ("interrupted", ())
    view.invoke(None)
    assert view.status == "completed"
    assert [r["content"] for r in view.transcript.find(type="user")] == ["Go."]
    check(view)


# --- answers --------------------------------------------------------------------------------


def test_resume_returns_what_invoke_does():
    view, bare = waiting(nested), nested()
    bare.invoke(ASK)
    result = view.resume("Yes.")
    assert [m.text for m in result["messages"]] == [
        m.text for m in bare.invoke(Command(resume="Yes."))["messages"]
    ]
    assert view.value is result


async def test_it_can_be_awaited():
    view = watch(two())
    await view.ainvoke(ASK)
    first, second = view.pending
    await view.aresume({first.id: 1, second.id: 2})
    assert view.status == "completed"
    check(view)


def test_the_config_and_context_of_the_interrupted_run_are_kept():
    def ask(state, runtime):
        return {"messages": [AIMessage(f"{runtime.context['who']}: {interrupt('Sure?')}")]}

    graph = graph_of(("ask", ask), checkpointer=InMemorySaver())
    view, config = watch(graph), {"configurable": {"thread_id": "mine"}}
    view.invoke(ASK, config, context={"who": "me"})
    assert view.resume("yes")["messages"][-1].text == "me: yes"
    assert view._run is None


def test_several_take_an_answer_for_each_id():
    view = waiting(two)
    first, second = view.pending
    assert [first.value, second.value] == ["a?", "b?"]
    with pytest.raises(ValueError, match=first.id):
        view.resume("yes")
    assert view.status == "interrupted"
    view.resume({first.id: "A"})
    assert view.status == "interrupted"
    assert [p.value for p in view.pending] == ["b?"]
    view.resume({second.id: "B"})
    assert view.status == "completed"
    assert lines(view) == ["├─ You: Go.", "├─ ? a?", "├─ a: a? A", "├─ ? b?", "└─ b: b? B"]
    check(view)


def test_each_can_be_answered_where_it_stands():
    view = waiting(two)
    for pending in view.pending:
        pending.resume("ok").result(10)
    assert view.status == "completed"
    with pytest.raises(RuntimeError, match="answered already"):
        pending.resume("again")


def test_nothing_to_answer_says_so():
    for view in (View(), watch(two())):
        with pytest.raises(RuntimeError, match=r"nestling\.watch|No interrupt waits"):
            view.resume("yes")


def test_a_new_question_on_the_thread_leaves_the_old_one_unanswered():
    view = waiting(nested)
    view.invoke(ASK)
    first, second = view.transcript.find(type="interrupt")
    assert [first["status"], second["status"]] == ["cancelled", "pending"]
    assert len(view.pending) == 1


# --- decisions on tool calls ----------------------------------------------------------------


@pytest.mark.parametrize("mode", ["batched", "per_call"])
def test_approved_calls_happen(mode):
    view = waiting(lambda: desk(mode))
    asks = [action for pending in view.pending for action in pending.actions]
    assert [(a["name"], a["args"]) for a in asks] == [
        ("add", {"a": 1, "b": 2}),
        ("shout", {"text": "hey"}),
    ]
    assert asks[0]["allowed"] == ["approve", "edit", "reject", "respond"]
    assert [c["status"] for c in view.transcript.find(type="tool_call")] == ["interrupted"] * 2
    if mode == "batched":
        (pending,) = view.pending
        assert pending.approve(0) is None
        pending.approve(1).result(10)
    else:
        for pending in view.pending:
            pending.approve().result(10)
    assert view.status == "completed"
    calls = view.transcript.find(type="tool_call")
    assert [(c["status"], c["content"]) for c in calls] == [
        ("completed", "3"),
        ("completed", "HEY"),
    ]
    check(view)


@pytest.mark.parametrize("mode", ["batched", "per_call"])
def test_a_call_is_edited_and_another_one_rejected(mode):
    view = waiting(lambda: desk(mode))
    if mode == "batched":
        view.pending[0].edit(b=5)
        run = view.pending[0].reject("not now", index=1)
    else:
        view.pending[0].edit(b=5).result(10)
        run = view.pending[0].reject("not now")
    assert run.result(10)["messages"][-1].text == "Done."
    added, shouted = view.transcript.find(type="tool_call")
    assert (added["status"], added["args"]) == ("completed", {"a": 1, "b": 5})
    assert added["content"].endswith("6")
    assert shouted["status"] == "rejected"
    assert "not now" in shouted["content"]
    check(view)


def test_the_plain_way_of_langgraph_marks_a_rejected_call_too():
    view = waiting(desk)
    reject = {"type": "reject", "message": "no"}
    view.invoke(Command(resume={"decisions": [{"type": "approve"}, reject]}))
    assert [c["status"] for c in view.transcript.find(type="tool_call")] == [
        "completed",
        "rejected",
    ]
    check(view)


def test_a_human_answers_for_a_tool():
    view = waiting(desk)
    view.pending[0].approve(0)
    view.pending[0].respond("HO", index=1).result(10)
    assert [c["content"] for c in view.transcript.find(type="tool_call")] == ["3", "HO"]


def test_a_decision_that_is_not_allowed_says_what_is():
    view = waiting(lambda: desk(allowed={"allowed_decisions": ["approve"]}))
    with pytest.raises(ValueError, match="It takes: approve"):
        view.pending[0].reject("no")
    with pytest.raises(IndexError, match="has 2"):
        view.pending[0].approve(2)
    with pytest.raises(ValueError, match=r"\.resume\(value\)"):
        waiting(nested).pending[0].approve()
    assert view.status == "interrupted"


def test_an_interrupt_in_a_tool_leaves_the_calls_beside_it_done():
    def book(city: str) -> str:
        """Books."""
        return f"{city}: {interrupt({'book': city})}"

    calls = [call("book", city="Rome"), call("add", a=1, b=2)]
    agent = create_agent(
        model(Reply("Both.", calls), "Booked."),
        [book, add],
        name="desk",
        checkpointer=InMemorySaver(),
    )
    view = waiting(lambda: remembering(agent))
    assert [c["status"] for c in view.transcript.find(type="tool_call")] == [
        "interrupted",
        "completed",
    ]
    view.resume("ok")
    assert lines(view)[2:] == [
        '├─ book({"city": "Rome"}) [completed] -> Rome: ok',
        '├─ add({"a": 1, "b": 2}) [completed] -> 3',
        '├─ ? {"book": "Rome"}',
        "└─ desk: Booked.",
    ]
    assert len(view.transcript.find(type="tool_call")) == 2
    check(view)


def test_the_answer_runs_on_in_the_background_of_a_loop_as_well():
    async def ask():
        view = watch(nested())
        await view.ainvoke(ASK)
        await view.pending[0].resume("Yes.")
        return view

    view = asyncio.run(ask())
    assert view.status == "completed"
    check(view)


# --- what waits is kept ---------------------------------------------------------------------


def half_failing():
    """Two questions; whoever answers the first one makes its node raise."""

    def fall(state):
        raise ValueError(interrupt("a?"))

    nodes = [("a", fall), ("b", asking("b?"))]
    return graph_of(*nodes, name="half", checkpointer=InMemorySaver())


@pytest.mark.parametrize("how", [invoked, ainvoked])
def test_a_failure_beside_it_leaves_a_question_open(how):
    view = watch(half_failing(), config={"configurable": {"thread_id": "1"}})
    how(view, ASK)
    first, _ = view.pending
    with pytest.raises(ValueError, match="no"):
        how(view, Command(resume={first.id: "no"}))
    assert view.status == "failed"
    assert [p.value for p in view.pending] == ["b?"]
    check(view)


def test_a_run_on_another_thread_leaves_a_question_open():
    graph = graph_of(("ask", asking("Sure?")), checkpointer=InMemorySaver())
    view = watch(graph)
    configs = [{"configurable": {"thread_id": n}} for n in "12"]
    for config in configs:
        view.invoke(ASK, config)
    first, second = view.pending
    view.resume({first.id: "one"})
    view.resume({second.id: "two"})
    assert view.pending == ()
    assert [r["answer"] for r in view.transcript.find(type="interrupt")] == ["one", "two"]
    states = [graph.get_state(config).values["messages"][-1].text for config in configs]
    assert states == ["Sure? one", "Sure? two"]
    check(view)


def test_a_question_that_was_answered_elsewhere_is_answered():
    graph = graph_of(("ask", asking("Sure?")), checkpointer=InMemorySaver())
    view, config = View(), {"configurable": {"thread_id": "1"}}
    for given in (ASK, Command(resume="yes")):
        list(view.tee(graph.stream(given, config, stream_mode=["updates", "tasks", "values"])))
    assert view.status == "completed"
    assert [r["status"] for r in view.transcript.find(type="interrupt")] == ["answered"]
    assert [r["content"] for r in view.transcript.find(type="user")] == ["Go."]
    assert view.pending == ()
    check(view)


def test_what_waits_stands_in_the_order_of_the_tree():
    def agent(name):
        def ask(question: str) -> str:
            """Asks."""
            return str(interrupt(question))

        script = model(Reply("I ask.", [call("ask", question=f"{name}?")]), "Asked.")
        return create_agent(script, [ask], name=name)

    from nestling.demo.parts import agent_tool

    def team():
        calls = [call(name, request="go") for name in ("alpha", "beta")]
        tools = [agent_tool(agent(name), "Asks.") for name in ("alpha", "beta")]
        boss = create_agent(
            model(Reply("Both.", calls), "Done."), tools, checkpointer=InMemorySaver()
        )
        return remembering(boss)

    for _ in range(5):
        assert [p.value for p in waiting(team).pending] == ["alpha?", "beta?"]


def test_what_was_answered_keeps_no_run():
    view = watch(nested())
    for _ in range(3):
        view.invoke(ASK, {"configurable": {"thread_id": "t"}})
        view.pending[0].resume("yes").result()
    known = view._adapter.interrupts
    assert [asked.run for asked in known._answered.values()] == [None] * len(known._answered)
    assert known._answered
