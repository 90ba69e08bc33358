"""What headers count equals what is kept, whatever was dropped in whichever order."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from page import drain, wired

from nestling import View

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


def afresh(view):
    """What `counts.py` says of each box, from the records that are kept."""
    counts = {key: Counter() for key in view.namespaces}
    for record in view.transcript:
        count, kind, status = (
            counts["|".join(record["namespace"])],
            record["type"],
            record["status"],
        )
        if kind == "tool_call" and not record.get("spawned"):
            count["tools"] += 1
            count["failed"] += status == "failed"
        count["artifacts"] += kind == "artifact"
        count["trouble"] += kind == "error" or (kind == "interrupt" and status == "pending")
    return {key: {name: n for name, n in count.items() if n} for key, count in counts.items()}


@settings(deadline=None, max_examples=150)
@given(st.lists(STEPS, max_size=40), st.booleans())
def test_whatever_is_dropped_the_counts_are_those_of_what_is_kept(steps, frames):
    view = View()
    page, _ = wired(view)
    view._post = view._outbox.send
    with view._conversation.lock:
        edits = Steps(view)
        for name, *told in steps:
            getattr(edits, name)(*told)
            of = view._conversation.counts.of
            assert {key: of(key) for key in view.namespaces} == afresh(view)
            if frames:
                drain(view)
        drain(view)
    assert page.equals(view)
    assert len(view._conversation.counts._parts) <= len(view.transcript)
