import gc
import json
import math

import pytest
import traitlets

import nestling


class Mine(nestling.View):
    mood = traitlets.Unicode("").tag(sync=True)


def test_a_subclass_takes_the_traits_of_a_view_and_its_own():
    view = Mine(collapse="none", mood="calm")
    assert (view.collapse, view.mood) == ("none", "calm")


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_an_unknown_keyword_is_refused_and_leaves_nothing_behind():
    with pytest.raises(TypeError, match=r"'colapse'.*Known are: .*collapse"):
        nestling.View(colapse="none")
    gc.collect()


def of_a_page(view, **state):
    """What a page sets."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    view._handle_msg({"content": {"data": data}, "buffers": []})


def test_whether_letters_are_shortcuts_can_be_changed_at_any_time():
    view, heard = nestling.View(), []
    view.observe(lambda change: heard.append(bool(change["new"])), "keys")
    for value in (False, False, True):
        view.keys = value
    assert heard == [False, True]
    assert view.get_state("keys") == {"keys": True}


def test_nobody_replaces_the_names_of_what_is_synced():
    view = nestling.View()
    with pytest.raises(traitlets.TraitError, match="keys is True or False"):
        view.keys = ["query"]
    of_a_page(view, keys=["query"])
    of_a_page(view, filters={"type": ["ai"]})
    assert view.filters == {"type": ["ai"]}
    of_a_page(view, keys=False)
    assert not view.keys


def test_a_time_range_may_be_open_and_is_turned_the_right_way_round():
    view = nestling.View()
    view.time_range = (5, 1)
    assert view.time_range == (1, 5)
    for open_range in [(5, math.inf), (-math.inf, 5), (-math.inf, math.inf)]:
        view.time_range = open_range
        assert view.time_range == open_range
        start, end = view.get_state("time_range")["time_range"]
        assert start <= 5 < 1e10 < end or end == 5 > start
        json.dumps([start, end], allow_nan=False)
    with pytest.raises(traitlets.TraitError, match=r"not nan.*float\(\"inf\"\)"):
        view.time_range = (math.nan, 1)
    view.time_range = None
    assert view.get_state("time_range") == {"time_range": None}
