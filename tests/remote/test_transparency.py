"""Watching a RemoteGraph changes nothing: items, results and errors are its own."""

import asyncio
from itertools import product

import pytest
from builders import check, plain
from graphs import ASK
from httpx import ConnectError
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk.errors import UnprocessableEntityError

from nestling import watch

MODES = [None, "messages", "messages-tuple", "custom", ["updates", "values"], ["tasks"]]
ASKED = [
    *product(MODES, [False], ["v1"]),
    *product(MODES[:2], [False], ["v2"]),
    *product(MODES[3:5], [True], ["v1", "v2"]),
]


def collect(graph, method, options):
    if method == "stream":
        return [plain(item) for item in graph.stream(ASK, **options)]

    async def run():
        return [plain(item) async for item in graph.astream(ASK, **options)]

    return asyncio.run(run())


@pytest.mark.parametrize(("mode", "subgraphs", "version"), ASKED, ids=str)
def test_every_mode_yields_the_same_items(mode, subgraphs, version, remote):
    options = {"stream_mode": mode, "subgraphs": subgraphs, "version": version}
    method = "astream" if subgraphs else "stream"
    view = watch(remote("plain_graph_in_tool"))
    watched = collect(view, method, options)
    assert watched == collect(remote("plain_graph_in_tool"), method, options)
    assert watched or mode == "custom"
    check(view)


def test_parts_that_can_be_resumed_keep_their_ids(remote):
    def ids(graph):
        parts = graph.stream(ASK, stream_mode=["values"], stream_resumable=True)
        return [(part.event, part.id is not None) for part in parts]

    bare = ids(remote("single_agent"))
    assert ids(watch(remote("single_agent"))) == bare
    assert ("values", True) in bare


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("method", ["invoke", "ainvoke"])
def test_invoke_returns_what_the_remote_graph_returns(method, version, remote):
    def run(graph):
        result = getattr(graph, method)(ASK, version=version)
        return asyncio.run(result) if method == "ainvoke" else result

    view = watch(remote("handled_tool_error"))
    result = run(view)
    assert plain(result) == plain(run(remote("handled_tool_error")))
    assert view.value is result


def test_a_mode_that_the_server_refuses_is_refused_to_the_caller(remote):
    view = watch(remote("single_agent"))
    with pytest.raises(UnprocessableEntityError) as caught:
        list(view.stream(ASK, stream_mode="tools"))
    assert view.error is caught.value
    assert view.status == "failed"
    check(view)


def test_an_assistant_that_is_missing_fails_as_without_a_view(remote):
    with pytest.raises(Exception, match="Invalid assistant") as bare:
        remote("nobody").invoke(ASK)
    view = watch(remote("nobody"))
    with pytest.raises(type(bare.value)):
        view.invoke(ASK)
    assert view.status == "failed"


def test_a_server_that_does_not_answer_fails_as_without_a_view():
    view = watch(RemoteGraph("agent", url="http://127.0.0.1:9"))
    with pytest.raises(ConnectError) as caught:
        view.invoke(ASK)
    assert view.error is caught.value
    check(view)


def test_the_config_of_the_view_reaches_the_server(remote, thread):
    view = watch(remote("single_agent"), config=thread)
    view.invoke(ASK)
    assert len(remote("single_agent").get_state(thread).values["messages"]) == 5
    assert view.config == thread


def test_a_second_turn_on_a_thread_repeats_no_message(remote, thread):
    view = watch(remote("single_agent"), config=thread)
    for turn in (1, 2):
        view.invoke(ASK)
        assert len(view.transcript.find(type="user")) == turn
        assert len(view.transcript.find(type="ai")) == 2 * turn
        check(view)
