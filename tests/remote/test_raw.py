"""What a server streams in its own ways, teed: the SDK's parts and v3 events."""

import pytest
from builders import check
from graphs import ASK, golden
from langgraph_sdk import get_sync_client

from nestling import View

#: Lines that a stream of messages alone cannot tell.
ASKS = "├─ You: Go."


@pytest.mark.parametrize(
    ("modes", "version"),
    [
        (["messages"], "v1"),
        (["messages-tuple"], "v2"),
        (["messages", "values"], "v2"),
        (["messages", "values", "tasks"], "v1"),
        (["messages-tuple", "values", "updates"], "v1"),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["single_agent", "nested_team"])
def test_every_way_to_ask_for_messages_shows_the_same_tree(name, modes, version, url):
    expected = golden(name).read_text().splitlines()
    options = {"stream_mode": modes, "stream_subgraphs": True, "version": version}
    stream = get_sync_client(url=url).runs.stream(None, name, input=ASK, **options)
    view = View(label=expected[0].partition(" [")[0])
    assert len(list(view.tee(stream))) > 10
    if len(modes) == 1:
        expected.remove(ASKS)
    assert str(view).splitlines() == expected
    assert view._conversation.problems == 0
    check(view)


@pytest.mark.parametrize("mode", ["messages", "messages-tuple"])
def test_a_stream_that_ends_in_an_error_has_failed(mode, url):
    options = {"stream_mode": [mode, "values", "tasks"], "stream_subgraphs": True}
    client = get_sync_client(url=url)
    view = View(label="house")
    list(view.tee(client.runs.stream(None, "raising_node", input=ASK, **options)))
    assert f"{view}\n" == golden("raising_node").read_text()
    assert view.status == "failed"
    check(view)


@pytest.mark.filterwarnings("ignore:The v3 streaming protocol")
@pytest.mark.parametrize("name", ["single_agent", "research_team", "agents_in_parallel"])
def test_v3_events_of_a_server_show_the_same_tree(name, remote):
    expected = golden(name).read_text()
    view = View(label=expected.partition(" [")[0])
    with remote(name).stream_events(ASK, version="v3") as run:
        list(view.tee(run))
    assert f"{view}\n" == expected
    check(view)
