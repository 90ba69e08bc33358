"""Random graphs of agents, subgraphs, Sends, tools and failures: what always holds."""

from typing import Any

import graphs
import pytest
from builders import ainvoked, check, invoked, plain, streamed
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Send
from page import drain, wired

from nestling import watch
from nestling.demo import Reply, call
from nestling.demo.parts import agent_tool, model_node

NAMES = ("ann", "bob", "cat")

# A plan says what to build: plain data, which Hypothesis can shrink and print.
TOOLS = st.lists(st.sampled_from(["add", "shout", "refused", "missing"]), max_size=3)
LEAF = st.fixed_dictionaries({"kind": st.just("agent"), "tools": TOOLS, "falls": st.just(False)})
FALLING = st.fixed_dictionaries(
    {"kind": st.just("agent"), "tools": st.just(["broken"]), "falls": st.just(True)}
)


def larger(inner: Any) -> Any:
    name = st.sampled_from(NAMES)
    parts = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries({"kind": st.just("line"), "name": name, "parts": parts}),
        st.fixed_dictionaries({"kind": st.just("side by side"), "name": name, "parts": parts}),
        st.fixed_dictionaries({"kind": st.just("boss"), "name": name, "parts": parts}),
        st.fixed_dictionaries(
            {"kind": st.just("fan"), "name": name, "part": inner, "width": st.integers(1, 4)}
        ),
    )


PLANS = st.recursive(LEAF, larger, max_leaves=5)
FAILING_PLANS = st.recursive(FALLING | LEAF, larger, max_leaves=5)


def build(plan: Any, depth: int = 0) -> Any:
    kind = plan["kind"]
    if kind == "agent":
        return agent(plan)
    if kind == "boss":
        return boss(plan, depth)
    builder = StateGraph(MessagesState)
    builder.add_node("open", model_node(graphs.ScriptedChatModel(script=lambda _: "Open.")))
    builder.add_edge(START, "open")
    if kind == "fan":
        builder.add_node("part", build(plan["part"], depth + 1))
        sends = [Send("part", {"messages": [("user", f"Part {n}")]}) for n in range(plan["width"])]
        builder.add_conditional_edges("open", lambda _: sends, ["part"])
        return builder.compile(name=plan["name"])
    before = "open"
    for number, part in enumerate(plan["parts"]):
        builder.add_node(f"part{number}", node(build(part, depth + 1), number))
        builder.add_edge(before, f"part{number}")
        if kind == "line":
            before = f"part{number}"
    return builder.compile(name=plan["name"])


def node(graph: Any, number: int) -> Any:
    """Every other graph is asked a question of its own, from within a function."""
    if number % 2 == 0:
        return graph

    def ask(state: Any) -> Any:
        answer = graph.invoke({"messages": [("user", f"Question {number}")]})
        return {"messages": [AIMessage(answer["messages"][-1].text)]}

    return ask


def agent(plan: Any) -> Any:
    args = {"add": {"a": 1, "b": 2}}
    calls = [call(name, **args.get(name, {"text": "hey"})) for name in plan["tools"]]
    tools = [graphs.add, graphs.shout, graphs.refused, graphs.broken]
    return create_agent(works("I work.", calls), tools, name="agent")


def boss(plan: Any, depth: int) -> Any:
    parts = [build(part, depth + 1) for part in plan["parts"]]
    tools = []
    for number, part in enumerate(parts):
        named = part.copy(update={"name": f"{part.name}{number}"})
        tools.append(agent_tool(named, "Helps."))
    calls = [call(tool.name, request="Help.") for tool in tools]
    return create_agent(works("Help me.", calls), tools, name=f"boss at {depth}")


def works(text: str, calls: Any) -> Any:
    """A model that calls its tools, whoever spoke before, and then is done."""

    def script(messages: Any) -> Any:
        return "Done." if not calls or messages[-1].type == "tool" else Reply(text, calls)

    return graphs.ScriptedChatModel(script=script)


@settings(max_examples=25, deadline=None)
@given(plan=PLANS, how=st.sampled_from([invoked, ainvoked, streamed]))
def test_any_graph_is_shown_whole_and_left_alone(plan, how):
    graph = build(plan)
    view = watch(graph, name="any")
    page, _ = wired(view)
    given = how(view, {"messages": [("user", "Go.")]})
    bare = how(graph, {"messages": [("user", "Go.")]})
    if how is streamed:  # siblings race
        assert sorted(map(plain, given)) == sorted(map(plain, bare))
    else:
        assert plain(given) == plain(bare)
    check(view)
    assert view.status == "completed"
    assert {box["status"] for box in view.namespaces.values()} == {"completed"}
    assert view._conversation.problems == 0
    assert boxes(view) == expected(plan)
    drain(view)
    assert page.equals(view)


@settings(max_examples=15, deadline=None)
@given(plan=FAILING_PLANS, how=st.sampled_from([invoked, ainvoked, streamed]))
def test_any_failure_is_told_where_it_happened(plan, how):
    view = watch(build(plan), name="any")
    if "'falls': True" not in str(plan):
        how(view, {"messages": [("user", "Go.")]})
        assert view.status == "completed"
    else:
        with pytest.raises(ValueError, match=graphs.BOOM):
            how(view, {"messages": [("user", "Go.")]})
        assert view.status == "failed"
        errors = view.transcript.find(type="error")
        assert errors
        assert all(view.namespaces["|".join(e["namespace"])]["status"] == "failed" for e in errors)
        assert all(e["namespace"] or plan["kind"] == "agent" for e in errors)
    check(view)


def boxes(view: Any, key: str = "") -> Any:
    """The nesting of the boxes below `key`, labels sorted."""
    inside = [box for box in view.namespaces.values() if box["parent"] == key]
    return sorted((box["label"], boxes(view, box["key"])) for box in inside)


def expected(plan: Any, depth: int = 1) -> Any:
    """The boxes that `plan` is to be shown as."""
    kind = plan["kind"]
    if kind == "agent":
        return []
    if kind == "fan":
        inner, label = expected(plan["part"], depth + 1), name_of(plan["part"], depth)
        found = [(label, inner)] * plan["width"]
    elif kind == "boss":
        found = [
            (name_of(p, depth, n), expected(p, depth + 1)) for n, p in enumerate(plan["parts"])
        ]
    else:
        found = [(name_of(p, depth), expected(p, depth + 1)) for p in plan["parts"]]
    return sorted(numbered(found))


def name_of(plan: Any, depth: int, number: int | str = "") -> str:
    """Agents have a name that renaming their graph does not change."""
    named = {"agent": "agent", "boss": f"boss at {depth}"}
    return named.get(plan["kind"]) or f"{plan['name']}{number}"


def numbered(found: Any) -> Any:
    counts: dict[str, int] = {}
    for label, inner in found:
        count = counts[label] = counts.get(label, 0) + 1
        yield (label if count == 1 else f"{label} {count}", inner)
