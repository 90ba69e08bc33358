"""The v3 protocol as input: `stream_events(version="v3")`, teed or fed by hand.

Every shape of graph is run under v3 and compared with the tree that `invoke` gives. Where the
protocol leaves something out, `LEFT_OUT` says what and why, line by line.
"""

import asyncio
import re
from collections import Counter
from contextlib import suppress

import graphs
import pytest
from builders import check, fed, folded, lines
from graphs import ASK, FAILING, SHAPES, golden

from nestling import View, recording
from nestling.langgraph.source import graph_name

EVERY = {**SHAPES, **FAILING}
pytestmark = pytest.mark.filterwarnings("ignore:The v3 streaming protocol")

#: name -> (why, line of the tree that v3 cannot tell -> what stands there instead).
LEFT_OUT = {
    "parallel_team": ("no updates", {"· plan: plan": None}),
    "pipeline": (
        "no updates",
        {"· retrieve: documents": None, "· grade: relevant": None, "· write: answer": None},
    ),
    "fan_out": ("no updates", {"· split: parts": None, "· count: done": None}),
    "raising_node": ("no updates", {"· fall": None}),
    "agent_named_like_its_parent": (
        "a plain graph in an agent's tool carries the agent's name as well",
        {
            "boss [completed]": "tools [completed]",
            "boss: Namesake's words.": "model: Namesake's words.",
        },
    ),
    "rescued_agent_in_tool": (
        "a graph whose failure was caught ends as its caller does",
        {"weak [failed]": "weak [completed]", "! ValueError: the well is dry": None},
    ),
    "retried_subgraph": (
        "a graph whose node is tried again ends as the last attempt does",
        {"team [failed]": "team [completed]", "· shake": None, "! OSError: flaky": None},
    ),
    "handoff": (
        "no updates; messages found in the state name no node",
        {"· pass_on": None, "first: Your turn.": "relay: Your turn."},
    ),
    "unstreamed_messages": (
        "messages found in the state name no node",
        {
            "tuple: as a tuple": "literal: as a tuple",
            "dict: as a dict": "literal: as a dict",
        },
    ),
    "tool_outside_an_agent": (
        "tools are told where the outermost graph is an agent",
        {'shout({"text": "direct"}) [completed] -> DIRECT': None},
    ),
    "functional": (
        "without tasks a segment of the path looks like a graph",
        {"· flow: __end__": "flow [completed]", "graph: Go.": "flow: Go."},
    ),
    "failing_team": (
        "what runs beside a failure is said to have failed; tools are not told here",
        {
            "news_agent [cancelled]": "news_agent [failed]",
            'fetch_prices({"products": ["apples", "pears"]}) [failed] -> no answer from the price '
            "service after …": 'fetch_prices({"products": ["apples", "pears"]}) [cancelled]',
        },
    ),
}
#: Equal but for places: why.
ELSEWHERE = {
    "classic_tool_node": "one task runs all the calls: which of them made the box is not told",
    "two_speakers": "without tasks, siblings stand in the order in which they began to speak",
    "plain_nodes_sent_to": "without tasks, siblings stand in the order in which they answered",
}
#: Boxes of one name, numbered in the order in which they first spoke.
RACING = ("parallel_team", "fan_out")


def told(tree):
    """The lines of a tree without its branches."""
    return [re.sub(r"^[│├└─ ]*", "", line) for line in tree.splitlines()]


def unnumbered(line):
    return re.sub(r"^worker \d\b", "worker", line)[:90]  # a number shortens what fits


def as_v3_tells(name):
    """The lines of a shape's tree, as far as v3 can tell them."""
    root, *below = told(golden(name).read_text())
    _, differs = LEFT_OUT.get(name, ("", {}))
    assert set(differs) <= set(below)
    replaced = (differs.get(line, line) for line in below)
    return [root, *(line for line in replaced if line is not None)]


def teed(name):
    """The view of a graph that ran under v3, and what the stream yielded."""
    make, value = EVERY[name]
    graph = make()
    view = View(label=graph_name(graph))
    events = []
    with suppress(ValueError, TimeoutError):
        events.extend(view.tee(graph.stream_events(value, version="v3")))
    return view, events


@pytest.mark.parametrize("name", EVERY)
def test_a_run_under_v3_shows_the_tree_that_invoke_shows(name):
    view, _ = teed(name)
    if name in ELSEWHERE or name in RACING:
        here, there = as_v3_tells(name), told(str(view))
        assert Counter(map(unnumbered, there)) == Counter(map(unnumbered, here))
    elif name in LEFT_OUT:
        assert told(str(view)) == as_v3_tells(name)
    else:
        assert f"{view}\n" == golden(name).read_text()
    assert view.status == ("failed" if name in FAILING else "completed")
    assert view._conversation.problems == 0
    check(view)


def test_an_async_run_under_v3_shows_the_same():
    async def run():
        graph = graphs.single_agent()
        view = View(label="solo")
        stream = await graph.astream_events(ASK, version="v3")
        assert len([event async for event in view.tee(stream)]) > 20
        return view

    view = asyncio.run(run())
    assert f"{view}\n" == golden("single_agent").read_text()
    check(view)


def test_events_by_hand_show_the_same_and_tokens_grow():
    _, events = teed("single_agent")
    view, growing = View(label="solo"), []
    view.on_event(lambda change: growing.append(change["op"]))
    for event in events:
        view.process_event(event)
    assert view.status == "running"
    view.finalize()
    assert f"{view}\n" == golden("single_agent").read_text()
    assert "append" in growing
    usage = [row["usage"]["total_tokens"] for row in view.transcript.find(type="ai")]
    assert usage == [9, 11]
    check(view)


@pytest.mark.parametrize("name", ["agents_in_parallel", "raising_node", "retried_node"])
def test_a_recording_of_a_run_under_v3_shows_the_same(name, tmp_path):
    make, value = EVERY[name]
    graph = make()
    view = View(label=graph_name(graph))
    recorder = recording.Recorder(view)
    with suppress(ValueError):
        list(view.tee(graph.stream_events(value, version="v3")))
    recorder.write(tmp_path / "run.jsonl")
    again = folded(*recording.read(tmp_path / "run.jsonl"))
    assert str(again) == str(view)
    assert again.status == view.status


def test_an_error_keeps_its_type_and_traceback_where_it_happened():
    view, _ = teed("raising_node")
    (error,) = view.transcript.find(type="error")
    assert error["error_type"] == "ValueError"
    assert "in fall" in error["traceback"]
    assert len(error["namespace"]) == 1


# --- a server's events, by hand -------------------------------------------------------------


def event(method, data, ns=()):
    return {"type": "event", "method": method, "params": {"namespace": list(ns), "data": data}}


def piece(kind, ns=(), **fields):
    return event("messages", {"event": kind, **fields}, ns)


def delta(index, ns=(), **fields):
    return piece("content-block-delta", ns, index=index, delta=fields)


def text(words, ns=(), index=0):
    return delta(index, ns, type="text-delta", text=words)


START = piece("message-start", role="ai", id="m")
FINISH = piece("message-finish", usage={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})


def test_pieces_of_a_message_grow_into_it():
    done = piece("content-block-finish", index=0, content={"type": "text", "text": "It is."})
    view = fed(START, text("It "), text("is."), done, FINISH)
    (row,) = view.transcript
    assert (row["id"], row["content"], row["status"]) == ("m", "It is.", "completed")
    assert row["usage"]["total_tokens"] == 3


def test_a_block_that_comes_whole_is_shown_once():
    begun = piece("content-block-start", index=0, content={"type": "text", "text": ""})
    done = piece("content-block-finish", index=0, content={"type": "text", "text": "At once."})
    assert [r["content"] for r in fed(START, begun, done, FINISH).transcript] == ["At once."]


def test_thoughts_stay_apart_from_words():
    thought = delta(0, type="reasoning-delta", reasoning="Let me see.")
    (row,) = fed(START, thought, text("Yes.", index=1), FINISH).transcript
    assert (row["reasoning"], row["content"]) == ("Let me see.", "Yes.")


def test_an_image_is_told_at_start_and_finish_and_shown_once():
    image = {"type": "image", "mime_type": "image/png", "base64": "AAAA"}
    begun = piece("content-block-start", index=0, content={"type": "image"})
    done = piece("content-block-finish", index=0, content=image)
    (row,) = fed(START, begun, done, FINISH).transcript
    assert row["blocks"] == [image]


CALL = {"type": "tool_call_chunk", "id": "c", "name": "look", "args": "", "index": 0}


@pytest.mark.parametrize(
    "fragments",
    [
        [{"type": "tool-call-delta", "args": '{"n"'}, {"type": "tool-call-delta", "args": ": 1}"}],
        # releases before repeat what came before
        [
            {"type": "block-delta", "fields": {**CALL, "args": '{"n"'}},
            {"type": "block-delta", "fields": {**CALL, "args": '{"n": 1}'}},
        ],
        [],
    ],
)
def test_arguments_are_put_together_however_they_are_told(fragments):
    whole = {"type": "tool_call", "id": "c", "name": "look", "args": {"n": 1}}
    view = fed(
        START,
        piece("content-block-start", index=0, content=CALL),
        *(delta(0, **fragment) for fragment in fragments),
        piece("content-block-finish", index=0, content=whole),
        FINISH,
        event("tools", {"event": "tool-started", "tool_call_id": "c", "tool_name": "look"}),
        event("tools", {"event": "tool-finished", "tool_call_id": "c", "output": "seen"}),
    )
    assert lines(view) == ['└─ look({"n": 1}) [completed] -> seen']


def test_two_messages_at_once_are_kept_apart_by_their_metadata():
    def by(run, kind, **fields):
        metadata = {"run_id": run, "langgraph_node": run}
        return event("messages", ({"event": kind, **fields}, metadata))

    def says(run, words):
        return by(run, "content-block-delta", index=0, delta={"type": "text-delta", "text": words})

    view = fed(
        by("a", "message-start", id="m1"),
        by("b", "message-start", id="m2"),
        says("a", "one "),
        says("b", "three "),
        says("a", "two"),
        says("b", "four"),
    )
    assert lines(view) == ["├─ a: one two", "└─ b: three four"]


def test_a_model_that_breaks_off_leaves_an_aborted_message():
    view = fed(START, text("It wa"), piece("error", message="gone"))
    assert [(r["content"], r["status"]) for r in view.transcript] == [("It wa", "aborted")]


def test_a_tool_message_in_a_namespace_of_its_own_is_the_result_of_its_call():
    ns = ("tools:c",)
    begun = piece("content-block-start", index=0, content=CALL)
    view = fed(
        START,
        begun,
        FINISH,
        piece("message-start", ns, role="tool", id="t", tool_call_id="c"),
        piece("content-block-delta", ns, index=0, content={"type": "text", "text": "seen"}),
        piece("content-block-finish", ns, index=0, content={"type": "text", "text": "seen"}),
        piece("message-finish", ns),
    )
    assert lines(view) == ["└─ look({}) [completed] -> seen"]
    assert list(view.namespaces) == [""]


BOX = ("team:1",)


def test_the_end_of_a_namespace_is_its_status_at_once():
    view = View()
    view.process_event(event("lifecycle", {"event": "started", "graph_name": "team"}, BOX))
    view.process_event(piece("message-start", BOX, role="ai", id="m"))
    assert view.namespaces["team:1"]["status"] == "running"
    view.process_event(event("lifecycle", {"event": "completed"}, BOX))
    assert view.namespaces["team:1"]["status"] == "completed"
    view.finalize()
    check(view)


def test_a_run_that_a_server_says_failed_has_failed():
    view = fed(
        event("lifecycle", {"event": "running", "graph_name": "agent"}),
        event("lifecycle", {"event": "started", "graph_name": "team"}, BOX),
        event("lifecycle", {"event": "failed", "error": "no water (2)"}, BOX),
        event("lifecycle", {"event": "failed", "error": "no water (2)"}),
    )
    assert str(view).splitlines() == [
        "graph [failed]",
        "└─ team [failed]",
        "   └─ ! Error: no water (2)",
    ]
    assert view.status == "failed"


def test_what_a_server_asks_for_is_an_interrupt():
    view = fed(
        event("lifecycle", {"event": "started", "graph_name": "team"}, BOX),
        event("input.requested", {"interrupt_id": "i", "payload": "Sure?"}, BOX),
        event("lifecycle", {"event": "interrupted"}),
    )
    assert lines(view) == ["└─ team [interrupted]", "   └─ ? Sure?"]
    assert view.status == "interrupted"


def test_updates_and_custom_events_of_a_server_are_unwrapped():
    view = fed(
        event("updates", {"node": "grade", "values": {"relevant": True}}),
        event("custom", {"payload": {"seen": 2}}),
        event("custom", {"name": "mine"}),
    )
    assert lines(view) == ["├─ · grade: relevant", '├─ · {"seen": 2}', '└─ · {"name": "mine"}']


@pytest.mark.parametrize(
    "strange",
    [
        event("weather", {"rain": True}),
        event("messages", {"event": "message-sung", "tune": 1}),
        event("lifecycle", None),
        event("messages", 7),
        {"type": "event", "method": "messages", "params": {"namespace": 7, "data": {}}},
    ],
)
def test_a_strange_event_never_breaks_a_run(strange):
    view = fed(strange, START, text("Still here."), FINISH)
    assert "Still here." in str(view)
    assert view.status == "completed"


def test_an_event_of_an_unknown_channel_is_shown_plainly():
    (line,) = lines(fed(event("weather", {"rain": True})))
    assert '"method": "weather"' in line
    assert '"rain": true' in line
