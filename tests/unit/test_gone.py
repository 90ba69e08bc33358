"""With `max_records` a run that goes on and on is remembered no further than it has to be."""

import pytest
from builders import ai, check, events_of, part, recorded, result, said, start, tool, words
from page import drain, wired

from nestling import View, recording
from nestling.langgraph import gone


def rounds(view, count, first=0, in_box=True):
    """An agent that calls a tool again and again, in which a graph is run."""
    for n in range(first, first + count):
        call = {"name": "look", "args": {"n": n}, "id": f"c{n}"}
        message, answer = ai("So", f"m{n}", tool_calls=[call]), tool("ok", f"c{n}", f"r{n}")
        view.process_event(start(f"a{n}", "model"))
        view.process_event(said(message, "model", task_id=f"a{n}"))
        view.process_event(result(f"a{n}", "model", {"messages": [message]}))
        view.process_event(start(f"t{n}", "tools", [call]))
        if in_box:
            ns = (f"tools:t{n}",)
            view.process_event(start(f"i{n}", "work", ns=ns))
            view.process_event(words("Well", f"s{n}", "work", ns=ns, task_id=f"i{n}"))
            view.process_event(result(f"i{n}", "work", {"messages": [ai("Well", f"s{n}")]}, ns=ns))
        view.process_event(result(f"t{n}", "tools", {"messages": [answer]}))


def remembered(view):
    adapter, conversation = view._adapter, view._conversation
    spaces, calls = adapter.spaces, adapter.messages.calls
    return {
        "tasks": len(spaces.tasks),
        "spaces": len(spaces.by_ns),
        "known": len(spaces._known),
        "active": len(spaces.active),
        "children": len(spaces.root.children),
        "namesakes": sum(map(len, spaces.root.families.values())),
        "results": len(calls._results),
        "dropped boxes": len(conversation._dropped_boxes),
        "states": len(adapter.inspection._now),
    }


def test_what_is_remembered_is_bounded_by_what_is_kept(monkeypatch):
    monkeypatch.setattr(gone, "_LATEST", 50)
    view = View(max_records=20)
    wired(view)
    rounds(view, 300)
    assert max(remembered(view).values()) <= 300
    rounds(view, 300, first=300)
    assert max(remembered(view).values()) <= 300
    view.finalize()
    check(view)
    assert view._conversation.problems == 0


def test_what_a_step_did_is_bounded_where_nobody_tells_its_state():
    view = View()
    wired(view)
    for number in range(1_500):
        view.process_event(start(f"{number}", "work"))
        view.process_event(part("updates", {"work": {"n": number}}))
    (step,) = view._adapter.inspection._now.values()
    assert len(step.wrote) + len(step.orders) < 1_500


def test_boxes_keep_their_numbers_when_the_first_are_forgotten(monkeypatch):
    monkeypatch.setattr(gone, "_LATEST", 10)
    view = View(max_records=20)
    page, _ = wired(view)
    rounds(view, 200)
    labels = [box["label"] for key, box in view.namespaces.items() if key]
    assert labels == [f"tools {number}" for number in range(201 - len(labels), 201)]
    assert len(view._adapter.spaces.by_ns) < 100
    drain(view)
    assert page.equals(view)


def test_a_task_that_goes_on_is_remembered_with_all_that_it_runs(monkeypatch):
    monkeypatch.setattr(gone, "_LATEST", 10)
    view = View(max_records=5)
    wired(view)
    view.process_event(start("boss", "boss"))
    view.process_event(words("I am on it", "b", "work", ns=("boss:boss",)))
    rounds(view, 100, in_box=False)
    view.process_event(words(".", "b", "work", ns=("boss:boss",)))
    rounds(view, 100, first=100, in_box=False)
    view.process_event(words("", "b", "work", ns=("boss:boss",), chunk_position="last"))
    assert "boss" in view._adapter.spaces.tasks
    view.process_event(result("boss", "boss"))
    view.finalize()
    check(view)
    assert view._conversation.problems == 0


@pytest.mark.parametrize("name", recorded())
def test_a_run_looks_the_same_whether_what_is_over_is_forgotten_or_not(name, monkeypatch):
    header, events = events_of(name)
    monkeypatch.setattr(gone, "_LATEST", 0)
    seen = []
    for due in (False, True):
        monkeypatch.setattr(gone, "is_due", lambda spaces, due=due: due and bool(spaces.tasks))
        view = View(label=header["name"], max_records=6)
        page, _ = wired(view)
        looks = []
        for number, event in enumerate(events):
            recording.feed(view, event)
            if number % 10 == 0:
                looks.append(str(view))
        drain(view)
        assert page.equals(view)
        seen.append([*looks, str(view), view._conversation.problems])
    assert seen[0] == seen[1]
