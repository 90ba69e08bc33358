"""Everything in the log is reached with the keyboard alone."""

import pytest

from tests.browser.board import T0, Board
from tests.browser.page import until_status, widget

ACTIVE = """() => {
  const el = document.activeElement, row = el.closest('[data-id]');
  return row?.dataset.id ?? el.closest('article')?.dataset.label ?? el.getAttribute('aria-label');
}"""


@pytest.fixture
def board(chromium):
    boards = []

    def make(**traits):
        board = Board(chromium, collapse="none", **traits)
        boards.append(board)
        asked = board.row("user", "Go", id="asked")
        boxes = {
            "one": board.box("one"),
            "two": board.box("two", status="completed", ended_at=T0 + 3),
        }
        rows = [
            asked,
            board.row("ai", "I am one", "one", id="said"),
            board.row(
                "tool_call", "Sunny", "one", name="weather", args={"city": "Oslo"}, id="call"
            ),
            board.row("ai", "I am two", "two", id="other"),
            board.row("tool_call", "No", "two", name="post", status="failed", args={}, id="bad"),
        ]
        board.send(*rows, namespaces=boxes)
        board.page.get_by_role("log").focus()
        return board

    yield make
    for board in boards:
        assert board.errors == []
        board.page.close()


def press(board, *keys):
    for key in keys:
        board.page.keyboard.press(key)
    return board.page.evaluate(ACTIVE)


def test_arrows_go_from_row_to_row(board):
    shown = board()
    walked = [press(shown, "ArrowDown") for _ in range(7)]
    assert walked == ["asked", "one", "said", "call", "two", "other", "bad"]
    assert press(shown, "ArrowUp") == "other"
    assert press(shown, "Home") == "asked"
    assert press(shown, "End") == "bad"


def test_right_and_left_open_and_close(board):
    shown = board()
    button = (
        shown.page.get_by_role("article").filter(has_text="I am one").get_by_role("button").first
    )
    assert press(shown, "ArrowDown", "ArrowDown", "ArrowLeft") == "one"
    assert button.get_attribute("aria-expanded") == "false"
    assert press(shown, "ArrowDown") == "two"
    assert press(shown, "ArrowUp", "ArrowRight") == "one"
    assert button.get_attribute("aria-expanded") == "true"
    assert press(shown, "ArrowRight", "ArrowDown") == "call"
    assert press(shown, "ArrowRight") == "call"
    assert shown.page.get_by_text("Arguments").first.is_visible()
    assert press(shown, "ArrowLeft", "ArrowLeft") == "one"


def test_the_log_is_one_stop(board):
    shown = board()
    press(shown, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Enter")
    stops = []
    for _ in range(3):  # what stands in the row
        assert press(shown, "Tab") == "call"
        stops.append(shown.page.evaluate("document.activeElement.ariaLabel"))
    assert stops == ["Inspect weather", "Copy arguments", "Copy result"]
    press(shown, "Tab")
    assert not shown.page.evaluate(
        "document.querySelector('.nst-log').contains(document.activeElement)"
    )


def test_from_one_trouble_to_the_next(board):
    shown = board()
    assert press(shown, "n") == "bad"
    assert shown.page.evaluate("document.activeElement.checkVisibility()")


@pytest.mark.parametrize(
    ("at", "change", "to"),
    [
        ("call", "model.set('query', 'Go')", "4 hidden"),
        ("other", "model.set('query', 'weather')", "2 hidden"),
        ("call", "model.set('collapse', 'all')", "one"),
        ("call", "model.set('mode', 'log')", "call"),
        ("two", "model.set('mode', 'log')", "Run log"),
    ],
)
def test_the_focus_stays_near_what_goes_away(board, at, change, to):
    shown = board()
    walk = ["asked", "one", "said", "call", "two", "other", "bad"]
    press(shown, *["ArrowDown"] * (walk.index(at) + 1))
    shown.page.evaluate(change)
    shown.page.wait_for_timeout(100)
    name = "document.activeElement.matches('.nst-gap') ? document.activeElement.textContent : null"
    assert (shown.page.evaluate(name) or shown.page.evaluate(ACTIVE)) == to
    assert press(shown, "Home") == "asked"


def test_a_panel_that_closes_under_the_focus_gives_it_to_the_log(board):
    shown = board(timeline=True)
    shown.page.get_by_role("group", name="Timeline").get_by_role("button").first.focus()
    assert press(shown, "t") == "Run log"
    shown.page.get_by_role("button", name="More actions").click()
    shown.page.get_by_role("menuitem", name="Usage by agent").click()
    assert press(shown, "Escape") == "Run log"
    assert shown.page.get_by_role("region", name="Usage by agent").is_hidden()


def test_the_focus_is_not_taken_from_who_has_left(board):
    shown = board()
    press(shown, "ArrowDown", "ArrowDown", "ArrowDown")
    shown.page.evaluate("document.activeElement.blur()")
    shown.page.evaluate("model.set('query', 'Go')")
    shown.page.wait_for_timeout(100)
    assert shown.page.evaluate("document.activeElement === document.body")


def test_letters_can_be_switched_off(board):
    shown = board()
    press(shown, "?")
    dialog = shown.page.get_by_role("dialog", name="Keyboard shortcuts")
    assert dialog.is_visible()
    press(shown, "Escape")
    assert not dialog.is_visible()
    shown.page.evaluate("model.set('keys', false)")
    press(shown, "?")
    assert not dialog.is_visible()
    assert press(shown, "ArrowDown") is not None


def test_escape_leaves_to_the_cell(open_notebook):
    notebook = open_notebook(
        "import nestling\nview = nestling.watch(nestling.demo.nested_team(delay=0))\nview",
        'view.invoke({"messages": [("user", "Hello")]});',
    )
    notebook.run(0)
    notebook.run(1)
    root = widget(notebook)
    until_status(root, "completed")
    root.get_by_role("log").focus()
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("Escape")
    inside = "root => root.contains(document.activeElement)"
    assert not root.evaluate(inside)
    assert notebook.page.evaluate("document.activeElement.closest('.jp-Notebook') !== null")
