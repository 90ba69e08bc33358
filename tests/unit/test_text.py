"""The text tree."""

import pytest
from builders import ai, fed, lines, said, tool, wants, words

# --- the tree -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n\n  b\tc\r\nd", "a b c d"),
        ("x" * 200, "talk: " + "x" * 93 + "…"),
        ("tick\x07\x1b[31m red", "tick[31m red"),
        ("safe\u202egnp.exe", "safeU+202Egnp.exe"),
        ("\u2066hidden\u2069", "U+2066hiddenU+2069"),
        ("line\u2028end\x85now", "line end now"),
    ],
)
def test_a_line_is_one_line_and_steers_nothing(text, shown):
    (line,) = lines(fed(words(text, "m", "talk")))
    assert line.removeprefix("└─ ") in (shown, f"talk: {shown}")
    assert len(line) <= 103


def test_a_hundred_characters_are_not_cut():
    text = "x" * (100 - len("talk: "))
    assert lines(fed(words(text, "m", "talk"))) == [f"└─ talk: {text}"]


def test_an_empty_message_is_a_record_but_no_line():
    view = fed(words(" ", "m", "talk", chunk_position="last"))
    assert len(view.transcript) == 1
    assert lines(view) == []


def test_arguments_are_written_with_sorted_keys():
    call = {"name": "look", "args": {"b": 1, "a": {"d": "é", "c": 2}}, "id": "c"}
    view = fed(said(ai("", "m", tool_calls=[call])))
    assert lines(view) == ['└─ look({"a": {"c": 2, "d": "é"}, "b": 1}) [cancelled]']


def test_artifacts_are_listed_last():
    artifact = {"title": "Plot\nof\u202e it", "data": {"n": 1}}
    view = fed(wants("c"), said(tool("made", "c", "t", artifact=artifact), "tools"))
    assert lines(view)[-1] == "1 artifact: Plot ofU+202E it"
    assert view.artifacts[0].data == {"n": 1}
