"""What matches a search, and what a page is told of it."""

import json
import time
from pathlib import Path

import pytest
from builders import fed, shown, words
from graphs import ASK

from nestling import View, demo
from nestling.find import MAX_FOUND, drawn
from nestling.questions import answer

SHARED = json.loads((Path(__file__).parents[1] / "find_cases.json").read_text(encoding="utf-8"))


def holding(records):
    view = View()
    for seq, fields in enumerate(records, 1):
        view._conversation.history.append({"namespace": [], "seq": seq, "order": seq, **fields})
    return view


def asked(view, query="", filters=None, time_range=None, **more):
    command = {"query": query, "filters": filters or {}, "time_range": time_range, **more}
    return answer(view, {"type": "ask", "ask": "1", "question": "find", **command})


def long_run(agents=20, turns=260):
    view = View()
    for agent in range(agents):
        for turn in range(turns):
            call = {"name": "search", "args": {"n": turn}, "id": f"c{agent}-{turn}"}
            said = {"type": "ai", "id": f"m{agent}-{turn}", "content": f"word {turn} of {agent}."}
            data = ({**said, "tool_calls": [call]}, {"langgraph_node": "model"})
            view.process_event({"type": "messages", "ns": (f"agent:{agent}",), "data": data})
    view.finalize()
    return view


@pytest.mark.parametrize("case", SHARED["cases"], ids=lambda case: case["says"])
def test_what_matches(case):
    view = holding(SHARED["records"])
    span = case.get("time_range")
    found = drawn(view._finder, case.get("query", ""), case.get("filters", {}), span)
    assert [record["id"] for record in found] == case["found"]


def test_python_finds_the_same_text_and_fields_as_they_are():
    view = holding(SHARED["records"])

    def ids(*args, **fields):
        return [record["id"] for record in view.transcript.find(*args, **fields)]

    assert ids("south") == ["u", "a1", "t1", "e"]
    assert ids(status="failed") == ["t1"], "an error is a record of its own, and completed"
    assert ids(type=("ai", "user")) == ["u", "a1", "empty", "picture"]
    assert ids() == [record["id"] for record in SHARED["records"]]


def test_a_page_is_told_of_every_match_by_namespace():
    view = shown(demo.research_team(delay=0), ASK)
    told = asked(view, "data")
    wanted = view.transcript.find("data")
    assert told["matches"] == len(wanted)
    assert told["entries"] == sum(
        r["type"] != "ai" or bool(r["content"] or r.get("reasoning")) for r in view.transcript
    )
    assert sorted(seq for _, _, seqs in told["found"] for seq in seqs) == [r["seq"] for r in wanted]
    for key, count, seqs in told["found"]:
        assert count == len(seqs)
        assert all("|".join(r["namespace"]) == key for r in wanted if r["seq"] in seqs)


def test_text_that_still_streams_is_found():
    view = fed(words("Half a sen", "m", "talk"), end=False)
    assert asked(view, "sentence")["matches"] == 0
    view.process_event(words("tence", "m", "talk"))
    assert asked(view, "sentence")["matches"] == 1


def test_a_text_that_changes_after_its_end_is_found_as_it_is_now():
    view = shown(demo.research_team(delay=0), ASK)
    call = view.transcript.find(type="tool_call")[0]
    assert asked(view, "quite new")["matches"] == 0
    with view._conversation.lock:
        view._conversation.set(call, content="Quite new.")
    assert asked(view, "quite new")["matches"] == 1


def test_ten_thousand_rows_answer_within_a_tenth_of_a_second_and_in_less_than_a_megabyte():
    view = long_run()
    assert len(view.transcript) == 10_400
    asked(view, "word")
    best = min(_seconds(lambda: asked(view, "word 25")) for _ in range(3))
    assert best < 0.1
    told = asked(view)
    assert told["matches"] == told["entries"] == 10_400
    assert len(json.dumps(told)) < 1_000_000


def _seconds(act):
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def test_of_too_many_matches_the_last_ones_are_listed_and_all_are_counted():
    kind = {"type": "user", "speaker": "You", "status": "completed", "content": "a"}
    rows = [{"id": str(i), "started_at": 1, **kind} for i in range(MAX_FOUND + 5)]
    told = asked(holding(rows), "A")
    [(key, count, seqs)] = told["found"]
    assert (key, count) == ("", MAX_FOUND + 5)
    assert seqs == list(range(6, MAX_FOUND + 6))


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": None},
        {"query": "x" * 100_000},
        {"filters": [1]},
        {"filters": {"type": ["a"] * 5000}},
        {"filters": {str(i): [] for i in range(500)}},
        {"time_range": [1]},
        {"time_range": ["a", "b"]},
        {"time_range": 7},
        {"time_range": [True, False]},
    ],
    ids=str,
)
def test_what_is_no_search_is_refused(wrong, caplog):
    fields = {"query": "", "filters": {}, "time_range": None, **wrong}
    told = answer(View(), {"type": "ask", "ask": "1", "question": "find", **fields})
    assert told == {"type": "answer", "ask": "1"}


def test_values_that_cannot_be_hashed_match_nothing():
    view = shown(demo.research_team(delay=0), ASK)
    assert asked(view, filters={"type": [{"a": 1}, ["b"], None]})["matches"] == 0
