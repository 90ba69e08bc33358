"""A graph on a server shows what it shows when it runs here."""

import pytest
from builders import ainvoked, check, invoked
from graphs import FAILING, SHAPES, golden

from nestling import watch

EVERY = {**SHAPES, **FAILING}


@pytest.mark.parametrize("how", [invoked, ainvoked])
@pytest.mark.parametrize("name", EVERY)
def test_a_graph_on_a_server_shows_the_tree_that_it_shows_here(name, how, remote):
    here = golden(name).read_text().splitlines()
    view = watch(remote(name), name=here[0].split()[0])
    try:
        how(view, EVERY[name][1])
    except Exception as e:
        print(repr(e))
    assert str(view).splitlines() == here
    check(view)
