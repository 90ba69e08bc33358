"""Keys pressed in the widget are not shortcuts of the notebook."""

from tests.browser.page import until_status, widget

CELLS = (
    "import nestling\nfrom nestling import demo",
    "view = nestling.watch(demo.failing_team(delay=0), collapse='none')\nview",
    """
try:
    view.invoke({"messages": [("user", "Hello")]})
except TimeoutError:
    pass
""",
)
STATE = """() => {
  const {content} = window.jupyterapp.shell.currentWidget;
  return {cells: content.widgets.length, active: content.activeCellIndex, mode: content.mode,
          types: content.widgets.map(cell => cell.model.type)};
}"""
#: One of each kind: elements of one tag, role and name of their class behave alike.
KINDS = """root => {
  const kinds = new Map();
  const all = 'button, a[href], input, textarea, select, summary, [tabindex]';
  for (const element of root.querySelectorAll(all)) {
    if (!element.checkVisibility() || element.disabled) continue;
    const kind = `${element.localName}.${element.className} ${element.role ?? ''}`;
    if (!kinds.has(kind)) kinds.set(kind, element);
  }
  for (const [kind, element] of kinds) element.dataset.kind = kind;
  return [...kinds.keys()];
}"""
KEYS = ("b", "a", "d", "d", "ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft", "m", "x", "z", "j")


def command_mode(notebook):
    notebook.page.evaluate(
        """() => {
          const {content} = window.jupyterapp.shell.currentWidget;
          content.activeCellIndex = 1;
          content.deselectAll();
          content.mode = 'command';
        }"""
    )


def finished(open_notebook):
    notebook = open_notebook(*CELLS)
    for cell in range(3):
        notebook.run(cell)
    until_status(widget(notebook), "failed")
    return notebook


def test_a_key_in_the_notebook_is_a_shortcut(open_notebook):
    """What the next test relies on."""
    notebook = open_notebook(*CELLS)
    command_mode(notebook)
    notebook.cell(1).locator(".jp-InputPrompt").click()
    before = notebook.page.evaluate(STATE)
    notebook.page.keyboard.press("b")
    assert notebook.page.evaluate(STATE)["cells"] == before["cells"] + 1


def test_keys_in_the_widget_do_not_reach_the_notebook(open_notebook):
    notebook = finished(open_notebook)
    root = widget(notebook)
    pressed = set()
    for prepare in (None, "a tool's details", "the menu"):
        if prepare == "a tool's details":
            root.locator('[data-type="tool_call"] button').first.click()
        elif prepare == "the menu":
            root.get_by_role("button", name="More actions").click()
        for kind in root.evaluate(KINDS):
            if kind in pressed:
                continue
            pressed.add(kind)
            command_mode(notebook)
            before = notebook.page.evaluate(STATE)
            assert before["mode"] == "command"
            for key in KEYS:
                root.locator(f'[data-kind="{kind}"]').evaluate("element => element.focus()")
                notebook.page.keyboard.press(key)
            assert notebook.page.evaluate(STATE) == before, kind
    assert len(pressed) >= 6, pressed


def test_control_s_in_the_widget_still_saves(open_notebook):
    notebook = finished(open_notebook)
    command_mode(notebook)
    dirty = "window.jupyterapp.shell.currentWidget.context.model.dirty"
    assert notebook.page.evaluate(dirty)
    widget(notebook).get_by_role("button", name="More actions").focus()
    notebook.page.keyboard.press("Control+s")
    notebook.page.wait_for_function(f"!{dirty}")
    assert "nestling-static" in (notebook.lab.root / notebook.name).read_text()
