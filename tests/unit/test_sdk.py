"""Raw parts of a LangGraph server as input, as langgraph_sdk yields them."""

import pytest
from builders import ai, check, fed, folded, lines, tool
from langgraph_sdk.schema import StreamPart

from nestling import View, recording


def metadata(*message_ids, ns=(), node="model"):
    place = "|".join([*ns, f"{node}:1"])
    told = {"metadata": {"langgraph_node": node, "langgraph_checkpoint_ns": place}}
    return StreamPart("messages/metadata", dict.fromkeys(message_ids, told))


def partial(text, message_id="m", **fields):
    return StreamPart("messages/partial", [ai(text, message_id, **fields)])


def complete(message):
    return StreamPart("messages/complete", [message])


def look(**args):
    return {"name": "look", "args": args, "id": "c", "type": "tool_call"}


RUN = StreamPart("metadata", {"run_id": "r", "attempt": 1})
SPOKEN = (
    RUN,
    metadata("m"),
    partial("Let "),
    partial("Let me "),
    partial("Let me see."),
    partial("Let me see.", tool_calls=[look()]),
    partial("Let me see.", tool_calls=[look(limit=80)]),
    partial("Let me see.", tool_calls=[look(limit=80.0)]),
    metadata("t", node="tools"),
    complete(tool("seen", "c", "t")),
    StreamPart("end", None),
)
SHOWN = ["├─ model: Let me see.", '└─ look({"limit": 80.0}) [completed] -> seen']


def as_tuple(part):
    return part


def as_dict(part):
    return {"event": part.event, "data": part.data}


def as_v2(part):
    name, *ns = part.event.split("|")
    return {"type": name, "ns": ns, "data": part.data, "interrupts": []}


@pytest.mark.parametrize("shape", [as_tuple, as_dict, as_v2])
def test_what_is_told_again_and_again_is_shown_once(shape):
    view = fed(*map(shape, SPOKEN))
    assert lines(view) == SHOWN
    assert view.status == "completed"
    assert view._conversation.problems == 0


def test_what_is_told_again_goes_on_as_growth():
    view, ops = View(), []
    view.on_event(lambda change: ops.append(change["op"]))
    for part in SPOKEN[:5]:
        view.process_event(part)
    assert ops.count("append") == 3
    assert ops.count("add") == 1
    assert [r["status"] for r in view.live_chat] == ["streaming"]
    view.finalize()
    check(view)


def test_text_that_is_rewritten_replaces_what_stood_there():
    view = fed(partial("Helo"), partial("Hello"), partial("Hello you"))
    assert [r["content"] for r in view.transcript] == ["Hello you"]


@pytest.mark.parametrize(
    "told",
    [
        [[{"type": "text", "text": "It "}], [{"type": "text", "text": "It is."}]],
        ["", [{"type": "text", "text": "It "}, {"type": "text", "text": "is."}]],
        [
            [{"type": "thinking", "thinking": "Hm."}],
            [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "It is."}],
        ],
    ],
)
def test_blocks_grow_as_text_does(told):
    view = fed(*map(partial, told))
    assert [r["content"] for r in view.transcript] == ["It is."]


def test_usage_that_is_told_again_is_counted_once():
    def counts(i, o):
        return {"usage_metadata": {"input_tokens": i, "output_tokens": o, "total_tokens": i + o}}

    whole = ai("It is.", "m", **counts(5, 3))
    view = fed(
        partial("It ", **counts(5, 1)),
        partial("It is.", **counts(5, 3)),
        StreamPart("updates", {"model": {"messages": [whole]}}),
    )
    expected = {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}
    assert view.namespaces[""]["usage"] == view.transcript[0]["usage"] == expected


def test_a_message_is_shown_in_the_box_that_its_metadata_names():
    view = fed(metadata("m", ns=("team:1",), node="talk"), partial("Inside."))
    assert lines(view) == ["└─ team [completed]", "   └─ talk: Inside."]


def test_a_namespace_stands_behind_the_mode():
    view = fed(StreamPart("updates|team:1", {"talk": {"messages": [ai("Inside.", "m")]}}))
    assert lines(view) == ["└─ team [completed]", "   └─ talk: Inside."]


def test_deltas_are_read_as_chunks():
    def chunk(text):
        message = {"type": "AIMessageChunk", "content": text, "id": "m"}
        return StreamPart("messages", [message, {"langgraph_node": "talk"}])

    assert lines(fed(chunk("It "), chunk("is."))) == ["└─ talk: It is."]


def test_a_run_that_fails_on_its_server_has_failed_here():
    error = {"error": "ValueError", "message": "no water"}
    view = fed(partial("It wa"), StreamPart("error", error))
    assert lines(view) == ["├─ graph: It wa", "└─ ! ValueError: no water"]
    assert view.status == "failed"
    assert view.transcript[0]["status"] == "aborted"


def test_a_recording_of_parts_shows_the_same(tmp_path):
    view = View()
    recorder = recording.Recorder(view)
    for part in (*SPOKEN, StreamPart("error", {"error": "ValueError", "message": "no water"})):
        view.process_event(part)
    view.finalize()
    recorder.write(tmp_path / "run.jsonl")
    again = folded(*recording.read(tmp_path / "run.jsonl"))
    assert str(again) == str(view)
    assert again.status == view.status == "failed"


def test_a_failure_that_a_task_told_of_is_told_once():
    error = {"error": "ValueError", "message": "no water"}
    task = {"id": "1", "name": "fall", "error": error, "result": {}, "interrupts": []}
    view = fed(StreamPart("tasks", task), StreamPart("error", error))
    assert lines(view) == ["├─ · fall", "└─ ! ValueError: no water"]
    assert view.status == "failed"


def test_a_failure_is_forgotten_in_the_next_turn():
    view = fed(StreamPart("error", {"error": "ValueError", "message": "no water"}))
    view.process_event(partial("Better now."))
    view.finalize()
    assert view.status == "completed"
    check(view)


def test_an_interrupt_is_told_by_updates_and_by_values():
    asked = [{"value": "Sure?", "id": "i"}]
    for mode in ("updates", "values"):
        view = fed(StreamPart(mode, {"__interrupt__": asked}))
        assert lines(view) == ["└─ ? Sure?"]
        assert view.status == "interrupted"


def test_what_surrounds_a_run_shows_nothing():
    view = fed(RUN, StreamPart("heartbeat", None), StreamPart("end", None))
    assert lines(view) == []
    assert view.status == "completed"


@pytest.mark.parametrize(
    "strange",
    [
        StreamPart("weather", {"rain": True}),
        StreamPart("messages/partial", 7),
        StreamPart("messages", None),
        {"event": "on_chat_model_stream", "data": {"chunk": 1}, "name": "x"},
        {"event": "messages/partial", "data": [None]},
    ],
)
def test_a_strange_part_is_kept_and_never_breaks_a_run(strange):
    view = fed(strange, partial("Still here."))
    assert lines(view)[-1] == "└─ graph: Still here."
    assert len(view.transcript.find(type="custom")) == 1
    assert view.status == "completed"
