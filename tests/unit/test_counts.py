"""What headers count, whatever was dropped in whichever order."""

from collections import Counter

import pytest
from builders import shown
from graphs import ASK
from hypothesis import given, settings
from hypothesis import strategies as st
from page import drain, wired

from nestling import View, demo

BOXES = [(), ("a",), ("a", "b"), ("a", "b", "c"), ("d",)]
KINDS = ["tool_call", "artifact", "error", "interrupt", "ai"]
STATUSES = ["executing", "completed", "failed", "interrupted", "pending", "answered"]
numbers = st.integers(0, 40)

STEPS = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(BOXES), st.sampled_from(KINDS), numbers),
    st.tuples(st.just("set"), numbers, st.sampled_from(STATUSES)),
    st.tuples(st.just("spawn"), numbers, st.booleans()),
    st.tuples(
        st.just("close"), st.sampled_from(BOXES[1:]), st.sampled_from(["failed", "completed"])
    ),
    st.tuples(st.just("reopen"), st.sampled_from(BOXES[1:])),
    st.tuples(st.just("limit"), st.sampled_from([None, 1, 2, 5])),
    st.tuples(st.just("turn"), st.sampled_from(["completed", "failed", "interrupted"])),
    st.just(("clear",)),
)


class Steps:
    """Edits of one conversation; records that were dropped are edited as well."""

    def __init__(self, view):
        self.view, self.made = view, []
        self.conversation = view._conversation
        self.conversation.begin()
        self._place()

    def _place(self):
        self.gone = []
        forget = self.conversation.on_drop
        self.conversation.on_drop = lambda record: self.gone.append({**record}) or forget(record)
        self.boxes = {
            ns: self.conversation.add_namespace(ns, label=ns[-1], parent="|".join(ns[:-1]))
            for ns in BOXES[1:]
        }

    def add(self, ns, kind, number):
        status = {"interrupt": "pending", "ai": "streaming", "tool_call": "calling"}.get(kind)
        status = status if number % 2 and status else "completed"
        fields = {"speaker": "s", "order": number, "status": status}
        self.made.append(self.conversation.add(kind, None, list(ns), **fields))

    def set(self, number, status):
        if self.made:
            self.conversation.set(self.made[number % len(self.made)], status=status)

    def spawn(self, number, some):
        if self.made:
            record = self.made[number % len(self.made)]
            self.conversation.set(record, spawned=["a"] if some else None)

    def close(self, ns, status):
        self.conversation.close_namespace(self.boxes[ns], status)

    def reopen(self, ns):
        self.conversation.set_namespace(self.boxes[ns], status="running")

    def limit(self, count):
        self.view.max_records = count

    def turn(self, status):
        self.conversation.end(status)
        self.conversation.begin()

    def clear(self):
        self.conversation.end("completed")
        self.view.clear()
        self.made = []
        self.conversation.begin()
        self._place()


def afresh(view, gone):
    """What `counts.py` says of each box, from the records that are kept and those that are not."""
    counts = {key: Counter() for key in view.namespaces}
    rows = [(record, record["namespace"]) for record in view.transcript]
    for record, place in (*rows, *((record, ()) for record in gone)):
        count, kind, status = counts["|".join(place)], record["type"], record["status"]
        if kind == "tool_call" and not record.get("spawned"):
            count["tools"] += 1
            count["failed"] += status == "failed"
        if record in gone:
            continue
        count["artifacts"] += kind == "artifact"
        count["trouble"] += kind == "error" or (kind == "interrupt" and status == "pending")
    return {key: {name: n for name, n in count.items() if n} for key, count in counts.items()}


@settings(deadline=None, max_examples=150)
@given(st.lists(STEPS, max_size=40), st.booleans())
def test_whatever_is_dropped_a_box_counts_what_is_kept_and_the_root_the_rest_as_well(steps, frames):
    view = View()
    page, _ = wired(view)
    view._post = view._outbox.send
    with view._conversation.lock:
        edits = Steps(view)
        for name, *told in steps:
            getattr(edits, name)(*told)
            of = view._conversation.counts.of
            assert {key: of(key) for key in view.namespaces} == afresh(view, edits.gone)
            if frames:
                drain(view)
        drain(view)
    assert page.equals(view)
    assert len(view._conversation.counts._parts) <= len(view.transcript)


def totals(view):
    """What a page adds up for the header of all."""
    of, boxes = view._conversation.counts.of, view.namespaces
    used = [box.get("usage", {}).get("total_tokens", 0) for box in boxes.values()]
    return {
        "tokens": sum(used) + of("").get("tokens", 0),
        "tools": sum(of(key).get("tools", 0) for key in boxes),
        "agents": sum(box["is_agent"] for key, box in boxes.items() if key)
        + of("").get("agents", 0),
    }


@pytest.mark.parametrize("limit", [1, 4, 12])
def test_what_is_counted_in_all_is_the_same_whatever_is_dropped(limit):
    def told(whole):
        return {"tokens": whole.total_tokens, "tools": whole.tools}

    view = shown(demo.research_team(delay=0), ASK)
    before = totals(view)
    view.max_records = limit
    assert view._conversation.left_out
    assert totals(view) == before
    assert before.items() >= told(view.usage).items()
    view.invoke(ASK)
    assert totals(view).items() >= told(view.usage).items()


def test_a_box_that_is_dropped_and_comes_back_is_counted_once():
    view = View()
    page, _ = wired(view)
    view._post = view._outbox.send
    conversation = view._conversation
    with conversation.lock:
        conversation.begin()
        box = conversation.add_namespace(("a",), label="a", parent="", is_agent=True)
        conversation.add("update", None, ["a"], speaker="s", order=1, status="completed")
        conversation.set_namespace(box, usage={"total_tokens": 7})
        conversation.close_namespace(box, "completed")
        for number in (2, 3):
            conversation.add("update", None, [], speaker="s", order=number, status="completed")
        view.max_records = 1
        assert conversation.counts.of("") == {"tokens": 7, "agents": 1}
        conversation.set_namespace(box, status="running")
        assert conversation.counts.of("") == {}
        drain(view)
    assert page.equals(view)
