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
