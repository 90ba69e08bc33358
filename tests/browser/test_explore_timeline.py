"""The timeline, as a person uses it: finds the slowest agent, narrows, zooms, selects."""

import pytest
from playwright.sync_api import expect

from tests.browser.board import T0, Board
from tests.browser.page import until_status, widget

NONE = "\N{EN DASH}"
AGENTS = {"planner": (4, 7), "stats": (19, 47), "charts": (11, 55)}


@pytest.fixture
def board(chromium):
    made = []

    def show(**options):
        made.append(Board(chromium, max_height="640px", **options))
        return made[-1]

    yield show
    errors = [error for board in made for error in board.errors]
    for each in made:
        each.page.close()
    assert errors == []


def ran(run, agents=AGENTS, calls=3):
    """A run of a minute that is over; each agent calls a tool over and over, at last in vain."""
    boxes, rows = {}, [run.row("user", "Go", speaker="You", ended_at=T0)]
    for key, (start, end) in agents.items():
        done = {"status": "completed", "started_at": T0 + start, "ended_at": T0 + end}
        boxes[key] = run.box(key, **done)
        each = (end - start) / calls
        for i in range(calls):
            at = {"started_at": T0 + start + i * each, "ended_at": T0 + start + (i + 0.5) * each}
            status = "failed" if i == calls - 1 else "completed"
            rows.append(run.row("tool_call", "4", key, name="look", args={}, status=status, **at))
    over = {"status": "completed", "started_at": T0, "ended_at": T0 + 60}
    run.send(*rows, namespaces={"": over, **boxes}, run={"turn": 1, "now": T0 + 60, **over})
    return rows


def trait(run, name):
    return run.page.evaluate("name => model.get(name)", name)


def set_trait(run, name, value):
    run.page.evaluate("([name, value]) => model.set(name, value)", [name, value])


def track(run, agent):
    """Where an agent's time is drawn: left edge, width, middle."""
    label = run.page.get_by_role("button", name=f"{agent}, ")
    box = label.locator("xpath=following-sibling::*[1]").bounding_box()
    return box["x"], box["width"], box["y"] + box["height"] / 2


def test_a_person_finds_which_agent_was_slowest(board):
    run = board()
    ran(run)
    run.page.get_by_role("button", name="Show timeline").click()
    timeline = run.page.get_by_role("group", name="Timeline")
    expect(timeline.get_by_role("button", name="charts, completed, 44 s")).to_be_visible()
    run.page.get_by_role("button", name="More actions").click()
    run.page.get_by_role("menuitem", name="Timeline as table").click()
    table = run.page.get_by_role("table", name="Timeline as table")
    table.get_by_role("button", name="Duration").click()
    rows = table.get_by_role("row").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["Agent", "team", "charts", "stats", "planner"]
    assert rows[2].split()[:8] == ["charts", "completed", "11", "s", "44", "s", NONE, "22"]


def test_a_drag_sets_the_time_range_and_a_double_click_takes_it_back(board):
    run = board(timeline=True)
    ran(run)
    left, width, y = track(run, "charts")
    run.page.mouse.move(left + width * 0.25, y)
    run.page.mouse.down()
    run.page.mouse.move(left + width * 0.5, y, steps=4)
    run.page.mouse.up()
    start, end = trait(run, "time_range")
    assert (start - T0, end - T0) == (pytest.approx(15, abs=0.2), pytest.approx(30, abs=0.2))
    expect(run.page.get_by_role("button", name="Clear time range")).to_be_visible()
    run.page.mouse.dblclick(left + width * 0.05, y)
    assert trait(run, "time_range") is None
    set_trait(run, "time_range", [T0 + 30, T0 + 60])
    expect(run.page.get_by_text("30.0 to 60.0 s")).to_be_visible()
    drawn = run.page.locator(".nst-tlsel").bounding_box()
    assert drawn["x"] == pytest.approx(left + width / 2, abs=2)


def test_the_wheel_zooms_with_ctrl_only(board):
    run = board(timeline=True)
    ran(run)
    run.page.evaluate("document.body.style.paddingBottom = '2000px'")
    left, width, y = track(run, "stats")
    ticks = run.page.locator(".nst-tlax i")
    before = ticks.all_inner_texts()
    run.page.mouse.move(left + width / 2, y)
    run.page.mouse.wheel(0, 120)
    run.page.wait_for_function("scrollY > 0")
    assert ticks.all_inner_texts() == before
    run.page.evaluate("scrollTo(0, 0)")
    run.page.keyboard.down("Control")
    run.page.mouse.wheel(0, -400)
    run.page.keyboard.up("Control")
    run.page.get_by_role("button", name="Show the whole run").wait_for()
    assert run.page.evaluate("scrollY") == 0
    assert ticks.all_inner_texts() != before
    run.page.mouse.dblclick(left + width / 2, y)
    assert ticks.all_inner_texts() == before


def test_a_click_selects_a_span_and_its_row_comes_into_sight(board):
    run = board(timeline=True)
    rows = ran(run, calls=8)
    failed = rows[-1]
    row = run.page.locator(f'[data-id="{failed["id"]}"]')
    left, width, y = track(run, "charts")
    middle = (failed["started_at"] + failed["ended_at"]) / 2 - T0
    x = left + width * middle / 60
    run.page.mouse.move(x, y + 4)
    tip = run.page.get_by_role("tooltip")
    expect(tip).to_contain_text("look, failed · charts")
    expect(tip).to_contain_text("Starts at 49.500 s, takes 2.750 s")
    run.page.mouse.click(x, y + 4)
    assert trait(run, "selection") == failed["id"]
    expect(row).to_be_in_viewport()
    area = run.area.bounding_box()
    assert area["y"] <= row.bounding_box()["y"] < area["y"] + area["height"]


def test_time_in_which_a_person_was_waited_for_is_hatched_and_told(board):
    run = board(timeline=True)
    times = {"started_at": T0, "ended_at": T0 + 70}
    asked = run.row("interrupt", "Sure?", "desk", status="answered", **times)
    asked |= {"started_at": T0 + 5, "ended_at": T0 + 65}
    box = run.box("desk", status="completed", **times)
    over = {"status": "completed", **times}
    run.send(asked, namespaces={"": over, "desk": box}, run={"turn": 1, "now": T0 + 70, **over})
    hatch = run.page.locator(".nst-tlrow .nst-tlw")
    expect(hatch).to_have_count(1)
    assert hatch.bounding_box()["width"] > 30
    hatch.hover()
    expect(run.page.get_by_role("tooltip")).to_contain_text("takes 60.000 s")
    run.page.get_by_role("button", name="More actions").click()
    run.page.get_by_role("menuitem", name="Timeline as table").click()
    row = run.page.get_by_role("row", name="desk")
    expect(row.get_by_role("cell").nth(5)).to_have_text("1:00")


def test_keys_reach_every_agent_and_tell_exact_times(board):
    run = board(timeline=True)
    ran(run)
    run.page.get_by_role("button", name="team, ").focus()
    run.page.keyboard.press("End")
    last = run.page.get_by_role("button", name="charts, ")
    expect(last).to_be_focused()
    expect(run.page.get_by_role("tooltip")).to_contain_text("Starts at 11.000 s, takes 44.000 s")
    run.page.keyboard.press("Enter")
    expect(run.at("charts")).to_be_in_viewport()
    run.page.keyboard.press("Shift+Enter")
    assert trait(run, "time_range") == [T0 + 11, T0 + 55]
    run.page.keyboard.press("Escape")
    assert trait(run, "time_range") is None


def test_a_hundred_agents_are_drawn_in_a_frame_and_scroll_inside(board):
    run = board()
    rows = ran(run, {f"agent{i}": (i / 3, i / 3 + 20) for i in range(100)}, calls=20)
    draw = """() => {
      const times = [];
      for (let i = 0; i < 5; i++) {
        model.set('timeline', false);
        const start = performance.now();
        model.set('timeline', true);
        document.querySelector('.nst-tl').getBoundingClientRect();
        times.push(performance.now() - start);
      }
      return Math.min(...times);
    }"""
    assert run.page.evaluate(draw) < 1000  # one frame where nothing else runs
    lanes = run.page.locator(".nst-tllanes")
    assert lanes.bounding_box()["height"] <= 280
    run.page.get_by_role("button", name="team, ").focus()
    run.page.keyboard.press("End")
    last = run.page.get_by_role("button", name="agent99, ")
    expect(last).to_be_in_viewport()
    set_trait(run, "selection", rows[30]["id"])
    expect(run.page.locator(".nst-tlon")).to_be_in_viewport()
    set_trait(run, "selection", rows[-1]["id"])
    expect(run.page.locator(".nst-tlon")).to_be_in_viewport()
    bars = last.locator("xpath=following-sibling::*[1]").locator("i")
    expect(bars.first).to_be_attached()


def test_an_overview_runs_along_with_several_agents(board):
    run = board()
    overview = run.page.get_by_role("button", name="Run overview")
    assert not overview.is_visible()
    run.open("left", "right")
    overview.wait_for()
    now = overview.locator(".nst-tlnow")
    assert now.is_visible()
    overview.click()
    assert trait(run, "timeline") is True
    assert not overview.is_visible()
    run.page.get_by_role("button", name="Hide timeline").click()
    assert trait(run, "timeline") is False
    overview.wait_for()


def test_python_and_page_move_each_other(open_notebook):
    book = open_notebook(
        "import nestling\nfrom nestling import demo\n"
        "view = nestling.watch(demo.parallel_team(delay=0.02), timeline=True)\nview",
        "await view.ainvoke({'topic': 'solar power'});",
        "start = view.namespaces['']['started_at']\nview.time_range = (start, start + 0.2)",
        "\n" * 60,
    )
    book.run(0)
    book.run(1)
    root = widget(book)
    until_status(root, "completed")
    slowest = book.python(
        "max((b for k, b in view.namespaces.items() if k),"
        " key=lambda b: b['ended_at'] - b['started_at'])['label']"
    )
    timeline = root.get_by_role("group", name="Timeline")
    expect(timeline.get_by_role("button", name=f"{slowest}, completed")).to_be_visible()
    book.run(2)
    timeline.get_by_text("0.000 to 0.200 s").wait_for()
    timeline.get_by_role("button", name="Clear time range").click()
    book.page.wait_for_timeout(200)
    assert book.python("view.time_range") is None
    lane = timeline.locator(".nst-tlt").nth(1).bounding_box()
    at = lane["x"] + lane["width"] / 4, lane["y"] + lane["height"] / 2
    book.page.mouse.move(*at)
    book.page.mouse.down()
    book.page.mouse.move(at[0] + lane["width"] / 2, at[1], steps=3)
    book.page.mouse.up()
    book.page.wait_for_timeout(200)
    first, last = book.python("view.time_range")
    assert book.python("view.namespaces['']['started_at']") < first < last
    top = "root => root.getBoundingClientRect().top"
    before = root.evaluate(top)
    book.page.mouse.wheel(0, 200)
    book.page.wait_for_timeout(300)
    assert root.evaluate(top) < before
    root.get_by_role("button", name="Hide timeline").click()
    book.page.wait_for_timeout(200)
    assert book.python("view.timeline") is False


LONG = """
import itertools, nestling
view = nestling.View(timeline=True)
conversation = view._conversation
clock = itertools.count()
conversation.clock = lambda: 1_700_000_000 + next(clock) / 10
with conversation.lock:
    conversation.begin()
    for agent in range(100):
        key = (f"agent:{agent}",)
        box = conversation.add_namespace(key, label=f"agent {agent}", parent="", is_agent=True)
        for i in range(100):
            call = conversation.add("tool_call", f"{agent}.{i}", list(key), speaker="a", order=1,
                                    status="executing", name="look", args={})
            conversation.set(call, status="completed", content="4")
        conversation.close_namespace(box, "completed")
    conversation.end("completed")
view
"""


def test_of_ten_thousand_rows_also_those_that_are_not_in_the_page_are_shown(open_notebook):
    book = open_notebook(LONG)
    book.run(0)
    root = widget(book)
    first = root.get_by_role("button", name="agent 0, ")
    first.wait_for()
    calls = first.locator("xpath=following-sibling::*[1]").locator(".nst-tlx")
    calls.first.wait_for()
    calls.first.click()
    row = root.locator('[data-id="0.0"]')
    row.wait_for()
    root.locator(".nst-area").scroll_into_view_if_needed()
    expect(row).to_be_in_viewport()
    assert book.python("view.selection") == "0.0"
