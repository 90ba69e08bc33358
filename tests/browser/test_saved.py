"""What a notebook keeps of a run when the kernel is gone."""

import shutil
import subprocess
import sys

import pytest

from tests.browser.lab import Notebook
from tests.browser.page import until_status, widget

WATCH = """
import nestling
from nestling import demo
view = nestling.watch(demo.{graph}(delay=0))
"""
RUN = "view.invoke({'messages': [('user', 'Hello')]});"
SAID = "Analysis complete!"
BROKEN = "Error displaying widget"


@pytest.fixture
def finished(open_notebook):
    notebook = open_notebook(WATCH.format(graph="research_team"), RUN, RUN)
    notebook.run(0)
    notebook.run(1)
    until_status(widget(notebook), "completed")
    return notebook


@pytest.fixture(scope="module")
def saved(lab, context):
    """The file of a notebook with a finished run."""
    notebook = Notebook(lab, context, lab.write([WATCH.format(graph="research_team"), RUN]))
    notebook.run(0)
    notebook.run(1)
    until_status(widget(notebook), "completed")
    notebook.save()
    notebook.close()
    return lab.root / notebook.name


def statics(notebook, cell):
    return [o for o in notebook.outputs(cell) if "nestling-static" in str(o["data"])]


def visible_text(page):
    return page.locator(".jp-Notebook, main").first.inner_text()


def test_a_run_leaves_one_static_output_that_the_widget_hides(finished):
    (static,) = statics(finished, 1)
    assert set(static["data"]) == {"text/plain", "text/html"}
    assert static["data"]["text/plain"] == finished.python("str(view)")
    html = static["data"]["text/html"]
    assert html.count("<details") == finished.python("len(view.namespaces)") - 1
    assert SAID in html
    assert "<script" not in html
    drawn = finished.page.locator(".nestling-static")
    assert drawn.count() == 1
    assert not drawn.is_visible()
    assert widget(finished).is_visible()


def test_the_outputs_of_all_runs_of_a_view_are_hidden(finished):
    finished.run(2)
    until_status(widget(finished), "completed")
    assert len(statics(finished, 2)) == 1
    finished.page.wait_for_function("document.querySelectorAll('.nestling-static').length === 2")
    assert finished.page.locator(".nestling-static:visible").count() == 0


def test_a_display_of_a_finished_view_leaves_a_static_output_too(finished):
    finished.set_source(2, "view")
    finished.run(2)
    widget(finished, 1).wait_for()
    assert len(statics(finished, 2)) == 1
    assert finished.page.locator(".nestling-static:visible").count() == 0


def test_a_closed_view_gives_way_to_its_static_output(finished):
    finished.set_source(2, "view.close()")
    finished.run(2)
    finished.page.locator(".nestling-static").wait_for(state="visible")


def test_a_trusted_notebook_opened_again_shows_the_boxes(saved, again, open_notebook):
    shutil.copy(saved, again.root / "saved.ipynb")
    # jupyter-widgets says this of every widget whose kernel is gone
    notebook = open_notebook(on=again, name="saved.ipynb", noise="widget model not found")
    static = notebook.page.locator(".nestling-static")
    static.wait_for(state="visible")
    assert static.locator("details").first.is_visible()
    assert SAID in static.inner_text()
    notebook.page.get_by_text(BROKEN).wait_for(state="attached")
    shown = visible_text(notebook.page)
    assert BROKEN not in shown
    assert "nestling.View" not in shown


def test_an_untrusted_notebook_opened_again_shows_readable_text(saved, stranger, open_notebook):
    shutil.copy(saved, stranger.root / "saved.ipynb")
    notebook = open_notebook(on=stranger, name="saved.ipynb")
    notebook.page.get_by_text(SAID).first.wait_for(state="visible")
    assert BROKEN not in visible_text(notebook.page)


def test_nbconvert_keeps_the_boxes(saved, context, tmp_path):
    convert = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--log-level=ERROR"]
    subprocess.run([*convert, f"--output-dir={tmp_path}", saved], check=True)  # noqa: S603  # ours
    page = context.new_page()
    page.route("http*://**", lambda route: route.abort())
    page.goto((tmp_path / saved.name).with_suffix(".html").as_uri())
    static = page.locator(".nestling-static")
    assert static.locator("details").first.is_visible()
    assert SAID in static.inner_text()
    assert "nestling.View" not in visible_text(page)
    page.close()
