"""Recorded runs fold into the same tree: whole, in pieces, and with racing boxes shuffled."""

import asyncio
import json
import random
import subprocess
import sys

import pytest
from builders import ROOT, RUNS, check, events_of, folded, recorded, result, start
from graphs import ASK, golden
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nestling import View, demo, recording, watch

NAMES = recorded()


def told(view):
    """Tree and records, without what depends on the clock and the order of arrival."""
    dropped = {"seq", "order", "started_at", "ended_at"}
    rows = []
    for row in view.transcript:
        kept = {name: value for name, value in row.items() if name not in dropped}
        if row["id"].startswith(f"{row['type']}:"):  # made up, counted by arrival
            del kept["id"]
        kept.pop("artifacts", None)
        rows.append(json.dumps(kept, sort_keys=True))
    boxes = [
        json.dumps({k: v for k, v in box.items() if k not in dropped}, sort_keys=True)
        for box in view.namespaces.values()
    ]
    return str(view), sorted(rows), sorted(boxes)


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_folds_into_a_finished_run(name):
    header, events = events_of(name)
    view = folded(header, events)
    assert view.status == ("failed" if name == "failing_team" else "completed")
    assert view._conversation.problems == 0
    assert "custom" not in {r["type"] for r in view.transcript}
    check(view)


def test_the_recorded_research_team_is_the_golden_tree():
    header, events = events_of("research_team")
    text = (
        golden("research_team")
        .read_text()
        .replace("You: Go.", "You: Analyze this data and create visualizations")
    )
    assert f"{folded(header, events)}\n" == text


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_reads_the_same_however_often_it_is_looked_at(name):
    header, events = events_of(name)
    whole = told(folded(header, events))
    view = View(label=header["name"])
    for event in events:
        recording.feed(view, event)
        _ = view.live_chat, view.chat_history, str(view)
        view._outbox.flush()
    assert told(view) == whole


# --- racing boxes, shuffled -----------------------------------------------------------------


def shuffled(events, rng):
    """`events` in another order that LangGraph could have told them in.

    Events of one namespace keep their order; they stand between the START of the task that owns
    it and whatever its parent tells of the end of that task.
    """
    begin, *middle, end = events
    queues = {}
    for event in middle:
        queues.setdefault(tuple(event["ns"]), []).append(event)
    owners = {ns: owner(ns) for ns in queues if ns}
    blocks = {ns: ending(queues, ns, owners[ns]) for ns in owners}
    started, done, told = {""}, dict.fromkeys(queues, 0), [begin]
    while True:
        ready = []
        for ns, queue in queues.items():
            at = done[ns]
            if at == len(queue) or owners.get(ns, "") not in started:
                continue
            waits = (c for c, (parent, index) in blocks.items() if parent == ns and index <= at)
            if all(done[child] == len(queues[child]) for child in waits):
                ready.append(ns)
        if not ready:
            break
        ns = rng.choice(ready)
        for _ in range(rng.choice([1, 1, 2, 5])):  # runs of events, too
            if done[ns] == len(queues[ns]) or blocked(ns, done, queues, blocks):
                break
            event = queues[ns][done[ns]]
            done[ns] += 1
            told.append(event)
            if event["type"] == "tasks" and "result" not in event["data"]:
                started.add(event["data"]["id"])
    assert len(told) == len(events) - 1
    return [*told, end]


def blocked(ns, done, queues, blocks):
    return any(
        parent == ns and index <= done[ns] and done[child] < len(queues[child])
        for child, (parent, index) in blocks.items()
    )


def owner(ns):
    segments = [segment for segment in ns if not segment.isdigit()]
    return segments[-1].partition(":")[2]


def ending(queues, ns, task_id):
    """`(parent, index)` of the first event of the parent that tells of the end of `task_id`."""
    parent = next(p for p in queues for e in queues[p] if is_start(e, task_id))
    calls, node, found = set(), None, None
    for event in queues[ns]:
        if event["type"] == "link":
            calls.add(event["data"]["tool_call_id"])
    for index, event in enumerate(queues[parent]):
        data, kind = event["data"], event["type"]
        if is_start(event, task_id):
            node = data["name"]
        elif kind == "tools" and data["event"] != "tool-started":
            if data["tool_call_id"] in calls:
                return parent, index
        elif kind == "messages" and data[0].get("tool_call_id"):
            if data[0]["tool_call_id"] in calls:
                return parent, index
        elif kind == "messages" and not data[0]["type"].endswith("Chunk"):
            if data[1].get("langgraph_checkpoint_ns", "").endswith(f":{task_id}"):
                return parent, index  # what the task says as a whole, it may have from inside
        elif kind == "updates" and node in data:
            found = index  # the one right before the RESULT is its own
        elif kind == "tasks" and data["id"] == task_id:
            return parent, found if found is not None else index
    return parent, len(queues[parent])


def is_start(event, task_id):
    data = event["data"]
    return event["type"] == "tasks" and data["id"] == task_id and "result" not in data


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", NAMES)
def test_racing_boxes_fold_into_the_same_run_however_they_interleave(name, seed):
    header, events = events_of(name)
    other = shuffled(events, random.Random(seed))  # noqa: S311
    view = folded(header, other)
    assert told(view) == told(folded(header, events))
    check(view)


RACES = [name for name in NAMES if name in ("parallel_team", "agents_in_parallel")]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rng=st.randoms(use_true_random=False), name=st.sampled_from(RACES))
def test_any_interleaving_folds_into_the_same_run(rng, name):
    header, events = events_of(name)
    assert told(folded(header, shuffled(events, rng))) == told(folded(header, events))


# --- files ----------------------------------------------------------------------------------


def test_recording_a_run_and_folding_it_gives_the_run_again(tmp_path):
    view = watch(demo.nested_team(delay=0))
    recorder = recording.Recorder(view)
    view.invoke(ASK)
    recorder.write(tmp_path / "run.jsonl")
    again = folded(*recording.read(tmp_path / "run.jsonl"))
    assert told(again) == told(view)


def test_a_second_turn_is_in_the_recording_too(tmp_path):
    view = watch(demo.assistant(delay=0), config={"configurable": {"thread_id": "1"}})
    recorder = recording.Recorder(view)
    view.invoke({"messages": [("user", "What changed in Q3?")]})
    view.invoke({"messages": [("user", "And only for the South region?")]})
    recorder.write(tmp_path / "run.jsonl")
    again = folded(*recording.read(tmp_path / "run.jsonl"))
    assert told(again) == told(view)
    assert again._conversation.turn == 2


def test_the_answer_to_an_interrupt_is_in_the_recording_too():
    from test_pending import nested

    view = watch(nested())
    recorder = recording.Recorder(view)
    view.invoke(ASK)
    view.resume("Yes.")
    assert told(read_again(view, recorder)) == told(view)


def test_a_cancelled_task_is_cancelled_in_the_recording_too():
    view = View()
    recorder = recording.Recorder(view)
    view.process_event(start("1", "wait"))
    view.process_event(result("1", "wait", error=asyncio.CancelledError()))
    view.finalize()
    assert [row["status"] for row in view.transcript] == ["cancelled"]
    assert told(read_again(view, recorder)) == told(view)


def test_a_message_written_as_a_pair_is_one_in_the_recording_too():
    view = View()
    recorder = recording.Recorder(view)
    view.process_event(start("1", "say"))
    view.process_event(result("1", "say", {"messages": [("ai", "Hello.")]}))
    view.finalize()
    assert [row["content"] for row in view.transcript] == ["Hello."]
    assert told(read_again(view, recorder)) == told(view)


def read_again(view, recorder):
    lines = json.loads(json.dumps(recorder.lines))
    return folded({"name": view.namespaces[""]["label"]}, lines)


def test_a_recording_holds_no_config_and_no_secrets(tmp_path):
    view = watch(demo.assistant(delay=0))
    recorder = recording.Recorder(view)
    config = {"configurable": {"thread_id": "1", "api_key": "hush"}, "metadata": {"who": "hush"}}
    view.invoke(ASK, config)
    recorder.write(tmp_path / "run.jsonl")
    assert "hush" not in (tmp_path / "run.jsonl").read_text()


def test_folding_needs_neither_langgraph_nor_langchain():
    code = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("langgraph", "langchain", "langchain_core"):
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocker())
from pathlib import Path
from nestling import View, recording
header, events = recording.read(Path(sys.argv[1]))
view = View(label=header["name"])
recording.fold(view, events)
print(view)
"""
    path = RUNS / "nested_team.jsonl"
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"{folded(*events_of('nested_team'))}\n"
    assert ran.stderr == ""


def test_importing_nestling_imports_neither_langgraph_nor_langchain():
    code = "import nestling, sys; print([m for m in sys.modules if m.startswith('lang')])"
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_what_is_no_recording_is_refused_by_name(tmp_path):
    path = tmp_path / "other.jsonl"
    path.write_text('{"cells": []}\n')
    with pytest.raises(ValueError, match=r"other\.jsonl is not a recording"):
        recording.read(path)


@pytest.mark.parametrize("name", NAMES)
def test_the_derived_wire_files_are_fresh(name):
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import record_runs
    finally:
        sys.path.pop(0)
    path = RUNS / f"{name}.jsonl"
    written = path.with_suffix(".wire.jsonl").read_text()
    assert record_runs.lines(record_runs.wire(path)) == written, "run scripts/record_runs.py"


def test_the_recorded_runs_stay_small():
    assert sum(path.stat().st_size for path in RUNS.iterdir()) < 1_500_000
