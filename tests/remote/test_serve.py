"""`nestling.demo.serve`: a server to try things on."""

import asyncio

import pytest
from builders import check
from graphs import golden
from langgraph.pregel.remote import RemoteGraph
from served import SERVED

from nestling import demo, watch
from nestling.demo.server import start


@pytest.fixture(scope="module")
def server(url):  # which skips where there can be no server
    with demo.serve(url=url) as server:
        yield server


def test_a_demo_graph_is_served_as_agent(server):
    view = watch(RemoteGraph("agent", url=server.url))
    asyncio.run(view.ainvoke({"messages": [("user", "Go.")]}))
    tree = golden("nested_team").read_text().replace("nested_team [", "agent [", 1)
    assert f"{view}\n" == tree
    check(view)


def test_where_an_agent_is_served_already_it_is_taken(server):
    again = demo.serve(url=server.url)
    assert again.url == server.url
    again.stop()
    assert RemoteGraph("agent", url=server.url).invoke({"messages": []})
    assert [repr(one) for one in (server, again)] == ["<nestling.demo.Server running>"] * 2


def test_a_port_that_somebody_else_has_is_left_to_them(server, url):
    assert server.url != url
    assert "desk" in SERVED
    assert RemoteGraph("desk", url=url).get_graph().nodes


def test_a_server_that_stops_is_gone_with_its_files(server):
    own = demo.serve("pipeline", "http://127.0.0.1:0")
    directory = own._directory
    assert directory.exists()
    assert RemoteGraph("agent", url=own.url).invoke({"question": "Where?"})["answer"]
    own.stop()
    own.stop()
    assert repr(own) == "<nestling.demo.Server stopped>"
    assert not directory.exists()
    assert own._process.poll() is not None


def test_a_server_that_cannot_start_says_why(url, tmp_path):
    with pytest.raises(RuntimeError, match="did not start"):
        start(tmp_path, {"agent": "./missing.py:agent"})
