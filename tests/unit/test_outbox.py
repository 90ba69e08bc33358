"""When messages leave, from which threads, and that none is lost."""

import gc
import sys
import threading
import time
import weakref
from itertools import pairwise

from builders import check, result, start, words
from graphs import ASK
from ipywidgets import Layout
from page import Page

from nestling import View, demo, outbox, watch
from nestling.conversation import Conversation
from nestling.outbox import FRAME, Outbox


def test_two_messages_are_never_closer_than_a_frame():
    conversation, times = Conversation(time.time), []
    box = Outbox(conversation, lambda _: times.append(time.monotonic()))
    with conversation.lock:
        conversation.begin()
        record = conversation.add("ai", "m", [], speaker="a", order=0, status="streaming")
    until = time.monotonic() + 10
    while len(times) < 8 and time.monotonic() < until:
        with conversation.lock:
            conversation.append(record, "x")
        time.sleep(0.0005)
    box.close()
    gaps = [after - before for before, after in pairwise(times)]
    assert len(gaps) >= 5
    assert min(gaps) >= FRAME


def test_with_the_answers_to_a_page_there_are_no_more_than_thirty_messages_a_second():
    conversation, times = Conversation(time.time), []
    box = Outbox(conversation, lambda _: times.append(time.monotonic()))
    with conversation.lock:
        conversation.begin()
        record = conversation.add("ai", "m", [], speaker="a", order=0, status="streaming")
    until = time.monotonic() + 30
    asks = time.monotonic() + 1
    while len(times) < 80 and time.monotonic() < until:
        with conversation.lock:
            conversation.append(record, "x")
        if time.monotonic() > asks:
            asks += 1
            box.hello(box.epoch, box.n - 10)
        time.sleep(0.0005)
    box.close()
    assert len(times) > 50
    assert all(after - before >= 1 for before, after in zip(times, times[30:], strict=False))


def test_the_first_change_after_a_quiet_time_leaves_at_once():
    conversation, sent = Conversation(time.time), threading.Event()
    box = Outbox(conversation, lambda _: sent.set())
    with conversation.lock:
        conversation.begin()
    assert sent.wait(1)
    waited = []
    for _ in range(5):
        time.sleep(3 * FRAME)
        sent.clear()
        began = time.monotonic()
        with conversation.lock:
            conversation.add("user", None, [], speaker="You", order=0, content="hi")
        assert sent.wait(1)
        waited.append(time.monotonic() - began)
    box.close()
    assert min(waited) < FRAME / 2


def test_a_writer_that_waits_out_a_slow_message_ends_at_once_when_it_is_closed():
    conversation, sent = Conversation(time.time), threading.Event()

    def slow(_):
        time.sleep(0.5)
        sent.set()

    box = Outbox(conversation, slow)
    with conversation.lock:
        conversation.begin()
    assert sent.wait(2)
    with conversation.lock:
        conversation.add("user", None, [], speaker="You", order=0, content="hi")
        writer = box._writer
    time.sleep(0.05)
    began = time.monotonic()
    box.close()
    writer.join(5)
    assert time.monotonic() - began < 0.5


def test_the_writer_ends_when_there_is_nothing_to_write(monkeypatch):
    monkeypatch.setattr(outbox, "_IDLE", 0.05)
    view = View()
    view.process_event(words("hello", "m", "talk"))
    view.finalize()
    writer = view._outbox._writer
    assert writer is not None
    writer.join(2)
    assert not writer.is_alive()
    view.process_event(words("again", "n", "talk"))
    assert view._outbox._writer is not None
    view.finalize()


def test_closing_a_view_frees_its_thread():
    view = View()
    view.process_event(words("hello", "m", "talk"))
    writer = view._outbox._writer
    view.close()
    writer.join(2)
    assert not writer.is_alive()
    view.finalize()
    assert view.chat_history[0]["content"] == "hello"


def test_a_closed_view_takes_its_layout_along_but_nobody_elses():
    layout = Layout()
    view, other = View(), View(layout=layout)
    own = view.layout
    view.close()
    other.close()
    assert own.comm is None
    assert layout.comm is not None


def test_a_closed_view_is_freed():
    view = watch(demo.pipeline(delay=0))
    view.invoke({"question": "What?"})
    writer, seen = view._outbox._writer, weakref.ref(view)
    view.close()
    writer.join(2)
    del view
    gc.collect()
    assert seen() is None


def test_sixteen_threads_at_once_lose_nothing():
    view, page = View(), Page()
    heard = threading.Lock()

    def send(message):
        with heard:
            page.hear(message)

    page.hear(view._outbox.snapshot())
    view._outbox.send = send
    view.process_event(start("0", "fan"))

    def feed(number):
        ns = (f"worker:{number}",)
        view.process_event(start(f"{number}", "worker"))
        for piece in range(200):
            view.process_event(words(f"{piece} ", f"m{number}", "talk", ns, task_id=f"t{number}"))
        view.process_event(result(f"{number}", "worker"))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=feed, args=(number,)) for number in range(1, 17)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    view.finalize()
    while view._outbox._dirty or view._outbox._append:
        time.sleep(0.01)
    view._outbox.close()
    whole = "".join(f"{piece} " for piece in range(200))
    assert [r["content"] for r in view.transcript.find(type="ai")] == [whole] * 16
    assert page.equals(view)
    check(view)


def test_a_page_that_fails_to_listen_does_not_hurt_the_run():
    def send(message):
        raise ConnectionError("gone")

    view = watch(demo.nested_team(delay=0))
    view._outbox.send = send
    view.invoke(ASK)
    assert view.status == "completed"
    check(view)


def test_a_run_goes_on_where_no_thread_can_be_started(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    view = View()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        view.process_event(start("1", "talk"))
        view.process_event(words("One", "m", "talk"))
    sent = []
    view._outbox.send = sent.append
    view.process_event(words("Two", "m2", "talk"))  # there is room again
    until = time.monotonic() + 10
    while not sent and time.monotonic() < until:
        time.sleep(0.01)
    assert [record["content"] for record in sent[0]["add"]] == ["One", "Two"]
    assert view._conversation.problems == 0
    view.close()
