import gc

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
