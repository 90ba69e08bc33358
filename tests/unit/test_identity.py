"""Who owns a message, an answer, an artifact: ids that come again, Sends, ends from inside."""

import threading

import pytest
from builders import check, fed, lines, part, start
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.tools import StructuredTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from nestling import View, demo, watch


def chunk(text, message_id, ns=()):
    return part("messages", (AIMessageChunk(text, id=message_id), {"langgraph_node": "model"}), ns)


def graph_of(*nodes, state=MessagesState, **compiling):
    builder = StateGraph(state)
    for node in nodes:
        builder.add_node(node)
        builder.add_edge(START, node.__name__)
    return builder.compile(**compiling)


def texts(view):
    return [(r["id"], r["content"]) for r in view.transcript if r["type"] == "ai"]


# --- ids that come again --------------------------------------------------------------------


def test_a_message_id_of_an_earlier_turn_is_a_new_message():
    view = View()
    for text in ("one", "two"):
        view.process_event(chunk(text, "m"))
        view.finalize()
    assert texts(view) == [("m", "one"), ("m@2", "two")]


def test_a_message_id_of_another_namespace_is_a_new_message():
    view = fed(chunk("root", "m"), chunk("child", "m", ("a:1",)))
    assert texts(view) == [("m", "root"), ("m@2", "child")]
    assert view.transcript[1]["namespace"] == ["a:1"]


def test_a_node_that_gives_one_id_in_two_turns_says_two_things():
    def say(state):
        return {"messages": [AIMessage("same words", id="fixed")]}

    view = watch(graph_of(say))
    for _ in range(2):
        view.invoke({"messages": [("user", "go")]})
    assert texts(view) == [("fixed", "same words"), ("fixed@2", "same words")]


def test_models_with_stable_ids_answer_in_every_turn_and_every_worker():
    model = demo.ScriptedChatModel(script=["hello"], stable_ids=True)
    view = watch(create_agent(model, []))
    for _ in range(2):
        view.invoke({"messages": [("user", "go")]})
    assert [text for _, text in texts(view)] == ["hello", "hello"]

    def say(state):
        return {"messages": [model.invoke(state["messages"])]}

    worker = graph_of(say, name="worker")
    team = StateGraph(MessagesState)
    team.add_node("w", worker)
    sends = [Send("w", {"messages": [("user", f"part {n}")]}) for n in range(3)]
    team.add_conditional_edges(START, lambda state: sends, ["w"])
    view = watch(team.compile())
    view.invoke({"messages": [("user", "go")]})
    check(view)
    boxes = [r["namespace"] for r in view.transcript if r["type"] == "ai"]
    assert len(boxes) == 3 == len({tuple(box) for box in boxes})


def test_a_checkpointed_thread_does_not_repeat_what_it_said():
    model = demo.ScriptedChatModel(script=["hello"])
    view = watch(create_agent(model, [], checkpointer=InMemorySaver()))
    for _ in range(3):
        view.invoke({"messages": [("user", "go")]}, {"configurable": {"thread_id": "1"}})
    assert [text for _, text in texts(view)] == ["hello"] * 3


# --- what a Send carries --------------------------------------------------------------------


@pytest.mark.parametrize("ids", [True, False])
def test_what_a_send_carries_is_asked_in_the_box_of_its_worker(ids):
    def say(state):
        return {"messages": [("ai", "ok")]}

    team = StateGraph(MessagesState)
    team.add_node("w", graph_of(say, name="worker"))
    asked = [HumanMessage(f"do {n}", id=f"h{n}" if ids else None) for n in range(3)]
    team.add_conditional_edges(
        START, lambda state: [Send("w", {"messages": [message]}) for message in asked], ["w"]
    )
    view = watch(team.compile(name="team"))
    view.invoke({"messages": [("user", "Go.")]})
    asks = [r for r in view.transcript if r["type"] == "user"]
    assert {(r["speaker"], r["content"], len(r["namespace"])) for r in asks} == {
        ("You", "Go.", 0),
        *{("team", f"do {n}", 1) for n in range(3)},
    }
    assert len(asks) == 4


# --- artifacts ------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["a", "b"])
def test_artifacts_stand_in_the_order_of_their_calls(first):
    done = threading.Event()

    def make(name):
        if name == first:
            done.set()
        else:
            done.wait(5)
        return name, {"title": name, "data": f"# {name}"}

    def maker(name):
        def run():
            return make(name)

        return run

    tools = [
        StructuredTool.from_function(
            func=maker(name),
            name=f"make_{name}",
            description="Makes something.",
            args_schema={"type": "object", "properties": {}},
            response_format="content_and_artifact",
        )
        for name in ("a", "b")
    ]
    script = [demo.Reply("Both.", calls=[demo.call("make_a"), demo.call("make_b")]), "Done."]
    view = watch(create_agent(demo.ScriptedChatModel(script=script), tools))
    view.invoke({"messages": [("user", "go")]})
    assert str(view).splitlines()[-1] == "2 artifacts: a, b"
    assert [artifact.title for artifact in view.artifacts] == ["a", "b"]
    assert "a" in view.artifacts
    assert "c" not in view.artifacts


# --- ends from inside -----------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_node_that_is_interrupted_has_not_failed(error):
    def work(state):
        raise error

    view = watch(graph_of(work, name="g"))
    with pytest.raises(error):
        view.invoke({"messages": [("user", "go")]})
    check(view)
    assert view.status == "cancelled"
    statuses = {(r["type"], r["status"]) for r in view.transcript}
    assert statuses == {("user", "completed"), ("update", "cancelled")}


def test_a_tool_that_is_interrupted_has_not_failed():
    @tool
    def work() -> str:
        """Works."""
        raise KeyboardInterrupt

    script = [demo.Reply("I work.", calls=[demo.call("work")])]
    agent = create_agent(demo.ScriptedChatModel(script=script), [work], name="agent")
    view = watch(agent)
    with pytest.raises(KeyboardInterrupt):
        view.invoke({"messages": [("user", "go")]})
    [called] = view.transcript.find(type="tool_call")
    assert called["status"] == "cancelled"
    assert view.transcript.find(type="error") == []


# --- updates alone --------------------------------------------------------------------------


def test_updates_alone_show_a_graph_without_messages():
    view = fed(part("updates", {"retrieve": {"documents": [1]}}), part("updates", {"idle": None}))
    assert lines(view) == ["├─ · retrieve: documents", "└─ · idle"]


def test_a_tee_of_updates_alone_shows_the_same_rows():
    class State(TypedDict):
        docs: list

    def fetch(state):
        return {"docs": [1, 2]}

    view = View()
    list(view.tee(graph_of(fetch, state=State).stream({"docs": []}, stream_mode="updates")))
    assert lines(view) == ["└─ · fetch: docs"]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "messages"},
        {"type": "event", "method": "lifecycle", "params": {"namespace": []}},
        {"event": "metadata", "run_id": "1"},
    ],
)
def test_events_of_other_kinds_are_shown_plainly(event):
    view = fed(event)
    assert [r["type"] for r in view.transcript] == ["custom"]


# --- interrupts -----------------------------------------------------------------------------

THREAD = {"configurable": {"thread_id": "1"}}


class Asked(TypedDict):
    answer: str


def test_an_answered_interrupt_says_what_was_answered():
    def ask(state):
        return {"answer": interrupt("sure?")}

    view = watch(graph_of(ask, state=Asked, checkpointer=InMemorySaver(), name="g"))
    view.invoke({"answer": ""}, THREAD)
    [asked] = view.transcript
    assert view.status == "interrupted"
    assert (asked["status"], asked["speaker"], "ended_at" in asked) == ("pending", "ask", False)
    view.invoke(Command(resume="yes"), THREAD)
    check(view)
    assert (asked["status"], asked["answer"], "ended_at" in asked) == ("answered", "yes", True)
    assert lines(view) == ["├─ ? sure?", "└─ · ask: answer"]


def test_one_of_two_answers_leaves_the_other_pending():
    class Two(TypedDict):
        a: str
        b: str

    def a(state):
        return {"a": interrupt("a?")}

    def b(state):
        return {"b": interrupt("b?")}

    view = watch(graph_of(a, b, state=Two, checkpointer=InMemorySaver()))
    view.invoke({}, THREAD)
    first, second = view.transcript.find(type="interrupt")
    result = view.invoke(Command(resume={first["id"]: "yes"}), THREAD)
    assert "__interrupt__" in result
    assert (view.status, first["status"], second["status"]) == (
        "interrupted",
        "answered",
        "pending",
    )
    view.invoke(Command(resume="no"), THREAD)
    assert (view.status, second["status"], second["answer"]) == ("completed", "answered", "no")


def test_an_answer_is_for_the_interrupts_of_its_thread():
    def ask(state):
        return {"answer": interrupt("sure?")}

    view = watch(graph_of(ask, state=Asked, checkpointer=InMemorySaver()))
    other = {"configurable": {"thread_id": "2"}}
    view.invoke({"answer": ""}, THREAD)
    view.invoke({"answer": ""}, other)
    view.invoke(Command(resume="yes"), other)
    assert [r["status"] for r in view.transcript.find(type="interrupt")] == ["pending", "answered"]
    view.invoke(Command(resume="no"), THREAD)
    first, _ = view.transcript.find(type="interrupt")
    assert (first["status"], first["answer"]) == ("answered", "no")


def test_an_interrupt_that_new_input_leaves_behind_is_cancelled():
    def ask(state):
        return {"answer": interrupt("sure?")}

    view = watch(graph_of(ask, state=Asked, checkpointer=InMemorySaver()))
    view.invoke({"answer": ""}, THREAD)
    view.invoke({"answer": "again"}, THREAD)
    view.invoke(Command(resume="yes"), THREAD)
    asked = view.transcript.find(type="interrupt")
    assert [r["status"] for r in asked] == ["cancelled", "answered"]
    assert "answer" not in asked[0]


# --- speakers -------------------------------------------------------------------------------


def test_in_a_plain_graph_the_node_speaks():
    def boom(state):
        raise ValueError("no")

    view = watch(graph_of(boom, name="g"))
    with pytest.raises(ValueError, match="no"):
        view.invoke({"messages": [("user", "go")]})
    [error] = view.transcript.find(type="error")
    assert error["speaker"] == "boom"
    view = fed(start("1", "work"), part("custom", {"x": 1}))
    assert view.transcript.find(type="custom")[0]["speaker"] == "work"


# --- the same id again ----------------------------------------------------------------------


def test_a_result_and_a_question_that_are_edited_say_what_the_state_holds():
    def look() -> str:
        """Looks."""
        return "secret"

    def redact(state):
        return {
            "messages": [
                m.model_copy(update={"content": "hidden"})
                for m in state["messages"]
                if m.type in ("tool", "human")
            ]
        }

    script = [demo.Reply("I look.", [demo.call("look")]), "Seen."]
    agent = create_agent(demo.ScriptedChatModel(script=script), [look], name="agent")
    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent)
    builder.add_node("redact", redact)
    builder.add_edge(START, "agent")
    builder.add_edge("agent", "redact")
    view = watch(builder.compile())
    view.invoke({"messages": [("user", "What is it?")]})
    told = view.transcript.find(type=["user", "tool_call"])
    assert [r["content"] for r in told] == ["hidden", "hidden"]
    check(view)
