"""Whatever comes in: a plain row or a clear error, never a broken run, always plain JSON."""

import json
import logging
import math
from collections import namedtuple
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Annotated, Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from builders import check, check_json, fed, part, plain, result, start, words
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from nestling import View, encode, watch
from nestling.artifacts import describe
from nestling.encode import short


class Evil:
    def __repr__(self):
        raise ZeroDivisionError("no repr")


class EvilAttributes:
    def __getattr__(self, name):
        raise ZeroDivisionError(name)


class EvilKey:
    def __str__(self):
        raise ZeroDivisionError("no str")

    __repr__ = __str__

    def __hash__(self):
        return 1


class Account(BaseModel):
    owner: str
    password: SecretStr


@dataclass
class Point:
    x: float
    hidden: str = field(default="hush", repr=False)


Pair = namedtuple("Pair", "left right")
Colour = Enum("Colour", "RED")


def cycle() -> Any:
    inside: dict[str, Any] = {}
    inside["self"] = [inside]
    return inside


def deep() -> Any:
    value: Any = "bottom"
    for _ in range(5_000):
        value = [value]
    return value


CASES: dict[str, tuple[Any, Any]] = {
    "not a number": (math.nan, "NaN"),
    "infinity": ([math.inf, -math.inf], ["Infinity", "-Infinity"]),
    "large integer": (2**70, str(2**70)),
    "bytes": (b"\x00\xff", "<bytes, 2 bytes>"),
    "set": ({2, 1}, {"set": [1, 2]}),
    "tuple": ((1, "a"), [1, "a"]),
    "namedtuple": (Pair(1, 2), {"left": 1, "right": 2}),
    "datetime": (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
    "timedelta": (timedelta(hours=1), "1:00:00"),
    "decimal": (Decimal("1.10"), "1.10"),
    "uuid": (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "path": (PurePosixPath("/tmp/a"), "/tmp/a"),  # noqa: S108
    "enum": (Colour.RED, 1),
    "class": (Point, "<class Point>"),
    "exception": (ValueError("no"), "ValueError: no"),
    "dataclass": (Point(1.5), {"Point": {"x": 1.5}}),
    "pydantic": (
        Account(owner="me", password=SecretStr("hush")),
        {"Account": {"owner": "me", "password": "SecretStr('**********')"}},
    ),
    "secret": (SecretStr("hush"), "SecretStr('**********')"),
    "numpy scalar": (np.float64("nan"), "NaN"),
    "numpy integer": (np.int64(3), 3),
    "array": (np.zeros((3, 4)), "<ndarray 3 × 4 float64>"),
    "frame": (pd.DataFrame({"a": [1, 2]}), "<DataFrame 2 × 1>"),
    "lone surrogate": ("a\ud800b", "a\ufffdb"),
    "cycle": (cycle(), {"self": ["<dict: contains itself>"]}),
    "odd keys": ({1: "a", (1, 2): "b", None: "c"}, {"1": "a", "[1, 2]": "b", "None": "c"}),
    "evil repr": (Evil(), "<Evil: ZeroDivisionError while reading it>"),
    "message": (AIMessage("hi", id="m"), {"type": "ai", "content": "hi", "id": "m"}),
    "address": (object(), "<object object>"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_value_becomes_a_stand_in_that_says_what_it_was(name):
    value, stand_in = CASES[name]
    assert encode.encode(value) == stand_in
    check_json(encode.encode({"in": [value]}))


@pytest.mark.parametrize(
    "value",
    [
        deep(),
        EvilAttributes(),
        {EvilKey(): 1},
        "x" * 10_000_000,
        ["y" * 90_000] * 200,
        {str(n): "z" * 10_000 for n in range(4_000)},
        list(range(1_000_000)),
        [{"\x00" * 50_000: "\ud800" * 90_000}] * 50,
        {f"key {n}" * 1000: n for n in range(4_000)},
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_its_size_a_value_stays_below_what_a_message_may_hold(value):
    plain = encode.encode(value)
    check_json(plain)
    assert len(json.dumps(plain, ensure_ascii=False).encode()) < 700_000
    assert len(short(value)) <= 80


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.datetimes()
    | st.builds(Evil)
    | st.builds(EvilAttributes)
    | st.sampled_from([Point, SecretStr("hush"), object()]),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.none(), inner)
    ),
)


@settings(deadline=None)
@given(VALUES)
def test_any_value_becomes_json(value):
    plain = encode.encode(value)
    check_json(plain)
    assert "hush" not in json.dumps(plain)


# --- events ---------------------------------------------------------------------------------

ODD = [
    None,
    3,
    "text",
    [],
    {},
    (),
    object(),
    Evil(),
    EvilAttributes(),
    {"type": "messages", "ns": (), "data": None},
    {"type": "messages", "ns": (), "data": ("text", None)},
    {"type": "messages", "ns": (), "data": ({"type": "ai", "content": 3, "id": 4}, {})},
    {"type": "messages", "ns": 3, "data": {}},
    {"type": "messages", "ns": (1, 2), "data": {}},
    {"type": "tasks", "ns": (), "data": {}},
    {"type": "tasks", "ns": (), "data": {"id": Evil(), "name": Evil()}},
    {"type": "tools", "ns": (), "data": {"event": "tool-started"}},
    {"type": "tools", "ns": (), "data": {"event": "tool-dreamt", "tool_call_id": "c"}},
    {"type": "updates", "ns": (), "data": [1, 2]},
    {"type": "updates", "ns": (), "data": {"node": Evil(), "other": EvilAttributes()}},
    {"type": "values", "ns": (), "data": Evil()},
    {"type": "values", "ns": ("a:1",) * 500, "data": {}},
    {"type": "link", "ns": ("a:1",), "data": None},
    {"type": "interrupts", "ns": (), "data": 3},
    {"type": "yesterday", "ns": (), "data": {"a": 1}},
    {"type": Evil(), "ns": (), "data": {"a": 1}},
    {"type": ["messages"], "ns": (), "data": {"a": 1}},
    ("yesterday", {"a": 1}),
    ((), "yesterday", {"a": 1}),
    (("a",), "messages", "text"),
    ("messages", (AIMessage("x", id="\ud800"), {"langgraph_node": "\ud800"})),
    ("custom", math.nan),
    ("custom", {"evil": Evil(), "\ud800": b"bytes"}),
    words("\ud800", "m", "talk"),
    words("x", "m", "talk", tool_call_chunks=[{"name": None, "args": None, "id": None}]),
    words("x", "m", "talk", tool_call_chunks=[{"name": 3, "args": 4, "id": 5, "index": []}]),
    words("x", "m", "talk", usage_metadata={"input_tokens": "many"}),
    words([{"type": "text", "text": 3}, 4, {"type": None}], "m", "talk"),
    start("1", "talk", Evil()),
    start("\ud800", "\ud800", {"messages": [Evil(), None, ("user",)]}),
    start("1", "tools", [{"name": 1, "args": 2, "id": 3}]),
    result("1", "talk", {"messages": "text"}),
    result("1", "talk", error=Evil()),
    result("1", "talk", error="ValueError('no')"),
    result("1", "talk", interrupts=[None, 3, {"id": None, "value": math.nan}]),
]


@pytest.mark.parametrize("event", ODD, ids=range(len(ODD)))
def test_an_odd_event_never_breaks_the_run(event, caplog):
    with caplog.at_level(logging.CRITICAL):
        view = fed(start("1", "talk"), event, words("fine", "last", "talk"), result("1", "talk"))
    check_json(view._outbox.snapshot())
    str(view).encode()
    assert view.transcript.find("fine", type="ai")


def test_an_unknown_event_is_kept_and_shown_plainly():
    view = fed({"type": "yesterday", "ns": (), "data": {"a": 1}})
    (row,) = view.transcript
    assert row["type"] == "custom"
    assert row["data"] == {"type": "yesterday", "ns": [], "data": {"a": 1}}
    assert view._conversation.problems == 0


def test_an_event_that_cannot_be_read_is_shown_raw_and_counted(caplog):
    view = View()
    view.process_event(part("tasks", {"odd": True}))
    assert view._conversation.problems == 1
    assert view._outbox.snapshot()["run"]["problems"] == 1
    (row,) = view.live_chat
    assert row["data"] == {"type": "tasks", "ns": [], "data": {"odd": True}}
    assert "could not be shown" in caplog.text
    view.finalize()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ODD), max_size=12))
def test_odd_events_in_any_order_never_break_the_run(events):
    logging.getLogger("nestling").setLevel(logging.CRITICAL)
    try:
        view = fed(*events)
        check_json(view._outbox.snapshot())
        str(view).encode()
    finally:
        logging.getLogger("nestling").setLevel(logging.NOTSET)


def test_a_count_that_cannot_be_written_out_is_left_out():
    usage = {"input_tokens": 10**5000, "output_tokens": 2, "total_tokens": -(2**60)}
    view = fed(words("hi", "m", "talk", usage_metadata=usage))
    assert view.chat_history[0]["usage"] == {"output_tokens": 2}
    check_json(view._outbox.snapshot())


def test_a_lone_surrogate_hurts_nowhere():
    bad = "a\ud800"
    ns = (f"{bad}:1",)
    call = {"name": bad, "args": {bad: bad}, "id": bad}
    metadata = {"langgraph_node": bad, "langgraph_checkpoint_ns": f"{bad}:2", "lc_agent_name": bad}
    message = {"type": "ai", "content": bad, "id": bad, "name": bad, "tool_calls": [call]}
    message |= {"response_metadata": {"model_name": bad}}
    answer = {"type": "tool", "content": bad, "tool_call_id": bad, "id": "t", "name": bad}
    answer |= {"artifact": {"title": bad, "data": bad}}
    view = fed(
        start("1", bad),
        start("2", bad, {"messages": [{"type": "human", "content": bad, "id": "h"}]}, ns),
        part("link", {"graph": bad, "agent": bad, "tool_call_id": bad}, ns),
        part("messages", (message, metadata), ns),
        part("tools", {"event": "tool-started", "tool_call_id": bad, "tool_name": bad}, ns),
        part("messages", (answer, metadata), ns),
        result("2", bad, {bad: bad}, ns, interrupts=[{"id": f"i{bad}", "value": bad}]),
        result("1", bad, error={"error": bad, "message": bad}),
        part("custom", {bad: [bad]}, ns),
    )
    check_json(view._outbox.snapshot())
    str(view).encode()
    assert view._conversation.problems == 0
    assert {r["type"] for r in view.transcript} >= {"user", "ai", "tool_call", "artifact", "error"}


# --- real runs ------------------------------------------------------------------------------


class Odd(TypedDict, total=False):
    value: Annotated[Any, lambda old, new: new]


@pytest.mark.parametrize("name", CASES)
def test_a_graph_may_hold_any_value(name):
    value, _ = CASES[name]

    def work(state):
        get_stream_writer()(value)
        return {"value": value}

    builder = StateGraph(Odd)
    builder.add_node("work", work)
    builder.add_edge(START, "work")
    view = watch(builder.compile(name="odd"), artifact_keys=("value",))
    assert view.invoke({"value": None})["value"] is value
    assert view.status == "completed"
    assert view._conversation.problems == 0
    assert len(view.artifacts) == 1
    assert view.artifacts["value"].data is value
    check(view)
    check_json(view._outbox.snapshot())


def test_a_fault_of_ours_does_not_reach_the_graph(monkeypatch, caplog):
    from nestling.langgraph.adapter import Adapter

    def fall(self, *args):
        raise ZeroDivisionError

    for name in ("_tasks", "begin", "ended"):
        monkeypatch.setattr(Adapter, name, fall)
    builder = StateGraph(Odd)
    builder.add_node("work", lambda state: {"value": 1})
    builder.add_edge(START, "work")
    graph = builder.compile(name="odd")
    view = watch(graph)
    assert plain(view.invoke({"value": None})) == plain(graph.invoke({"value": None}))
    assert view.status == "completed"
    assert view._conversation.problems > 0


def test_an_observer_that_raises_does_not_reach_the_graph(caplog):
    def fall(change):
        raise ZeroDivisionError

    builder = StateGraph(Odd)
    builder.add_node("work", lambda state: {"value": 1})
    builder.add_edge(START, "work")
    view = watch(builder.compile(name="odd"))
    for name in ("status", "live_chat", "chat_history"):
        view.observe(fall, name)
    assert view.invoke({"value": None}) == {"value": 1}
    assert view.status == "completed"
    assert "ZeroDivisionError" in caplog.text


def test_an_artifact_that_shows_itself_is_drawn_where_it_belongs():
    class Figure:
        def __init__(self):
            self.shown = False

        def _ipython_display_(self):
            self.shown = True

        def _repr_html_(self):
            return "<b>figure</b>"

        def _repr_mimebundle_(self, include=None, exclude=None):
            return {"text/plain": "a figure"}, {}

    figure = Figure()
    mime = describe(figure, "Trends")["mime"]
    assert mime == {"text/html": "<b>figure</b>", "text/plain": "a figure"}
    assert not figure.shown


def test_an_artifact_that_cannot_be_drawn_is_named(caplog):
    class Torn:
        def _repr_html_(self):
            raise ZeroDivisionError

        def savefig(self, *args, **kwargs):
            raise ZeroDivisionError

    torn = Torn()
    message = {"type": "tool", "content": "made", "tool_call_id": "c", "id": "t", "artifact": torn}
    view = fed(part("messages", (message, {})))
    (artifact,) = view.artifacts
    assert artifact.data is torn
    assert artifact.kind == "Torn"
    check_json(artifact.record)
