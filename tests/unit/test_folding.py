"""Messages and tool calls, fed by hand: one rule of the fold each."""

import pytest
from builders import ai, check, fed, lines, part, result, said, start, tool, wants, words

from nestling import View


def removal(message_id):
    return {"type": "remove", "content": "", "id": message_id}


# --- content --------------------------------------------------------------------------------


def test_blocks_of_text_and_thought_stream_apart():
    chunks = [
        [{"type": "thinking", "thinking": "Let me "}],
        [{"type": "thinking", "thinking": "see.", "signature": "x"}],
        [{"type": "text", "text": "It ", "index": 1}],
        [{"type": "text_delta", "text": "is.", "index": 1}],
        [{"type": "input_json_delta", "partial_json": "{"}],
        [{"type": "image_url", "image_url": {"url": "data:,"}}],
    ]
    view = fed(*(words(chunk, "m", "talk") for chunk in chunks))
    (row,) = view.transcript
    assert (row["content"], row["reasoning"]) == ("It is.", "Let me see.")
    assert row["blocks"] == [{"type": "image_url", "image_url": {"url": "data:,"}}]


def test_a_whole_message_corrects_what_was_streamed():
    view = fed(
        words("helo", "m", "talk"),
        part("updates", {"talk": {"messages": [ai("hello", "m")]}}),
    )
    assert [r["content"] for r in view.transcript] == ["hello"]


def test_arguments_stream_as_text_until_they_are_complete():
    view = View()
    for name, args, call_id in [("look", "", "c"), (None, '{"n"', None), (None, ": 1}", None)]:
        chunk = {"name": name, "args": args, "id": call_id, "index": 0}
        view.process_event(words("", "m", "talk", tool_call_chunks=[chunk]))
    call = view.live_chat[1]
    assert (call["status"], call["args_text"]) == ("calling", '{"n": 1}')
    view.process_event(words("", "m", "talk", chunk_position="last"))
    assert call["args"] == {"n": 1}
    assert "args_text" not in call
    view.finalize()
    assert call["status"] == "cancelled"


def test_two_calls_that_stream_together_keep_their_arguments_apart():
    pieces = [
        (0, "a", "look", ""),
        (1, "b", "look", ""),
        (1, None, None, '{"n": 2}'),
        (0, None, None, '{"n": 1}'),
    ]
    chunks = [
        words("", "m", "talk", tool_call_chunks=[{"index": i, "id": c, "name": n, "args": a}])
        for i, c, n, a in pieces
    ]
    view = fed(*chunks, words("", "m", "talk", chunk_position="last"))
    assert [(r["id"], r["args"]) for r in view.transcript.find(type="tool_call")] == [
        ("a", {"n": 1}),
        ("b", {"n": 2}),
    ]


def test_usage_of_chunks_adds_up_and_is_counted_once():
    def usage(i, o):
        return {"usage_metadata": {"input_tokens": i, "output_tokens": o, "total_tokens": i + o}}

    whole = ai("a b", "m", **usage(5, 3))
    view = fed(
        start("1", "talk"),
        words("a", "m", "talk", **usage(5, 1)),
        words(" b", "m", "talk", chunk_position="last", **usage(0, 2)),
        part("updates", {"talk": {"messages": [whole]}}),
        result("1", "talk", {"messages": [whole]}),
    )
    expected = {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8}
    assert view.transcript[0]["usage"] == view.namespaces[""]["usage"] == expected


@pytest.mark.parametrize("message_id", [None, "m"])
def test_a_message_without_an_id_is_shown_once(message_id):
    whole = ai("hello", message_id)
    view = fed(
        start("1", "talk"),
        words("hel", None, "talk"),
        words("lo", None, "talk"),
        part("updates", {"talk": {"messages": [whole]}}),
        result("1", "talk", {"messages": [whole]}),
        part("values", {"messages": [whole]}),
    )
    assert lines(view) == ["└─ talk: hello"]


@pytest.mark.parametrize(
    "update",
    [
        {"messages": ai("hi", "m")},
        {"messages": [ai("hi", "m")]},
        {"messages": (ai("hi", "m"),)},
        [{"messages": [ai("hi", "m")]}],
        {"answer": ai("hi", "m"), "other": 3},
    ],
)
def test_messages_are_found_in_whatever_a_node_returns(update):
    view = fed(start("1", "talk"), part("updates", {"talk": update}), result("1", "talk"))
    assert lines(view) == ["└─ talk: hi"]


# --- calls and results ----------------------------------------------------------------------


@pytest.mark.parametrize("with_tasks", [True, False], ids=["tasks", "updates alone"])
@pytest.mark.parametrize("message_id", ["h", "__remove_all__", "unknown"])
def test_a_node_that_only_removes_messages_has_a_quiet_row_and_what_was_said_stays(
    message_id, with_tasks
):
    asked = {"messages": [{"type": "human", "content": "Hi", "id": "h"}]}
    events = [part("values", asked)]
    for number in "12":
        update = {"messages": [removal(message_id)]}
        begun = [start(number, "trim", asked)] if with_tasks else []
        ended = [result(number, "trim", update)] if with_tasks else []
        events += [*begun, part("updates", {"trim": update}), *ended]
    view = fed(*events)
    assert [(r["type"], r["content"][:2]) for r in view.transcript] == [
        ("user", "Hi"),
        ("update", "me"),
        ("update", "me"),
    ]


def test_an_id_that_comes_again_in_another_turn_is_another_call():
    view = View()
    for turn in "12":
        view.process_event(start(f"m{turn}", "talk"))
        view.process_event(wants("c", message_id=f"m{turn}", task_id=f"m{turn}"))
        view.process_event(start(f"t{turn}", "tools"))
        view.process_event(said(tool(f"result {turn}", "c", f"t{turn}"), "tools"))
        view.finalize()
        check(view)
    calls = view.transcript.find(type="tool_call")
    assert [(c["id"], c["tool_call_id"], c["content"]) for c in calls] == [
        ("c", "c", "result 1"),
        ("c@2", "c", "result 2"),
    ]


def test_an_id_that_comes_again_in_another_box_is_another_call():
    events = []
    for n in "12":
        ns = (f"team:{n}",)
        events += [
            start(n, "team"),
            start(f"t{n}", "talk", ns=ns),
            wants("c", message_id=f"m{n}", ns=ns, task_id=f"t{n}"),
        ]
    for n in "21":
        events.append(said(tool(f"result {n}", "c", f"r{n}"), "tools", (f"team:{n}",)))
    view = fed(*events, result("1", "team"), result("2", "team"))
    calls = view.transcript.find(type="tool_call")
    assert [(c["id"], c["content"]) for c in calls] == [("c", "result 1"), ("c@2", "result 2")]


def test_an_id_that_comes_again_in_the_next_message_is_another_call():
    view = fed(
        wants("c", message_id="m1"),
        said(tool("one", "c", "t1"), "tools"),
        wants("c", message_id="m2"),
        said(tool("two", "c", "t2"), "tools"),
    )
    calls = view.transcript.find(type="tool_call")
    assert [(c["id"], c["content"], c["status"]) for c in calls] == [
        ("c", "one", "completed"),
        ("c@2", "two", "completed"),
    ]


def test_a_result_without_a_call_is_still_shown():
    view = fed(said(tool("found", "c", "t", name="look"), "tools"))
    assert lines(view) == ["└─ look() [completed] -> found"]


def test_parts_of_a_result_that_are_no_text_are_named():
    content = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {}}, "end"]
    view = fed(wants("c"), said(tool(content, "c", "t"), "tools"))
    assert view.transcript[1]["content"] == "see\n[image]\nend"


def test_a_result_that_says_error_fails_the_call():
    view = fed(wants("c"), said(tool("no such file", "c", "t", status="error"), "tools"))
    call = view.transcript[1]
    assert (call["status"], call["error"]) == ("failed", "no such file")


def test_an_error_that_the_node_handles_becomes_its_result():
    tools = part("tools", {"event": "tool-error", "tool_call_id": "c", "message": "boom"})
    view = fed(wants("c"), tools, said(tool("Try again.", "c", "t", status="error"), "tools"))
    call = view.transcript[1]
    assert (call["status"], call["content"]) == ("failed", "Try again.")
