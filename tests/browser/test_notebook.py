"""Jupyter Notebook, the other front end of Jupyter."""

import pytest

from tests.browser.lab import Notebook
from tests.browser.page import ids, until_equal, until_status, widget

WATCH = """
import nestling
from nestling import demo
view = nestling.watch(demo.parallel_team(delay=0.07), collapse="none")
view
"""
RUN = "await view.ainvoke({'topic': 'solar power'});"
#: It lacks settings and commands of parts of JupyterLab that it loads, and speaks of kernels
#: that are gone.
NOISE = "|".join(
    [
        "reading 'schema'",
        "'filebrowser:open-path' not registered",
        "widget model not found",
        "Could not restore the debugger state",
    ]
)


@pytest.fixture(scope="module")
def notebook(lab, context):
    opened = Notebook(lab, context, lab.write([WATCH, RUN]), NOISE, app="notebooks")
    yield opened
    opened.close()
    assert opened.errors == []


@pytest.fixture
def running(notebook):
    notebook.run(0)
    until_status(widget(notebook), "idle")
    notebook.save()
    notebook.start(1)
    return notebook


def test_a_run_is_shown_live_with_its_tool_calls(running):
    root = widget(running)
    root.locator('[data-type="tool_call"][data-status="executing"]').first.wait_for()
    root.locator('[data-type="ai"][data-status="streaming"]').first.wait_for()
    running.wait(1)
    until_status(root, "completed")
    until_equal(running)


def test_a_reload_in_mid_run(running):
    root = widget(running)
    root.locator('[data-type="tool_call"]').first.wait_for()
    before = ids(root)
    running.reload(busy=True)
    until_status(root, "running")
    assert before <= ids(root)
    until_status(root, "completed")
    until_equal(running)


def test_the_theme_follows_at_once(notebook):
    for name, theme in (("dark", "JupyterLab Dark"), ("light", "JupyterLab Light")):
        change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
        notebook.page.evaluate(change, theme)
        notebook.page.locator(f'.nestling[data-theme="{name}"]').wait_for()


def test_a_saved_notebook_opened_again_shows_the_boxes(running):
    running.wait(1)
    until_status(widget(running), "completed")
    running.save()
    running.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    running.open()
    static = running.page.locator(".nestling-static")
    static.wait_for(state="visible")
    assert static.locator("details").count() == 3
    assert "Error displaying widget" not in running.page.locator(".jp-Notebook").inner_text()
