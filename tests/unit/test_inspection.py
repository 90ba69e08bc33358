"""What each step of a run changed in the state of its graph, and the events behind a record."""

import json
import logging
import operator
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import pytest
from builders import shown
from graphs import ASK, SHAPES, fan_out, single_agent
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

import nestling
from nestling import View, demo, inspection
from nestling.differences import differences
from nestling.held import tell
from nestling.questions import answer
from nestling.seen import seen


def asked(view: View, record: Any) -> dict[str, Any]:
    """The answer to a page that asks about a record, or its id."""
    name = record if isinstance(record, str) else record["id"]
    told = answer(view, {"question": "inspect", "id": name, "ask": "1"})
    assert told is not None
    json.dumps(told, allow_nan=False)
    return told


def changes(told: dict[str, Any]) -> dict[str, Any]:
    return {change["key"]: change for change in told["diff"]["changes"]}


def wrote(told: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(each["node"], each["keys"]) for each in told["diff"]["wrote"]]


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    return differences(seen(before), seen(after))[0]


def changed_by(node: Any, **state: Any) -> dict[str, Any]:
    """What one step changed in a state that has `state`."""
    builder = StateGraph(TypedDict("State", dict.fromkeys(state, Any)))  # type: ignore[operator]  # by its keys
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    view = shown(builder.compile(), state)
    return changes(asked(view, one(view, type="update")))


def _count(number: int, _state: Any) -> dict[str, Any]:
    return {"rows": [number]}


def one(view: View, **wanted: Any) -> Any:
    (found,) = (r for r in view.transcript if all(r.get(k) == v for k, v in wanted.items()))
    return found


class Notes(MessagesState, total=False):
    topic: str
    rows: Annotated[list[int], operator.add]
    limits: dict[str, int]


def plain_keys(**nodes: Any) -> Any:
    """Nodes one after the other."""
    builder = StateGraph(Notes)
    before = START
    for name, node in nodes.items():
        builder.add_node(name, node)
        builder.add_edge(before, name)
        before = name
    builder.add_edge(before, END)
    return builder.compile(name="plain", checkpointer=InMemorySaver())


THREAD = {"configurable": {"thread_id": "1"}}


# --- what a step changed ------------------------------------------------------------------------


def test_a_reply_is_told_by_the_message_that_it_added():
    view = shown(single_agent(), ASK)
    told = asked(view, one(view, content="Done."))
    assert wrote(told) == [("model", ["messages"])]
    change = changes(told)["messages"]
    assert (change["op"], change["was"], change["is"]) == ("items", 4, 5)
    assert [item["content"] for item in change["new"]] == ["Done."]


def test_a_call_is_told_by_the_step_that_ran_it_not_by_the_one_that_asked_for_it():
    view = shown(single_agent(), ASK)
    told = asked(view, one(view, name="add"))
    assert [node for node, _ in wrote(told)] == ["tools", "tools"]
    assert [item["content"] for item in changes(told)["messages"]["new"]] == ["3", "HEY"]


def test_what_the_user_asked_is_told_by_the_input_of_its_run():
    graph = plain_keys(say=lambda state: {"topic": state["messages"][-1].content})
    view = nestling.watch(graph, config=THREAD)
    for text in ("First.", "Second."):
        view.invoke({"messages": [HumanMessage(text)]})
    told = asked(view, one(view, content="Second."))
    assert told["diff"]["step"] == 0
    assert [item["content"] for item in changes(told)["messages"]["new"]] == ["Second."]


def test_plain_keys_are_told_before_and_after():
    graph = plain_keys(
        first=lambda _: {"topic": "sun", "rows": [1, 2], "limits": {"a": 1, "b": 2}},
        second=lambda _: {"topic": "wind", "rows": [3], "limits": {"a": 1, "b": 3}},
    )
    view = nestling.watch(graph, config=THREAD)
    view.invoke({"messages": []})
    first, second = (r for r in view.transcript if r["type"] == "update")
    told = changes(asked(view, first))
    assert told["topic"] == {"key": "topic", "op": "added", "after": "sun"}
    told = changes(asked(view, second))
    assert told["topic"] == {"key": "topic", "op": "changed", "before": "sun", "after": "wind"}
    assert told["limits"] == {
        "key": "limits", "op": "changed", "before": {"b": 2}, "after": {"b": 3}
    }  # fmt: skip
    assert told["rows"] == {"key": "rows", "op": "items", "at": 2, "was": 2, "is": 3, "new": [3]}
    assert "messages" not in told


def test_boxes_tell_of_their_own_state():
    view = shown(demo.research_team(delay=0), ASK)
    inner = one(view, name="data_processor")
    told = asked(view, inner)
    assert inner["namespace"]
    assert wrote(told) == [("tools", ["messages"])]
    assert "Found 3 key trends" in json.dumps(told["diff"])


def test_nodes_that_were_sent_side_by_side_are_one_step():
    view = shown(fan_out(3), SHAPES["fan_out"][1])
    rows = [r for r in view.transcript if r["type"] in ("update", "ai") and r["namespace"]]
    steps = {json.dumps(asked(view, row)["diff"]["changes"]) for row in rows}
    assert steps
    root = [r for r in view.transcript if not r["namespace"] and r["type"] != "user"]
    assert any(len(wrote(asked(view, r))) >= 1 for r in root if "diff" in asked(view, r))


def test_an_interrupted_step_is_told_once_it_was_answered():
    graph = plain_keys(ask=lambda _: {"topic": interrupt("What about?")})
    view = nestling.watch(graph, config=THREAD)
    view.invoke({"messages": []})
    question = one(view, type="interrupt")
    assert "diff" not in asked(view, question)
    view.invoke(Command(resume="tides"))
    told = asked(view, question)
    assert changes(told)["topic"]["after"] == "tides"
    assert {"tasks", "updates"} <= {event["type"] for event in told["events"]}


def test_what_a_node_changes_in_place_is_told_and_does_not_change_what_was():
    notes: list[str] = ["one"]

    class State(TypedDict):
        notes: list[str]

    def more(state: State) -> Any:
        state["notes"].append("two")
        return {"notes": state["notes"]}

    builder = StateGraph(State)
    builder.add_node("more", more)
    builder.add_edge(START, "more")
    view = shown(builder.compile(), {"notes": notes})
    row = one(view, type="update")
    told = changes(asked(view, row))["notes"]
    assert (told["was"], told["is"], told["new"]) == (1, 2, ["two"])
    notes.clear()
    assert changes(asked(view, row))["notes"]["new"] == ["two"]


class Odometer:
    def __init__(self) -> None:
        self.miles = 1

    def __repr__(self) -> str:
        return f"{self.miles} miles"


@dataclass
class Limits:
    upper: int
    secret: str = field(default="s3cret", repr=False)


def deep(state: Any) -> Any:
    state["d"]["inner"]["k"] = 2
    return {"d": state["d"]}


def below(state: Any) -> Any:
    state["d"][0]["k"].append(5)
    return {"d": state["d"]}


def grow(state: Any) -> Any:
    state["d"].add(5)
    return {"d": state["d"]}


def drive(state: Any) -> Any:
    state["d"].miles = 2
    return {"d": state["d"]}


def raise_limit(state: Any) -> Any:
    state["d"]["of"].upper = 2
    return {"d": state["d"]}


def limits(upper: int) -> Any:
    return {"of": {"Limits": {"upper": upper}}}


@pytest.mark.parametrize(
    ("node", "value", "was", "now"),
    [
        (deep, {"inner": {"k": 1}, "other": 1}, {"inner": {"k": 1}}, {"inner": {"k": 2}}),
        (below, [{"k": []}, 7], [{"k": []}], [{"k": [5]}]),
        (grow, {1}, {"set": [1]}, {"set": [1, 5]}),
        (drive, Odometer(), "<Odometer, before it was changed in place>", "2 miles"),
        (raise_limit, {"of": Limits(1)}, limits(1), limits(2)),
    ],
    ids=["dict", "list", "set", "object", "dataclass"],
)
def test_what_a_node_changes_in_place_is_told_however_deep(node, value, was, now):
    told = changed_by(node, d=value)["d"]
    sides = (
        (told["gone"], told["new"]) if told["op"] == "items" else (told["before"], told["after"])
    )
    assert sides == (was, now)


def test_a_message_that_is_edited_in_place_is_told():
    said = HumanMessage("old")
    before = seen({"m": [said]})
    said.content = "new"
    (told,) = differences(before, seen({"m": [said]}))[0]
    assert [each["content"] for each in (*told["gone"], *told["new"])] == ["old", "new"]


def test_an_object_that_was_replaced_is_told_as_it_shows_itself():
    (told,) = changed({"x": Odometer()}, {"x": Odometer()})
    assert (told["before"], told["after"]) == ("1 miles", "1 miles")


def test_what_a_step_wrote_is_told_also_where_nothing_changed():
    builder = StateGraph(Notes)
    builder.add_node("again", lambda _: {"topic": "sun"})
    builder.add_edge(START, "again")
    view = shown(builder.compile(), {"topic": "sun"})
    told = asked(view, one(view, type="update"))
    assert (wrote(told), changes(told)) == ([("again", ["topic"])], {})


def test_copies_of_a_state_are_few_whatever_its_size():
    state = {f"k{i}": [{"deep": [{}] * 100}] * 100 for i in range(100)}
    assert sum(len(json.dumps(list(each.copies.values()))) for each in seen(state).values()) < 9_000
    began = time.perf_counter()
    for _ in range(20):
        seen({"messages": [HumanMessage("x")] * 10_000, "rows": [{}] * 10_000})
    assert time.perf_counter() - began < 1


ONE, TWO, THREE, FOUR = (HumanMessage(name, id=name) for name in ("one", "two", "three", "four"))


@pytest.mark.parametrize(
    ("before", "after", "gone", "new"),
    [
        ([ONE, TWO, THREE, FOUR], [TWO, THREE, FOUR], ["one"], []),
        ([ONE, TWO, THREE], [TWO, THREE, FOUR], ["one"], ["four"]),
        ([ONE, TWO, THREE, FOUR], [ONE, FOUR], ["two", "three"], []),
        ([TWO, THREE], [ONE, TWO, THREE], [], ["one"]),
        ([ONE, TWO, THREE], [ONE, AIMessage("2", id="two"), THREE], ["two"], ["2"]),
        ([ONE, TWO, THREE], [THREE.model_copy(), FOUR], ["one", "two"], ["four"]),
        ([ONE], [], ["one"], []),
    ],
    ids=["first", "moved on", "middle", "before", "edited", "copied", "all"],
)
def test_a_list_is_told_by_what_went_and_what_came_wherever_it_stood(before, after, gone, new):
    (told,) = changed({"m": before}, {"m": after})
    assert [each["content"] for each in told.get("gone", [])] == gone
    assert [each["content"] for each in told.get("new", [])] == new
    common = told["at"] + told.get("same", 0)
    assert (told["was"] - common, told["is"] - common) == (len(gone), len(new))


def test_of_long_lists_what_came_and_went_is_counted_and_the_first_of_it_told():
    before = list(range(10_000))
    (told,) = changed({"n": before}, {"n": [*before[100:], -1]})
    assert (told["at"], told["was"], told["is"]) == (0, 10_000, 9_901)
    assert told["gone"] == before[:20]


@pytest.mark.parametrize("name", SHAPES)
def test_every_record_of_every_graph_can_be_asked_about(name, caplog):
    make, given = SHAPES[name]
    view = nestling.watch(make())
    with suppress(Exception):  # some of them raise
        view.invoke(given, THREAD)
    for record in view.transcript:
        assert asked(view, record)["record"] == record
    assert view._conversation.problems == 0
    assert "inspection" not in caplog.text


# --- raw events ---------------------------------------------------------------------------------


def test_a_call_has_the_events_that_bear_its_id():
    view = shown(single_agent(), ASK)
    call = one(view, name="shout")
    events = asked(view, call)["events"]
    kinds = [event["type"] for event in events]
    assert kinds.count("tasks") == 2
    assert "tools" in kinds
    assert "add" not in json.dumps([e["data"] for e in events if e["type"] == "tools"])
    assert all(call["started_at"] - 1 < event["at"] <= view.namespaces[""]["ended_at"]
               for event in events)  # fmt: skip


def test_a_message_has_the_events_of_its_task_without_its_tokens():
    view = shown(single_agent(), ASK)
    events = asked(view, one(view, content="Done."))["events"]
    assert {event["type"] for event in events} == {"tasks", "updates"}
    start, *_, result = (e["data"] for e in events if e["type"] == "tasks")
    assert [message["type"] for message in start["input"]["messages"]] == [
        "human",
        "ai",
        "tool",
        "tool",
    ]
    assert result["result"]["messages"][-1]["content"] == "Done."


# --- bounds and faults --------------------------------------------------------------------------


def test_only_the_last_steps_and_events_are_kept(monkeypatch):
    monkeypatch.setattr(inspection, "MAX_STEPS", 3)
    monkeypatch.setattr(inspection, "MAX_EVENTS", 5)
    nodes = {f"n{i}": partial(_count, i) for i in range(8)}
    view = nestling.watch(plain_keys(**nodes), config=THREAD)
    view.invoke({"messages": []})
    kept = view._adapter.inspection
    assert (len(kept.steps), len(kept.events)) == (3, 5)
    first, *_, last = (r for r in view.transcript if r["type"] == "update")
    assert changes(asked(view, last))["rows"]["new"] == [7]
    assert "events" not in asked(view, first)


def test_large_states_are_kept_within_their_bytes(monkeypatch):
    monkeypatch.setattr(inspection, "MAX_BYTES", 100_000)
    nodes = {f"n{i}": lambda _: {"topic": "x" * 1_000_000, "rows": [0] * 9} for i in range(20)}
    view = nestling.watch(plain_keys(**nodes), config=THREAD)
    view.invoke({"messages": []})
    kept = view._adapter.inspection
    told = [step.told() for step in kept.steps] + [tell(event.data) for event in kept.events]
    assert len(json.dumps(told)) < 250_000


def test_a_record_too_large_for_an_answer_says_what_is_cut():
    view = shown(_says("y" * 3_000_000), ASK)
    told = asked(view, next(r for r in view.transcript if r["type"] == "ai"))
    assert len(json.dumps(told)) < 1_000_000
    assert "3,000,000 characters in all" in told["record"]["content"]


def _says(text: str) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("say", lambda _: {"messages": [AIMessage(text)]})
    builder.add_edge(START, "say")
    return builder.compile()


class Hostile:
    """Raises at whatever is done with it."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not comparable")

    def __repr__(self) -> str:
        raise RuntimeError("not shown")

    __hash__ = None


def test_values_that_raise_are_told_by_what_they_are():
    change = changed({"x": [Hostile()]}, {"x": [Hostile()], "y": Hostile()})
    assert [each["key"] for each in change] == ["x", "y"]
    assert "Hostile" in json.dumps(change)


def test_tables_are_not_compared_cell_by_cell():
    class Table:
        model_fields = None
        shape = (3, 4)

        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        __hash__ = None

    table = Table()
    assert changed({"t": table}, {"t": table}) == []
    assert changed({"t": table}, {"t": Table()})[0]["op"] == "changed"


def test_a_fault_of_ours_does_not_reach_the_run(monkeypatch, caplog):
    monkeypatch.setattr(inspection, "differences", lambda *_: 1 / 0)
    graph = single_agent()
    view = nestling.watch(graph)
    with caplog.at_level(logging.WARNING):
        result = view.invoke(ASK)
    assert result["messages"][-1].content == "Done."
    assert view.status == "completed"
    assert view._conversation.problems > 0
    assert "the run goes on" in caplog.text


def test_unknown_ids_and_nonsense_are_answered_with_nothing():
    view = shown(single_agent(), ASK)
    for name in (None, 3, [], {}, "nothing"):
        assert answer(view, {"question": "inspect", "id": name, "ask": "1"}) == {
            "type": "answer", "ask": "1"
        }  # fmt: skip


def test_states_of_agents_are_let_go_when_the_run_is_over():
    view = shown(demo.research_team(delay=0), ASK)
    assert list(view._adapter.inspection._states) == [()]


def test_a_cleared_view_forgets_its_steps():
    view = shown(single_agent(), ASK)
    view.clear()
    assert not view._adapter.inspection.steps
    assert not view._adapter.inspection.events


# --- usage --------------------------------------------------------------------------------------


def test_a_page_is_told_what_was_used_in_all_and_by_agent():
    view = shown(demo.research_team(delay=0), ASK)
    told = answer(view, {"question": "usage", "ask": "1"})
    assert told is not None
    usage = view.usage
    assert told["usage"]["total_tokens"] == usage.total_tokens
    assert "namespaces" not in told["usage"]
    assert set(told["namespaces"]) == set(view.namespaces)
    json.dumps(told)


def test_a_page_that_shows_the_sum_is_told_no_more():
    view = shown(demo.research_team(delay=0), ASK)
    told = answer(view, {"question": "usage", "ask": "1", "in_all": True})
    assert told["usage"]["total_tokens"] == view.usage.total_tokens
    assert "namespaces" not in told


def test_usage_of_thousands_of_agents_is_that_of_those_that_used_most(monkeypatch):
    monkeypatch.setattr("nestling.usage._TOLD", 1)
    view = shown(demo.research_team(delay=0), ASK)
    told = answer(view, {"question": "usage", "ask": "1"})
    (key,) = told["namespaces"]
    most = max(each.total_tokens for each in view.usage.namespaces.values())
    assert told["namespaces"][key]["total_tokens"] == most
