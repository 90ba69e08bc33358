"""Kernels with and without subshells hear a page at other times, and show the same."""

import pytest

from tests.browser.lab import CLASSIC, Notebook
from tests.browser.page import rows, until_equal, until_status, widget

TEAM = """
import nestling
from nestling import demo
view = nestling.watch(demo.parallel_team(delay=0.04), collapse="none")
display(view)
"""
QUESTION = "{'topic': 'solar power'}"
SYNC = f"view.invoke({QUESTION});"
ASYNC = f"await view.ainvoke({QUESTION});"


@pytest.fixture(scope="module", params=["python3", "classic"])
def notebook(request, lab, context):
    if request.param == "classic" and not CLASSIC.exists():
        pytest.fail("ipykernel 6 is missing: 'make classic' fetches it")
    opened = Notebook(lab, context, lab.write([TEAM, "", ""], request.param))
    version = opened.python("__import__('ipykernel').__version__")
    assert version.startswith("6." if request.param == "classic" else "7.")
    yield opened
    opened.close()
    assert opened.errors == []


def until_workers_talk(notebook):
    widget(notebook).locator('[data-label="worker"] [data-type="ai"]').first.wait_for()


def test_one_cell_that_displays_and_runs(notebook):
    notebook.set_source(0, TEAM + SYNC)
    notebook.start(0)
    until_workers_talk(notebook)
    assert notebook.page.evaluate("window.cells[0]") == "running"
    notebook.wait(0)
    until_status(widget(notebook), "completed")
    until_equal(notebook)


def test_a_thread_that_is_stopped_from_the_page(notebook):
    notebook.set_source(0, f"{TEAM}run = view.start({QUESTION}, thread=True)")
    notebook.run(0)
    until_status(widget(notebook), "running")
    until_workers_talk(notebook)
    widget(notebook).get_by_role("button", name="Stop").click()
    until_status(widget(notebook), "cancelled")
    assert notebook.python("[view.status, run.status]") == ["cancelled", "cancelled"]
    until_equal(notebook)
    assert not {"streaming", "calling", "executing"} & {r["status"] for r in rows(widget(notebook))}


@pytest.mark.parametrize("run", [ASYNC, SYNC], ids=["await", "sync"])
def test_a_cell_during_which_the_page_is_loaded_again(notebook, run):
    notebook.set_source(0, TEAM)
    notebook.set_source(1, run)
    notebook.run(0)
    notebook.save()
    notebook.start(1)
    until_workers_talk(notebook)
    notebook.reload(busy=True)
    until_status(widget(notebook), "completed")
    until_equal(notebook)
