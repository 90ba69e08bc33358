"""What the tests build runs of, and what must hold of every view."""

import asyncio
import json
import re
from contextlib import suppress
from pathlib import Path

from nestling import View, recording, watch
from nestling.records import OPEN

RUNS = Path(__file__).parents[1] / "runs"
ROOT = Path(__file__).parents[2]

# --- running a graph ------------------------------------------------------------------------


def invoked(view, value):
    return view.invoke(value)


def ainvoked(view, value):
    return asyncio.run(view.ainvoke(value))


def streamed(view, value):
    """Here callbacks tell of subgraphs: the stream may not be widened."""
    return list(view.stream(value, stream_mode="messages"))


def astreamed(view, value):
    async def collect():
        return [item async for item in view.astream(value, stream_mode=["custom", "values"])]

    return asyncio.run(collect())


def shown(graph, value, how=invoked, **options):
    """The view of a graph that ran; what it raised is in `view.error`."""
    view = watch(graph, **options)
    with suppress(ValueError, TimeoutError):
        how(view, value)
    return view


# --- comparing ------------------------------------------------------------------------------

_RANDOM = re.compile(
    r"(?:lc_run-+)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:-\d+)?"
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(?:\+00:00)?")
_ADDRESS = re.compile(r"0x[0-9a-f]+")


def plain(value):
    """What an item of a stream says, without ids, times and addresses that vary.

    LangGraph gives messages their ids on the live object, sooner or later: those go entirely.
    """
    text = _RANDOM.sub("ID", _TIME.sub("TIME", _ADDRESS.sub("AT", repr(value))))
    return text.replace("id='ID', ", "").replace(", id='ID'", "")


def steady(records):
    """Records without what depends on clocks and on the order of arrival."""
    return {
        record["id"]: {
            name: value
            for name, value in record.items()
            if name not in ("seq", "started_at", "ended_at")
        }
        for record in records
    }


# --- what must hold -------------------------------------------------------------------------


def check(view):
    """Invariants of a view, whatever was shown in it."""
    with view._conversation.lock:
        rows, boxes = list(view.transcript), dict(view.namespaces)
        assert [r["seq"] for r in rows] == sorted({r["seq"] for r in rows})
        assert len({r["id"] for r in rows}) == len(rows)
        live = {r["id"] for r in view.live_chat}
        assert live.isdisjoint(r["id"] for r in view.chat_history)
        for key, box in boxes.items():
            assert key == box["key"] == "|".join(box["namespace"])
            assert box["parent"] in boxes or key == ""
        check_links(rows, boxes)
        check_json([rows, boxes])
        if view.status != "running":
            check_closed(rows, boxes)
            assert view.live_chat == []


def check_links(rows, boxes):
    by_id = {r["id"]: r for r in rows}
    for row in rows:
        assert "|".join(row["namespace"]) in boxes
        assert row["speaker"] or row["type"] in ("tool_call", "custom")
        for key in row.get("spawned", ()):
            assert boxes[key]["spawned_by"] == row["id"]
        for artifact in row.get("artifacts", ()):
            assert by_id[artifact]["created_by"] == row["id"]
    for key, box in boxes.items():
        if box["spawned_by"] is not None:
            assert key in by_id[box["spawned_by"]]["spawned"]


def check_closed(rows, boxes):
    for item in (*rows, *boxes.values()):
        assert item["status"] not in OPEN, item
        if item["status"] not in ("pending", "idle"):
            assert item["ended_at"] >= item["started_at"]


def check_json(value):
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


# --- events by hand -------------------------------------------------------------------------


def part(kind, data, ns=(), **more):
    return {"type": kind, "ns": tuple(ns), "data": data, **more}


def start(task_id, name, value=None, ns=(), **more):
    return part("tasks", {"id": task_id, "name": name, "input": value, "triggers": [], **more}, ns)


def result(task_id, name, value=None, ns=(), error=None, interrupts=()):
    data = {"id": task_id, "name": name, "result": value or {}, "error": error}
    return part("tasks", {**data, "interrupts": list(interrupts)}, ns)


def words(text, message_id, node, ns=(), task_id="1", **fields):
    """A chunk of an AI message."""
    message = {"type": "AIMessageChunk", "content": text, "id": message_id, **fields}
    place = "|".join([*ns, f"{node}:{task_id}"])
    metadata = {"langgraph_node": node, "langgraph_checkpoint_ns": place}
    return part("messages", (message, metadata), ns)


def ai(text, message_id, **fields):
    return {"type": "ai", "content": text, "id": message_id, **fields}


def tool(text, call_id, message_id, **fields):
    return {"type": "tool", "content": text, "tool_call_id": call_id, "id": message_id, **fields}


def said(message, node="talk", ns=(), task_id="1"):
    place = "|".join([*ns, f"{node}:{task_id}"])
    metadata = {"langgraph_node": node, "langgraph_checkpoint_ns": place}
    return part("messages", (message, metadata), ns)


def wants(*call_ids, message_id="m", text="", **more):
    calls = [{"name": "look", "args": {"n": n}, "id": c} for n, c in enumerate(call_ids)]
    return said(ai(text, message_id, tool_calls=calls), **more)


def lines(view):
    return str(view).splitlines()[1:]


def fed(*events, end=True):
    """A view that was fed by hand."""
    view = View()
    for event in events:
        view.process_event(event)
    if end:
        view.finalize()
        check(view)
    return view


# --- recordings -----------------------------------------------------------------------------


def recorded():
    """The names of the recorded runs."""
    found = (path for path in RUNS.glob("*.jsonl") if not path.name.endswith(".wire.jsonl"))
    return sorted(path.stem for path in found)


def events_of(name):
    return recording.read(RUNS / f"{name}.jsonl")


def folded(header, events):
    view = View(label=header["name"])
    recording.fold(view, events)
    return view
