"""What pages are told of the graph itself."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from langchain.agents import create_agent
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from typing_extensions import TypedDict

import nestling
from nestling import structure as module
from nestling.demo import ScriptedChatModel
from nestling.questions import answer
from nestling.structure import structure


class State(TypedDict):
    x: int


def step(state: State) -> State:
    return state


def graph(*names: str, inner: Any = None) -> StateGraph:
    """One node behind the other; the last one may go back to the first, or to the end."""
    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, inner or step)
    for before, after in zip((START, *names), names, strict=False):
        builder.add_edge(before, after)
    builder.add_conditional_edges(names[-1], lambda _: END, [names[0], END])
    return builder


def look(place: str) -> str:
    """Looks."""
    return place


def told(view: nestling.View) -> dict[str, Any]:
    return structure(view, {})


def test_nodes_and_edges():
    found = told(nestling.watch(graph("plan", "write").compile()))
    assert [node["name"] for node in found["nodes"]] == ["__start__", "plan", "write", "__end__"]
    edges = {(e["source"], e["target"]): e["conditional"] for e in found["edges"]}
    assert edges == {
        ("__start__", "plan"): False,
        ("plan", "write"): False,
        ("write", "plan"): True,
        ("write", "__end__"): True,
    }


def test_nodes_of_subgraphs_bear_their_path():
    view = nestling.watch(graph("team", inner=graph("a", "b").compile()).compile())
    assert {"id": "team:a", "name": "a"} in told(view)["nodes"]


def test_the_starts_and_ends_of_subgraphs_are_left_out():
    agent = create_agent(ScriptedChatModel(script=["Hi"]), [look], name="agent")
    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent)
    builder.add_edge(START, "agent")
    found = told(nestling.watch(builder.compile()))
    ids = {node["id"] for node in found["nodes"]}
    assert ids == {"__start__", "agent:model", "agent:tools", "__end__"}
    edges = {(e["source"], e["target"]): e["conditional"] for e in found["edges"]}
    assert edges[("__start__", "agent:model")] is False
    assert edges[("agent:model", "__end__")] is True


def test_subgraphs_are_drawn_as_one_node_when_there_are_too_many():
    inner = graph(*(f"n{i}" for i in range(25))).compile()
    found = told(nestling.watch(graph("one", "two", "three", inner=inner).compile()))
    names = [node["name"] for node in found["nodes"]]
    assert set(names) == {"__start__", "one", "two", "three", "__end__"}
    assert {(e["source"], e["target"]) for e in found["edges"]} >= {("one", "two")}


def test_a_graph_that_is_too_large_says_so():
    view = nestling.watch(graph(*(f"n{i}" for i in range(70))).compile())
    assert told(view) == {"reason": "This graph has 72 nodes, too many to draw."}


def test_the_functional_api():
    @task
    def part(x: int) -> int:
        return x

    @entrypoint()
    def whole(x: int) -> int:
        return part(x).result()

    assert "whole" in [node["name"] for node in told(nestling.watch(whole))["nodes"]]


def test_without_a_graph_there_is_none():
    assert list(told(nestling.View())) == ["reason"]


class Unruly:
    """A graph whose subgraphs cannot be looked into; `fails`: nor can it."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def get_graph(self, xray: bool = False) -> Any:
        if xray or self.fails:
            raise NotImplementedError
        return SimpleNamespace(nodes={"a\ud800": object()}, edges=[])


def test_what_fails_with_subgraphs_is_drawn_without_them():
    view = nestling.View()
    view._graph = Unruly()
    assert told(view)["nodes"] == [{"id": "a\ufffd", "name": "a\ufffd"}]


def test_what_fails_is_no_structure():
    view = nestling.View()
    view._graph = Unruly(fails=True)
    assert told(view) == {"reason": "This graph does not tell its structure."}


def test_a_server_that_does_not_answer_holds_nobody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    view = nestling.View()
    view._graph = SimpleNamespace(get_graph=lambda xray=False: time.sleep(1))
    before = time.monotonic()
    assert list(told(view)) == ["reason"]
    assert time.monotonic() - before < 0.8


def test_a_page_asks_for_it():
    view = nestling.watch(graph("a").compile())
    found = answer(view, {"type": "ask", "ask": "q1", "question": "structure"})
    assert found is not None
    assert (found["type"], found["ask"], len(found["nodes"])) == ("answer", "q1", 3)


def test_a_node_without_anything_to_show_is_told_of_while_it_runs():
    seen = []

    def wait(state: State) -> State:
        until, told = time.monotonic() + 5, []
        while len(told) < 2 and time.monotonic() < until:
            time.sleep(0.01)
            told = (answer(view, {"question": "running", "ask": "a"}) or {})["running"]
        seen.append(told)
        return state

    inner = graph("fetch", inner=wait).compile()
    view = nestling.watch(graph("plan", "team", inner=inner).compile())
    view.invoke({"x": 1})
    assert seen == [["plan", "plan:fetch"], ["team", "team:fetch"]]
    assert answer(view, {"question": "running", "ask": "a"}) == {
        "type": "answer",
        "ask": "a",
        "running": [],
    }
