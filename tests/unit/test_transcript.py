"""Records as a table."""

import sys

import pytest
from builders import fed, shown, words
from graphs import ASK

from nestling import View, demo


def test_a_frame_has_the_fields_then_tokens_and_seconds():
    view = shown(demo.research_team(delay=0), ASK)
    frame = view.transcript.to_frame()
    assert list(frame["id"]) == [record["id"] for record in view.transcript]
    assert list(frame.columns[:4]) == ["id", "type", "namespace", "speaker"]
    assert list(frame.columns[-2:]) == ["tokens", "seconds"]
    assert frame["tokens"].sum() == view.usage.total_tokens
    assert (frame["seconds"] >= 0).all()
    assert frame[frame.type == "tool_call"]["name"].notna().all()
    by_speaker = frame.groupby("speaker").size()
    assert by_speaker["You"] == 1


def test_what_is_not_known_is_missing():
    frame = fed(words("hel", "m", "talk"), end=False).transcript.to_frame()
    assert frame["tokens"].isna().all()
    assert frame["seconds"].isna().all()
    assert frame["content"][0] == "hel"


def test_an_empty_run_has_columns_as_well():
    frame = View().transcript.to_frame()
    assert len(frame) == 0
    assert {"speaker", "started_at", "tokens", "seconds"} <= set(frame.columns)


def test_without_pandas_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        View().transcript.to_frame()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"text": 5}, r"find\('5'\)"),
        ({"status": 5}, "find\\(status=...\\) takes a str"),
        ({"type": ["ai", None]}, "several in a list"),
    ],
)
def test_what_cannot_be_found_is_refused_with_what_to_write(given, says):
    with pytest.raises(TypeError, match=says):
        View().transcript.find(**given)
