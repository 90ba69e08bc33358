"""Conversations that go on and on: `max_records`, and what a page is given of a long one."""

import re
from unittest.mock import patch

import pytest
import traitlets
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

import nestling
from nestling import View
from tests.unit.builders import part, result, said, start, wants, words
from tests.unit.page import Page, drain, wired


def say(view, number, ns=(), **fields):
    message = {"type": "ai", "content": f"message {number}", "id": f"m{number}", **fields}
    view.process_event(part("messages", (message, {"langgraph_node": "talk"}), ns))


def turn(view, start, count, ns=()):
    for number in range(start, start + count):
        say(view, number, ns)
    view.finalize()


def kept(view):
    return [record["id"] for record in view.transcript]


def test_nothing_is_dropped_by_default():
    view = View()
    for first in range(0, 5000, 50):
        turn(view, first, 50)
    assert len(view.chat_history) == 5000


def test_the_oldest_records_go_first():
    view = View(max_records=50)
    for first in range(0, 200, 40):
        turn(view, first, 40)
    assert kept(view) == [f"m{number}" for number in range(150, 200)]
    assert "150 older entries" in str(view)


def test_the_limit_holds_during_a_run():
    view = View(max_records=10)
    for number in range(100):
        say(view, number)
        assert len(view.live_chat) <= 10
    assert kept(view)[-1] == "m99"


def test_what_was_said_and_dropped_in_a_run_is_not_remembered():
    view = View(max_records=10)
    view._outbox.close()
    for number in range(200):
        chunk = {"type": "AIMessageChunk", "content": "So it is", "id": f"m{number}"}
        for fields in ({}, {"chunk_position": "last"}):
            data = ({**chunk, **fields}, {"langgraph_node": "talk"})
            view.process_event(part("messages", data))
    speeches = view._adapter.messages.speeches
    for held in (speeches.by_id, speeches._of_call, speeches._of_record):
        assert len(held) <= 10
    state = [{"type": "ai", "content": "So it is" * 2, "id": f"m{number}"} for number in range(200)]
    view.process_event(part("values", {"messages": state}))
    view.process_event(part("messages", ({**chunk, "id": "m0"}, {"langgraph_node": "talk"})))
    assert kept(view) == [f"m{number}" for number in range(190, 200)]


def test_what_is_still_open_is_kept_however_old():
    view = View(max_records=5)
    chunk = {"type": "AIMessageChunk", "content": "I am still ", "id": "slow"}
    view.process_event(part("messages", (chunk, {"langgraph_node": "slow"})))
    for number in range(50):
        say(view, number)
    view.process_event(
        part("messages", ({**chunk, "content": "writing."}, {"langgraph_node": "slow"}))
    )
    assert view.live_chat[0]["content"] == "I am still writing."
    view.finalize()
    assert len(view.chat_history) == 5


def test_boxes_that_are_left_empty_go_too():
    view = View(max_records=10)
    for number in range(30):
        turn(view, number, 1, (f"worker:{number}",))
    assert len(view.namespaces) == 11
    assert str(view).count("[completed]") == 11


def test_a_box_that_was_dropped_can_speak_again():
    view = View(max_records=2)
    page, _ = wired(view)
    turn(view, 0, 1, ("memory",))
    turn(view, 1, 5)
    assert "memory" not in view.namespaces
    turn(view, 7, 1, ("memory",))
    drain(view)
    assert "memory" in view.namespaces
    assert page.equals(view)


def test_a_box_that_comes_back_in_one_frame_has_lost_what_it_counted():
    view = View(max_records=2)
    page, _ = wired(view)
    boom = {"id": "1", "name": "n", "error": ValueError("boom")}
    view.process_event(part("tasks", boom, ("memory",)))
    view.finalize()
    drain(view)
    assert page.boxes["memory"]["counts"]
    turn(view, 1, 5)
    assert "memory" not in view.namespaces
    say(view, 7, ("memory",))
    view.process_event(start("2", "n", ns=("memory",)))  # it runs again
    drain(view)
    assert page.equals(view)


def test_a_box_comes_back_where_it_stood():
    view = View(max_records=2)
    say(view, 0, ("flow:1", "1"))
    parent = view.namespaces["flow:1|1"]["parent"]
    turn(view, 1, 5)
    assert "flow:1|1" not in view.namespaces
    say(view, 7, ("flow:1", "1"))
    assert view.namespaces["flow:1|1"]["parent"] == parent == ""
    assert "flow:1" not in view.namespaces


def test_a_box_that_comes_back_is_drawn_between_those_it_stood_between():
    def order(limit):
        view = View(max_records=limit)
        for number, name in enumerate(("early", "memory", "late")):
            view.process_event(start(f"{number}", name))
            say(view, number, (name,))
        view.process_event(result("1", "memory"))
        for name in ("early", "late"):  # what was asked there waits
            asked = [{"id": f"asked-{name}", "value": "Go on?"}]
            view.process_event(part("updates", {"__interrupt__": asked}, (name,)))
        view.finalize()
        turn(view, 3, 5)
        assert ("memory" in view.namespaces) is (limit is None)
        view.process_event(start("9", "memory"))
        say(view, 9, ("memory",))
        return re.findall("(early|memory|late) \\[", str(view))

    assert order(2) == order(None) == ["early", "memory", "late"]


def test_a_new_box_brings_back_those_around_it():
    view = View(max_records=2)
    page, _ = wired(view)
    turn(view, 0, 1, ("outer",))
    turn(view, 1, 5)
    assert "outer" not in view.namespaces
    say(view, 7, ("outer", "inner"))
    assert list(view.namespaces) == ["", "outer", "outer|inner"]
    turn(view, 8, 5)
    drain(view)
    assert page.equals(view)
    assert view._conversation.problems == 0


def test_a_box_can_be_dropped_and_come_back_again_and_again():
    view = View(max_records=2)
    page, _ = wired(view)
    for number in range(0, 100, 10):
        turn(view, number, 1, ("outer", "memory"))
        view.process_event(start(f"{number}", "n", ns=("outer", "memory")))
        turn(view, number + 1, 1)
        turn(view, number + 2, 5)
        assert "outer" not in view.namespaces
    drain(view)
    assert page.equals(view)
    assert view._conversation.problems == 0


def test_text_of_a_record_that_was_dropped_takes_no_other_text_with_it():
    view = View(max_records=1)
    page, _ = wired(view)
    view.process_event(words("One", "a", "n", chunk_position="last"))
    view.process_event(words("Two", "b", "n"))
    view.process_event(words(" late", "a", "n"))
    view.process_event(words(" goes on.", "b", "n"))
    assert [record["content"] for record in view.transcript] == ["Two goes on."]
    drain(view)
    assert page.equals(view)


def test_a_call_that_was_dropped_is_not_counted_again_when_it_is_tried_again():
    view = View(max_records=1)
    page, _ = wired(view)
    started = {"event": "tool-started", "tool_call_id": "c", "tool_name": "look"}
    view.process_event(part("tools", started))
    view.process_event(part("tools", {"event": "tool-error", "tool_call_id": "c", "message": "!"}))
    say(view, 1)
    view.process_event(part("tools", started))
    view.finalize()
    assert kept(view) == ["m1"]
    assert view._conversation.counts.of("") == {"tools": 1, "failed": 1}
    drain(view)
    assert page.equals(view)


def test_a_call_may_outlive_the_boxes_beneath_it():
    view = View(max_records=2)
    task = [{"name": "ask", "args": {}, "id": "c"}]
    view.process_event(start("1", "tools", task))
    say(view, 1, ("tools:1",))
    error = {"event": "tool-error", "tool_call_id": "c", "message": "no"}
    view.process_event(part("tools", error))  # it is tried again
    view.process_event(part("tools", {"event": "tool-started", "tool_call_id": "c"}))
    say(view, 2, ("other:2",))
    assert "tools:1" not in view.namespaces
    view.process_event(part("tools", error))
    assert view._conversation.problems == 0


def test_results_of_calls_that_were_dropped_take_no_memory():
    view = View(max_records=10)
    view._outbox.close()
    result = {"type": "tool", "content": "x" * 100_000}
    for number in range(50):
        view.process_event(wants(f"c{number}", message_id=f"m{number}"))
        view.process_event(said({**result, "tool_call_id": f"c{number}", "id": f"r{number}"}))
        view.finalize()
    calls = view._adapter.spaces.root.calls.values()
    assert len(calls) == 50
    assert sum(len(call["content"]) for call in calls) == 5 * 100_000
    for number in range(50):  # whoever tells of it again brings nothing back
        view.process_event(said({**result, "tool_call_id": f"c{number}", "id": f"s{number}"}))
    assert len(view.transcript) == 10


def test_a_state_whose_artifact_was_dropped_makes_a_new_one():
    view = nestling.watch(chat(), max_records=2, artifact_keys=["report"])
    view.process_event(part("values", {}))
    view.process_event(part("values", {"report": "first"}))
    turn(view, 1, 3)
    assert len(view.artifacts) == 0
    view.process_event(part("values", {}))
    view.process_event(part("values", {"report": "second"}))
    assert view.artifacts["report"].data == "second"


def test_observers_hear_of_the_list_that_lost_a_record():
    view = View(max_records=1)
    turn(view, 0, 1)
    heard = []
    view.observe(lambda change: heard.append(change.name), ["live_chat", "chat_history"])
    say(view, 1)
    view._on_frame()
    assert set(heard) == {"live_chat", "chat_history"}


def test_observers_hear_that_a_view_was_cleared():
    view = View()
    turn(view, 0, 1)
    heard = []
    view.observe(lambda change: heard.append((change.name, change.new)), "chat_history")
    view.clear()
    assert heard == [("chat_history", [])]


def test_a_lower_limit_is_kept_at_once_and_pages_hear_of_it():
    view = View()
    page, _ = wired(view)
    turn(view, 0, 100, ("a:1",))
    view.max_records = 7
    assert len(view.chat_history) == 7
    drain(view)
    assert page.equals(view)
    assert page.run["left_out"] == 93


@pytest.mark.parametrize("limit", [0, -1, "ten"])
def test_a_limit_that_makes_no_sense_is_refused(limit):
    with pytest.raises(traitlets.TraitError):
        View(max_records=limit)


def test_pages_drop_what_the_kernel_drops():
    view = View(max_records=20)
    page, _ = wired(view)
    for number in range(15):
        turn(view, 10 * number, 10, (f"worker:{number}",))
        drain(view)
    assert page.equals(view)
    late = Page()
    late.hear(view._outbox.snapshot())
    assert late.equals(view)


def chat():
    def answer(state: MessagesState):
        return {"messages": [("ai", f"answer {len(state['messages'])}")]}

    builder = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
    return builder.compile(checkpointer=InMemorySaver())


def test_a_remembered_conversation_does_not_bring_dropped_messages_back():
    view = nestling.watch(chat(), max_records=6, config={"configurable": {"thread_id": "t"}})
    for number in range(20):
        view.invoke({"messages": [("user", f"question {number}")]})
    said = [record["content"] for record in view.transcript if record["type"] != "update"]
    assert said == [
        f"{w} {n}" for k in (17, 18, 19) for w, n in (("question", k), ("answer", 2 * k + 1))
    ]


def test_a_cell_keeps_the_last_rows_of_a_long_run():
    view = View()
    published = []
    with patch("nestling.display.publish", published.append):
        turn(view, 0, 2100, ("a:1",))
        view._publish_static()
    (output,) = published
    assert "100 older entries are left out" in output["text/plain"]
    assert "100 older entries are left out" in output["text/html"]
    assert len(output["text/plain"].splitlines()) == 2000 + 3


# --- a page that attaches to a long one --------------------------------------------------------


def long_team(agents=20, rows=100):
    view = View()
    wired(view)
    for agent in range(agents):
        for number in range(rows):
            say(view, agent * rows + number, (f"agent:{agent}",))
    view.finalize()
    drain(view)
    return view


def test_a_snapshot_has_the_last_rows_and_what_was_said_last_in_each_box():
    snapshot = long_team()._outbox.snapshot()
    rows = snapshot["chat_history"]
    assert len([row for row in rows if row["seq"] >= snapshot["floor"]]) == 500
    faces = [row["content"] for row in rows if row["seq"] < snapshot["floor"]]
    assert faces == [f"message {100 * agent + 99}" for agent in range(15)]
    assert snapshot["earlier"] == {f"agent:{agent}": 100 for agent in range(15)}


def test_rows_of_one_box_can_be_asked_for():
    view = long_team()
    snapshot = view._outbox.snapshot()
    answer = view._outbox.rows(snapshot["floor"], 60, "agent:3")
    assert [row["content"] for row in answer["records"]] == [
        f"message {n}" for n in range(340, 400)
    ]
    assert answer["earlier"] == 40
    # all pages hear it: those whose rows do not begin there must not take it
    assert answer["before"] == snapshot["floor"]


def test_a_page_hears_of_dropped_rows_whose_they_were():
    view = View(max_records=10)
    _, sent = wired(view)
    turn(view, 0, 10, ("a:1",))
    drain(view)
    turn(view, 10, 4)
    drain(view)
    dropped = [patch["drop"] for patch in sent if "drop" in patch]
    assert [list(each) for each in dropped] == [["a:1"]] * len(dropped)
    assert sum(len(each["a:1"]) for each in dropped) == 4


def test_counts_cover_rows_that_are_not_sent():
    view = View()
    wired(view)
    for number in range(800):
        call = {"name": "search", "args": {}, "id": f"c{number}", "type": "tool_call"}
        message = {"type": "ai", "content": "", "id": f"m{number}", "tool_calls": [call]}
        view.process_event(part("messages", (message, {"langgraph_node": "model"}), ("a:1",)))
    view.finalize()
    drain(view)
    assert view._outbox.snapshot()["namespaces"]["a:1"]["counts"] == {"tools": 800}
