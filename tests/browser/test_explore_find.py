"""Search and filters, as a person uses them."""

import pytest
from playwright.sync_api import expect

from tests.browser.board import Board
from tests.browser.page import until_status, widget

#: What stands behind the marks of the page, by name.
MARKED = "name => [...(CSS.highlights.get(name) ?? [])].map(range => range.toString())"


@pytest.fixture
def board(chromium):
    made = Board(chromium, query="", filters={}, time_range=None)
    yield made
    assert made.errors == []
    made.page.close()


def search(board):
    return board.page.get_by_role("search", name="Search run")


def team(board):
    """A run with a closed box: three sentences of South, two of them in it."""
    agent = board.box("analyst")
    rows = [
        board.row("ai", f"The {w} is **so** it.", "analyst") for w in ("North", "South", "East")
    ]
    call = board.row("tool_call", "no result", "analyst", name="chart", args={"region": "South"})
    first = board.row("user", "Tell me of the SOUTH", order=0)
    board.send(first, *rows, call, board.row("ai", "Done."), namespaces={"analyst": agent})
    board.end("analyst")
    board.page.mouse.move(0, 790)
    expect(board.at("analyst").get_by_role("button").first).to_have_attribute(
        "aria-expanded", "false"
    )
    return [first["id"], rows[1]["id"], call["id"]]


def test_the_third_match_is_found_in_a_closed_box_with_the_mouse(board):
    ids = team(board)
    page = board.page
    page.get_by_role("button", name="Search run").click()
    page.get_by_role("textbox", name="Search text").fill("south")
    bar = search(board)
    expect(bar.get_by_role("status")).to_have_text("3 matches")
    expect(page.get_by_text("3 of 6 entries. Hidden entries stay in place")).to_be_visible()
    box = board.at("analyst").get_by_role("button").first
    expect(box).to_contain_text("2 matches inside, press → to open")
    for at, _ in enumerate(ids, 1):
        bar.get_by_role("button", name="Next match").click()
        expect(bar.get_by_role("status")).to_have_text(f"{at} of 3")
    now = page.locator("[aria-current=true]")
    expect(now).to_have_attribute("data-id", ids[2])
    expect(now).to_be_in_viewport()
    assert page.evaluate(MARKED, "nst-found-now") == ["South"]
    assert page.evaluate(MARKED, "nst-found") == ["SOUTH", "South"]
    board.at("analyst").get_by_role("button", name="1 hidden").first.click()
    expect(board.at("analyst").get_by_text("The North is so it.")).to_be_visible()
    bar.get_by_role("button", name="Clear").click()
    assert page.evaluate(MARKED, "nst-found") == []
    expect(board.at("analyst").get_by_text("The East is so it.")).to_be_visible()


def test_only_the_log_is_styled_for_marks(board):
    """Elsewhere it would cost two styles more for each element: a timeline has thousands."""
    team(board)

    def colour(selector):
        style = "el => getComputedStyle(el, '::highlight(nst-found)').backgroundColor"
        return board.page.locator(selector).first.evaluate(style)

    assert colour(".nst-log .nst-row") == "rgb(251, 226, 140)"
    assert colour(".nst-head") == "rgba(0, 0, 0, 0)"


def test_the_third_match_is_found_with_the_keyboard_only(board):
    ids = team(board)
    page = board.page
    page.get_by_role("button", name="Search run").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("south")
    for _ in ids:
        page.keyboard.press("Enter")
    bar = search(board)
    expect(bar.get_by_role("status")).to_have_text("3 of 3")
    expect(page.locator("[aria-current=true]")).to_have_attribute("data-id", ids[2])
    page.keyboard.press("Shift+F3")
    expect(bar.get_by_role("status")).to_have_text("2 of 3")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    expect(page.get_by_role("button", name="Search run")).to_have_attribute(
        "aria-expanded", "false"
    )
    expect(page.get_by_role("log")).to_be_focused()
    assert page.evaluate("document.querySelectorAll('.nst-hid, .nst-gap, .nst-at').length") == 0


def test_text_that_is_cut_off_is_opened(board):
    long = board.row("tool_call", "word " * 80 + "needle", name="look", args={})
    board.send(long)
    page = board.page
    page.get_by_role("button", name="Search run").click()
    page.keyboard.type("needle")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-current=true] button").first).to_have_attribute(
        "aria-expanded", "true"
    )


def test_ten_thousand_rows_answer_soon_and_the_first_one_is_reached(board):
    rows = [board.row("ai", f"Sentence {i} of it.") for i in range(10_000)]
    board.send(*rows)
    took = board.page.evaluate(
        """() => new Promise(done => {
          const began = performance.now();
          model.set('query', 'sentence 77');
          done(performance.now() - began);
        })"""
    )
    assert took < 3000  # a tenth of a second where nothing else runs
    field = board.page.get_by_role("textbox", name="Search text")
    field.press("Enter")
    now = board.page.locator("[aria-current=true]")
    expect(now).to_have_attribute("data-id", rows[77]["id"])
    expect(now).to_be_in_viewport()


LONG = """
import ipywidgets, nestling
view = nestling.View()
for agent in range(30):
    ns = (f"agent:{agent}",)
    for number in range(100):
        call = {"name": "search", "args": {}, "id": f"c{agent}-{number}", "type": "tool_call"}
        said = {"type": "ai", "id": f"m{agent}-{number}", "content": f"row {number} of {agent}."}
        data = ({**said, "tool_calls": [call]}, {"langgraph_node": "model"})
        view.process_event({"type": "messages", "ns": ns, "data": data})
view.finalize()
text = ipywidgets.Text(description="Find")
link = ipywidgets.link((text, "value"), (view, "query"))
ipywidgets.VBox([text, view])
"""


def test_python_searches_the_page_and_the_page_python_and_finds_what_only_the_kernel_has(
    open_notebook,
):
    notebook = open_notebook(LONG)
    notebook.run(0)
    root = widget(notebook)
    until_status(root, "completed")
    page = notebook.page
    page.get_by_label("Find").first.fill("row 3 of 0.")
    field = root.get_by_role("textbox", name="Search text")
    expect(field).to_have_value("row 3 of 0.")
    status = root.get_by_role("search").get_by_role("status")
    expect(status).to_have_text("1 match")
    expect(root.get_by_text("1 of 6,000 entries.")).to_be_visible()
    field.press("Enter")
    expect(status).to_have_text("1 of 1")
    expect(root.locator("[aria-current=true]")).to_have_attribute("data-id", "m0-3")
    field.fill("row 99 of")
    expect(page.get_by_label("Find").first).to_have_value("row 99 of")
    expect(status).to_have_text("30 matches")
    assert notebook.python("view.query") == "row 99 of"
    root.get_by_role("search").get_by_role("button", name="Tools").click()
    expect(status).to_have_text("No matches")
    assert notebook.python("view.filters") == {"type": ["tool_call"]}
    field.press("Escape")
    expect(root.get_by_role("search")).to_be_hidden()
    assert notebook.python("[view.query, view.filters]") == ["", {}]
