"""Messages without an id: shown once, however often a state repeats them."""

import operator
import time
from typing import Annotated

import pytest
from builders import (
    ai,
    ainvoked,
    astreamed,
    check,
    fed,
    invoked,
    lines,
    part,
    said,
    shown,
    streamed,
)
from graphs import ASK
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from nestling import View, watch


class Added(TypedDict):
    messages: Annotated[list, operator.add]


class Replaced(TypedDict):
    messages: list


def graph_of(node, state, times=1):
    builder = StateGraph(state)
    builder.add_sequence([(f"say{n}", node) for n in range(times)])
    builder.add_edge(START, "say0")
    return builder.compile()


HI = [
    pytest.param(lambda: HumanMessage("hi"), lambda: AIMessage("hello"), id="objects"),
    pytest.param(
        lambda: {"role": "user", "content": "hi"},
        lambda: {"role": "assistant", "content": "hello"},
        id="dicts",
    ),
]
LONG = "hello " * 200
TOLD = ["├─ You: hi", "└─ say0: hello"]


def test_the_words_of_long_ones_are_not_remembered():
    view = watch(graph_of(lambda state: {"messages": [AIMessage(LONG)]}, Added, times=3))
    view.invoke({"messages": [HumanMessage("hi")]})
    assert [record["content"] for record in view.transcript if record["type"] == "ai"] == [LONG] * 3
    assert all(len(words) < 100 for _, words in view._adapter.messages.speeches.nameless)


@pytest.mark.parametrize("tokens", [True, False])
@pytest.mark.parametrize(("ask", "answer"), HI)
def test_a_state_that_adds_them(ask, answer, tokens):
    view = watch(graph_of(lambda state: {"messages": [answer()]}, Added), stream_tokens=tokens)
    view.invoke({"messages": [ask()]})
    assert lines(view) == TOLD
    check(view)


@pytest.mark.parametrize("tokens", [True, False])
@pytest.mark.parametrize(("ask", "answer"), HI)
def test_a_state_that_a_node_replaces_as_a_whole(ask, answer, tokens):
    graph = graph_of(lambda state: {"messages": [*state["messages"], answer()]}, Replaced)
    view = watch(graph, stream_tokens=tokens)
    view.invoke({"messages": [ask()]})
    assert lines(view) == TOLD
    check(view)


@pytest.mark.parametrize("state", [Added, Replaced])
def test_the_same_words_of_several_nodes_are_several_messages(state):
    def again(before):
        words = [AIMessage("again")]
        return {"messages": words if state is Added else before["messages"] + words}

    view = watch(graph_of(again, state, times=3), stream_tokens=False)
    view.invoke({"messages": [HumanMessage("hi")]})
    assert [r["content"] for r in view.transcript] == ["hi", "again", "again", "again"]
    check(view)


@pytest.mark.parametrize(("ask", "answer"), HI)
def test_a_second_turn_asks_again(ask, answer):
    view = watch(graph_of(lambda state: {"messages": [answer()]}, Added))
    for _ in range(2):
        view.invoke({"messages": [ask()]})
    assert [r["content"] for r in view.transcript] == ["hi", "hello"] * 2
    check(view)


def test_a_question_with_the_id_of_an_earlier_turn_is_asked_again():
    view = watch(graph_of(lambda state: {"messages": [AIMessage("hello", id="a")]}, Added))
    for _ in range(2):
        view.invoke({"messages": [HumanMessage("hi", id="u")]})
    assert [r["id"] for r in view.transcript] == ["u", "a", "u@2", "a@2"]
    check(view)


@pytest.mark.parametrize("event", [
    part("updates", {"say": {"messages": [AIMessage("hello")]}}),
    said(AIMessage("hello"), "say"),
    said(ai("hello", None), "say"),
], ids=["update", "message", "dict"])  # fmt: skip
def test_events_by_hand(event):
    view = fed(event)
    assert [(r["type"], r["content"]) for r in view.transcript] == [("ai", "hello")]


def test_values_alone():
    view, graph = View(), graph_of(lambda state: {"messages": [AIMessage("one")]}, Added)
    list(view.tee(graph.stream({"messages": [HumanMessage("hi")]}, stream_mode="values")))
    assert [r["content"] for r in view.transcript] == ["hi", "one"]
    assert view.value["messages"][-1].content == "one"
    check(view)


@pytest.mark.parametrize("how", [invoked, ainvoked, streamed, astreamed])
def test_what_the_last_node_of_a_subgraph_wrote_is_told_in_its_box_alone(how):
    inner = StateGraph(MessagesState)
    inner.add_node("say", lambda state: {"messages": [AIMessage("Said.")]})
    inner.add_conditional_edges(START, lambda state: [Send("say", state)], ["say"])
    outer = StateGraph(MessagesState)
    outer.add_node("team", inner.compile(name="team"))
    outer.add_edge(START, "team")
    view = shown(outer.compile(name="house"), ASK, how)
    assert lines(view) == ["├─ You: Go.", "└─ team [completed]", "   └─ say: Said."]
    check(view)


def test_the_same_words_of_two_nodes_at_a_time_are_told_of_each():
    builder = StateGraph(MessagesState)
    for name, seconds in {"first": 0.1, "second": 0}.items():
        builder.add_node(name, lambda s, wait=seconds: time.sleep(wait) or {"messages": [PAIR]})
        builder.add_edge(START, name)
    view = shown(builder.compile(), ASK)
    assert lines(view) == ["├─ You: Go.", "├─ first: Same.", "└─ second: Same."]
    check(view)


PAIR = ("ai", "Same.")


@pytest.mark.parametrize("tokens", [True, False])
def test_a_call_and_its_result_without_ids_are_told_once(tokens):
    def work(state):
        call = {"name": "look", "args": {}, "id": "c"}
        return {
            "messages": [
                AIMessage("I look.", tool_calls=[call]),
                ToolMessage("seen", tool_call_id="c"),
            ]
        }

    builder = StateGraph(MessagesState)
    builder.add_node("work", work)
    builder.add_edge(START, "work")
    view = watch(builder.compile(), stream_tokens=tokens)
    view.invoke({"messages": [HumanMessage("hi")]})
    assert lines(view) == ["├─ You: hi", "├─ work: I look.", "└─ look({}) [completed] -> seen"]
    check(view)


MODES = [None, ["messages", "values"], "callback"]


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_every_way_to_write_a_message_is_read_inside_a_subgraph(mode):
    written = [
        ("ai", "a pair"),
        [("assistant", "listed"), ["ai", "as JSON"]],
        "a plain str",
    ]
    inner = StateGraph(MessagesState)
    inner.add_sequence(
        [(f"say{n}", lambda state, w=w: {"messages": w}) for n, w in enumerate(written)]
    )
    several = [{"messages": [("ai", "one")]}, Command(update={"messages": [("ai", "two")]})]
    inner.add_node("say3", lambda state: several)
    inner.add_edge(START, "say0")
    inner.add_edge("say2", "say3")
    outer = StateGraph(MessagesState)
    outer.add_node("team", inner.compile())
    outer.add_edge(START, "team")
    view, graph, given = View(label="graph"), outer.compile(), {"messages": [("user", "hi")]}
    if mode == "callback":
        graph.invoke(given, {"callbacks": [view.callback]})
    else:
        view = watch(graph)
        list(view.stream(given, stream_mode=mode))
    assert lines(view) == [
        "├─ You: hi",
        "└─ team [completed]",
        "   ├─ say0: a pair",
        "   ├─ say1: listed",
        "   ├─ say1: as JSON",
        "   ├─ say2: a plain str",
        "   ├─ say3: one",
        "   └─ say3: two",
    ]
    check(view)
