"""Kernel and page in step: snapshot and patches give the page what the kernel has."""

import itertools
import json
import random

import pytest
from builders import events_of, part, recorded, start, words
from hypothesis import given, settings
from hypothesis import strategies as st
from page import Page, drain, wired

from nestling import View, outbox, recording


@pytest.mark.parametrize("every", [1, 7, 1000])
@pytest.mark.parametrize("name", recorded())
def test_the_page_equals_the_kernel_after_every_frame(name, every):
    header, events = events_of(name)
    view = View(label=header["name"])
    page, _ = wired(view)
    for number, event in enumerate(events, 1):
        recording.feed(view, event)
        if number % every == 0:
            view._outbox.flush()
            assert page.equals(view)
    view._outbox.flush()
    assert page.equals(view)


@pytest.mark.parametrize("seed", range(5))
def test_a_page_that_attaches_in_the_middle_equals_the_kernel(seed):
    header, events = events_of("parallel_team")
    view, rng = View(label=header["name"]), random.Random(seed)  # noqa: S311
    _, sent = wired(view)
    pages = []
    for event in events:
        recording.feed(view, event)
        if rng.random() < 0.1:
            view._outbox.flush()
        if rng.random() < 0.02:
            page = Page()
            page.hear(view._outbox.snapshot())
            assert page.equals(view)
            pages.append((page, len(sent)))
    view._outbox.flush()
    assert pages
    for page, at in pages:
        for message in sent[at:]:
            page.hear(message)
        assert page.equals(view)


def test_a_page_with_a_gap_is_sent_what_it_lacks():
    view = View()
    page, sent = wired(view)
    for text in ("one ", "two ", "three "):
        view.process_event(words(text, "m", "talk"))
        view._outbox.flush()
    late = Page()
    late.epoch, late.n = page.epoch, 1
    del sent[:]
    view._outbox.hello(page.epoch, 1)
    (answer,) = sent
    assert answer["type"] == "missed"
    assert [patch["n"] for patch in answer["patches"]] == list(range(2, page.n + 1))


@pytest.mark.parametrize(
    ("epoch", "have"), [(None, 0), ("another", 1), ("same", -1), ("same", 10_000)]
)
def test_a_page_that_cannot_go_on_gets_a_snapshot(epoch, have):
    view = View()
    page, sent = wired(view)
    view.process_event(words("hello", "m", "talk"))
    view._outbox.flush()
    del sent[:]
    view._outbox.hello(page.epoch if epoch == "same" else epoch, have)
    assert [message["type"] for message in sent] == ["snapshot"]


def test_a_page_that_missed_more_than_is_kept_gets_a_snapshot():
    view = View()
    page, sent = wired(view)
    for _ in range(outbox.RING + 5):
        view.process_event(words("again ", "m", "talk"))
        view._outbox.flush()
    del sent[:]
    view._outbox.hello(page.epoch, 2)
    assert [message["type"] for message in sent] == ["snapshot"]


def test_a_page_that_missed_too_much_for_one_message_gets_a_snapshot():
    view = View()
    page, sent = wired(view)
    for number in range(20):
        view.process_event(words("much " * 15_000, f"m{number}", "talk"))
        view._outbox.flush()
    del sent[:]
    view._outbox.hello(page.epoch, 2)
    assert [message["type"] for message in sent] == ["snapshot"]
    assert size(sent[0]) <= 1_000_000


def test_clearing_begins_a_new_epoch():
    view = View()
    page, sent = wired(view)
    view.process_event(words("hello", "m", "talk"))
    view.finalize()
    view._outbox.flush()
    before = page.epoch
    view._post = view._outbox.send
    view.clear()
    assert sent[-1]["type"] == "snapshot"
    assert sent[-1]["epoch"] == page.epoch != before
    assert page.equals(view)
    assert page.rows == {}


# --- size -----------------------------------------------------------------------------------


def size(message):
    """Bytes on the wire, as Jupyter packs messages."""
    return len(json.dumps(message, ensure_ascii=False).encode())


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f600", "\x00"])
def test_a_large_message_goes_in_pieces_and_arrives_whole(letter):
    count = 2_000_000 // len(letter.encode("utf-16-le")) * 2
    view = View()
    page, sent = wired(view)
    view.process_event(words(letter * count, "m", "talk"))
    view.process_event(words(" and on", "m", "talk"))
    drain(view)
    assert page.equals(view)
    assert len(view.live_chat[0]["content"]) == count + 7
    assert max(map(size, sent)) <= 1_000_000


def test_a_large_tool_result_goes_in_pieces_and_arrives_whole():
    view = View()
    page, sent = wired(view)
    view.process_event(start("1", "tools"))
    view.process_event(
        part("tools", {"event": "tool-started", "tool_call_id": "c", "tool_name": "read"})
    )
    view._outbox.flush()
    message = {"type": "tool", "content": "y" * 3_000_000, "tool_call_id": "c", "id": "t"}
    view.process_event(part("messages", (message, {})))
    view.finalize()
    drain(view)
    assert page.equals(view)
    assert len(view.transcript[0]["content"]) == 3_000_000
    assert max(map(size, sent)) <= 1_000_000


def test_large_values_of_many_kinds_never_make_a_message_too_large():
    view = View()
    page, sent = wired(view)
    for number in range(40):
        view.process_event(part("custom", {"n": number, "big": "z" * 90_000}))
    for number in range(40):
        call = {"name": "write", "args": {"text": "w" * 90_000}, "id": f"c{number}"}
        message = {"type": "ai", "content": "q" * 50_000, "id": f"m{number}", "tool_calls": [call]}
        view.process_event(part("messages", (message, {"langgraph_node": "talk"})))
    view.finalize()
    drain(view)
    assert page.equals(view)
    assert max(map(size, sent)) <= 1_000_000


def large_message(number, text):
    blocks = [{"type": "text", "text": text}, {"type": "image", "data": text[:400_000]}]
    message = {"type": "ai", "content": blocks, "id": f"m{number}"}
    message |= {"response_metadata": {"model_name": text}}
    return part("messages", (message, {"langgraph_node": "talk"}))


def large_call(number, text):
    call = {"name": text, "args": dict.fromkeys("abcdef", text[:90_000]), "id": f"{number}{text}"}
    message = {"type": "ai", "content": "", "id": f"c{number}", "tool_calls": [call]}
    return part("messages", (message, {"langgraph_node": "talk"}))


def large_failure(number, text):
    call = {"name": "read", "args": {}, "id": f"f{number}"}
    answer = {"type": "tool", "content": text, "tool_call_id": f"f{number}", "status": "error"}
    message = {"type": "ai", "content": text, "id": f"o{number}", "tool_calls": [call]}
    return part("updates", {"talk": {"messages": [message, answer]}})


def large_value(number, text):
    return part("custom", dict.fromkeys("abcdefgh", text[:90_000]))


def large_question(number, text):
    ask = {"name": text, "args": dict.fromkeys("abcdef", text[:90_000]), "description": text}
    reviews = [{"action_name": text, "allowed_decisions": ["approve"]}]
    value = {"action_requests": [ask], "review_configs": reviews}
    asked = {"value": value, "id": f"i{number}{text}", "response_schema": {"title": text}}
    return part("updates", {"__interrupt__": [asked]})


LARGE = [large_message, large_call, large_failure, large_value, large_question]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(LARGE),
            st.sampled_from([1, 80_000, 120_000, 160_000, 1_200_000]),
            st.sampled_from("x\0"),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_comes_no_message_is_too_large_and_the_page_has_it_all(events):
    view = View()
    page, sent = wired(view)
    for number, (make, length, letter, frame) in enumerate(events):
        view.process_event(make(number, letter * length))
        if frame:
            view._outbox.flush()
            sent.append(view._outbox.snapshot())
    view.fail(ValueError("x" * 1_200_000))
    drain(view)
    sent += [view._outbox.snapshot(), view._outbox.rows(10_000, 500)]
    drain(view)
    assert page.equals(view)
    assert max(map(size, sent)) <= 1_000_000


def long_run(count=10_000):
    view = View()
    page, sent = wired(view)
    for number in range(count):
        message = {"type": "ai", "content": f"message {number}", "id": f"m{number}"}
        view.process_event(part("messages", (message, {"langgraph_node": "talk"})))
    view.finalize()
    drain(view)
    return view, page, sent


def test_a_snapshot_of_ten_thousand_rows_is_small_and_the_rest_is_asked_for():
    view, page, sent = long_run()
    assert page.equals(view)
    snapshot = view._outbox.snapshot()
    assert size(snapshot) <= 1_000_000
    assert max(map(size, sent)) <= 1_000_000
    rows = [row for row in snapshot["chat_history"] if row["seq"] >= snapshot["floor"]]
    assert snapshot["earlier"] == {"": 10_000 - len(rows)}
    left = True
    while left:
        answer = view._outbox.rows(rows[0]["seq"], 700)
        assert size(answer) <= 1_000_000
        rows = answer["records"] + rows
        left = answer["earlier"]
        assert left == 10_000 - len(rows)
    assert rows == list(view.transcript)


def test_a_snapshot_of_large_rows_holds_as_many_as_fit():
    view = View()
    page, _ = wired(view)
    for number in range(30):
        message = {"type": "ai", "content": "é" * 40_000, "id": f"m{number}"}
        view.process_event(part("messages", (message, {})))
        view._outbox.flush()
    drain(view)
    snapshot = view._outbox.snapshot()
    assert 0 < len(snapshot["live_chat"]) < 30
    assert snapshot["earlier"] == {"": 30 - len(snapshot["live_chat"])}
    assert size(snapshot) <= 1_000_000
    assert page.epoch == snapshot["epoch"]


@pytest.mark.parametrize("frames", [0, 3, 100])
def test_one_row_that_is_too_large_for_a_snapshot_still_arrives(frames):
    view = View()
    first, _ = wired(view)
    view.process_event(words("x" * 2_000_000, "m", "talk"))
    for _ in range(frames):
        view._outbox.flush()
    snapshot = view._outbox.snapshot()
    assert size(snapshot) <= 1_000_000
    page = Page()
    page.hear(snapshot)
    view._outbox.send = lambda message: (first.hear(message), page.hear(message))
    drain(view)
    assert page.equals(view)
    assert first.equals(view)


def test_thousands_of_boxes_go_in_pieces_and_are_asked_for():
    view = View()
    page, sent = wired(view)
    for number in range(5_000):
        message = {"type": "ai", "content": f"message {number}", "id": f"m{number}"}
        view.process_event(part("messages", (message, {}), (f"worker:{number:036}",)))
    view.finalize()
    drain(view)
    assert page.equals(view)
    assert max(map(size, sent)) <= 1_000_000
    late = Page()
    late.hear(view._outbox.snapshot())
    assert size(view._outbox.snapshot()) <= 1_000_000
    view._outbox.send = late.hear
    before = min(late.rows)
    older = view._outbox.rows(before, 500)["records"]
    assert older[-1]["seq"] < before
    assert {"|".join(r["namespace"]) for r in (*late.rows.values(), *older)} <= set(late.boxes)


def boxes(view, count):
    for number in range(count):
        message = {"type": "ai", "content": f"message {number}", "id": f"m{number}"}
        view.process_event(part("messages", (message, {}), (f"worker:{number:036}",)))


def test_among_thousands_of_boxes_those_that_wait_are_with_the_page():
    view = View()
    wired(view)
    boxes(view, 2_000)
    conversation = view._conversation
    with conversation.lock:
        conversation.close_namespace(view.namespaces[f"worker:{7:036}"], "interrupted")
    view.finalize()
    drain(view)
    late = Page()
    late.hear(view._outbox.snapshot())
    assert len(late.boxes) < 1_000
    assert f"worker:{7:036}" in late.boxes


def empty_boxes(view, count):
    conversation = view._conversation
    with conversation.lock:
        for number in range(count):
            box = conversation.add_namespace((f"idle:{number:036}",), label="idle", parent="")
            conversation.close_namespace(box, "completed")


def all_boxes(view, late, snapshot):
    """What a page gets that asks for all boxes of the root: the keys of each answer."""
    view._outbox.send = late.hear
    before, closed, told = snapshot["floor"], snapshot["closed"].get("", 0), []
    while closed:
        known = set(late.boxes)
        answer = view._outbox.rows(before, 500, "", closed=True)
        assert size(answer) <= 1_000_000
        told.append(set(late.boxes) - known)
        closed -= len(told[-1])
        before = answer["floor"]
    assert before == 0
    return told


@pytest.mark.parametrize("fill", [boxes, empty_boxes])
def test_boxes_that_are_not_in_a_snapshot_can_be_asked_for_from_the_last_on(fill):
    view = View()
    wired(view)
    fill(view, 3_000)
    view.finalize()
    drain(view)
    late = Page()
    snapshot = view._outbox.snapshot()
    assert size(snapshot) <= 1_000_000
    late.hear(snapshot)
    assert snapshot["closed"] == {"": 3_001 - len(late.boxes)}
    told = all_boxes(view, late, snapshot)
    assert max(map(len, told)) <= 500
    assert set(late.boxes) == set(view.namespaces)
    for earlier, later in itertools.pairwise(told[::-1]):
        assert max(earlier) < min(later)


def test_boxes_that_come_later_say_what_was_said_in_them_last():
    view = View()
    wired(view)
    boxes(view, 2_000)
    view.finalize()
    drain(view)
    late = Page()
    late.hear(view._outbox.snapshot())
    view._outbox.send = late.hear
    known = set(late.boxes)
    answer = view._outbox.rows(min(late.rows), 500, "", closed=True)
    said = {"|".join(record["namespace"]) for record in answer["records"]}
    assert len(late.boxes) > len(known)
    assert said >= set(late.boxes) - known


def test_a_page_that_has_all_boxes_gets_rows_only():
    view, *_ = long_run()
    boxes(view, 2_000)
    view.finalize()
    drain(view)
    answer = view._outbox.rows(view._conversation.rows()[-1]["seq"], 500, "")
    assert len(answer["records"]) == 500
    assert "floor" not in answer


def test_rows_are_as_the_patches_before_them_have_left_them():
    view = View()
    wired(view)
    boxes(view, 2_000)
    view.process_event(words("x" * 2_000_000, "m0", "talk"))
    drain(view)
    late = Page()
    late.hear(view._outbox.snapshot())
    huge = next(row for row in view.transcript if len(row["content"]) > 1_000_000)
    view._outbox.send = late.hear
    answer = view._outbox.rows(huge["seq"] + 1, 1, "|".join(huge["namespace"]))
    assert answer["n"] == late.n
    late.rows |= {row["seq"]: row for row in answer["records"]}
    drain(view)
    assert late.rows[huge["seq"]]["content"] == huge["content"]


def test_a_token_costs_its_own_text_and_little_more():
    view = View()
    _, sent = wired(view)
    text = 0
    for frame in range(30):
        for number in range(100):
            piece = f"{frame}-{number} "
            text += len(piece)
            view.process_event(words(piece, f"m{number % 10}", "talk"))
        view._outbox.flush()
    assert sum(map(size, sent[1:])) / text < 2


def test_state_that_is_set_often_is_told_once_per_frame():
    view = View()
    _, sent = wired(view)
    view.process_event(start("1", "talk"))
    view._outbox.flush()
    del sent[:]
    for _ in range(50):
        view.process_event(words("a", "m", "talk"))
        view.process_event(words("", "m", "talk", tool_call_chunks=[]))
    view._outbox.flush()
    assert len(sent) == 1
    assert len(sent[0]["add"]) == 1
    assert sent[0]["add"][0]["content"] == "a" * 50
