"""A graph on a server shows what it shows when it runs here."""

import pytest
from builders import ainvoked, check, invoked, plain
from graphs import ASK, FAILING, SHAPES, golden
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.pregel.remote import RemoteException

from nestling import watch

#: name -> (why, lines here -> lines there). Only callbacks tell, and a server calls none of ours.
LEFT_OUT = {
    "agent_named_like_its_parent": (
        "only callbacks tell it from a plain graph in an agent's tool",
        {
            "│  └─ boss [completed]": "│  └─ tools [completed]",
            "│     └─ boss: Namesake's words.": "│     └─ model: Namesake's words.",
        },
    ),
    "retried_subgraph": (
        "a server hides what an OSError says",
        {"│  └─ ! OSError: flaky": "│  └─ ! OSError: An internal error occurred"},
    ),
    "tool_outside_an_agent": (
        "a server tells nothing of tools but their ToolMessages",
        {'├─ shout({"text": "direct"}) [completed] -> DIRECT': None},
    ),
}
#: Equal but for places: why.
ELSEWHERE = {
    "classic_tool_node": "one task runs all the calls: only callbacks tell which made the box",
}


def there(name, trees):
    """The tree of a shape as a server tells it."""
    _, differs = LEFT_OUT.get(name, ("", {}))
    assert set(differs) <= set(trees)
    told = (differs.get(line, line) for line in trees)
    return [line for line in told if line is not None]


def label(tree):
    return tree[0].partition(" [")[0]


@pytest.mark.parametrize("name", SHAPES)
def test_a_graph_on_a_server_shows_the_tree_that_it_shows_here(name, remote):
    tree = golden(name).read_text().splitlines()
    view = watch(remote(name), name=label(tree))
    view.invoke(SHAPES[name][1])
    if name in ELSEWHERE:
        words = [sorted(line.strip("│├└─ ") for line in lines) for lines in (tree, _lines(view))]
        assert words[0] == words[1]
    else:
        assert _lines(view) == there(name, tree)
    assert view.status == "completed"
    assert view._conversation.problems == 0
    check(view)


@pytest.mark.parametrize("how", [invoked, ainvoked])
@pytest.mark.parametrize("name", FAILING)
def test_a_failure_on_a_server_reaches_the_caller_and_is_told_where_it_happened(name, how, remote):
    tree = golden(name).read_text().splitlines()
    view = watch(remote(name), name=label(tree))
    with pytest.raises(RemoteException) as caught:
        how(view, ASK)
    with pytest.raises(RemoteException) as bare:
        remote(name).invoke(ASK)
    assert caught.value.args == bare.value.args
    assert view.error is caught.value
    assert _lines(view) == tree
    assert view.status == "failed"
    check(view)


def streamed(view, value):
    return list(view.stream(value, subgraphs=True))


def streamed_v2(view, value):
    return list(view.stream(value, stream_mode=["values"], version="v2"))


@pytest.mark.parametrize("how", [ainvoked, streamed, streamed_v2])
def test_every_way_to_run_on_a_server_shows_the_same_tree(how, remote):
    view = watch(remote("research_team"))
    how(view, ASK)
    assert f"{view}\n" == golden("research_team").read_text()
    check(view)


def near(far):
    """A graph here whose only node runs on a server."""
    builder = StateGraph(MessagesState)
    builder.add_node("far", far)
    builder.add_edge(START, "far")
    return builder.compile(name="near")


def test_a_node_that_runs_on_a_server_is_a_box_like_others(remote):
    graph = near(remote("research_team"))
    view = watch(graph)
    assert plain(view.invoke(ASK)) == plain(graph.invoke(ASK))
    _, asked, *answered = golden("research_team").read_text().splitlines()
    told, made = answered[:-1], answered[-1]
    box = ["└─ research_team [completed]", *(f"   {line}" for line in told)]
    assert _lines(view) == ["near [completed]", asked, *box, made]
    check(view)


def test_a_node_that_fails_on_a_server_fails_in_its_box(remote):
    view = watch(near(remote("raising_node")))
    with pytest.raises(RemoteException):
        view.invoke(ASK)
    _, asked, *failed = golden("raising_node").read_text().splitlines()
    box = ["└─ far [failed]", *(f"   {line}" for line in failed)]
    assert _lines(view) == ["near [failed]", asked, *box]
    check(view)


def test_without_tokens_the_tree_on_a_server_is_the_same(remote):
    view, ops = watch(remote("research_team"), stream_tokens=False), []
    view.on_event(lambda change: ops.append(change["op"]))
    view.invoke(ASK)
    assert f"{view}\n" == golden("research_team").read_text()
    assert "append" not in ops


def test_tokens_of_a_server_are_shown_as_they_come(remote):
    view, grown = watch(remote("research_team")), []

    def note(change):
        if change["op"] == "append":
            grown.append((change["record"]["speaker"], change["record"]["status"]))

    view.on_event(note)
    view.invoke(ASK)
    assert {"analysis_agent", "research_team", "visualization_agent"} == {who for who, _ in grown}
    assert grown.count(("research_team", "streaming")) > 10


def test_where_the_caller_wants_messages_only_of_the_root_there_are_no_boxes(remote):
    """Widened, the server would send other messages: boxes are what is left out then."""
    view = watch(remote("nested_team"))
    items = list(view.stream(ASK, stream_mode="messages"))
    assert items
    assert list(view.namespaces) == [""]
    assert "stats_agent has answered" in str(view)
    check(view)


def test_the_root_is_called_as_its_agent_else_as_its_assistant(remote):
    agent, graph = watch(remote("single_agent")), watch(remote("nested_team"))
    assert repr(agent) == "<nestling.View single_agent idle>"
    agent.invoke(ASK)
    graph.invoke(ASK)
    assert repr(agent) == "<nestling.View solo completed>"
    assert repr(graph) == "<nestling.View nested_team completed>"
    named = watch(remote("single_agent"), name="mine")
    named.invoke(ASK)
    assert repr(named) == "<nestling.View mine completed>"


def test_artifacts_that_a_server_sends_are_found(remote):
    view = watch(remote("research_team"))
    view.invoke(ASK)
    assert [artifact.title for artifact in view.artifacts] == [
        "Analysis Report",
        "Visualization Suite",
    ]


def _lines(view):
    return str(view).splitlines()
