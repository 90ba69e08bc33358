"""One view in several displays, pages and shapes."""

import pytest

from tests.browser.page import ids, structure, structures, until_equal, until_status, widget

TEAM = """
import nestling
from nestling import demo
view = nestling.watch(demo.{graph}, collapse="none")
view
"""
INPUT = "{'topic': 'solar power', 'messages': [('user', 'Hello')]}"
ASYNC = f"result = await view.ainvoke({INPUT})"
SYNC = f"result = view.invoke({INPUT})"

LIVING = """sum(
    type(widget).__name__ == "View"
    for widget in __import__("ipywidgets").widgets.widget._instances.values()
)"""


def test_a_reload_after_the_end_shows_the_same_page(open_notebook):
    notebook = open_notebook(TEAM.format(graph="research_team(delay=0)"), SYNC)
    notebook.run(0)
    notebook.run(1)
    until_status(widget(notebook), "completed")
    before = structure(widget(notebook))
    notebook.save()
    notebook.reload()
    until_status(widget(notebook), "completed")
    until_equal(notebook)
    assert structure(widget(notebook)) == before


def test_another_display_of_a_finished_run_looks_as_the_one_that_saw_it(open_notebook):
    notebook = open_notebook(TEAM.format(graph="nested_team(delay=0)"), SYNC, "view")
    notebook.run(0)
    notebook.run(1)
    until_status(widget(notebook), "completed")
    notebook.run(2)
    until_status(widget(notebook, 1), "completed")
    assert structure(widget(notebook, 1)) == structure(widget(notebook, 0))


def test_two_displays_agree_at_every_moment(open_notebook):
    notebook = open_notebook(TEAM.format(graph="parallel_team(delay=0.05)"), "view", ASYNC)
    notebook.run(0)
    notebook.run(1)
    widget(notebook, 1).wait_for()
    notebook.start(2)
    seen = []
    while notebook.page.evaluate("window.cells[2] === 'running'"):
        first, second = structures(notebook)
        assert first == second
        seen.append(str(first))
    assert len(set(seen)) > 20
    until_status(widget(notebook), "completed")
    first, second = structures(notebook)
    assert first == second


def test_the_log_and_every_way_to_collapse_have_the_same_rows(open_notebook):
    notebook = open_notebook(TEAM.format(graph="research_team(delay=0)"), SYNC, "")
    notebook.run(0)
    notebook.run(1)
    until_status(widget(notebook), "completed")
    nested = ids(widget(notebook))

    def looks(source: str) -> None:
        notebook.set_source(2, source)
        notebook.run(2)

    looks("view.mode = 'log'")
    notebook.page.locator('.nestling[data-mode="log"]').wait_for()
    assert ids(widget(notebook)) == nested
    assert widget(notebook).locator("article").count() == 0
    looks("view.mode = 'nested'; view.collapse = 'all'")
    notebook.page.locator('.nestling[data-mode="nested"]').wait_for()
    closed = widget(notebook).locator("article button[aria-expanded=false]")
    closed.first.wait_for()
    assert not widget(notebook).locator('article [data-type="ai"]:visible').count()
    widget(notebook).get_by_role("button", name="More actions").click()
    widget(notebook).get_by_role("menuitem", name="Expand all").click()
    assert ids(widget(notebook)) == nested
    looks("view.collapse = 'auto'")
    widget(notebook).get_by_role("button", name="More actions").click()
    widget(notebook).get_by_role("menuitem", name="Expand all").click()
    assert ids(widget(notebook)) == nested


@pytest.mark.parametrize("last", ["", "view"], ids=["alone", "with view as the last line"])
def test_the_first_run_displays_the_view_once(open_notebook, last):
    watch = TEAM.format(graph="nested_team(delay=0)").removesuffix("view\n")
    notebook = open_notebook(watch, f"{SYNC}\n{last}")
    notebook.run(0)
    assert notebook.outputs(0) == []
    notebook.run(1)
    until_status(widget(notebook), "completed")
    assert notebook.page.locator(".nestling").count() == 1
    shown = [o for o in notebook.outputs(1) if "nestling.View" in str(o["data"].get("text/plain"))]
    assert len(shown) == 1


def test_running_the_watch_cell_again_closes_the_older_view(open_notebook):
    notebook = open_notebook(TEAM.format(graph="research_team(delay=0)"), "view")
    for _ in range(3):
        notebook.run(0)
        notebook.page.locator(".nestling").first.wait_for()
        assert notebook.python(LIVING) == 1
        assert notebook.page.locator(".nestling").count() == 1
    notebook.run(1)
    widget(notebook, 1).wait_for()
    notebook.run(0)
    notebook.page.wait_for_function("document.querySelectorAll('.nestling').length === 1")


def test_the_theme_follows_the_notebook_at_once(open_notebook):
    notebook = open_notebook(TEAM.format(graph="research_team(delay=0)"), SYNC)
    notebook.run(0)
    notebook.run(1)
    root = widget(notebook)

    def switch(theme: str, name: str) -> str:
        notebook.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme}",
        )
        notebook.page.locator(f'.nestling[data-theme="{name}"]').wait_for()
        return root.evaluate("root => getComputedStyle(root).color")

    light = switch("Light", "light")
    dark = switch("Dark", "dark")
    assert dark != light
    assert switch("Light", "light") == light
