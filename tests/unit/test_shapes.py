"""Graphs of every shape: the whole tree, the links, and what the caller gets."""

import graphs
import pytest
import uncommon
from builders import ainvoked, astreamed, check, invoked, plain, shown, streamed
from graphs import ASK, BOOM, FAILING, golden

from nestling import demo, watch
from nestling.langgraph.rows import traced

SHAPES = {**graphs.SHAPES, **uncommon.SHAPES}
EVERY = {**SHAPES, **FAILING}
WAYS = [invoked, ainvoked, streamed, astreamed]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("name", EVERY)
def test_every_way_to_run_shows_the_same_tree(name, how):
    make, value = EVERY[name]
    view = shown(make(), value, how)
    assert f"{view}\n" == golden(name).read_text()
    assert view.status == ("failed" if name in FAILING else "completed")
    assert view._conversation.problems == 0
    check(view)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("how", [invoked, ainvoked])
def test_the_caller_gets_what_the_bare_graph_gives(name, how):
    make, value = SHAPES[name]
    assert plain(how(watch(make()), value)) == plain(how(make(), value))


@pytest.mark.parametrize("name", FAILING)
@pytest.mark.parametrize("how", WAYS)
def test_a_failure_reaches_the_caller_and_is_told_once_where_it_happened(name, how):
    make, value = FAILING[name]
    kind = TimeoutError if name == "failing_team" else ValueError
    view = watch(make())
    with pytest.raises(kind) as caught:
        how(view, value)
    assert view.error is caught.value
    (error,) = view.transcript.find(type="error")
    assert error["message"] == str(caught.value)
    assert f'{kind.__name__}("{error["message"]}")' in error["traceback"] or BOOM in str(
        caught.value
    )
    box = view.namespaces["|".join(error["namespace"])]
    assert box["status"] == "failed"
    depth = {"raising_tool": 0}.get(name, 1)
    assert len(error["namespace"]) == depth


def test_a_traceback_shows_source_around_each_line(tmp_path):
    path = tmp_path / "quotes.py"
    path.write_text(
        "def fetch(venues):\n\n    for venue in venues:\n        venue.get(\n            9)\n"
    )
    names = {}
    exec(compile(path.read_text(), path, "exec"), names)  # noqa: S102  # ours
    with pytest.raises(AttributeError) as caught:
        names["fetch"]([1])
    innermost = traced(caught.value).split(f'File "{path}", line 4, in fetch\n')[1]
    *source, marks, error, _ = innermost.split("\n")
    assert source == ["    for venue in venues:", "        venue.get("]
    assert marks.strip(" ^") == ""
    assert error.startswith("AttributeError")


def test_parallel_agents_hang_beneath_the_calls_that_started_them():
    view = shown(graphs.agents_in_parallel(), ASK)
    first, second, third = view.transcript.find("request", type="tool_call")
    labels = [view.namespaces[c["spawned"][0]]["label"] for c in (first, second, third)]
    assert labels == ["helper", "other", "helper 2"]
    for call in (first, second, third):
        (key,) = call["spawned"]
        (asked,) = [r for r in view.transcript if "|".join(r["namespace"]) == key][:1]
        assert asked["content"] == call["args"]["request"]


def test_a_classic_tool_node_knows_which_of_its_calls_started_the_agent():
    view = shown(graphs.classic_tool_node(), ASK)
    calls = {c["name"]: c.get("spawned") for c in view.transcript.find(type="tool_call")}
    assert calls["helper"] is not None
    assert [calls["add"], calls["shout"]] == [None, None]


def test_nested_graphs_stand_inside_each_other():
    view = shown(demo.nested_team(delay=0), ASK)
    chain, key = [], next(k for k, b in view.namespaces.items() if b["label"] == "stats_agent")
    while key is not None:
        chain.append(view.namespaces[key]["label"])
        key = view.namespaces[key]["parent"]
    assert chain == ["stats_agent", "stats_team", "analysis_team", "nested_team"]


def test_an_agent_is_an_agent_and_a_plain_graph_inside_its_tool_is_none():
    view = shown(graphs.plain_graph_in_tool(), ASK)
    assert [(b["label"], b["is_agent"]) for b in view.namespaces.values()] == [
        ("boss", True),
        ("tools", False),
    ]
    view = shown(graphs.agent_named_like_its_parent(), ASK)
    assert [(b["label"], b["is_agent"]) for b in view.namespaces.values()] == [
        ("boss", True),
        ("boss", True),
    ]


def test_the_name_that_a_caller_gives_a_run_does_not_unmake_an_agent():
    agent = graphs.helper().with_config(run_name="nightly")
    view = shown(agent, ASK)
    assert view.namespaces[""]["is_agent"]


@pytest.mark.parametrize("how", [invoked, streamed])
def test_a_tool_that_is_tried_again_keeps_its_row(how):
    view = shown(graphs.retried_tool(), ASK, how)
    (call,) = view.transcript.find(type="tool_call")
    assert (call["attempt"], call["status"], call["content"]) == (2, "completed", "OK")
    assert "error" not in call


@pytest.mark.parametrize("how", [invoked, streamed])
def test_a_node_that_is_tried_again_leaves_an_aborted_message(how):
    view = shown(graphs.retried_node(), ASK, how)
    statuses = [(r["content"], r["status"]) for r in view.transcript.find(type="ai")]
    assert statuses == [("This sentence will ", "aborted"), ("Better now.", "completed")]


def test_a_box_that_handed_over_says_so():
    view = shown(graphs.handoff(), ASK)
    assert [b.get("note") for b in view.namespaces.values()] == [None, "handoff"]


def test_what_runs_beside_a_failure_is_cancelled():
    view = shown(demo.failing_team(delay=0.002), ASK)
    statuses = {b["label"]: b["status"] for b in view.namespaces.values()}
    assert statuses == {
        "failing_team": "failed",
        "news_agent": "cancelled",
        "prices_agent": "failed",
    }
    (news,) = view.transcript.find("Four stories", type="ai")
    assert news["status"] == "aborted"


def test_usage_is_counted_per_box_and_per_message():
    view = shown(demo.research_team(delay=0), ASK)
    for key, box in view.namespaces.items():
        rows = [r for r in view.transcript if "|".join(r["namespace"]) == key and "usage" in r]
        assert len(rows) >= 2
        for name, count in box["usage"].items():
            assert count == sum(r["usage"][name] for r in rows)
    assert {r["model"] for r in view.transcript.find(type="ai")} == {"scripted"}
