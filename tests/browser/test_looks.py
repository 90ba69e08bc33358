"""Where a page is magnified, has forced colours or reads from the right, all can be read."""

import pytest
from playwright.sync_api import expect

from tests.browser.board import T0, Board
from tests.browser.test_explore_timeline import ran

LEFT = """(element, text) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const at = node.data.indexOf(text);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + text.length);
    return range.getBoundingClientRect().left;
  }
}"""
COLOUR = "element => getComputedStyle(element).color"


@pytest.fixture
def board(chromium):
    made = []

    def show(**options):
        made.append(Board(chromium, **options))
        return made[-1]

    yield show
    errors = [error for board in made for error in board.errors]
    for each in made:
        each.page.close()
    assert errors == []


def test_a_magnified_page_shows_counts_tracks_and_rows(board):
    run = board(width=320, timeline=True, query="look")
    ran(run)
    counts = {"tools": 12_000, "failed": 4_000, "agents": 100}
    run.send(namespaces={"": {"counts": counts, "usage": {"input_tokens": 1_000_000}}})
    expect(run.page.locator(".nst-stats")).to_contain_text("12,000 tools 4000 failed")
    assert run.page.locator(".nst-stats").evaluate("el => el.scrollWidth <= el.clientWidth")
    track = run.page.locator(".nst-tlt").nth(1).bounding_box()
    assert track["width"] > 200
    assert run.area.bounding_box()["height"] >= 160


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_forced_colours_leave_shapes(board, scheme):
    run = board(timeline=True)
    run.page.emulate_media(forced_colors="active", color_scheme=scheme)
    ran(run)
    ink = "rgb(255, 255, 255)" if scheme == "dark" else "rgb(0, 0, 0)"
    assert run.page.locator(".nst-tll").nth(1).evaluate(COLOUR) == ink
    legend = run.page.locator(".nst-tlleg em")
    style = (
        "els => els.map(el => getComputedStyle(el)).map(s => s.backgroundColor + s.backgroundImage)"
    )
    assert len(set(legend.evaluate_all(style))) == 5
    border = "el => getComputedStyle(el).borderTopWidth"
    opened = run.page.locator(".nst-tools [aria-expanded=true]")
    closed = run.page.get_by_role("button", name="Search run")
    assert opened.evaluate(border) != closed.evaluate(border)


def test_english_stays_in_order_where_the_page_reads_from_the_right(board):
    run = board()
    run.page.evaluate("document.body.dir = 'rtl'")
    at = {"started_at": T0, "ended_at": T0 + 2}
    call = run.row("tool_call", "4", name="look", args={"city": "bad"}, status="failed", **at)
    said = run.row("ai", "שלום, world")
    run.send(call, said, namespaces={"": {"counts": {"tools": 3}}})
    row = run.page.locator(f'[data-id="{call["id"]}"]')
    stats = run.page.locator(".nst-stats > span", has_text="tools")
    expect(stats).to_have_text("3 tools")
    left = lambda el, text: el.evaluate(LEFT, text)  # noqa: E731
    assert left(row, "failed") < left(row, "2.0") < left(row, " s")
    assert left(row, "city") < left(row, "=") < left(row, "bad")
    assert left(stats, "3") < left(stats, "tools")
    said = run.page.locator('[data-type="ai"] p')
    assert left(said, "שלום") > left(said, "world")


def test_long_titles_of_artifacts_stay_inside(board):
    run = board(width=600, max_height=None)
    made = {"mime": {"text/plain": "x"}, "title": "All_regions_" * 20}
    rows = [run.row("artifact", **made), run.row("artifact", **{**made, "title": "Plot"})]
    rows[1]["kind"] = "A kind of which there is much to say " * 5
    over = {"status": "completed", "ended_at": T0 + 9}
    run.send(*rows, namespaces={"": over}, run={"turn": 1, "now": T0 + 9, **over})
    run.page.locator(".nst-art").nth(1).wait_for()
    right = "els => Math.max(...els.map(el => el.getBoundingClientRect().right))"
    shown = run.page.locator(".nst-made *, .nst-artscap *")
    assert shown.evaluate_all(right) <= 600


def test_a_short_key_stays_whole_beside_a_long_value(board):
    run = board()
    data = {f"field_{i}": "value " * 9 for i in range(70)}
    call = run.row("tool_call", "4", name="eat", args={"data": data})
    run.send(call)
    run.page.evaluate("id => model.set('selection', id)", call["id"])
    key = run.page.locator(".nst-key").first
    assert key.bounding_box()["height"] < 24
