"""Random nested graphs, run in every way, with failures, retries, interrupts and cancellations."""

import asyncio
import json
import re
import threading
from random import Random

from builders import check, folded, plain
from graphs import ASK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.types import Command
from plans import build, homes, plans
from test_recorded import shuffled

from nestling import View, recording, watch
from nestling.langgraph.ends import CANCELS

#: Drawing and building a graph takes more time than Hypothesis likes, on a machine that is busy;
#: the same graphs every time, so that a failure of one run is one of the next.
random = settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50
)
CONFIG = {"configurable": {"thread_id": "1"}}

# --- ways to run ------------------------------------------------------------------------------


def invoke(target, value, **options):
    return target.invoke(value, CONFIG)


def ainvoke(target, value, **options):
    return asyncio.run(target.ainvoke(value, CONFIG))


def stream(target, value, **options):
    return list(target.stream(value, CONFIG, **options))


def astream(target, value, **options):
    async def collect():
        return [item async for item in target.astream(value, CONFIG, **options)]

    return asyncio.run(collect())


def in_a_thread(target, value, **options):
    if not isinstance(target, View):
        return ainvoke(target, value)
    return target.start(value, CONFIG).result(30)


def on_a_loop(target, value, **options):
    async def run():
        return await target.start(value, CONFIG)

    return asyncio.run(run()) if isinstance(target, View) else ainvoke(target, value)


WAYS = st.sampled_from([invoke, ainvoke, stream, astream, in_a_thread, on_a_loop])
OPTIONS = st.fixed_dictionaries(
    {
        "stream_mode": st.sampled_from(
            ["values", "updates", "messages", ["updates", "messages"], ["tasks", "custom"]]
        ),
        "subgraphs": st.booleans(),
    }
)


def run(target, way, value, **options):
    """What comes of one run: what it returned or yielded, or what it raised."""
    try:
        given = way(target, value, **options)
    except (ValueError, *CANCELS) as error:
        return type(error), str(error)
    return sorted(map(steady, given)) if isinstance(given, list) else steady(given)


def steady(value):
    """What is said, without ids, and without the order of interrupts that race."""
    for part in value if isinstance(value, tuple) else (value,):
        if isinstance(part, dict) and "__interrupt__" in part:
            asked = sorted(part["__interrupt__"], key=lambda interrupt: str(interrupt.value))
            part["__interrupt__"] = asked
    return re.sub(r"\b[0-9a-f]{32}\b", "ID", plain(value))


def run_to_the_end(target, graph, way, **options):
    """What comes of a run and of those that answer what it asks."""
    told = [run(target, way, ASK, **options)]
    while True:
        asked = graph.get_state(CONFIG).interrupts
        failed = isinstance(told[-1], tuple)
        if isinstance(target, View):
            check(target)
            assert (target.status == "interrupted") == bool(asked and not failed)
            assert failed or {p.id for p in target.pending} == {i.id for i in asked}
        if failed or not asked:
            return told
        answers = Command(resume={interrupt.id: "yes" for interrupt in asked})
        told.append(run(target, way, answers, **options))


# --- what holds -------------------------------------------------------------------------------


def check_words(view, plan):
    """Each record stands in the box of the unit whose words it holds."""
    around, speaks = homes(plan)
    labels = {box["key"]: re.sub(r" \d+$", "", box["label"]) for box in view.namespaces.values()}
    labels[""] = ""
    for box in view.namespaces.values():
        if box["key"]:
            assert labels[box["parent"]] == around[labels[box["key"]]]
    for record in view.transcript:
        home = labels["|".join(record["namespace"])]
        if record["type"] in ("ai", "error", "interrupt"):
            for name in re.findall(r"u\d+", record["content"]):
                assert home == speaks[name], record
        elif record["type"] == "tool_call" and record["name"] in around:
            assert home == around[record["name"]], record
            assert {labels[key] for key in record.get("spawned", ())} <= {record["name"]}
        elif record["type"] == "tool_call" and record["name"].endswith("_tool"):
            assert home == speaks[record["name"].removesuffix("_tool")], record


def check_recording(view, recorder):
    """A recording folds into the very same records."""
    lines = [json.loads(json.dumps(line)) for line in recorder.lines]
    again = folded({"name": "any"}, lines)
    assert str(again) == str(view)
    assert told(again) == told(view)
    again.close()


def told(view):
    dropped = {"started_at", "ended_at", "traceback"}
    rows = view.chat_history + view.live_chat
    return [
        {name: value for name, value in item.items() if name not in dropped}
        for item in (*rows, *view.namespaces.values())
    ]


def check_all(view, plan, recorder):
    check(view)
    assert view._conversation.problems == 0
    check_words(view, plan)
    check_recording(view, recorder)
    view.close()
    for thread in threading.enumerate():
        if thread.name.startswith("nestling"):
            thread.join(5)
            assert not thread.is_alive()


def watched(plan):
    graph = build(plan)
    view = watch(graph, name="any")
    return graph, view, recording.Recorder(view)


# --- properties -------------------------------------------------------------------------------


@random
@given(plan=plans() | plans(error=ValueError), way=WAYS, options=OPTIONS)
def test_a_watched_graph_does_what_the_bare_one_does(plan, way, options):
    graph, view, recorder = watched(plan)
    given = run_to_the_end(view, graph, way, **options)
    bare = build(plan)
    assert given == run_to_the_end(bare, bare, way, **options)
    assert view.status == ("failed" if isinstance(given[-1], tuple) else "completed")
    check_all(view, plan, recorder)


@random
@given(plan=plans(), options=OPTIONS)
def test_every_way_to_run_shows_the_same_tree(plan, options):
    trees = set()
    for way in (invoke, ainvoke, stream, in_a_thread):
        graph, view, recorder = watched(plan)
        run_to_the_end(view, graph, way, **options)
        trees.add(str(view))
        check_all(view, plan, recorder)
    assert len(trees) == 1, "\n".join(trees)


@random
@given(plan=plans() | plans(error=ValueError), way=st.sampled_from([invoke, ainvoke, stream]))
def test_a_callback_tells_it_in_the_same_boxes(plan, way):
    view, graph = View(label="any"), build(plan)
    recorder = recording.Recorder(view)
    heard = graph.with_config(callbacks=[view.callback])
    told = run_to_the_end(heard, graph, way)
    assert view.status == ("failed" if isinstance(told[-1], tuple) else "completed")
    check_all(view, plan, recorder)


@random
@given(plan=plans(asks=False), way=WAYS, seed=st.integers(0, 2**32))
def test_what_raced_may_be_told_in_any_order(plan, way, seed):
    _, view, recorder = watched(plan)
    way(view, ASK)
    lines = [json.loads(json.dumps(line)) for line in recorder.lines]
    shuffled_view = folded({"name": "any"}, shuffled(lines, Random(seed)))  # noqa: S311
    assert str(shuffled_view) == str(view)
    check(shuffled_view)
    check_words(shuffled_view, plan)
    for opened in (view, shuffled_view):
        opened.close()


# --- cancelled --------------------------------------------------------------------------------


def stopped(view, value, after, way, options):
    """A run that is stopped after some changes."""
    changes = []

    def heard(change):
        changes.append(change)
        if len(changes) == after:
            view.stop()

    view.on_event(heard)
    try:
        return run(view, way, value, **options)
    finally:
        view.on_event(heard, remove=True)


def cancelled(view, value, after, way, options):
    """A caller whose task is cancelled after some changes."""

    async def call_it():
        task = asyncio.ensure_future(
            view.ainvoke(value, CONFIG) if way is ainvoke else _collected(view, value, options)
        )
        loop, changes = asyncio.get_running_loop(), []

        def heard(change):
            changes.append(change)
            if len(changes) == after:
                loop.call_soon_threadsafe(task.cancel)

        view.on_event(heard)
        try:
            return await task
        finally:
            view.on_event(heard, remove=True)

    return run(view, lambda *_: asyncio.run(call_it()), value)


async def _collected(view, value, options):
    return [item async for item in view.astream(value, CONFIG, **options)]


def closed(view, value, after, way, options):
    """A stream that its caller closes after some items."""

    async def take():
        items, left = view.astream(value, CONFIG, **options), after
        async for _ in items:
            left -= 1
            if not left:
                await items.aclose()

    def close(*_):
        if way in (ainvoke, astream):
            asyncio.run(take())
        else:
            items = view.stream(value, CONFIG, **options)
            for number, _ in enumerate(items, 1):
                if number == after:
                    items.close()

    return run(view, close, value)


@random
@given(
    plan=plans(),
    way=WAYS,
    options=OPTIONS,
    end=st.sampled_from([stopped, cancelled, closed]),
    after=st.integers(1, 60),
    late=st.booleans(),
)
def test_wherever_a_run_is_cut_off_nothing_is_left_open(plan, way, options, end, after, late):
    _, view, recorder = watched(plan)
    value = ASK
    if late:  # the second turn is, or the one that goes on with an answer
        view.invoke(ASK, CONFIG)
        asked = {pending.id: "yes" for pending in view.pending}
        value = Command(resume=asked) if asked else ASK
    given = end(view, value, after, way, options)
    if isinstance(given, tuple):
        assert issubclass(given[0], CANCELS)
        assert view.status == "cancelled"
    else:
        assert view.status in ("completed", "interrupted", "cancelled")
    assert view.error is None
    check(view)
    check_words(view, plan)
    again(view, plan)
    check_all(view, plan, recorder)


@random
@given(plan=plans(error=KeyboardInterrupt, asks=False), way=WAYS, options=OPTIONS)
def test_an_interrupt_by_hand_leaves_nothing_open(plan, way, options):
    _, view, recorder = watched(plan)
    kind, _ = run(view, way, ASK, **options)
    assert issubclass(kind, CANCELS)
    assert (view.status, view.error) == ("cancelled", None)
    check_all(view, plan, recorder)


def again(view, plan):
    """Another thread of the same graph is run as if nothing had been."""
    before = told(view)
    rows = [item for item in before if "key" not in item]
    bare = build(plan)
    other = {"configurable": {"thread_id": "2"}}
    given = view.invoke(ASK, other)
    assert steady(given) == steady(bare.invoke(ASK, other))
    assert view.status in ("completed", "interrupted")
    assert [item for item in told(view) if "key" not in item][: len(rows)] == rows
