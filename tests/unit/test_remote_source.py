"""What is asked of a server and what is handed on, without one."""

import asyncio
import subprocess
import sys
from types import SimpleNamespace

import graphs
import pytest
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk.schema import StreamPart

from nestling import watch
from nestling.langgraph.source import NOTHING, source_of

FAR = RemoteGraph("agent", url="http://127.0.0.1:9")


def source(graph=FAR, config=None, **options):
    return source_of(graph, config, options, stream_tokens=True, feed=lambda *event: None)


def test_the_tools_mode_is_left_out_unless_the_caller_asks_for_it():
    assert "tools" not in source().options["stream_mode"]
    assert source(stream_mode="tools").options["stream_mode"].count("tools") == 1


def test_a_local_graph_is_asked_for_tools_unless_a_node_of_it_runs_on_a_server():
    builder = StateGraph(MessagesState)
    builder.add_node("far", FAR)
    builder.add_edge(START, "far")
    inner = builder.compile()
    outer = StateGraph(MessagesState)
    outer.add_node("near", inner)
    outer.add_edge(START, "near")
    for graph, asked in [(graphs.single_agent(), True), (inner, False), (outer.compile(), False)]:
        modes = source(graph).options["stream_mode"]
        assert ("tools" in modes) is asked


@pytest.mark.parametrize(
    ("options", "wide"),
    [
        ({}, True),
        ({"stream_mode": "values"}, True),
        ({"stream_mode": "messages"}, False),
        ({"stream_mode": "messages", "subgraphs": True}, True),
        ({"stream_mode": ["custom"]}, False),
        ({"stream_mode": ["values"], "stream_resumable": True}, False),
    ],
    ids=str,
)
def test_subgraphs_are_asked_for_where_the_caller_gets_the_same_items(options, wide):
    assert source(**options).options["subgraphs"] is wide


PART = ("team:1",), "updates", {"talk": None}


@pytest.mark.parametrize(
    ("options", "item", "theirs"),
    [
        ({}, ((), "updates", 1), 1),
        ({}, ((), "values", 1), NOTHING),
        ({}, PART, NOTHING),
        ({"subgraphs": True}, PART, PART[::2]),
        ({"subgraphs": True, "stream_mode": ["updates"]}, PART, PART),
        ({"stream_mode": ["updates"]}, ((), "updates", 1), StreamPart("updates", 1)),
    ],
    ids=str,
)
def test_the_caller_gets_its_own_part_of_an_item(options, item, theirs):
    read = source(**options).read(item)
    assert read == (item[1], item[0], item[2], theirs, True)


def test_callbacks_are_not_sent_along():
    config = {"tags": ["mine"], "configurable": {"thread_id": "1"}}
    assert source(config=config).config is config


def refuse(**run):
    raise OSError("nobody there")


async def arefuse(**run):
    refuse()


def test_a_server_that_cannot_be_asked_to_stop_stops_nobody_here(caplog):
    client = SimpleNamespace(runs=SimpleNamespace(cancel=refuse))
    aclient = SimpleNamespace(runs=SimpleNamespace(cancel=arefuse))
    graph = FAR.copy({"sync_client": client, "client": aclient})
    lost = source(graph)
    lost.stopped()
    asyncio.run(lost.astopped())
    assert [record.message for record in caplog.records] == [
        "The server could not be asked to stop; the run may go on there."
    ] * 2


def test_a_name_that_the_caller_gave_stays():
    assert not watch(FAR)._adapter.spaces.named
    assert watch(FAR.copy({"name": "mine"}))._adapter.spaces.named
    assert watch(FAR, name="mine")._adapter.spaces.named
    assert repr(watch(FAR)) == "<nestling.View agent idle>"


def test_watching_a_local_graph_imports_nothing_of_the_client():
    code = (
        "import sys, nestling; from nestling import demo\n"
        "list(nestling.watch(demo.pipeline(delay=0)).stream({'question': 'q'}))\n"
        "print('langgraph.pregel.remote' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # ours
    assert done.stdout == "False\n"
