"""Where things stand on the page, and that they stay there while somebody reads."""

import pytest

from tests.browser.board import T0, Board

FULL = 850


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


def test_the_pill_shows_while_one_message_streams(board):
    run = board()
    said = run.row("ai", "word " * 3000, status="streaming")
    run.send(said)
    assert not run.pill.is_visible()
    run.scroll(-300)
    run.send(append=[[said["seq"], "word " * 100]])
    assert run.pill.is_visible()
    assert run.pill.inner_text() == "Jump to live"
    run.send(run.row("ai", "One more."))
    assert run.pill.inner_text().split() == ["Jump", "to", "live", "1", "new"]
    run.pill.click()
    assert not run.pill.is_visible()
    left = "area => area.scrollHeight - area.scrollTop - area.clientHeight"
    assert run.area.evaluate(left) < 2


def test_a_reader_who_scrolled_up_keeps_his_place_when_one_of_two_agents_finishes(board):
    run = board()
    run.open("left", "right")
    run.scroll(-700)
    read = run.at("right").locator("p").nth(16)
    before = run.top(read), run.width("left")
    run.end("left")
    run.page.wait_for_timeout(1300)
    assert (run.top(read), run.width("left")) == before
    run.pill.click()
    run.page.mouse.move(0, 790)
    run.page.wait_for_function(
        "document.querySelector('article').getBoundingClientRect().height < 50"
    )
    assert run.width("left") > FULL
    assert run.width("right") > FULL


def test_a_reader_keeps_his_place_whatever_changes_above(board):
    run = board(collapse="none")
    run.open("one")
    run.end("one")
    run.open("two", started_at=T0 + 99)
    run.scroll(-200)
    read = run.at("two").locator("p").nth(18)
    before = run.top(read)
    run.send(run.row("ai", "late " * 300, "one", order=3))
    assert abs(run.top(read) - before) <= 1
    run.page.evaluate("document.querySelector('article button').click()")
    run.page.wait_for_timeout(100)
    assert abs(run.top(read) - before) <= 1
    run.page.evaluate("model.set('mode', 'log')")
    run.page.evaluate("model.set('mode', 'nested')")
    assert abs(run.top(read) - before) <= 1


def test_two_agents_stay_side_by_side_until_the_first_that_finished_has_closed(board):
    run = board()
    run.open("left", "right")
    half = run.width("left"), run.width("right")
    assert max(half) < FULL / 1.5
    run.end("left")
    assert (run.width("left"), run.width("right")) == half
    run.page.wait_for_timeout(1300)
    assert run.at("left").evaluate("box => box.offsetHeight") < 50
    assert min(run.width("left"), run.width("right")) > FULL


def test_only_neighbours_stand_side_by_side(board):
    run = board()
    run.open("a", "b", "c")
    run.end("b")
    run.page.wait_for_timeout(1300)
    assert min(map(run.width, "abc")) > FULL
    run.open("d")
    run.end("a")
    run.page.wait_for_timeout(1300)
    assert min(map(run.width, "ab")) > FULL
    assert max(map(run.width, "cd")) < FULL / 1.5


def test_nested_bodies_have_two_columns_where_there_is_room(board):
    run = board(width=900)
    run.send(namespaces={"team": run.box("team")})
    inner = {"parent": "team"}
    for key in ("team|x", "team|y"):
        run.send(
            run.row("ai", "Hello.", key),
            namespaces={key: run.box(key, label=key[-1], **inner)},
        )
    assert run.width("team|x") < FULL / 1.5
    run.page.set_viewport_size({"width": 770, "height": 800})
    assert run.width("team|x") > 600


TABLE = """
| name | value | remark |
|---|---|---|
| alphabetical | 1 | REMARK |
"""


def test_a_wide_table_scrolls_and_breaks_no_word(board):
    run = board(width=500)
    remark = "some words and " * 8 + "averyveryvery" * 10
    run.send(run.row("ai", TABLE.replace("REMARK", remark)))
    table = run.page.locator(".nst-md table")
    assert table.locator("th").first.evaluate("cell => cell.offsetHeight") < 30
    assert table.evaluate("table => table.scrollWidth - table.clientWidth") > 100
    assert run.area.evaluate("area => area.scrollWidth - area.clientWidth") == 0


@pytest.mark.parametrize("mode", ["nested", "log"])
def test_a_name_without_end_is_cut(board, mode):
    run = board(width=500, mode=mode)
    run.send(
        run.row("ai", "Hello.", speaker="who" * 200),
        run.row("user", "Hello.", speaker="who" * 200),
        run.row("ai", "Hello.", box="what" * 200),
        namespaces={"what" * 200: run.box("what" * 200)},
    )
    assert run.area.evaluate("area => area.scrollWidth - area.clientWidth") == 0


def test_numbers_stay_where_they_are_under_the_pointer(board):
    run = board()
    call = run.row("tool_call", "Done.", id="c", name="ask", args={})
    called = run.box("expert", spawned_by="c", status="completed", ended_at=T0 + 9)
    run.send(call, namespaces={"expert": called})
    right = "numbers => numbers.getBoundingClientRect().right"
    numbers = run.at("expert").locator(".nst-m")
    run.page.mouse.move(0, 790)
    before = numbers.evaluate(right)
    run.at("expert").hover()
    assert numbers.evaluate(right) == before


def test_source_lines_of_an_error_do_not_wrap(board):
    run = board(width=500)
    source = "    call(" + "argument, " * 20 + ")"
    traceback = f'Traceback (most recent call last):\n  File "a.py", line 3, in f\n{source}\n'
    run.send(
        run.row("error", "ValueError: a\nb", message="a\nb\nc", traceback=traceback),
    )
    card = run.page.locator(".nst-err")
    assert card.locator("pre").last.evaluate("pre => pre.clientHeight") < 65
    icon = "head => head.firstElementChild.getBoundingClientRect().top"
    assert card.locator(".nst-eh").evaluate(icon) < run.top(card) + 14


def test_what_spins_out_of_sight_stands_still(board):
    run = board(collapse="none")
    for number in range(4):
        run.open(f"agent{number}")
    run.page.wait_for_function(
        """() => {
          const states = [...document.querySelectorAll('article .nst-boxline .nst-spin')]
            .map(icon => icon.getAnimations()[0].playState);
          return states.length === 4 && states[0] === 'paused' && states[1] === 'paused';
        }"""
    )
    run.area.evaluate("area => area.scrollTop = 0")
    first = "document.querySelector('article .nst-spin').getAnimations()[0]"
    run.page.wait_for_function(f"{first}.playState === 'running'")
