"""What a server sends may be anything: its caller gets just what the bare graph yields."""

import asyncio
from types import SimpleNamespace

import pytest
from builders import check
from langgraph.graph import START, StateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk.schema import StreamPart
from typing_extensions import TypedDict

from nestling import watch


class Evil:
    """Raises whatever is asked of it."""

    def __getattr__(self, name):
        raise ZeroDivisionError(name)

    def __getitem__(self, key):
        raise ZeroDivisionError(key)


class EvilMapping(dict):
    def get(self, key, default=None):
        raise ZeroDivisionError(key)


GARBAGE = {
    "nothing": None,
    "a number": 7,
    "words": "words",
    "an empty list": [],
    "a list": [1, None, "x"],
    "a list of two": [None, 3],
    "no keys": {},
    "other keys": {"event": None, "metadata": 3, "tool_call_id": [], "id": {}},
    "half of a task": {"id": [], "name": None, "result": 3, "metadata": "m"},
    "an object": Evil(),
    "an object that is a mapping": EvilMapping(thread_id=1),
    "objects": [Evil(), Evil()],
    "mappings": [EvilMapping(a=1), EvilMapping(a=1)],
}
MODES = ["messages", "updates", "tasks", "tools", "custom", "values", "checkpoints", "debug"]
ITERABLE = [key for key, value in GARBAGE.items() if hasattr(type(value), "__iter__")]
#: RemoteGraph makes a tuple of what stands under `messages`, or raises.
PARTS = [
    StreamPart(f"{mode}{place}", GARBAGE[key])
    for mode in MODES
    for place in ("", "|talk:1", "|", "|a||b")
    for key in (ITERABLE if mode == "messages" else GARBAGE)
]


def server(parts):
    """A RemoteGraph whose server sends `parts`."""

    async def astream(**run):
        for part in parts:
            yield part

    def runs(stream):
        return SimpleNamespace(runs=SimpleNamespace(stream=stream))

    return RemoteGraph("agent", client=runs(astream), sync_client=runs(lambda **run: iter(parts)))


def is_same(one, other):
    """Whether the very same objects were yielded, in the same tuples."""
    if isinstance(one, tuple) and type(one) is type(other) and len(one) == len(other):
        return all(map(is_same, one, other))
    if isinstance(one, dict) and "interrupts" in one:  # a part of v2, made for each reader
        return one.keys() == other.keys() and all(is_same(one[k], other[k]) for k in one)
    return one is other or (isinstance(one, str) and one == other)


def streamed(graph, **options):
    return list(graph.stream({}, **options))


def astreamed(graph, **options):
    async def collect():
        return [item async for item in graph.astream({}, **options)]

    return asyncio.run(collect())


@pytest.mark.parametrize("how", [streamed, astreamed])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stream_mode": "messages"},
        {"stream_mode": MODES, "subgraphs": True},
        {"stream_mode": MODES, "stream_resumable": True},
        {"stream_mode": MODES, "subgraphs": True, "version": "v2"},
    ],
    ids=str,
)
def test_whatever_a_server_sends_its_caller_gets_it(how, options, caplog):
    graph = server(PARTS)
    view = watch(graph)
    given = how(view, **options)
    assert len(given) >= len(GARBAGE)
    assert is_same(tuple(given), tuple(how(graph, **options)))
    assert view.status == "completed"
    check(view)


class Odd(TypedDict, total=False):
    n: int


def local(items):
    """A graph of this process whose stream yields `items`."""
    builder = StateGraph(Odd)
    builder.add_node("work", lambda state: {"n": 1})
    builder.add_edge(START, "work")
    graph = builder.compile()
    graph.stream = lambda *_, **options: iter(items)
    return graph


@pytest.mark.parametrize("key", GARBAGE)
@pytest.mark.parametrize("mode", MODES)
def test_a_payload_that_cannot_be_read_is_still_the_callers(mode, key):
    view = watch(local([((), mode, GARBAGE[key])]))
    source = view.stream({}, stream_mode=[mode], subgraphs=True)
    ((ns, told, data),) = source
    assert (ns, told) == ((), mode)
    assert data is GARBAGE[key]


@pytest.mark.parametrize("key", GARBAGE)
def test_an_item_of_no_shape_is_handed_on(key):
    view = watch(local([GARBAGE[key]]))
    (item,) = view.stream({})
    assert item is GARBAGE[key]
