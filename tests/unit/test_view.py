"""The contract of a view: its lists, who hears of what, errors that say what to do."""

import asyncio
import logging
import re
import time

import graphs
import pytest
from builders import check, fed, part, result, shown, start, words
from graphs import ASK

from nestling import View, demo, watch
from nestling.static_output import static_html
from nestling.turns import RUNNING

HELLO = words("hello", "m", "talk")


# --- reading --------------------------------------------------------------------------------


def test_reading_is_always_current():
    view = View()
    for number in range(1, 4):
        view.process_event(HELLO)
        assert view.live_chat[0]["content"] == "hello" * number
        assert view.transcript[0] is view.live_chat[0]
        assert ("hello" * number) in str(view)


def test_the_lists_cannot_be_assigned():
    with pytest.raises(Exception, match="read-only"):
        View().live_chat = []


def test_observers_hear_once_per_frame_and_at_the_end():
    view, heard = View(), []
    view.observe(lambda change: heard.append(list(change["new"])), "live_chat")
    ended = []
    view.observe(lambda change: ended.append(len(change["new"])), "chat_history")
    began = time.monotonic()
    for _ in range(300):
        view.process_event(HELLO)
        time.sleep(0.001)
    frames = (time.monotonic() - began) / 0.033
    assert 3 <= len(heard) <= frames + 2
    view.finalize()
    assert heard[-1] == []
    assert ended[-1] == 1
    assert view.status == "completed"


@pytest.mark.parametrize("fault", [None, ValueError("no")], ids=["completed", "failed"])
def test_whoever_looks_finds_status_error_and_lists_of_one_moment(fault):
    view, seen = View(), []

    def look(change):
        seen.append((view.status, view.error, bool(view.live_chat), len(view.chat_history)))
        if change["op" if "op" in change else "name"] == "status":
            view._on_frame()  # a frame may end at any time

    view.on_event(look)
    view.observe(look, ["status", "live_chat", "chat_history"])
    for turn in (1, 2):
        del seen[:]
        view.process_event(HELLO)
        assert {moment[:2] for moment in seen} == {("running", None)}
        del seen[:]
        view.fail(fault) if fault else view.finalize()
        ended = ("failed" if fault else "completed", fault, False, turn * (2 if fault else 1))
        assert set(seen) == {ended}


def test_changes_that_are_held_back_are_told_afterwards():
    view, heard = View(), []
    view.observe(lambda change: heard.append(change["name"]), ["status", "chat_history"])
    with view.hold_trait_notifications():
        view.process_event(HELLO)
        view.finalize()
        assert heard == []
    assert set(heard) == {"status", "chat_history"}


def test_the_status_can_be_observed():
    view, heard = watch(demo.pipeline(delay=0)), []
    view.observe(lambda change: heard.append(change["new"]), "status")
    view.invoke({"question": "What?"})
    assert heard == ["running", "completed"]


def test_every_change_is_told_with_the_record_after_it():
    view, heard = View(), []
    view.on_event(lambda change: heard.append((change["op"], change["id"], dict(change["record"]))))
    view.process_event(HELLO)
    view.process_event(HELLO)
    view.finalize()
    ops = [(op, key) for op, key, _ in heard]
    assert ops == [
        ("namespace", ""),
        ("status", "running"),
        ("add", "m"),
        ("append", "m"),
        ("append", "m"),
        ("set", "m"),
        ("namespace", ""),
        ("status", "completed"),
    ]
    texts = [record["content"] for op, _, record in heard if op in ("add", "append", "set")]
    assert texts == ["hello", "hello", "hellohello", "hellohello"]
    view.on_event(view.on_event, remove=True)  # was never there


def test_a_callback_that_was_removed_hears_no_more():
    view, heard = View(), []
    view.on_event(heard.append)
    view.on_event(heard.append, remove=True)
    view.process_event(HELLO)
    view.finalize()
    assert heard == []


def test_a_callback_that_raises_is_logged_and_the_run_goes_on(caplog):
    def fall(change):
        raise ZeroDivisionError

    view = watch(demo.nested_team(delay=0))
    view.on_event(fall)
    with caplog.at_level(logging.WARNING):
        view.invoke(ASK)
    assert view.status == "completed"
    assert view._conversation.problems == 0
    assert "on_event callback raised" in caplog.text


# --- errors that say what to do -------------------------------------------------------------


def test_a_view_without_a_graph_cannot_run():
    for run in (View().invoke, View().stream):
        with pytest.raises(RuntimeError, match=r"nestling\.watch\(graph\)"):
            run(ASK)
    with pytest.raises(RuntimeError, match="no graph"):
        asyncio.run(View().ainvoke(ASK))


def test_a_view_runs_once_at_a_time():
    text = "This view is already running. Use view.stop() or another watch()."
    assert text == RUNNING
    view = watch(demo.nested_team(delay=0))
    stream = view.stream(ASK)
    next(stream)
    for run in (view.invoke, view.stream):
        with pytest.raises(RuntimeError, match=re.escape(text)):
            run(ASK)
    with pytest.raises(RuntimeError, match=re.escape(text)):
        list(view.tee(iter([HELLO])))
    assert view.status == "running"
    list(stream)
    assert view.status == "completed"
    view.invoke(ASK)
    assert view._conversation.turn == 2


def test_a_running_view_cannot_be_cleared():
    view = View()
    view.process_event(HELLO)
    with pytest.raises(RuntimeError, match=r"view\.stop\(\)"):
        view.clear()
    view.finalize()
    view.clear()
    assert (view.status, list(view.transcript), list(view.namespaces)) == ("idle", [], [""])
    view.process_event(HELLO)
    assert view.live_chat[0]["seq"] > 0
    view.finalize()
    check(view)


def test_unknown_keywords_are_refused_by_name():
    with pytest.raises(TypeError, match=r"'colour'.*theme"):
        watch(demo.pipeline(), colour="blue")
    with pytest.raises(TypeError, match="'colour'"):
        View(colour="blue")
    assert watch(demo.pipeline(), theme="dark", collapse="all").theme == "dark"


@pytest.mark.parametrize("value", [None, 3, "graph", {}, lambda: None, demo.pipeline])
def test_what_is_no_graph_is_refused(value):
    with pytest.raises(TypeError, match="takes a compiled LangGraph graph, not"):
        watch(value)


def test_a_graph_that_is_not_compiled_is_refused_with_a_hint():
    with pytest.raises(TypeError, match=r"not StateGraph: did you forget \.compile\(\)\?"):
        watch(graphs.StateGraph(graphs.MessagesState))


def test_watching_does_not_change_the_graph():
    graph = demo.nested_team(delay=0)
    before = {k: v for k, v in vars(graph).items() if not k.startswith("__")}
    watch(graph, name="mine").invoke(ASK)
    assert {k: v for k, v in vars(graph).items() if not k.startswith("__")} == before


# --- what a finished run leaves -------------------------------------------------------------


def test_the_short_text_has_no_address():
    view = shown(demo.pipeline(delay=0), {"question": "What?"})
    assert repr(view) == "<nestling.View pipeline completed>"
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == repr(view)


def test_the_static_output_has_no_script_and_no_url_and_a_steady_key():
    hostile = '<script>alert(1)</script> <img src="https://evil.example/x">'
    message = {"type": "ai", "content": hostile, "id": "m"}

    def once():
        view = fed(
            start("1", "team"), part("messages", (message, {}), ("team:1",)), result("1", "team")
        )
        return static_html(view.namespaces, view.transcript, view.status)

    key, html = once()
    assert (key, html) == once()
    assert "<script" not in html
    assert not re.search(r"(src|href|url)\s*[=(]", html.replace("&quot;", '"').split("&lt;")[0])
    assert "&lt;script&gt;" in html
    assert "<details" in html
    assert key in html
