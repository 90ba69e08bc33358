"""Looking into one row of a run, as a person does: by mouse, by keyboard, from Python."""

import contextlib
import json
import re

import pytest
from playwright.sync_api import expect

import nestling
from nestling import demo
from tests.browser.page import until_status, widget
from tests.browser.played import Played

ASK = {"messages": [("user", "Analyze this data and create visualizations")]}


def shown(graph):
    view = nestling.watch(graph)
    with contextlib.suppress(TimeoutError):  # one of them fails
        view.invoke(ASK)
    return view


@pytest.fixture(scope="module")
def failed():
    return shown(demo.failing_team(delay=0))


@pytest.fixture(scope="module")
def team():
    return shown(demo.research_team(delay=0))


@pytest.fixture
def play(chromium):
    played = []

    def show(view, width=900, **traits):
        traits = {"max_height": "560px", **traits}
        played.append(Played(chromium, view, width, **traits))
        return played[-1]

    yield show
    for board in played:
        assert board.errors == []
        board.page.close()


def inspector(page):
    return page.get_by_role("region", name="Inspector")


def failed_call(view):
    (call,) = view.transcript.find(type="tool_call", status="failed")
    return call


def selection(board):
    return board.page.evaluate("model.get('selection')")


def select(board, record):
    board.page.evaluate("id => model.set('selection', id)", record["id"])


def test_the_arguments_of_the_failed_tool_are_found_by_mouse(play, failed):
    board = play(failed)
    page = board.page
    page.get_by_role("button", name="fetch_prices products").hover()
    page.get_by_role("button", name="Inspect fetch_prices").click()
    panel = inspector(page).get_by_role("tabpanel", name="Call")
    expect(panel).to_contain_text('"apples"')
    inspector(page).get_by_role("tab", name="Result").click()
    expect(inspector(page).get_by_role("tabpanel")).to_contain_text("failed")
    inspector(page).get_by_role("tab", name="Raw").click()
    expect(inspector(page).get_by_role("tabpanel")).to_contain_text("start of tools")
    assert selection(board) == failed_call(failed)["id"]
    inspector(page).get_by_role("button", name="Close inspector").click()
    expect(inspector(page)).to_be_hidden()


def test_the_arguments_of_the_failed_tool_are_found_by_keyboard(play, failed):
    board = play(failed)
    page = board.page
    page.get_by_role("log").focus()
    for _ in range(40):
        page.keyboard.press("ArrowDown")
        if "fetch_prices" in page.evaluate("document.activeElement.textContent"):
            break
    page.keyboard.press("i")
    expect(page.get_by_role("tab", name="Call")).to_be_focused()
    expect(inspector(page).get_by_role("tabpanel")).to_contain_text('"apples"')
    page.keyboard.press("ArrowRight")
    expect(inspector(page).get_by_role("tabpanel", name="Result")).to_be_visible()
    page.keyboard.press("Escape")
    expect(inspector(page)).to_be_hidden()
    assert "fetch_prices" in page.evaluate("document.activeElement.textContent")


def test_a_selection_from_python_is_brought_into_sight(play, team):
    board = play(team, max_height="300px", collapse="all")
    call = next(r for r in team.transcript if r["type"] == "tool_call" and r["namespace"])
    select(board, call)
    row = board.page.locator(f'[data-id="{call["id"]}"]')
    expect(row).to_have_attribute("aria-current", "true")
    expect(row).to_be_in_viewport()
    expect(inspector(board.page)).to_contain_text(call["name"])
    area = board.area.bounding_box()
    assert area["y"] <= row.bounding_box()["y"] < area["y"] + area["height"]


def test_what_a_step_changed_in_the_state_is_shown(play, team):
    board = play(team)
    call = next(r for r in team.transcript if r["type"] == "tool_call" and r["namespace"])
    select(board, call)
    board.page.get_by_role("tab", name="State diff").click()
    panel = inspector(board.page).get_by_role("tabpanel")
    expect(panel).to_contain_text("written by tools")
    expect(panel).to_contain_text("+1 item")
    expect(panel).to_contain_text(call["content"])


def test_a_row_far_from_the_end_of_a_long_run_is_brought_into_sight(play):
    view = nestling.View()
    for i in range(3000):
        message = {"type": "ai", "content": f"Sentence {i}.", "id": f"m{i}"}
        view.process_event({"type": "updates", "ns": (), "data": {"node": {"messages": [message]}}})
    view.finalize()
    board = play(view)
    assert board.page.get_by_text("Sentence 10.").count() == 0
    board.page.evaluate("model.set('selection', 'm10')")
    expect(board.page.get_by_text("Sentence 10.").first).to_be_in_viewport()
    expect(inspector(board.page)).to_contain_text("Sentence 10.")
    assert board.page.locator("[aria-current=true]").get_attribute("data-id") == "m10"


def test_what_the_inspector_shows_is_copied_as_json(play, team):
    board = play(team)
    board.page.evaluate(
        """() => Object.defineProperty(navigator, 'clipboard', {
          value: {writeText: async text => { window.copied = text; }},
        })"""
    )
    call = next(r for r in team.transcript if r["type"] == "tool_call" and r["namespace"])
    select(board, call)
    inspector(board.page).get_by_role("button", name="Copy JSON").click()
    assert json.loads(board.page.evaluate("window.copied")) == call["args"]


@pytest.mark.parametrize(("width", "beside"), [(900, True), (600, False)])
def test_the_inspector_stands_beside_the_log_where_there_is_room(play, team, width, beside):
    board = play(team, width)
    before = board.page.locator(".nestling").bounding_box()
    select(board, team.transcript[0])
    log, side = board.area.bounding_box(), inspector(board.page).bounding_box()
    assert (side["x"] >= log["x"] + log["width"] - 1) == beside
    assert (side["y"] >= log["y"] + log["height"] - 1) != beside
    assert log["height"] > 100
    assert side["height"] > 150
    assert board.page.locator(".nestling").bounding_box()["height"] <= max(before["height"], 561)


def test_selecting_text_selects_no_row(play, team):
    board = play(team, collapse="none")
    text = board.page.get_by_text("Processing your data thoroughly.")
    box = text.bounding_box()
    board.page.mouse.move(box["x"] + 2, box["y"] + 8)
    board.page.mouse.down()
    board.page.mouse.move(box["x"] + 120, box["y"] + 8)
    board.page.mouse.up()
    assert board.page.evaluate("String(getSelection())")
    assert selection(board) is None


def test_what_was_used_is_a_table_by_agent(play, team):
    board = play(team)
    page = board.page
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Usage by agent").click()
    table = page.get_by_role("region", name="Usage by agent").get_by_role("table")
    usage = team.usage
    key = next(k for k, b in team.namespaces.items() if b["label"] == "analysis_agent")
    row = table.get_by_role("row", name=re.compile("analysis_agent"))
    expect(row).to_contain_text(f"{usage.namespaces[key]['input_tokens']}")
    expect(table.get_by_role("row", name=re.compile("In all"))).to_contain_text(
        f"{usage.total_tokens - usage.output_tokens}"
    )
    page.keyboard.press("Escape")
    expect(table).to_be_hidden()


def test_python_and_the_page_select_the_same(open_notebook):
    notebook = open_notebook(
        "import nestling\nview = nestling.watch(nestling.demo.research_team(delay=0))\nview",
        f"view.invoke({ASK!r});",
        "view.selection = view.transcript.find(type='tool_call')[-1]['id']",
    )
    notebook.run(0)
    notebook.run(1)
    root = widget(notebook)
    until_status(root, "completed")
    root.get_by_role("log").get_by_text("I'll coordinate").click()
    first = notebook.python("next(r['id'] for r in view.transcript if r['type'] == 'ai')")
    assert notebook.python("view.selection") == first
    expect(inspector(root)).to_be_hidden()
    notebook.run(2)
    chosen = notebook.python("view.selection")
    expect(root.locator("[aria-current=true]")).to_have_attribute("data-id", chosen)
    tab = root.get_by_role("tab", name="State diff")
    tab.click()
    expect(root.get_by_role("tabpanel")).to_contain_text("written by tools")
