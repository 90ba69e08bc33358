"""One message under several ids: a provider names some chunks, LangChain the others."""

import uuid

import pytest
from builders import ai, fed, lines, part, result, start, words
from langchain_core.messages import AIMessage, AIMessageChunk

RUNS = [f"lc_run--{uuid.UUID(int=n)}" for n in range(3)]
PLACE = {"langgraph_node": "talk", "langgraph_checkpoint_ns": "talk:1"}


def texts(view):
    return [(r["id"], r["content"]) for r in view.transcript if r["type"] == "ai"]


def chunk(text, message_id, metadata):
    return part("messages", (AIMessageChunk(text, id=message_id), metadata))


ORDERS = pytest.mark.parametrize(
    "ids", [["msg_1", RUNS[0]], [RUNS[0], "msg_1"], [RUNS[0], "msg_1", RUNS[0]]], ids=str
)


@ORDERS
@pytest.mark.parametrize("final", ["msg_1", RUNS[0]])
def test_chunks_of_one_call_are_one_message(ids, final):
    metadata = dict(PLACE)
    pieces = ["He", "l", "lo"][: len(ids)]
    whole = AIMessage("".join(pieces), id=final)
    view = fed(
        start("1", "talk"),
        *(chunk(text, i, metadata) for i, text in zip(ids, pieces, strict=True)),
        part("messages", (whole, metadata)),
        part("updates", {"talk": {"messages": [whole]}}),
        result("1", "talk", {"messages": [whole]}),
        part("values", {"messages": [whole]}),
        part("values", {"messages": [whole]}),
    )
    assert texts(view) == [(ids[0], whole.content)]


@ORDERS
def test_chunks_from_a_remote_server_are_one_message(ids):
    """Each comes with metadata of its own, which is only equal."""
    pieces = ["He", "l", "lo"][: len(ids)]
    whole = ai("".join(pieces), "msg_1")
    view = fed(
        start("1", "talk"),
        *(words(text, i, "talk") for i, text in zip(ids, pieces, strict=True)),
        part("updates", {"talk": {"messages": [whole]}}),
        result("1", "talk", {"messages": [whole]}),
    )
    assert texts(view) == [(ids[0], whole["content"])]


def test_the_whole_message_may_come_under_an_id_that_no_chunk_had():
    metadata = dict(PLACE)
    view = fed(
        start("1", "talk"),
        chunk("Hello", RUNS[0], metadata),
        part("messages", (AIMessage("Hello!", id="msg_1"), metadata)),
    )
    assert texts(view) == [(RUNS[0], "Hello!")]


def test_calls_at_the_same_time_in_one_task_are_kept_apart():
    a, b = dict(PLACE), dict(PLACE)
    view = fed(
        start("1", "talk"),
        chunk("A", "msg_a", a),
        chunk("B", "msg_b", b),
        chunk("b", RUNS[2], b),
        chunk("a", RUNS[1], a),
    )
    assert texts(view) == [("msg_a", "Aa"), ("msg_b", "Bb")]


def test_a_named_and_an_unnamed_call_at_the_same_time_are_kept_apart():
    a, b = dict(PLACE), dict(PLACE)
    view = fed(start("1", "talk"), chunk("A", "msg_a", a), chunk("B", RUNS[1], b))
    assert texts(view) == [("msg_a", "A"), (RUNS[1], "B")]


def test_calls_that_share_their_metadata_are_told_apart_by_their_ids():
    """LangChain's `generate` with several prompts does that."""
    metadata = dict(PLACE)
    ids = ["msg_1", RUNS[1], "msg_2", RUNS[2]]
    view = fed(start("1", "talk"), *(chunk(i[-1], i, metadata) for i in ids))
    assert texts(view) == [("msg_1", "11"), ("msg_2", "22")]


def test_a_call_in_the_next_task_is_another_message():
    view = fed(
        start("1", "talk"),
        words("one", "msg_1", "talk"),
        result("1", "talk"),
        start("2", "talk"),
        words("two", RUNS[0], "talk", task_id="2"),
    )
    assert lines(view) == ["├─ talk: one", "└─ talk: two"]
