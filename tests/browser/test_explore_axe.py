"""axe-core finds nothing to mend, in any state and any theme of a real JupyterLab."""

from pathlib import Path

import pytest

from tests.browser.page import until_status, widget

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")
ASK = '{"messages": [("user", "Analyze this data and create visualizations")]}'
SUPPORT = (
    "view = nestling.watch(demo.support_desk(delay=0),"
    " config={'configurable': {'thread_id': 'ticket'}})"
)
REFUND = '{"messages": [("user", "Refund order A-1042, the mug arrived broken.")]}'

STATES = {
    "live": (
        "view = nestling.watch(demo.research_team(delay=30))",
        f"run = view.start({ASK}, thread=True)",
    ),
    "interrupt": (SUPPORT, f"view.invoke({REFUND});"),
    "finished": ("view = nestling.watch(demo.research_team(delay=0))", f"view.invoke({ASK});"),
    "failed": (
        "view = nestling.watch(demo.failing_team(delay=0))",
        'try:\n    view.invoke({"messages": [("user", "Hello")]})\nexcept TimeoutError:\n    pass',
    ),
    "explore": (
        "view = nestling.watch(demo.research_team(delay=0), timeline=True)",
        f"view.invoke({ASK}); view.query = 'analysis'; view.filters = {{'type': ['ai']}}",
    ),
}
STATUS = {"live": "running", "interrupt": "interrupted", "failed": "failed"}

# JupyterLab's body is 0 px high and hides what overflows: to axe nothing in it can be seen.
_RUN = """async () => {
  document.body.style.blockSize = '100vh';
  const found = await axe.run({include: ['.nestling']});
  if (!found.passes.some(({id}) => id === 'color-contrast')) return ['Nothing was seen'];
  return found.violations.map(({id, help, nodes}) =>
    [id, help, ...nodes.slice(0, 3).map(({html, any}) =>
      `${html.slice(0, 160)} [${any.map(check => check.message).join('; ')}]`)].join(' | '));
}"""


@pytest.mark.parametrize("state", STATES)
def test_nothing_to_mend(open_notebook, state):
    made, run = STATES[state]
    notebook = open_notebook(
        f"import nestling\nfrom nestling import demo\n{made}\nview", run, "view.stop()"
    )
    notebook.run(0)
    root = widget(notebook)
    root.wait_for()
    notebook.run(1)
    until_status(root, STATUS.get(state, "completed"))
    root.get_by_role("button", name="More actions").wait_for()
    if state == "explore":
        root.get_by_role("log").focus()
        notebook.page.keyboard.press("ArrowDown")
        notebook.page.keyboard.press("Space")
        root.get_by_role("region", name="Inspector").wait_for()
    notebook.page.add_script_tag(path=AXE)
    found = {}
    for theme in THEMES:
        notebook.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        notebook.page.wait_for_function(
            "theme => document.body.dataset.jpThemeName === theme", arg=theme
        )
        notebook.page.wait_for_timeout(300)
        found[theme] = notebook.page.evaluate(_RUN)
    notebook.run(2)
    assert found == {theme: [] for theme in THEMES}
