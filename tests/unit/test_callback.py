"""Runs that other code starts, shown by a callback handler."""

import asyncio
import re
import threading

import graphs
import pytest
import uncommon
from builders import check, lines
from graphs import ASK, golden
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from nestling import View, watch
from nestling.demo import Reply, call
from nestling.langgraph.source import Source

SHAPES = {**graphs.SHAPES, **graphs.FAILING, **uncommon.SHAPES}
del SHAPES["cached_node"]  # nothing runs
#: What callbacks do not tell, or tell otherwise.
OTHERWISE = {
    "retried_node": "the tokens of the first try, which nobody asked for",
    "failing_team": "the sibling of a failure: it was not stopped, only left alone",
    "custom_events": "custom events",
    "edited_messages": "a message under an id that was said, until the state at the end",
    "deep_agent": "nodes that are not traced",
}

#: Nodes that begin at the same time: callbacks tell them in the order in which threads begin.
RACING = {"two_speakers", "plain_nodes_sent_to", "fan_out", "parallel_team"}


def unordered(tree):
    """The lines of a tree without what tells siblings of one name apart."""
    return sorted(re.sub(r"^[│├└─ ]+|(?<=worker) \d", "", line) for line in tree.splitlines())


def with_callback(graph, value, how, view):
    config = {"callbacks": [view.callback]}
    try:
        if how == "sync":
            return graph.invoke(value, config)
        return asyncio.run(graph.ainvoke(value, config))
    except (ValueError, TimeoutError):
        return None


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_told_by_callbacks_alone(name, how):
    make, value = SHAPES[name]
    expected = golden(name).read_text()
    view = View(label=expected.partition(" [")[0])
    with_callback(make(), value, how, view)
    check(view)
    assert view._conversation.problems == 0
    assert view.status == ("failed" if name in graphs.FAILING else "completed")
    if name in RACING:
        assert unordered(str(view)) == unordered(expected)
    elif name not in OTHERWISE:
        assert f"{view}\n" == expected


def test_the_view_takes_the_name_of_the_graph():
    view = View()
    with_callback(graphs.helper("scout"), ASK, "sync", view)
    assert str(view).splitlines()[0] == "scout [completed]"


def test_tokens_are_shown_where_the_model_streams():
    view, texts = View(), []
    view.on_event(lambda change: texts.append(change["record"].get("content")))
    for _ in graphs.helper().stream(ASK, {"callbacks": [view.callback]}, stream_mode="messages"):
        pass
    assert {"I ", "I shout."} <= set(texts)
    check(view)


def test_a_second_run_is_a_second_turn():
    view, graph = View(), graphs.helper()
    for _ in range(2):
        with_callback(graph, ASK, "sync", view)
    assert [r["content"] for r in view.transcript.find(type="user")] == ["Go.", "Go."]
    check(view)


def test_interrupts_and_their_answers_are_shown():
    from test_pending import asking, graph_of

    graph = graph_of(("ask", asking("Sure?")), checkpointer=InMemorySaver())
    view, config = View(), {"configurable": {"thread_id": "1"}}
    config["callbacks"] = [view.callback]
    graph.invoke(ASK, config)
    assert view.status == "interrupted"
    graph.invoke(Command(resume="yes"), config)
    assert lines(view) == ["├─ You: Go.", "├─ ? Sure?", "└─ ask: Sure? yes"]
    check(view)


def test_a_tool_that_only_waits_has_not_failed_whatever_older_releases_call_it():
    def book(city: str) -> str:
        """Books."""
        return interrupt(f"{city}?")

    script = graphs.model(Reply("I book.", [call("book", city="Rome")]), "Booked.")
    agent = create_agent(script, [book], checkpointer=InMemorySaver())
    source = Source(agent, {"configurable": {"thread_id": "1"}}, {}, True, lambda *_: None)
    items = [source.read(i) for i in agent.stream(ASK, source.config, **source.options)]
    tools = [(data, shown) for mode, _, data, _, shown in items if mode == "tools"]
    ((started, shown),) = (item for item in tools if item[0]["event"] == "tool-started")
    failed = {"event": "tool-error", "tool_call_id": started["tool_call_id"], "message": "?"}
    assert shown
    *_, shown = source.read(((), "tools", failed))
    assert not shown


def test_two_graphs_at_a_time_do_not_mix():
    view, graph = View(), graphs.helper()
    gate = threading.Barrier(2)

    def run():
        gate.wait()
        graph.invoke(ASK, {"callbacks": [view.callback]})

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(view)
    assert view.status == "completed"


def test_a_view_that_runs_its_own_graph_hears_nothing_twice():
    view = watch(graphs.helper())
    view.invoke(ASK, {"callbacks": [view.callback]})
    assert len(view.transcript.find(type="user")) == 1
    assert len(view.transcript.find(type="ai")) == 2
    check(view)


def test_the_result_is_the_graphs_own():
    view = View()
    result = with_callback(graphs.helper(), ASK, "sync", view)
    assert [m.text for m in result["messages"]][-1] == "Helped."
    assert view.value == result


def test_a_batch_is_told_run_by_run():
    view = View()
    questions = [{"messages": [("user", text)]} for text in ("one", "two", "three")]
    graphs.helper().batch(questions, {"callbacks": [view.callback]})
    boxes = {}
    for record in view.transcript:
        boxes.setdefault("|".join(record["namespace"]), []).append(record)
    assert len(boxes) == 3
    for rows in boxes.values():
        assert [r["type"] for r in rows] == ["user", "ai", "tool_call", "ai"]
        assert {r["status"] for r in rows} == {"completed"}
    assert {box["status"] for box in view.namespaces.values()} == {"completed"}
    check(view)
