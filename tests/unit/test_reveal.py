"""What Python shows in the pages: boxes that open and close, a row in sight."""

import pytest
from page import wired

from nestling import View


@pytest.fixture
def view():
    view = View()
    with view._conversation.lock:
        for number in (1, 2):
            view._conversation.add_namespace((f"writer:{number}",), label="writer", parent="")
    return view


def say(view):
    with view._conversation.lock:
        view._conversation.add("ai", "a", ["writer:1"], speaker="w", order=1, content="Hello")


def shown(view, act):
    """What `act` sends beside patches, which are all there before."""
    _, sent = wired(view)
    say(view)
    act()
    patch, told = sent
    assert patch["add"]
    return told


def test_the_boxes_of_an_agent_are_opened(view):
    told = shown(view, lambda: view.expand("writer"))
    assert told == {"type": "show", "open": True, "label": "writer"}


def test_all_boxes_are_closed(view):
    assert shown(view, view.collapse_all) == {"type": "show", "open": False}


@pytest.mark.parametrize("how", [dict, lambda record: record["id"]])
def test_a_record_or_its_id_comes_into_sight_after_the_patch_that_brings_it(view, how):
    told = shown(view, lambda: view.scroll_to(how(view.transcript[0])))
    assert told == {"type": "show", "key": "writer:1", "seq": view.transcript[0]["seq"]}
    assert view.selection is None


def test_who_is_not_there_is_told_who_is(view):
    with pytest.raises(KeyError, match=r"'reader'. There are: 'writer'"):
        view.expand("reader")


@pytest.mark.parametrize("nothing", ["b", None, 5, {}, []])
def test_a_record_that_is_not_there_says_what_to_give(view, nothing):
    with pytest.raises(KeyError, match=r"one of view\.transcript, or its id"):
        view.scroll_to(nothing)
