"""No message is over 1 MB, whatever a run is made of; and a page has all of it in the end."""

import json
from decimal import Decimal
from pathlib import PurePosixPath

import pytest
from builders import part, start
from page import Page, drain, wired
from test_wire import size

from nestling import View
from nestling.artifacts import MAX_BYTES, describe
from nestling.encode import encode
from nestling.questions import answer

LIMIT = 1_000_000
#: A character that takes six bytes on the wire.
WIDE = "\x00"


def largest(text=WIDE):
    """A value at the cap of `encode`, and more than that to begin with."""
    return encode({"a": [text * 90_000] * 5, "b": {str(n): 1e-300 / 3 for n in range(5_000)}})


def mime(letter="x"):
    made = describe({"kind": "k", "mime": {"text/html": letter * (MAX_BYTES - 100)}}, "title")
    return made["mime"]


def worst(view, number, kind="tool_call", **fields):
    """A record with everything in it that records may have, as large as it may be."""
    name = f"{number}{WIDE * 2_000}"
    with view._conversation.lock:
        return view._conversation.add(
            kind,
            f"r{name}",
            [],
            speaker=name,
            order=number,
            content=WIDE * 5_000_000 if number % 2 else "short",
            reasoning=WIDE * 1_000_000,
            args=largest(),
            args_text=WIDE * 1_000_000,
            blocks=largest("y"),
            mime=mime(),
            value=largest(),
            answer=largest(),
            data=largest(),
            error=WIDE * 30_000,
            message=WIDE * 30_000,
            traceback=WIDE * 30_000,
            name=name,
            title=name,
            model=name,
            **fields,
        )


def messages(view, sent):
    """All that is sent for what there is now, and for whoever comes or asks."""
    sent.append(view._outbox.snapshot())
    sent.append(view._outbox.rows(10_000, 500))
    drain(view)
    sent += [view._outbox.snapshot(), view._outbox.rows(10_000, 500)]
    drain(view)
    return max(map(size, sent))


def test_the_largest_record_goes_in_pieces():
    view = View()
    page, sent = wired(view)
    worst(view, 1)
    assert messages(view, sent) <= LIMIT
    assert page.equals(view)


def test_several_of_the_largest_records_in_one_frame_go_in_pieces():
    view = View()
    page, sent = wired(view)
    for number, kind in enumerate(("tool_call", "ai", "artifact", "interrupt", "error", "custom")):
        worst(view, number, kind)
    assert messages(view, sent) <= LIMIT
    assert page.equals(view)


def test_a_page_that_comes_late_has_the_largest_record_in_the_end():
    view = View()
    wired(view)
    worst(view, 1)
    drain(view)
    late = Page()
    late.hear(view._outbox.snapshot())
    view._outbox.send = late.hear
    drain(view)
    assert late.equals(view)


def test_rows_that_are_asked_for_are_whole_in_the_end():
    view = View()
    page, _ = wired(view)
    worst(view, 1)
    drain(view)
    record = view.transcript[0]
    page.rows.clear()
    told = view._outbox.rows(record["seq"] + 1, 1)
    page.rows |= {row["seq"]: row for row in told["records"]}
    drain(view)
    assert page.equals(view)


def test_all_fields_that_change_at_once_go_in_pieces():
    view = View()
    page, sent = wired(view)
    records = [worst(view, number) for number in range(3)]
    drain(view)
    with view._conversation.lock:
        for record in records:
            fields = {name: largest("z") for name in ("args", "blocks", "value", "answer", "data")}
            view._conversation.set(record, mime=mime("z"), content="z" * 2_000_000, **fields)
    drain(view)
    assert max(map(size, sent)) <= LIMIT
    assert page.equals(view)


@pytest.mark.parametrize("small", ["boxes", "rows"])
def test_the_largest_record_is_not_kept_waiting_by_what_is_small(small):
    view = View()
    page, sent = wired(view)
    conversation = view._conversation
    with conversation.lock:
        boxes = [
            conversation.add_namespace((f"{number}",), label="box", parent="")
            for number in range(2_000)
        ]
        drain(view)
        record = worst(view, 0)
        for number in range(20):
            for box in boxes if small == "boxes" else ():
                conversation.set_namespace(box, usage={"output_tokens": number})
            for _ in range(100 if small == "rows" else 0):
                conversation.add("ai", None, [], speaker="a", order=1, content="so it is")
            view._outbox.flush()
        seq = record["seq"]
        assert page.rows[seq]["mime"] == record["mime"]
        assert page.rows[seq]["args"] == record["args"]
    drain(view)
    assert page.equals(view)
    assert max(map(size, sent)) <= LIMIT


def test_the_largest_record_can_be_inspected():
    view = View()
    wired(view)
    record = worst(view, 1)
    for node in ("first", "second"):
        keys = {f"{node}{number}": WIDE * 12_000 for number in range(50)}
        view.process_event(start(node, node, keys))
        view.process_event(part("updates", {node: keys}))
        view.process_event(part("values", keys))
    told = answer(view, {"question": "inspect", "ask": "1", "id": record["id"]})
    assert told["record"]["status"] == "completed"
    assert size(told) <= LIMIT


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("count", [400, 6_000])
def test_boxes_with_large_names_fit_in_a_snapshot_as_far_as_there_is_room(count, running):
    view = View()
    page, sent = wired(view)
    conversation = view._conversation
    with conversation.lock:
        conversation.begin()
        for number in range(count):
            segment = f"node{number:0300}"
            conversation.add_namespace((segment,), label=WIDE * 2_000, parent="", order=number)
            conversation.add("ai", None, [segment], speaker="a", order=number, content="x" * 50)
        if not running:
            conversation.end("completed")
    drain(view)
    assert messages(view, sent) <= LIMIT
    assert page.equals(view)
    late = Page()
    late.hear(view._outbox.snapshot())
    assert {"|".join(row["namespace"]) for row in late.rows.values()} <= set(late.boxes)
    view._outbox.send = late.hear
    drain(view)
    open_boxes = {key for key, box in view.namespaces.items() if box["status"] == "running"}
    assert open_boxes <= set(late.boxes)


def test_what_was_dropped_in_one_frame_goes_in_pieces():
    view = View()
    page, sent = wired(view)
    conversation = view._conversation
    with conversation.lock:
        made = [conversation.add("ai", None, [], speaker="a", order=n) for n in range(20_000)]
        drain(view)
        view._outbox._drop[""] = list(range(100_000, 250_000))
        del conversation.live[:-1]
        for record in made[:-1]:
            conversation._drop(record)
    drain(view)
    assert max(map(size, sent)) <= LIMIT
    assert page.equals(view)


@pytest.mark.parametrize(
    "item",
    [2**9_000, Decimal(10) ** 9_000 + 1, PurePosixPath("p" * 9_000), type("T" * 9_000, (), {})],
    ids=["int", "decimal", "path", "class"],
)
def test_whatever_it_is_made_of_a_value_has_its_cap(item):
    for value in ([item] * 5_000, dict.fromkeys(range(5_000), item), [{item: 1}] * 5_000):
        assert len(json.dumps(encode(value))) < 700_000
