"""A view that is used inside another graph is a graph like any other there."""

import asyncio
import operator
from typing import Annotated

import pytest
from builders import check, plain
from graphs import ASK, helper, model
from langchain.agents import create_agent
from langgraph.graph import START, MessagesState, StateGraph
from typing_extensions import TypedDict

from nestling import watch
from nestling.demo import Reply, call


class Number(TypedDict, total=False):
    n: Annotated[int, operator.add]


def one(node, state=Number, **compiling):
    builder = StateGraph(state)
    builder.add_node("a", node)
    builder.add_edge(START, "a")
    return builder.compile(**compiling)


def counter():
    return one(lambda state: {"n": 1}, name="counter")


MODES = [None, "updates", "messages", ["values", "custom"]]


@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_it_yields_and_returns_what_its_graph_does(mode, subgraphs):
    view, seen = watch(counter()), []
    options = {"stream_mode": mode, "subgraphs": subgraphs}

    def node(graph):
        def run(state):
            seen.append(
                [plain(graph.invoke({"n": 1})), *map(plain, graph.stream({"n": 1}, **options))]
            )
            return {}

        return run

    for graph in (counter(), view):
        one(node(graph)).invoke({"n": 0})
    assert seen[0] == seen[1]
    assert str(view).splitlines()[0] == "counter [completed]"
    assert list(view.namespaces) == [""]
    check(view)


def test_it_can_be_awaited_there_as_well():
    view, seen = watch(counter()), []

    async def node(state):
        seen.append(await view.ainvoke({"n": 1}))
        return {}

    asyncio.run(one(node).ainvoke({"n": 0}))
    assert seen == [{"n": 2}]
    check(view)


def test_the_graph_around_it_hears_of_it_as_before():
    bare, watched = helper(), helper()

    def outer(agent):
        def ask(request: str) -> str:
            """Asks."""
            return agent.invoke({"messages": [("user", request)]})["messages"][-1].text

        script = model(Reply("I ask.", [call("ask", request="Who?")]), "Answered.")
        return create_agent(script, [ask], name="boss")

    inner = watch(watched)
    views = [watch(outer(bare)), watch(outer(inner))]
    for view in views:
        view.invoke(ASK)
        check(view)
    assert str(views[0]) == str(views[1])
    assert "helper [completed]" in str(inner).splitlines()[0]
    check(inner)


def test_a_view_of_a_graph_class_that_has_an_invoke_of_its_own_calls_it():
    graph = one(lambda state: {"n": 5})

    class Mine(type(graph)):
        def invoke(self, input, config=None, **kwargs):
            return {"mine": super().invoke(input, config, **kwargs)}

    graph.__class__ = Mine
    view = watch(graph)
    assert view.invoke({"n": 0}) == graph.invoke({"n": 0}) == {"mine": {"n": 5}}


def test_a_limit_in_a_call_counts_whatever_it_is():
    builder = StateGraph(MessagesState)
    builder.add_node("a", lambda state: {})
    builder.add_edge(START, "a")
    builder.add_edge("a", "a")
    view = watch(builder.compile(), config={"tags": ["x"], "recursion_limit": 5})
    for asked, limit in ((None, 5), ({"recursion_limit": 25}, 25)):
        with pytest.raises(RecursionError, match=f"limit of {limit} "):
            view.invoke({"messages": []}, asked)
        assert view.status == "failed"
