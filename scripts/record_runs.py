"""Records the demo runs that tests fold and draw: tests/runs/*.jsonl, and what a page gets of them.

`record NAME...` runs graphs and writes new recordings (ids and times are new each time);
without arguments only the derived `*.wire.jsonl` are written again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from nestling import View, watch
from nestling.recording import Recorder, feed, read

RUNS = Path(__file__).parent.parent / "tests" / "runs"
#: Events between two patches of a derived wire file.
EVERY = 7


def runs() -> dict[str, tuple[Any, *tuple[Any, ...]]]:
    """Name -> (graph, input of each turn) of each recorded run."""
    sys.path.insert(0, str(RUNS.parent))
    import graphs  # type: ignore[import-not-found]  # of the tests
    import uncommon  # type: ignore[import-not-found]  # of the tests
    from langgraph.types import Command

    from nestling import demo

    refund = {"name": "issue_refund", "args": {"order": "A-1042", "amount": 19.9}}
    edited = {"type": "edit", "edited_action": refund}
    ask = {"messages": [("user", "Analyze this data and create visualizations")]}
    return {
        "research_team": (demo.research_team(delay=0), ask),
        "parallel_team": (demo.parallel_team(workers=3, delay=0.002), {"topic": "solar power"}),
        "failing_team": (demo.failing_team(delay=0.01), {"messages": [("user", "Brief me.")]}),
        "nested_team": (demo.nested_team(delay=0), {"messages": [("user", "Check the demand.")]}),
        "pipeline": (demo.pipeline(), {"question": "What changed?"}),
        "agents_in_parallel": (graphs.agents_in_parallel(), graphs.ASK),
        "model_in_a_tool": (uncommon.model_in_a_tool(), graphs.ASK),
        "support_desk": (
            demo.support_desk(delay=0),
            {"messages": [("user", "Refund order A-1042.")]},
            Command(resume={"decisions": [edited]}),
        ),
        "assistant": (
            demo.assistant(delay=0),
            {"messages": [("user", "What changed in Q3?")]},
            {"messages": [("user", "And only for the South region?")]},
        ),
    }


def record(name: str) -> None:
    graph, *questions = runs()[name]
    view = watch(graph, config={"configurable": {"thread_id": "1"}})
    recorder = Recorder(view)
    try:
        for question in questions:
            view.invoke(question)
    except Exception as error:  # noqa: BLE001  # a recorded run may fail
        print(f"{name}: {error!r}")
    recorder.write(RUNS / f"{name}.jsonl")


def wire(path: Path) -> list[dict[str, Any]]:
    """What a page that is there from the start gets: a snapshot, patches, and the text tree."""
    header, events = read(path)
    view = View(label=header["name"])
    outbox = view._outbox
    outbox.close()  # no writer: frames are cut by number of events
    outbox.epoch = "recorded"
    view._conversation.clock = lambda: float(events[0]["t"])
    view.namespaces[""]["started_at"] = float(events[0]["t"])
    outbox.forget()
    sent: list[dict[str, Any]] = [json.loads(json.dumps(outbox.snapshot()))]
    outbox.send = lambda message: sent.append(json.loads(json.dumps(message)))
    for number, event in enumerate(events, 1):
        feed(view, event)
        if number % EVERY == 0:
            outbox.flush()
    outbox.flush()
    return [*sent, {"type": "tree", "text": str(view)}]


def lines(messages: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(message, ensure_ascii=False) + "\n" for message in messages)


if __name__ == "__main__":
    RUNS.mkdir(exist_ok=True)
    for chosen in sys.argv[1:]:
        record(chosen)
    for recording in sorted(RUNS.glob("*.jsonl")):
        if not recording.name.endswith(".wire.jsonl"):
            recording.with_suffix(".wire.jsonl").write_text(lines(wire(recording)))
