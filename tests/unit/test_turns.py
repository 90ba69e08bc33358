"""Runs and turns: how they begin, end and are wrapped, in whatever shape events come."""

import re

import graphs
import pytest
from builders import check, fed, start, words
from graphs import ASK
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver

from nestling import View, demo, watch

HELLO = words("hello", "m", "talk")


# --- turns ----------------------------------------------------------------------------------


def test_the_first_event_begins_a_run_and_finalize_ends_it():
    view = View()
    assert view.status == "idle"
    view.process_event(HELLO)
    assert view.status == "running"
    assert [r["status"] for r in view.live_chat] == ["streaming"]
    view.finalize()
    assert view.status == "completed"
    assert view.live_chat == []
    check(view)


def test_an_event_after_the_end_begins_a_new_turn():
    view = fed(HELLO)
    view.process_event(words("again", "n", "talk"))
    assert view.status == "running"
    assert [r["content"] for r in view.chat_history] == ["hello"]
    assert [r["content"] for r in view.live_chat] == ["again"]
    view.finalize()
    assert [r["content"] for r in view.chat_history] == ["hello", "again"]
    check(view)


def test_a_run_that_goes_on_after_an_interrupt_was_active_before_too():
    view, now = View(), [100.0]
    conversation = view._conversation
    conversation.clock = lambda: now[0]
    active = []
    for end in ("interrupted", "interrupted", "completed", "completed"):
        with conversation.lock:
            conversation.begin()
            now[0] += 2
            conversation.end(end)
        active.append(conversation.run_state().get("active_before", 0))
        now[0] += 50
    assert active == [0, 2, 4, 0]


def test_ending_twice_changes_nothing():
    view, heard = View(), []
    view.on_event(heard.append)
    view.finalize()
    view.fail(ValueError("late"))
    assert heard == []
    assert view.status == "idle"
    assert view.error is None
    view.process_event(HELLO)
    view.finalize()
    del heard[:]
    view.finalize()
    view.fail(ValueError("late"))
    assert heard == []
    assert view.status == "completed"
    assert view.error is None


def test_failing_tells_the_error_and_closes_everything():
    view, error = View(), ValueError("no more")
    view.process_event(start("1", "team"))
    view.process_event(words("hel", "m", "talk", ("team:1",), "2"))
    view.fail(error)
    assert view.error is error
    assert str(view).splitlines() == [
        "graph [failed]",
        "├─ team [cancelled]",
        "│  └─ talk: hel",
        "└─ ! ValueError: no more",
    ]
    check(view)


def test_a_second_turn_on_a_thread_repeats_no_message():
    view = watch(graphs.remembering_agent(), config={"configurable": {"thread_id": "1"}})
    for _ in range(2):
        view.invoke(ASK)
        check(view)
    told = [
        "You: Go.",
        "solo: Let me see.",
        'add({"a": 2, "b": 2}) [completed] -> 4',
        "solo: Four.",
    ]
    lines = [re.sub(r"^[├└]─ ", "", line) for line in str(view).splitlines()[1:]]
    assert lines == told * 2


def test_a_fresh_view_of_an_old_thread_shows_only_what_is_new():
    graph, config = graphs.remembering_agent(), {"configurable": {"thread_id": "1"}}
    graph.invoke(ASK, config)
    view = watch(graph)
    view.invoke(ASK, config)
    assert len(view.transcript.find(type="user")) == 1
    assert len(view.transcript.find(type="ai")) == 2
    check(view)


def test_a_graph_with_a_memory_of_its_own_goes_on_in_its_box():
    view = watch(graphs.remembering_subgraph(), config={"configurable": {"thread_id": "1"}})
    turn = [
        "   ├─ helper: Let me see.",
        '   ├─ add({"a": 2, "b": 2}) [completed] -> 4',
        "   └─ helper: Four.",
    ]
    view.invoke(ASK)
    assert str(view).splitlines()[2:] == ["└─ helper [completed]", *turn]
    view.invoke(ASK)
    assert [r["content"] for r in view.transcript.find(type="ai")] == ["Let me see.", "Four."] * 2
    assert view.transcript.find(type="update") == []
    assert [b["label"] for b in view.namespaces.values()] == ["outer", "helper"]
    check(view)


def test_a_run_keeps_dicts_and_order_when_it_moves_to_history():
    view, kept = watch(demo.nested_team(delay=0)), []

    def note(change):
        if change["op"] == "status" and change["id"] == "completed":
            return
        if change["op"] == "add":
            kept.append(change["record"])

    view.on_event(note)
    view.invoke(ASK)
    assert len(kept) == len(view.chat_history)
    assert all(a is b for a, b in zip(kept, view.chat_history, strict=True))


# --- tee ------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [
    {"stream_mode": ["messages", "updates", "values", "tasks"], "subgraphs": True},
    {"stream_mode": ["messages", "updates", "values", "tasks"], "subgraphs": True, "version": "v2"},
])  # fmt: skip
def test_tee_yields_what_it_gets_and_shows_it(options):
    graph = demo.nested_team(delay=0)
    items = list(graph.stream(ASK, **options))
    view = View(label="nested_team")
    yielded = list(view.tee(iter(items)))
    assert all(a is b for a, b in zip(yielded, items, strict=True))
    assert f"{view}\n" == graphs.golden("nested_team").read_text()
    check(view)


async def test_tee_of_an_async_stream_shows_it_too():
    view = View(label="nested_team")
    modes = ["messages", "updates", "tasks"]
    stream = demo.nested_team(delay=0).astream(ASK, stream_mode=modes, subgraphs=True)
    assert len([item async for item in view.tee(stream)]) > 20
    assert view.status == "completed"
    assert "stats_agent: I looked for outliers" in str(view)
    check(view)


def test_tee_closes_everything_when_the_stream_raises():
    view = View()
    graph = graphs.raising_node()
    stream = graph.stream(ASK, stream_mode=["messages", "tasks"], subgraphs=True)
    with pytest.raises(ValueError, match=graphs.BOOM) as caught:
        list(view.tee(stream))
    assert view.error is caught.value
    assert view.status == "failed"
    assert len(view.transcript.find(type="error")) == 1
    check(view)


def test_tee_that_is_closed_early_closes_the_stream_and_everything_in_the_view():
    closed = []

    def stream():
        try:
            for number in range(10):
                yield words(f"{number}", "m", "talk")
        finally:
            closed.append(True)

    view = View()
    teed = view.tee(stream())
    next(teed)
    assert view.status == "running"
    teed.close()
    assert view.status == "cancelled"
    assert closed == [True]
    check(view)


async def test_async_tee_that_is_closed_early_closes_the_stream_at_once():
    closed = []

    async def stream():
        try:
            for number in range(10):
                yield words(f"{number}", "m", "talk")
        finally:
            closed.append(True)

    view = View()
    teed = view.tee(stream())
    await anext(teed)
    await teed.aclose()
    assert view.status == "cancelled"
    assert closed == [True]
    check(view)


# --- shapes of events -----------------------------------------------------------------------


def v1(mode, subgraphs):
    options = {"stream_mode": mode, "subgraphs": subgraphs}
    return list(demo.nested_team(delay=0).stream(ASK, **options))


@pytest.mark.parametrize("subgraphs", [False, True])
def test_tuples_with_and_without_a_list_of_modes_give_the_same_tree(subgraphs):
    view, other = View(label="nested_team"), View(label="nested_team")
    for event in v1("messages", subgraphs):
        view.process_event(event)
    for event in v1(["messages"], subgraphs):
        other.process_event(event)
    view.finalize()
    other.finalize()
    assert str(view) == str(other)
    assert ("stats_agent" in str(view)) or not subgraphs
    assert view._conversation.problems == 0


def test_parts_and_tuples_give_the_same_tree():
    modes = ["messages", "updates", "values", "tasks", "tools", "custom"]
    golden = graphs.golden("nested_team").read_text()
    for version in ("v1", "v2"):
        view = View(label="nested_team")
        options = {"stream_mode": modes, "subgraphs": True, "version": version}
        for event in demo.nested_team(delay=0).stream(ASK, **options):
            view.process_event(event)
        view.finalize()
        assert f"{view}\n" == golden
        check(view)


@pytest.mark.parametrize("mode", ["updates", "values", "tasks", "messages"])
def test_one_mode_alone_shows_the_answers(mode):
    view = View()
    for event in graphs.single_agent().stream(ASK, stream_mode=mode):
        view.process_event(event)
    view.finalize()
    assert "Done." in str(view)
    assert view._conversation.problems == 0
    if mode != "tasks":
        assert 'add({"a": 1, "b": 2}) [completed] -> 3' in str(view)
    check(view)


# --- what an earlier turn has said ----------------------------------------------------------


def test_a_question_whose_turn_failed_is_not_asked_again_by_the_next_one():
    answers = iter([demo.Reply("", error=ValueError("no")), "fine"])
    agent = create_agent(
        demo.ScriptedChatModel(script=lambda messages: next(answers)),
        [],
        checkpointer=InMemorySaver(),
    )
    view = watch(agent, config={"configurable": {"thread_id": "1"}})
    with pytest.raises(ValueError, match="no"):
        view.invoke({"messages": [("user", "first")]})
    view.invoke({"messages": [("user", "second")]})
    assert [r["content"] for r in view.transcript.find(type="user")] == ["first", "second"]
    check(view)
