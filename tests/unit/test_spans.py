"""What the timeline asks the kernel: what was done when, in little room."""

import json

import pytest

import nestling
from nestling import demo
from nestling.questions import answer
from nestling.spans import MAX_BYTES, merged, span_of

T0 = 1_700_000_000.0


def record(kind="ai", start=0.0, end=1.0, status="completed", **fields):
    times = {"started_at": T0 + start, **({} if end is None else {"ended_at": T0 + end})}
    return {"type": kind, "status": status, "seq": 1, "namespace": [], **times, **fields}


def asked(view, **fields):
    return answer(view, {"ask": "1", "question": "spans", **fields})


@pytest.fixture(scope="module")
def team():
    view = nestling.watch(demo.research_team(delay=0))
    view.invoke({"messages": [("user", "Analyze this data and create visualizations")]})
    return view


def test_every_namespace_has_its_models_and_tools(team):
    found = asked(team)
    spans = found["spans"]
    by_label = {box["label"]: spans.get(key) for key, box in team.namespaces.items()}
    assert {kind for kind, *_ in by_label["analysis_agent"]} == {"model", "tool"}
    assert found["upto"] == team.transcript[-1]["seq"]
    seqs = {record["seq"] for record in team.transcript}
    assert all(span[3] in seqs for each in spans.values() for span in each)
    json.dumps(found)


def test_its_seconds_are_those_of_view_usage(team):
    for key, (model, tool, waiting) in asked(team)["seconds"].items():
        used = team.usage.namespaces[key]
        assert (model, tool, waiting) == (
            used.model_seconds,
            used.tool_seconds,
            used.waiting_seconds,
        )


@pytest.mark.parametrize("resolution", [None, "fine", float("nan"), -1, True, 10**400, [1]])
def test_a_page_that_asks_nonsense_is_answered_as_finely_as_can_be(team, resolution):
    assert asked(team, resolution=resolution)["spans"].keys() == asked(team)["spans"].keys()


def test_a_call_that_ran_an_agent_or_was_rejected_is_no_span():
    assert span_of(record("tool_call", spawned=["a:1"])) is None
    assert span_of(record("tool_call", status="rejected")) is None
    assert span_of(record("user")) is None
    assert span_of(record("tool_call")) == ("tool", T0, T0 + 1, 1)


def test_what_failed_waits_or_goes_on_says_so():
    assert span_of(record("tool_call", status="failed"))[0] == "failed"
    assert span_of(record("error"))[0] == "failed"
    assert span_of(record("interrupt", end=None, status="pending")) == ("wait", T0, None, 1)
    assert span_of(record(end=None, status="streaming")) == ("model", T0, None, 1)


def test_spans_of_one_kind_that_are_close_are_one():
    spans = [
        ("tool", 1.5, 2.0, 3),
        ("tool", 0.0, 1.0, 1),
        ("model", 0.5, 0.7, 2),
        ("tool", 9.0, None, 4),
        ("tool", 9.5, 9.6, 5),
    ]
    assert merged(spans, 0.6) == [
        ("tool", 0.0, 2.0, 1),
        ("model", 0.5, 0.7, 2),
        ("tool", 9.0, None, 4),
    ]
    assert len(merged(spans, 0.1)) == 4


def test_a_run_of_any_length_fits_in_an_answer():
    view = nestling.View()
    conversation = view._conversation
    conversation.clock = iter(T0 + i / 7 for i in range(10**9)).__next__
    with conversation.lock:
        conversation.begin()
        for _ in range(30_000):
            conversation.add("ai", None, [], speaker="a", order=1)
        conversation.end("completed")
    found = asked(view, resolution=0.001)
    assert len(json.dumps(found)) < MAX_BYTES + 1000
    assert found["resolution"] > 0.001
    assert found["spans"][""]


def test_so_do_any_number_of_agents():
    view = nestling.View()
    conversation = view._conversation
    with conversation.lock:
        conversation.begin()
        for n in range(9_000):
            segments = [f"agent:{n}:" + "x" * 50]
            conversation.add_namespace(tuple(segments), label="agent", parent="")
            conversation.add("ai", None, segments, speaker="agent", order=n)
        conversation.end("completed")
    found = asked(view)
    assert len(json.dumps(found)) < MAX_BYTES + 1000
    assert "|".join(segments) in found["spans"]
