"""Watching changes nothing: items, results, exceptions and callbacks are the bare graph's own."""

import asyncio
from itertools import product

import graphs
import pytest
from builders import ainvoked, check, invoked, plain
from graphs import ASK, FAILING, SHAPES
from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from nestling import demo, watch

MODES = [
    None,
    "values",
    "updates",
    "messages",
    "tasks",
    "tools",
    "custom",
    "checkpoints",
    "debug",
    ["values"],
    ["updates", "messages"],
    ("values", "custom"),
    ["messages", "tools", "tasks"],
]


def both(make, value, method="stream", **options):
    """`(watched, bare)`: what each yields, as text, with the exception it ends in."""
    return collect(watch(make()), value, method, options), collect(make(), value, method, options)


def collect(graph, value, method, options):
    items = []
    try:
        if method == "stream":
            for item in graph.stream(value, **options):
                items.append(plain(item))
        else:

            async def run():
                async for item in graph.astream(value, **options):
                    items.append(plain(item))

            asyncio.run(run())
    except (ValueError, TimeoutError) as error:
        items.append(plain(error))
    if isinstance(graph, type(watch(demo.pipeline()))):
        check(graph)
    return items


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_every_mode_yields_the_same_items(mode, subgraphs, version):
    make, value = SHAPES["plain_graph_in_tool"]
    options = {"stream_mode": mode, "subgraphs": subgraphs, "version": version}
    watched, bare = both(make, value, **options)
    assert watched == bare
    assert bare or mode in ("custom", "checkpoints")


@pytest.mark.parametrize("method", ["stream", "astream"])
@pytest.mark.parametrize("mode", ["messages", "updates", ["values", "tools"]], ids=str)
@pytest.mark.parametrize(
    "name", [n for n in SHAPES if n not in ("parallel_team", "agents_in_parallel", "fan_out")]
)
def test_every_shape_yields_the_same_items(name, mode, method):
    watched, bare = both(*SHAPES[name], method, stream_mode=mode)
    if name in ("single_agent", "two_speakers", "classic_tool_node", "plain_nodes_sent_to"):
        watched, bare = sorted(watched), sorted(bare)  # siblings race
    assert watched == bare


@pytest.mark.parametrize("method", ["stream", "astream"])
@pytest.mark.parametrize("name", FAILING)
def test_a_failing_graph_ends_in_the_same_exception(name, method):
    watched, bare = both(*FAILING[name], method, stream_mode="values")
    assert watched[-1] == bare[-1]


@pytest.mark.parametrize("keys", [None, "messages", ["messages"]], ids=str)
@pytest.mark.parametrize(
    ("mode", "version"),
    [*product(["values", "updates", ["values", "updates"]], ["v1", "v2"])],
    ids=str,
)
def test_invoke_returns_what_was_asked_for(mode, version, keys):
    options = {"stream_mode": mode, "version": version, "output_keys": keys}
    graph = graphs.handled_tool_error()
    view = watch(graph)
    result = view.invoke(ASK, **options)
    assert plain(result) == plain(graph.invoke(ASK, **options))
    assert view.value is result
    assert plain(asyncio.run(view.ainvoke(ASK, **options))) == plain(result)


@pytest.mark.parametrize("method", ["stream", "astream"])
def test_output_keys_choose_what_is_yielded(method):
    watched, bare = both(graphs.two_speakers, ASK, method, output_keys="messages")
    assert sorted(watched) == sorted(bare)


@pytest.mark.parametrize("where", ["interrupt_before", "interrupt_after"])
def test_a_run_stops_where_the_caller_says(where):
    config = {"configurable": {"thread_id": "1"}}
    view, bare = watch(graphs.remembering_agent()), graphs.remembering_agent()
    options = {where: ["tools"]}
    assert plain(view.invoke(ASK, config, **options)) == plain(bare.invoke(ASK, config, **options))
    check(view)
    assert plain(view.invoke(None, config)) == plain(bare.invoke(None, config))
    assert str(view).count("solo: ") == 2
    check(view)


class Numbers(TypedDict, total=False):
    number: int


class Factor(TypedDict):
    factor: int


def writer(saver=None):
    def work(state: Numbers, runtime: Runtime[Factor]) -> Numbers:
        get_stream_writer()({"seen": state["number"]})
        return {"number": state["number"] * runtime.context["factor"]}

    inner = StateGraph(Numbers, context_schema=Factor)
    inner.add_node("work", work)
    inner.add_edge(START, "work")
    builder = StateGraph(Numbers, context_schema=Factor)
    builder.add_node("outer", work)
    builder.add_node("team", inner.compile(name="team"))
    builder.add_edge(START, "outer")
    builder.add_edge("outer", "team")
    return builder.compile(name="writer", checkpointer=saver)


@pytest.mark.parametrize("mode", [None, "custom", ["custom", "values"]], ids=str)
@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("method", ["stream", "astream"])
def test_context_and_custom_events_come_through(mode, subgraphs, method):
    options = {"stream_mode": mode, "subgraphs": subgraphs, "context": {"factor": 3}}
    watched, bare = both(writer, {"number": 2}, method, **options)
    assert watched == bare
    assert watched


def test_a_custom_event_is_a_row_in_the_box_that_wrote_it():
    view = watch(writer())
    assert view.invoke({"number": 2}, context={"factor": 3}) == {"number": 18}
    rows = view.transcript.find(type="custom")
    assert [(len(r["namespace"]), r["data"]) for r in rows] == [(0, {"seen": 2}), (1, {"seen": 6})]


def test_printing_stays_as_it_was(capsys):
    graphs.handled_tool_error().invoke(ASK, print_mode="updates")
    bare = capsys.readouterr().out
    view = watch(graphs.handled_tool_error())
    view.invoke(ASK, print_mode="updates")
    assert plain(capsys.readouterr().out) == plain(bare)
    assert bare
    assert "refused(" in str(view)


class Listener(BaseCallbackHandler):
    def __init__(self):
        self.heard = []

    def on_chain_start(self, serialized, inputs, **kwargs):
        self.heard.append(("chain", kwargs.get("name")))

    def on_tool_start(self, serialized, input_str, **kwargs):
        self.heard.append(("tool", serialized["name"]))

    def on_llm_end(self, response, **kwargs):
        self.heard.append(("llm", response.generations[0][0].text))


@pytest.mark.parametrize("as_manager", [False, True])
@pytest.mark.parametrize("method", ["invoke", "messages"])
def test_callbacks_of_the_caller_hear_the_same(as_manager, method):
    heard = []
    for graph in (graphs.handled_tool_error(), watch(graphs.handled_tool_error())):
        listener = Listener()
        callbacks = CallbackManager([listener], [listener]) if as_manager else [listener]
        config = {"callbacks": callbacks}
        if method == "invoke":
            graph.invoke(ASK, config)
        else:
            list(graph.stream(ASK, config, stream_mode="messages"))
        heard.append(listener.heard)
        assert config == {"callbacks": callbacks}
        if as_manager:
            assert callbacks.handlers == [listener]
    assert heard[0] == heard[1]
    assert ("tool", "refused") in heard[1]


def test_callbacks_bound_to_the_graph_are_called():
    listener = Listener()
    graph = graphs.handled_tool_error().with_config(callbacks=[listener])
    watch(graph).invoke(ASK)
    assert ("tool", "refused") in listener.heard


def test_the_config_of_the_view_is_merged_under_that_of_the_call():
    graph = graphs.remembering_agent()
    view = watch(graph, config={"configurable": {"thread_id": "mine"}, "tags": ["seen"]})
    view.invoke(ASK)
    view.invoke(ASK, {"configurable": {"thread_id": "other"}})
    for thread in ("mine", "other"):
        state = graph.get_state({"configurable": {"thread_id": thread}})
        assert len(state.values["messages"]) == 4
    assert view.config == {"configurable": {"thread_id": "mine"}, "tags": ["seen"]}


@pytest.mark.parametrize("mode", [None, "messages"])
def test_a_stream_that_is_closed_early_cancels_the_run(mode):
    view = watch(demo.nested_team(delay=0))
    stream = view.stream(ASK, stream_mode=mode)
    next(stream)
    assert view.status == "running"
    stream.close()
    assert view.status == "cancelled"
    check(view)


async def test_an_async_stream_that_is_closed_early_cancels_the_run():
    view = watch(demo.nested_team(delay=0))
    stream = view.astream(ASK, stream_mode="messages")
    await anext(stream)
    await stream.aclose()
    assert view.status == "cancelled"
    check(view)


async def test_a_cancelled_task_cancels_the_run():
    view, spoken = watch(demo.nested_team(delay=0.05)), asyncio.Event()
    view.on_event(lambda change: spoken.set() if change["op"] == "append" else None)
    running = asyncio.create_task(view.ainvoke(ASK))
    await spoken.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert view.status == "cancelled"
    assert view.error is None
    assert view.transcript.find(type="error") == []
    check(view)


def test_a_keyboard_interrupt_cancels_the_run_and_reaches_the_caller():
    def press(state):
        raise KeyboardInterrupt

    builder = StateGraph(Numbers)
    builder.add_node("press", press)
    builder.add_edge(START, "press")
    view = watch(builder.compile(name="keys", checkpointer=InMemorySaver()))
    with pytest.raises(KeyboardInterrupt):
        view.invoke({"number": 1}, {"configurable": {"thread_id": "1"}})
    assert view.status == "cancelled"
    check(view)


def test_stop_ends_a_run_before_its_next_item():
    view = watch(demo.nested_team(delay=0))
    view.on_event(lambda change: view.stop() if change["op"] == "add" else None)
    with pytest.raises(KeyboardInterrupt):
        view.invoke(ASK)
    assert view.status == "cancelled"
    check(view)


class Listening(demo.ScriptedChatModel):
    """Counts how often it is asked to stream."""

    asked: list[str] = []  # noqa: RUF012  # pydantic copies it

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        if kwargs:  # the tools; the model's own `_generate` hands on none
            self.asked.append("stream")
        return super()._stream(messages, stop, run_manager, **kwargs)

    async def _astream(self, messages, stop=None, run_manager=None, **kwargs):
        if kwargs:
            self.asked.append("astream")
        async for chunk in super()._astream(messages, stop, run_manager, **kwargs):
            yield chunk


@pytest.mark.parametrize("how", [invoked, ainvoked])
def test_without_tokens_no_model_is_asked_to_stream(how):
    script = [demo.Reply("Adding.", [demo.call("add", a=1, b=2)]), "Done."]
    listening = Listening(script=script)
    graph = graphs.create_agent(listening, [graphs.add], name="solo")
    quiet, bare = how(watch(graph, stream_tokens=False), ASK), how(graph, ASK)
    assert plain(quiet) == plain(bare)
    assert listening.asked == []
    how(watch(graph), ASK)
    assert len(listening.asked) == 2


@pytest.mark.parametrize(
    "name", [n for n in SHAPES if n not in ("retried_node", "tool_outside_an_agent")]
)
def test_without_tokens_the_tree_is_the_same(name):
    make, value = SHAPES[name]
    view = watch(make(), stream_tokens=False)
    assert plain(view.invoke(value)) == plain(make().invoke(value))
    assert f"{view}\n" == graphs.golden(name).read_text()
    check(view)
