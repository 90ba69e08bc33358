"""What nodes and tools say by themselves: artifacts, and how far they have come."""

import asyncio
import contextvars
import threading
import time
from typing import Any

import pytest
from builders import check, folded
from graphs import ASK, model
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict

from nestling import View, emit_artifact, progress, recording, watch
from nestling.demo import Reply, call
from nestling.inside import _watchers

QUESTION: dict[str, Any] = {"topic": "bees"}


class State(TypedDict, total=False):
    topic: str
    report: str


def graph_of(*nodes, **options):
    builder = StateGraph(State)
    for node in nodes:
        name = getattr(node, "name", None) or getattr(node, "__name__", "node")
        builder.add_node(name, node)
        builder.add_edge(START, name)
    return builder.compile(**options)


def chart(state):
    progress(0.5, "drawing")
    emit_artifact({"first": state["topic"]}, title="Trends", id="trends")
    return {"report": "done"}


async def achart(state):
    await asyncio.sleep(0)
    return chart(state)


def agent_with(*tools, calls=None, **fields):
    calls = calls or [call(each.name, n=number) for number, each in enumerate(tools)]
    return create_agent(model(Reply("Now.", calls), "Done."), list(tools), name="solo", **fields)


@tool
def draw(n: int) -> str:
    """Draws."""
    progress(n / 10, "drawing")
    emit_artifact([n], title=f"Chart {n}")
    return f"drew {n}"


@tool
async def adraw(n: int) -> str:
    """Draws."""
    await asyncio.sleep(0)
    emit_artifact([n], title=f"Chart {n}")
    return f"drew {n}"


# --- every way to run -----------------------------------------------------------------------------


def by_invoke(graph, value):
    view = watch(graph)
    view.invoke(value)
    return view


def by_ainvoke(graph, value):
    view = watch(graph)
    asyncio.run(view.ainvoke(value))
    return view


def by_stream(graph, value):
    """Here callbacks tell of what is inside."""
    view = watch(graph)
    list(view.stream(value, stream_mode="messages"))
    return view


def by_start(graph, value):
    view = watch(graph)
    view.start(value, thread=True).result(20)
    return view


def by_start_on_a_loop(graph, value):
    async def main():
        view = watch(graph)
        await view.start(value)
        return view

    return asyncio.run(main())


def whole(graph, value):
    view = watch(graph, stream_tokens=False)
    view.invoke(value)
    return view


MODES = ["messages", "updates", "tasks", "tools", "custom", "values"]


def by_tee(graph, value):
    view = View()
    list(view.tee(graph.stream(value, stream_mode=MODES, subgraphs=True)))
    return view


def by_async_tee(graph, value):
    async def main():
        view = View()
        stream = graph.astream(value, stream_mode=MODES, subgraphs=True, version="v2")
        async for _ in view.tee(stream):
            pass
        return view

    return asyncio.run(main())


def by_callback(graph, value):
    view = View()
    graph.invoke(value, config={"callbacks": [view.callback]})
    return view


EVERY = [
    by_invoke, by_ainvoke, by_stream, by_start, by_start_on_a_loop, whole, by_tee, by_async_tee,
    by_callback,
]  # fmt: skip


@pytest.mark.parametrize("how", EVERY)
def test_a_node_shows_an_artifact(how):
    view = how(graph_of(chart), QUESTION)
    check(view)
    artifact = view.artifacts["Trends"]
    assert artifact.data == {"first": "bees"}
    assert artifact.kind == "JSON"
    record = artifact.record
    assert record["id"] == "trends"
    assert record["namespace"] == []
    assert record["created_by"] == ""
    assert record["mime"] == {"application/json": {"first": "bees"}}
    assert "progress" not in view.namespaces[""]
    assert str(view).endswith("1 artifact: Trends")


@pytest.mark.parametrize("how", EVERY)
def test_each_tool_shows_its_own(how):
    calls = [call("draw", n=3), call("draw", n=7)]
    view = how(agent_with(draw, calls=calls), ASK)
    check(view)
    called = view.transcript.find(type="tool_call")
    assert [record["status"] for record in called] == ["completed"] * 2
    for record in called:
        [artifact] = [a for a in view.artifacts if a.id in record["artifacts"]]
        assert artifact.title == f"Chart {record['args']['n']}"
        assert artifact.record["created_by"] == record["id"]
        assert artifact.record["namespace"] == record["namespace"]
        assert "progress" not in record
    assert [artifact.data for artifact in view.artifacts] == [[3], [7]]


@pytest.mark.parametrize("how", [by_ainvoke, by_start_on_a_loop, by_async_tee])
def test_async_nodes_and_tools(how):
    assert how(graph_of(achart), QUESTION).artifacts["Trends"].record["created_by"] == ""
    view = how(agent_with(adraw), ASK)
    [record] = view.transcript.find(type="tool_call")
    assert record["artifacts"] == [view.artifacts["Chart 0"].id]


@pytest.mark.parametrize("how", EVERY)
def test_inside_of_agents_in_parallel(how):
    @tool
    def ask_agent(n: int) -> str:
        """Asks another agent."""
        inner = agent_with(draw, calls=[call("draw", n=n)])
        return inner.invoke(ASK)["messages"][-1].content

    calls = [call("ask_agent", n=number) for number in (4, 5, 6)]
    view = how(agent_with(ask_agent, calls=calls), ASK)
    check(view)
    assert [artifact.title for artifact in view.artifacts] == ["Chart 4", "Chart 5", "Chart 6"]
    for artifact in view.artifacts:
        assert len(artifact.record["namespace"]) == 1
        maker = view._conversation.records[artifact.record["created_by"]]
        assert maker["args"]["n"] == artifact.data[0]
        assert maker["namespace"] == artifact.record["namespace"]


@pytest.mark.parametrize("how", EVERY)
def test_inside_of_nested_subgraphs(how):
    inner = graph_of(chart)
    middle = graph_of(inner)
    view = how(graph_of(middle), QUESTION)
    [artifact] = view.artifacts
    assert len(artifact.record["namespace"]) == 2
    assert artifact.record["created_by"] == "|".join(artifact.record["namespace"])


@pytest.mark.parametrize("how", [by_invoke, by_stream, by_tee, by_callback])
def test_functional_graphs(how):
    @task
    def step(number):
        emit_artifact([number], title=f"Step {number}")
        return number

    @entrypoint()
    def flow(value):
        emit_artifact([0], title="Flow")
        return [each.result() for each in [step(1), step(2)]]

    view = how(flow, QUESTION)
    check(view)
    assert sorted(artifact.title for artifact in view.artifacts) == ["Flow", "Step 1", "Step 2"]


def test_workers_that_are_sent_to():
    def fan(state):
        return [Send("chart", {"topic": topic}) for topic in ("a", "b", "c")]

    def chart(state):
        emit_artifact(state["topic"], title=state["topic"])

    builder = StateGraph(State).add_node(chart).add_conditional_edges(START, fan, ["chart"])
    view = by_invoke(builder.compile(), QUESTION)
    assert [artifact.title for artifact in view.artifacts] == ["a", "b", "c"]


def test_threads_with_a_copy_of_the_context():
    def node(state):
        def work(name):
            emit_artifact(name, title=name)

        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(work, name))
            for name in "ab"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    view = by_invoke(graph_of(node), QUESTION)
    assert sorted(artifact.title for artifact in view.artifacts) == ["a", "b"]


def test_a_view_inside_of_a_watched_run():
    inner = watch(graph_of(chart))

    def node(state):
        inner.invoke(QUESTION)
        emit_artifact("own", title="Own")

    outer = watch(graph_of(node))
    outer.invoke(QUESTION)
    assert [artifact.title for artifact in inner.artifacts] == ["Trends"]
    assert sorted(artifact.title for artifact in outer.artifacts) == ["Own", "Trends"]


def test_a_stream_that_had_begun_before_it_was_wrapped():
    stream = graph_of(chart).stream(QUESTION, stream_mode=["tasks", "values"])
    next(stream)
    view = View()
    list(view.tee(stream))
    assert [artifact.title for artifact in view.artifacts] == ["Trends"]


@pytest.mark.parametrize("mode", ["messages", "updates", "values", "custom"])
def test_a_stream_that_tells_of_no_tasks(mode):
    def last(state):
        time.sleep(0.01)

    builder = StateGraph(State).add_sequence([chart, last]).add_edge(START, "chart")
    view = View()
    list(view.tee(builder.compile().stream(QUESTION, stream_mode=mode)))
    check(view)
    assert [artifact.title for artifact in view.artifacts] == ["Trends"]


# --- nobody notices -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [["custom"], "custom", "values", ["messages", "custom", "tools"]])
def test_streams_and_results_stay_as_they_are(mode):
    graph = graph_of(chart)
    bare = list(graph.stream(QUESTION, stream_mode=mode))
    assert list(watch(graph).stream(QUESTION, stream_mode=mode)) == bare
    assert list(View().tee(graph.stream(QUESTION, stream_mode=mode))) == bare
    assert watch(graph).invoke(QUESTION) == graph.invoke(QUESTION)


def test_nothing_happens_when_nobody_watches():
    assert emit_artifact(object(), title="x", id="y") is None
    assert progress(0.5, "x") is None
    graph_of(chart).invoke(QUESTION)
    agent_with(draw).invoke(ASK)
    view = by_tee(graph_of(chart), QUESTION)
    before = len(view.transcript)
    graph_of(chart).invoke(QUESTION)
    assert len(view.transcript) == before
    assert _watchers() == []


def test_between_the_items_of_a_wrapped_stream_nobody_watches():
    graph, view = graph_of(chart), View()
    for _ in view.tee(graph.stream(QUESTION, stream_mode=MODES)):
        graph.invoke(QUESTION)
    assert len(view.artifacts) == 1

    async def main():
        view = View()
        async for _ in view.tee(graph.astream(QUESTION, stream_mode=MODES)):
            await graph.ainvoke(QUESTION)
        assert len(view.artifacts) == 1

    asyncio.run(main())


class Unruly:
    def _repr_html_(self):
        raise RuntimeError("no")

    def __repr__(self):
        raise RuntimeError("no")


def test_faults_do_not_reach_the_node(monkeypatch):
    def node(state):
        emit_artifact(Unruly(), title="Unruly")
        return {"report": "done"}

    view = watch(graph_of(node))
    assert view.invoke(QUESTION)["report"] == "done"
    assert view.artifacts["Unruly"].kind == "Unruly"
    monkeypatch.setattr(view, "_feed_inner", lambda *args: 1 / 0)
    assert view.invoke(QUESTION)["report"] == "done"


# --- versions -------------------------------------------------------------------------------------


def test_the_same_id_is_a_new_version_in_its_place():
    def node(state):
        emit_artifact("first", title="Draft", id="report")
        emit_artifact("between")
        emit_artifact({"second": 2}, id="report")

    view = by_invoke(graph_of(node), QUESTION)
    check(view)
    first, second = view.artifacts
    assert (first.title, first.data, first.kind) == ("Draft", {"second": 2}, "JSON")
    assert first.record["version"] == 2
    assert first.record["seq"] < second.record["seq"]
    assert (second.title, second.record["version"]) == ("node", 1)
    assert view.artifacts["Draft"].data == {"second": 2}


def test_a_title_may_change():
    def node(state):
        emit_artifact("a", id="report")
        emit_artifact("b", "Final", id="report")

    view = by_invoke(graph_of(node), QUESTION)
    assert "report" not in view.artifacts
    assert view.artifacts["Final"].data == "b"


def test_each_turn_and_each_namespace_has_its_own():
    def outer(state):
        emit_artifact("outer", "Outer", id="x")

    view = watch(graph_of(outer, graph_of(chart_x, name="inner")))
    view.invoke(QUESTION)
    assert sorted(artifact.title for artifact in view.artifacts) == ["Inner", "Outer"]
    view.invoke(QUESTION)
    check(view)
    assert len(view.artifacts) == 4
    assert [artifact.record["version"] for artifact in view.artifacts] == [1] * 4


def chart_x(state):
    emit_artifact("inner", "Inner", id="x")


def test_a_node_that_goes_on_after_an_interrupt_shows_it_again_in_its_place():
    def node(state):
        emit_artifact("draft", "Draft", id="draft")
        return {"report": interrupt("Good?")}

    view = watch(graph_of(node, checkpointer=InMemorySaver()))
    view.config = {"configurable": {"thread_id": "1"}}
    view.invoke(QUESTION)
    view.invoke(Command(resume="yes"))
    [artifact] = view.artifacts
    assert artifact.record["version"] == 2


def test_the_artifact_of_a_tool_message_stands_beside():
    @tool(response_format="content_and_artifact")
    def both(n: int) -> tuple[str, Any]:
        """Makes two."""
        emit_artifact([1], "Emitted")
        return "made", {"title": "Returned", "data": [2]}

    view = by_invoke(agent_with(both), ASK)
    check(view)
    [record] = view.transcript.find(type="tool_call")
    assert [artifact.title for artifact in view.artifacts] == ["Emitted", "Returned"]
    assert record["artifacts"] == [artifact.id for artifact in view.artifacts]


def test_a_recording_shows_them_as_well(tmp_path):
    view = watch(agent_with(draw, calls=[call("draw", n=1)]))
    recorder = recording.Recorder(view)
    view.invoke(ASK)
    recorder.write(tmp_path / "run.jsonl")
    again = folded(*recording.read(tmp_path / "run.jsonl"))
    assert str(again) == str(view)
    [artifact] = again.artifacts
    assert artifact.record["mime"] == view.artifacts[0].record["mime"]
    assert artifact.data is None


# --- progress -------------------------------------------------------------------------------------


def heard(view):
    """Every `progress` of the view, as it changes."""
    told = []

    def hear(change):
        shown = change["record"].get("progress")
        if change["op"] in ("set", "namespace") and (not told or told[-1][1] != shown):
            told.append((change["id"], shown))

    view.on_event(hear)
    return told


def test_a_call_says_how_far_it_has_come():
    @tool
    def work(n: int) -> str:
        """Works."""
        for part in (0, 1, 2):
            progress(part / 2, f"part {part}" if part else None)
        return "worked"

    view = watch(agent_with(work))
    told = heard(view)
    view.invoke(ASK)
    [record] = view.transcript.find(type="tool_call")
    mine = [shown for key, shown in told if key == record["id"] and shown]
    assert mine == [
        {"fraction": 0.0}, {"fraction": 0.5, "text": "part 1"}, {"fraction": 1.0, "text": "part 2"}
    ]  # fmt: skip
    assert "progress" not in record


@pytest.mark.parametrize("how", EVERY)
def test_it_is_there_while_the_call_or_node_runs(how, monkeypatch):
    seen, views = [], []
    monkeypatch.setattr(View, "_start_run", _kept(View._start_run, views))

    @tool
    def work(n: int) -> str:
        """Works."""
        progress(0.25)
        seen.append(_settled(lambda: views[-1].transcript.find(type="tool_call")[0]))
        return "worked"

    def node(state):
        progress(0.75, "soon")
        seen.append(_settled(lambda: views[-1].namespaces[""]))

    how(agent_with(work), ASK)
    how(graph_of(node), QUESTION)
    assert seen == [{"fraction": 0.25}, {"fraction": 0.75, "text": "soon"}]
    for view in views:
        assert not any("progress" in r for r in (*view.transcript, *view.namespaces.values()))


def _kept(start, views):
    def started(view, run):
        views.append(view)
        start(view, run)

    return started


def _settled(read):
    """The progress of a record once its START has been read."""
    for _ in range(200):
        try:
            found = read().get("progress")
        except IndexError:
            found = None
        if found:
            return dict(found)
        time.sleep(0.005)
    return None


def test_a_failing_tool_and_a_failing_node_leave_none():
    @tool
    def work(n: int) -> str:
        """Works."""
        progress(0.25)
        raise ValueError("no")

    def node(state):
        progress(0.5)
        raise ValueError("no")

    for graph, value in ((agent_with(work), ASK), (graph_of(graph_of(node)), QUESTION)):
        view = watch(graph)
        with pytest.raises(ValueError, match="no"):
            view.invoke(value)
        assert not any("progress" in r for r in (*view.transcript, *view.namespaces.values()))


def test_of_two_nodes_in_a_box_each_clears_its_own():
    first_done = threading.Event()

    def first(state):
        progress(0.1)
        return {"topic": "x"}

    def second(state):
        first_done.wait(5)
        progress(0.9)

    view = watch(graph_of(first, second))
    told = heard(view)
    view.on_event(lambda change: first_done.set() if told and told[-1][1] is None else None)
    view.invoke(QUESTION)
    assert [shown and shown["fraction"] for key, shown in told if key == ""][-2:] == [0.9, None]


def test_a_thread_that_goes_on_after_its_call_shows_nothing():
    later = threading.Event()
    threads = []

    @tool
    def work(n: int) -> str:
        """Leaves a thread."""

        def late():
            later.wait(5)
            progress(0.5)
            emit_artifact("late", "Late")

        threads.append(threading.Thread(target=contextvars.copy_context().run, args=(late,)))
        threads[-1].start()
        return "left"

    def wait(state):
        later.set()
        threads[-1].join()

    builder = StateGraph(dict).add_node("agent", lambda state: agent_with(work).invoke(ASK) and {})
    builder.add_node("wait", wait).add_edge(START, "agent").add_edge("agent", "wait")
    view = by_invoke(builder.add_edge("wait", END).compile(), {})
    check(view)
    assert not any("progress" in r for r in (*view.transcript, *view.namespaces.values()))
    assert view.artifacts["Late"].data == "late"


def test_many_are_merged():
    def node(state):
        for number in range(3000):
            progress(number / 3000)

    sent = []
    view = watch(graph_of(node))
    view._outbox.send = sent.append
    began = time.monotonic()
    view.invoke(QUESTION)
    assert len(sent) <= (time.monotonic() - began) / 0.033 + 3


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan"), float("inf")])
def test_a_fraction_is_from_0_to_1(value):
    with pytest.raises(ValueError, match="from 0 to 1"):
        progress(value)


@pytest.mark.parametrize("value", [None, "0.5", True, [1]])
def test_a_fraction_is_a_number(value):
    with pytest.raises(TypeError, match="done / total"):
        progress(value)


def test_other_arguments_are_checked_as_well():
    progress(sum([0.1] * 10) + 1e-12)
    with pytest.raises(TypeError, match="text is a str"):
        progress(0.5, 3)
    with pytest.raises(TypeError, match="title is a str"):
        emit_artifact(1, title=2)
    with pytest.raises(TypeError, match="id is a str"):
        emit_artifact(1, id=2)


def test_tool_messages_still_bring_theirs():
    @tool(response_format="content_and_artifact")
    def make(n: int) -> tuple[str, Any]:
        """Makes one."""
        return "made", [n]

    view = by_invoke(agent_with(make), ASK)
    assert [(artifact.title, artifact.data) for artifact in view.artifacts] == [("make", [0])]
    assert isinstance(view.value["messages"][-2], ToolMessage)
