"""Functions of the user that draw records and objects."""

import asyncio
import logging
import threading
import time
from dataclasses import dataclass

import ipywidgets
import pytest
from builders import ai, check, events_of, fed, folded, part, result, said, start, tool, wants
from graphs import ASK, model
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool as make_tool
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph

import nestling
from nestling import View, demo, emit_artifact, renderer, watch
from nestling.artifacts import MAX_BYTES
from nestling.demo import Reply, call

RESULT = part("updates", {"tools": {"messages": [tool("found it", "c1", "t1")]}})


@pytest.fixture(autouse=True)
def _clean():
    yield
    renderer.clear()


def looked(**options):
    """A view with one finished call of `look`."""
    return fed(wants("c1", **options), RESULT)


def of_type(view, kind):
    return view.transcript.find(type=kind)


def test_a_call_is_drawn_by_its_name():
    @renderer(type="tool_call", name="look")
    def look(record):
        return {"text/html": f"<b>{record['args']['n']} {record['content']}</b>"}

    view = looked()
    check(view)
    [record] = of_type(view, "tool_call")
    assert record["mime"] == {"text/html": "<b>0 found it</b>"}
    assert look({"args": {"n": 1}, "content": ""}) == {"text/html": "<b>1 </b>"}
    assert "mime" not in of_type(view, "ai")[0]


@pytest.mark.parametrize(
    "make",
    [lambda: watch(demo.research_team(delay=0)).invoke, lambda: ainvoked],
    ids=["invoke", "ainvoke"],
)
def test_it_is_drawn_when_the_run_is_told_to_have_ended(make):
    @renderer(type="tool_call")
    def each(record):
        time.sleep(0.01)
        return record["name"]

    run = make()
    view = run(ASK) if run is ainvoked else run.__self__
    if run is not ainvoked:
        run(ASK)
    calls = of_type(view, "tool_call")
    assert calls
    assert all(record["mime"] == {"text/markdown": record["name"]} for record in calls)


def ainvoked(value):
    view = watch(demo.research_team(delay=0))
    asyncio.run(view.ainvoke(value))
    return view


def test_it_is_drawn_while_the_run_goes_on():
    renderer(type="tool_call")(lambda record: "drawn")
    heard = threading.Event()
    view = View()
    view.on_event(lambda change: heard.set() if change["record"].get("mime") else None)
    view.process_event(wants("c1"))
    assert not heard.wait(0.05)
    view.process_event(RESULT)
    assert heard.wait(5)
    assert view.status == "running"
    assert of_type(view, "tool_call")[0]["mime"] == {"text/markdown": "drawn"}


def test_the_most_specific_is_taken():
    renderer(type="tool_call")(lambda record: "type")
    assert of_type(looked(), "tool_call")[0]["mime"]["text/markdown"] == "type"
    renderer(name="look")(lambda record: "name")
    assert of_type(looked(), "tool_call")[0]["mime"]["text/markdown"] == "name"
    renderer(type="tool_call", name="look")(lambda record: "both")
    assert of_type(looked(), "tool_call")[0]["mime"]["text/markdown"] == "both"
    renderer(type="tool_call", name="look")(lambda record: "again")
    assert of_type(looked(), "tool_call")[0]["mime"]["text/markdown"] == "again"


def test_names_are_those_of_speakers_as_well():
    @renderer(type="ai", name="talk")
    def talk(record):
        return record["content"].upper()

    view = fed(said(ai("hello", "a")), said(ai("hello", "b"), "other"))
    assert [record.get("mime") for record in view.transcript] == [{"text/markdown": "HELLO"}, None]


def test_it_can_be_taken_away():
    @renderer(type="tool_call")
    def drawn(record):
        return "drawn"

    assert repr(renderer).startswith("nestling.renderer\n  type='tool_call', name=None: ")
    renderer.remove(drawn)
    renderer.remove(drawn)
    assert "mime" not in of_type(looked(), "tool_call")[0]
    assert repr(renderer) == "nestling.renderer"


def test_once_for_each_record():
    given = []
    renderer(type="tool_call")(given.append)
    renderer(type="ai")(given.append)
    view = shown(demo.research_team(delay=0))
    finished = [r["id"] for r in view.transcript if r["type"] in ("tool_call", "ai")]
    assert sorted(record["id"] for record in given) == sorted(finished)


def shown(graph):
    view = watch(graph)
    view.invoke(ASK)
    return view


def test_a_call_that_is_tried_again_is_drawn_again():
    renderer(type="tool_call")(lambda record: f"{record['status']} {record.get('attempt')}")
    events = {"tool_call_id": "c1", "tool_name": "look"}
    view = fed(
        wants("c1"),
        part("tools", {**events, "event": "tool-started"}),
        part("tools", {**events, "event": "tool-error", "message": "no"}),
        end=False,
    )
    view._renderings.drain()
    [record] = of_type(view, "tool_call")
    assert record["mime"] == {"text/markdown": "failed None"}
    view.process_event(part("tools", {**events, "event": "tool-started"}))
    view.process_event(part("tools", {**events, "event": "tool-finished", "output": "yes"}))
    view.finalize()
    assert record["mime"] == {"text/markdown": "completed 2"}


def test_an_interrupt_is_drawn_when_it_is_asked():
    renderer(type="interrupt")(lambda record: f"**{record['value']}**")
    view = fed(start("1", "ask"), result("1", "ask", interrupts=[{"id": "i", "value": "Sure?"}]))
    assert view.status == "interrupted"
    assert of_type(view, "interrupt")[0]["mime"] == {"text/markdown": "**Sure?**"}


def test_records_of_a_recording_are_drawn():
    renderer(type="tool_call")(lambda record: record["name"])
    calls = of_type(folded(*events_of("research_team")), "tool_call")
    assert calls
    assert all(record["mime"]["text/markdown"] == record["name"] for record in calls)


# --- what it returns ------------------------------------------------------------------------------


def test_a_widget():
    made = []

    @renderer(type="tool_call")
    def slider(record):
        made.append(ipywidgets.IntSlider(3))
        return made[-1]

    mime = of_type(looked(), "tool_call")[0]["mime"]
    assert mime["application/vnd.jupyter.widget-view+json"]["model_id"] == made[0].model_id
    assert "IntSlider" in mime["text/plain"]


def test_none_is_the_default_row():
    renderer(type="tool_call")(lambda record: None)
    assert "mime" not in of_type(looked(), "tool_call")[0]


def test_other_objects_as_ipython_displays_them():
    class Table:
        def _repr_html_(self):
            return "<table></table>"

    renderer(type="tool_call")(lambda record: Table())
    assert of_type(looked(), "tool_call")[0]["mime"]["text/html"] == "<table></table>"


def test_what_is_too_large_says_so():
    renderer(type="tool_call")(lambda record: {"text/html": "x" * (MAX_BYTES + 1)})
    mime = of_type(looked(), "tool_call")[0]["mime"]
    assert mime == {"text/plain": "Too large to embed (0.7 MB)."}


def test_hostile_results_are_encoded():
    mixed = {"application/json": {"a": float("nan"), "b": object()}, "text/plain": "\ud800"}
    renderer(type="tool_call")(lambda record: mixed)
    view = looked()
    check(view)
    assert set(of_type(view, "tool_call")[0]["mime"]) == set(mixed)


def test_changing_what_it_was_given_changes_nothing():
    @renderer(type="tool_call")
    def change(record):
        record["args"]["n"] = record["content"] = "changed"

    [record] = of_type(looked(), "tool_call")
    assert (record["args"], record["content"]) == ({"n": 0}, "found it")


# --- faults ---------------------------------------------------------------------------------------


class Leaves(BaseException):
    pass


class Interrupts:
    def __call__(self, record):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    "fault",
    [
        lambda record: record["nothing"],
        lambda record: {"html": "no MIME type"},
        lambda record: (_ for _ in ()).throw(SystemExit),
        lambda record: (_ for _ in ()).throw(Leaves),
        Interrupts(),
    ],
)
def test_one_that_raises_leaves_the_default_row_and_logs_once(fault, caplog):
    renderer(type="tool_call")(fault)
    with caplog.at_level(logging.WARNING, "nestling"):
        view = shown(demo.research_team(delay=0))
        looked()
    assert view.status == "completed"
    assert view._conversation.problems == 0
    assert not any("mime" in record for record in of_type(view, "tool_call"))
    name = getattr(fault, "__qualname__", "Interrupts")
    assert [record.message for record in caplog.records if "renderer" in record.message] == [
        f"The renderer {name} raised; the default row is shown instead. "
        "Further failures of it are not logged."
    ]


def test_a_slow_one_does_not_hold_the_run(monkeypatch):
    monkeypatch.setattr("nestling.renderings.PATIENCE", 0.1)
    go_on = threading.Event()
    renderer(type="tool_call")(lambda record: go_on.wait(10) and "drawn")
    began = time.monotonic()
    view = looked()
    assert time.monotonic() - began < 2
    assert "mime" not in of_type(view, "tool_call")[0]
    monkeypatch.undo()
    go_on.set()
    view._renderings.drain()
    assert of_type(view, "tool_call")[0]["mime"] == {"text/markdown": "drawn"}


def test_without_renderers_there_is_no_thread():
    assert looked()._renderings._thread is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "say what it draws"),
        ({"type": "tool"}, "one of user, ai, tool_call"),
        ({"type": lambda record: None}, "it takes arguments"),
        ({"type": "ai", "name": 3}, "name is a str"),
        ({"type": AIMessage, "name": "x"}, "leave `name` out"),
    ],
)
def test_wrong_arguments(arguments, says):
    with pytest.raises(TypeError, match=says):
        renderer(**arguments)


def test_only_functions():
    async def drawn(record):
        return ""

    for wrong, says in ((3, "is not a function"), (drawn, "not `async def`")):
        with pytest.raises(TypeError, match=says):
            renderer(type="ai")(wrong)


# --- objects --------------------------------------------------------------------------------------


@dataclass
class Invoice:
    to: str
    total: float


class Reminder(Invoice):
    pass


def invoice(obj):
    return {"text/markdown": f"**{obj.total} €** to {obj.to}", "text/plain": str(obj)}


def writes(value):
    def node(state):
        get_stream_writer()(value)
        return {}

    return StateGraph(MessagesState).add_node(node).add_edge(START, "node").compile()


@pytest.mark.parametrize("made", [Invoice("Ada", 3.5), Reminder("Ada", 3.5)])
def test_custom_stream_events(made):
    renderer(type=Invoice)(invoice)
    view = shown(writes(made))
    check(view)
    [record] = of_type(view, "custom")
    assert record["mime"] == {"text/markdown": "**3.5 €** to Ada", "text/plain": str(made)}
    assert view._renderings._objects.keys() == {record["id"]}
    assert fed(part("custom", made)).transcript[0]["mime"] == record["mime"]


def test_the_nearest_class_is_taken_and_others_are_left():
    renderer(type=Invoice)(lambda obj: "invoice")
    renderer(type=Reminder)(lambda obj: "reminder")
    view = fed(part("custom", Reminder("a", 1)), part("custom", Invoice("a", 1)), part("custom", 1))
    drawn = [record.get("mime", {}).get("text/markdown") for record in view.transcript]
    assert drawn == ["reminder", "invoice", None]


class Bill(AIMessage):
    total: float


class Order(HumanMessage):
    total: float


@pytest.mark.parametrize("stream_tokens", [True, False])
def test_messages_of_a_class_of_your_own(stream_tokens):
    renderer(type=Bill)(lambda message: f"**{message.total}**")
    renderer(type=Order)(lambda message: f"_{message.total}_")

    def node(state):
        return {"messages": [Bill("a bill", total=3.5), AIMessage("plain")]}

    graph = StateGraph(MessagesState).add_node(node).add_edge(START, "node").compile()
    view = watch(graph, stream_tokens=stream_tokens)
    view.invoke({"messages": [Order("an order", total=2)]})
    drawn = [record.get("mime", {}).get("text/markdown") for record in view.transcript]
    assert drawn == ["_2.0_", "**3.5**", None]


def test_artifacts_of_that_class():
    renderer(type=Invoice)(invoice)

    @make_tool
    def bill(n: int) -> str:
        """Bills."""
        emit_artifact(Invoice("Ada", n), "Bill")
        return "billed"

    view = shown(create_agent(model(Reply("Now.", [call("bill", n=4)]), "Done."), [bill]))
    artifact = view.artifacts["Bill"]
    assert artifact.kind == "Invoice"
    assert artifact.record["mime"]["text/markdown"] == "**4 €** to Ada"
    assert artifact.data == Invoice("Ada", 4)


def test_an_artifact_by_its_title_and_each_version():
    renderer(type="artifact", name="Draft")(lambda record: f"v{record['version']}")

    def node(state):
        emit_artifact("a", "Draft", id="draft")
        emit_artifact("b", id="draft")
        emit_artifact("c", "Other")

    view = shown(StateGraph(dict).add_node("n", node).add_edge(START, "n").compile())
    assert view.artifacts["Draft"].record["mime"] == {"text/markdown": "v2"}
    assert view.artifacts["Other"].record["mime"] == {"text/markdown": "c"}


def test_it_is_public():
    assert nestling.renderer is renderer


def test_records_are_drawn_later_where_no_thread_can_be_started(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    renderer(type="ai")(lambda record: "drawn")
    view = View()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        view.process_event(said(ai("One.", "m1")))
        view.finalize()
    assert view.status == "completed"
    view.process_event(said(ai("Two.", "m2")))
    view.finalize()
    assert all(record["mime"] for record in view.transcript)
