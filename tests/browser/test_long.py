"""A long run in the page: what is drawn, and that the reader's place stays."""

import pytest

from nestling import View
from tests.browser.board import T0, Board
from tests.browser.page import until_status, widget
from tests.browser.played import Played

IDS = "root => [...root.querySelectorAll('[data-id]')].map(row => row.dataset.id)"


@pytest.fixture
def board(chromium):
    made = Board(chromium)
    yield made
    assert made.errors == []
    made.page.close()


def drawn(board):
    return board.area.evaluate(IDS)


def say(board, count, box=""):
    rows = [board.row("ai", f"Sentence {i} of the conversation.", box) for i in range(count)]
    board.send(*rows)
    return [row["id"] for row in rows]


def at_end(board):
    return board.area.evaluate("a => a.scrollHeight - a.scrollTop - a.clientHeight") < 2


def test_the_end_stays_in_sight_while_old_rows_leave_the_page(board):
    said = []
    for _ in range(12):
        said += say(board, 500)
        assert at_end(board)
    assert len(drawn(board)) <= 4000
    assert drawn(board) == said[-len(drawn(board)) :]


def test_nothing_moves_for_a_reader_further_up(board):
    said = say(board, 3000)
    board.scroll(-3000)
    read = board.page.locator(f'[data-id="{said[-60]}"]')
    before = board.top(read)
    for _ in range(4):
        say(board, 1000)
    assert board.top(read) == pytest.approx(before, abs=1)
    assert said[0] in drawn(board), "nothing leaves the page before the reader's eyes"
    board.pill.click()
    say(board, 10)
    assert at_end(board)
    assert len(drawn(board)) <= 4000


def test_earlier_rows_come_in_above_what_is_read(board):
    say(board, 5000)
    say(board, 500)
    count = len(drawn(board))
    first = board.page.locator(f'[data-id="{drawn(board)[0]}"]')
    board.area.evaluate("area => area.scrollTop = 0")
    board.page.wait_for_timeout(100)
    before = board.top(first)
    board.page.get_by_role("button", name="earlier").click()
    board.page.wait_for_timeout(100)
    assert len(drawn(board)) == count + 500
    assert board.top(first) == pytest.approx(before, abs=40), "its button may have gone"


def test_a_box_that_runs_stays_while_all_behind_it_goes_and_comes_back(board):
    board.send(namespaces={"a:1": board.box("a:1")})
    say(board, 2, "a:1")
    for turn in range(12):
        key = f"b:{turn}"
        board.send(namespaces={key: board.box(key, status="completed", ended_at=T0 + 1)})
        say(board, 1000)
        assert at_end(board)
    count = len(drawn(board))
    assert count < 4500
    assert board.at("a:1").is_visible()
    earlier = board.page.locator(".nst-rootbody > .nst-earlier")
    first = board.page.locator(f'[data-id="{drawn(board)[2]}"]')
    earlier.scroll_into_view_if_needed()
    board.page.wait_for_timeout(100)
    before = board.top(first)
    assert board.top(board.at("a:1")) < board.top(earlier) < before
    earlier.click()
    board.page.wait_for_timeout(100)
    assert len(drawn(board)) == count + 499, "and a box"
    assert board.top(first) == pytest.approx(before, abs=1)
    say(board, 10)
    assert board.top(first) == pytest.approx(before, abs=1)
    board.pill.click()
    say(board, 10)
    assert at_end(board)


def test_what_failed_far_above_is_found_by_its_key(board):
    board.send(namespaces={"a:1": board.box("a:1")})
    failed = board.row("tool_call", "No.", "a:1", name="look", args={}, status="failed")
    board.send(failed)
    board.end("a:1", status="failed")
    for _ in range(6):
        say(board, 1000)
    assert board.at("a:1").count() == 0
    board.area.focus()
    board.page.keyboard.press("n")
    row = board.page.locator(f'[data-id="{failed["id"]}"]')
    row.wait_for()
    board.page.wait_for_timeout(300)
    assert 0 < board.top(row) < 400


GONE = """async () => {
  window.gone = new WeakRef(document.querySelector('.nst-fold, .nst-par'));
}"""


@pytest.mark.parametrize("kind", ["fold", "group"])
def test_a_frame_around_others_leaves_memory_when_it_is_replaced(board, kind):
    calls = [board.row("tool_call", name="look", args={}, ended_at=T0 + 1) for _ in range(12)]
    keys = [f"a:{number}" for number in range(3)]
    if kind == "fold":
        board.send(*calls)
    else:
        board.send(namespaces={key: board.box(key) for key in keys})
    board.page.evaluate(GONE)
    if kind == "fold":
        board.send(drop={"": [calls[0]["seq"]]})
    else:
        board.send(namespaces={keys[0]: None})
    assert board.page.locator(".nst-fold, .nst-par").count() == 1
    board.page.wait_for_timeout(300)
    board.page.context.new_cdp_session(board.page).send("HeapProfiler.collectGarbage")
    assert board.page.evaluate("window.gone.deref() === undefined")


def test_a_closed_box_of_a_long_run_is_empty_until_it_is_opened(board):
    board.send(namespaces={"a:1": board.box("a:1")})
    inside = say(board, 300, "a:1")
    board.end("a:1")
    say(board, 2000)
    board.page.wait_for_timeout(1500)
    assert not set(inside) & set(drawn(board))
    box = board.at("a:1")
    box.get_by_role("button").first.click()
    assert set(inside) <= set(drawn(board))


def test_the_end_stays_in_sight_while_agents_come_and_close(board):
    for turn in range(24):
        keys = [f"a:{turn}.{number}" for number in range(10)]
        rows = [board.row("ai", f"Sentence {i}.", key) for i in range(20) for key in keys]
        board.send(*rows, namespaces={key: board.box(key) for key in keys})
        board.end(*keys)
        assert at_end(board)
    board.page.wait_for_timeout(1500)
    assert at_end(board)
    assert board.page.locator("article").count() == 240


def crowd(count, around=()):
    """A finished run of so many agents, each with two rows."""
    view = View()
    view._outbox.close()
    for number in range(count):
        for row in range(2):
            said = {"type": "ai", "id": f"m{number}-{row}", "content": f"row {row} of {number}"}
            ns = (*around, f"worker:{number:036}")
            view.process_event({"type": "messages", "ns": ns, "data": (said, {})})
    view.finalize()
    while view._outbox._dirty:
        view._outbox.flush()
    return view


@pytest.mark.parametrize("around", [(), ("team:1",)])
def test_thousands_of_boxes_come_when_they_are_asked_for(chromium, around):
    played = Played(chromium, crowd(3_000, around))
    first = played.at("|".join((*around, f"worker:{0:036}")))
    if around:
        played.at("team:1").get_by_role("button").first.click()
    earlier = played.page.locator(".nst-earlier:visible")
    for _ in range(20):
        if not earlier.count():
            break
        before = played.page.locator("article").count()
        earlier.click()
        played.page.wait_for_function(
            "before => document.querySelectorAll('article').length > before", arg=before
        )
    keys = played.page.locator("article article" if around else "article").evaluate_all(
        "boxes => boxes.map(box => box.dataset.namespace)"
    )
    assert keys == ["|".join((*around, f"worker:{n:036}")) for n in range(3_000)]
    assert "row 1 of 0" in first.inner_text()
    first.get_by_role("button").first.click()
    first.locator('[data-id="m0-0"]').wait_for()
    played.page.close()


LONG = """
import nestling
view = nestling.View()
for agent in range(30):
    ns = (f"agent:{agent}",)
    for number in range(100):
        call = {"name": "search", "args": {}, "id": f"c{agent}-{number}", "type": "tool_call"}
        said = {"type": "ai", "id": f"m{agent}-{number}", "content": f"row {number} of {agent}"}
        data = ({**said, "tool_calls": [call]}, {"langgraph_node": "model"})
        view.process_event({"type": "messages", "ns": ns, "data": data})
view.finalize()
view
"""


def test_a_long_run_reopens_with_its_end_and_the_rest_comes_when_it_is_asked_for(open_notebook):
    notebook = open_notebook(LONG)
    notebook.run(0)
    root = widget(notebook)
    until_status(root, "completed")
    notebook.save()
    notebook.reload()
    root = widget(notebook)
    root.locator("article").nth(29).wait_for()
    assert "3,000 tools" in root.locator("header").inner_text()
    first = root.locator('article[data-namespace="agent:0"]')
    assert "row 99 of 0" in first.inner_text()
    first.get_by_role("button").first.click()
    first.locator('[data-id="m0-0"]').wait_for()
    assert len(first.evaluate(IDS)) == 200
