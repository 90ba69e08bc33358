"""What users do beside running graphs: code in callbacks, corrupt events, odd names and ends."""

import gc
import json
import logging
import threading
import weakref

import pytest
from builders import check, fed, lines, part, result, start, words
from graphs import ASK, helper, model, remembering_agent
from langgraph.graph import START, MessagesState, StateGraph
from typing_extensions import TypedDict

from nestling import View, watch
from nestling.demo.parts import model_node


class State(TypedDict, total=False):
    n: int
    report: object


def graph_of(*nodes, state=State, **compiling):
    builder = StateGraph(state)
    builder.add_sequence([(f"node{n}", node) for n, node in enumerate(nodes)])
    builder.add_edge(START, "node0")
    return builder.compile(**compiling)


# --- the user's own code --------------------------------------------------------------------


def test_a_callback_may_wait_for_what_an_observer_holds():
    view = watch(graph_of(model_node(model("word " * 60, delay=0.002)), state=MessagesState))
    mine = threading.Lock()

    def told(change):
        with mine:
            pass

    def observed(change):
        with mine:
            len(view.live_chat)

    view.on_event(told)
    view.observe(observed, "live_chat")
    run = threading.Thread(target=view.invoke, args=(ASK,), daemon=True)
    run.start()
    run.join(20)
    assert not run.is_alive()
    check(view)


def test_a_callback_may_run_the_graph_again():
    view, turns = watch(helper()), []

    def again(change):
        if change["op"] == "status" and change["id"] == "completed" and len(turns) < 2:
            turns.append(view._conversation.turn)
            view.invoke(ASK)

    view.on_event(again)
    view.invoke(ASK)
    assert turns == [1, 2]
    check(view)


def test_a_callback_may_read_and_stop_the_view():
    view = watch(graph_of(*[lambda state: {"n": 1}] * 5))

    def stop(change):
        assert str(view)
        if change["op"] == "add":
            view.stop()

    view.on_event(stop)
    with pytest.raises(KeyboardInterrupt):
        view.invoke({"n": 0})
    assert view.status == "cancelled"
    check(view)


# --- events that are not what they should be ------------------------------------------------


@pytest.mark.parametrize("event", [
    part("updates", {"a": {"x": 1}}, [""]),
    part("updates", {object(): {"a": 1}}),
    part("messages", ({"type": "AIMessageChunk", "id": b"x", "content": "hi"}, {})),
    part("messages", ({"type": "ai", "id": {"a": 1}, "content": "hi"}, {})),
    part("messages", ({"type": "ai", "content": "hi"}, {"langgraph_node": ValueError("x")})),
    part("messages", ({"type": "ai", "id": "m", "content": "",
                       "tool_calls": [{"name": "f", "args": "text", "id": "c"}]}, {})),
    part("link", {"graph": 1.5, "agent": 2.5}),
    part("updates", {"a": {"n": 10**5000}}),
], ids=lambda event: event["type"])  # fmt: skip
def test_a_corrupt_event_leaves_plain_records(event):
    view = fed(event, words("fine", "w", "talk"))
    assert ": fine" in str(view)
    json.dumps(view._outbox.snapshot(), allow_nan=False)
    assert view._repr_mimebundle_()
    html = view.chat_history and str(view)
    assert html


def test_an_artifact_of_a_recording_that_is_not_json_is_a_stand_in():
    value = {"kind": "figure", "mime": {"image/png": [float("nan")]}}
    message = {"type": "tool", "content": "", "tool_call_id": "c", "id": "t", "artifact": value}
    view = fed(start("1", "tools"), result("1", "tools", {"messages": [message]}))
    (artifact,) = view.artifacts
    json.dumps(artifact.record, allow_nan=False)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("mode", ["debug", "checkpoints"])
def test_debug_and_checkpoints_alone_tell_the_run(mode, version):
    view, config = View(), {"configurable": {"thread_id": "1"}}
    list(view.tee(remembering_agent().stream(ASK, config, stream_mode=mode, version=version)))
    assert lines(view)[0] == "├─ You: Go."
    assert lines(view)[-1].endswith(": Four.")
    assert view.transcript.find(type="custom") == []
    check(view)


# --- state and artifacts --------------------------------------------------------------------


def test_a_state_key_that_only_the_output_holds_is_an_artifact():
    class Question(TypedDict):
        q: str

    class Output(TypedDict, total=False):
        report: str

    builder = StateGraph(Output, input_schema=Question)
    builder.add_node("write", lambda state: {"report": "hi"}, input_schema=Question)
    builder.add_edge(START, "write")
    view = watch(builder.compile(), artifact_keys=["report"])
    view.invoke({"q": "x"})
    assert [(a.title, a.data) for a in view.artifacts] == [("report", "hi")]


def test_an_object_that_parent_and_child_share_is_one_artifact():
    report = {"a": 1}
    inner = graph_of(lambda state: {"report": report}, name="inner")
    outer = StateGraph(State)
    outer.add_node("inner", inner)
    outer.add_edge(START, "inner")
    view = watch(outer.compile(), artifact_keys=["report"])
    view.invoke({"n": 1})
    assert [a.data for a in view.artifacts] == [report]


def test_what_nodes_returned_is_not_kept():
    class Big:
        pass

    alive = []

    def make(state):
        big = Big()
        alive.append(weakref.ref(big))
        return {"report": big}

    view = watch(graph_of(make, lambda state: {"report": None}))
    view.invoke({"n": 1})
    gc.collect()
    assert [ref() for ref in alive] == [None]


# --- ends -----------------------------------------------------------------------------------


def test_stop_is_heard_by_a_tee():
    view = View()
    stream = graph_of(*[lambda state: {"n": 1}] * 5).stream({"n": 0}, stream_mode="values")
    with pytest.raises(KeyboardInterrupt):
        for _ in view.tee(stream):
            view.stop()
    assert view.status == "cancelled"
    check(view)


def test_a_run_of_the_view_is_not_ended_by_hand():
    view = watch(graph_of(*[lambda state: {"n": 1}] * 3))
    for _ in view.stream({"n": 0}):
        view.finalize()
        view.fail(ValueError("not yours"))
    assert (view.status, view.error) == ("completed", None)
    check(view)


def test_the_value_of_a_tee_is_the_last_state():
    view = View()
    list(view.tee(graph_of(lambda state: {"n": 5}).stream({"n": 0}, stream_mode="values")))
    assert view.value == {"n": 5}


# --- names ----------------------------------------------------------------------------------


def test_a_name_stays_on_its_line(caplog):
    view = watch(helper(), name="a\nb\x1b[31m" + "x" * 200)
    assert "\n" not in repr(view)
    assert "\x1b" not in repr(view)
    view.invoke(ASK)
    first = str(view).splitlines()[0]
    assert first.startswith("a b[31mxxx")
    assert first.endswith("… [completed]")
    assert len(first) <= 100


def test_a_view_that_was_closed_can_still_be_read(caplog):
    view = watch(helper())
    view.invoke(ASK)
    view.close()
    with caplog.at_level(logging.WARNING):
        assert len(lines(view)) == 4
        assert view.status == "completed"
