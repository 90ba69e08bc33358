"""Artifacts, the user's own renderers, progress and the structure, as a person meets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.board import T0, Board
from tests.browser.lab import Notebook

RENDERERS = """
import ipywidgets as w
import nestling, pandas as pd
from nestling import emit_artifact, renderer
from nestling.demo import Reply, ScriptedChatModel, call
from langchain.agents import create_agent
clicks = []

@renderer(type="tool_call", name="look")
def look(record):
    return f"Looked at **{record['args']['place']}**"

@renderer(type="tool_call", name="buy")
def buy(record):
    button = w.Button(description="Buy it")
    button.on_click(lambda _: clicks.append(record["args"]["item"]))
    return button

@renderer(type="tool_call", name="torn")
def torn(record):
    raise ValueError("no")

def look(place: str) -> str:
    "Looks."
    emit_artifact(pd.DataFrame({"place": [place], "n": [1]}), title="places")
    return "a garden"

def buy(item: str) -> str:
    "Buys."
    return "bought"

def torn(why: str) -> str:
    "Tears."
    return "the usual result"

first = Reply("", [call("look", place="garden"), call("buy", item="mug"), call("torn", why="so")])
model = ScriptedChatModel(script=[first, "Done."], delay=0)
view = nestling.watch(create_agent(model, [look, buy, torn], name="shop"))
view
"""
RUN = 'view.invoke({"messages": [("user", "Go")]});'


def test_renderers_a_card_and_the_structure_in_a_notebook(open_notebook: Callable[..., Notebook]):
    notebook = open_notebook(RENDERERS, RUN)
    notebook.run(0)
    notebook.run(1)
    view = notebook.page.get_by_role("region", name="Agent run shop, completed")
    rows = view.locator('[data-type="tool_call"]')
    expect(rows.nth(0).locator("[data-part=rendered] strong")).to_have_text("garden")
    expect(rows.nth(2)).to_contain_text("the usual result")

    view.get_by_role("button", name="Buy it", exact=True).click()
    notebook.page.wait_for_timeout(300)
    assert notebook.python("clicks") == ["mug"]

    card = view.get_by_role("group", name="places", exact=True)
    expect(card.get_by_role("cell", name="garden")).to_be_visible()
    cells = notebook.page.locator(".jp-Notebook .jp-Cell").count()
    opener = card.get_by_role("button", name="Open")
    opener.focus()
    opener.press("Enter")
    dialog = notebook.page.get_by_role("dialog", name="places")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    for _ in range(6):
        notebook.page.keyboard.press("Tab")
        assert dialog.evaluate(
            "d => d.contains(document.activeElement) || document.activeElement === document.body"
        )
    notebook.page.keyboard.press("b")
    notebook.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
    assert notebook.page.locator(".jp-Notebook .jp-Cell").count() == cells

    view.get_by_role("button", name="More actions").click()
    notebook.page.get_by_role("menuitem", name="Show structure").click()
    graph = view.get_by_role("img", name="Graph of 4 nodes")
    expect(graph).to_have_accessible_name(
        "Graph of 4 nodes: start, model (completed), tools (completed), end"
    )


HOSTILE = """
<script>parent.document.title = 'ran'; fetch('http://leak.test/script')</script>
<img src="http://leak.test/img" onerror="parent.document.title='ran'">
<link rel=stylesheet href="http://leak.test/css"><style>@import 'http://leak.test/import';
body {background: url(http://leak.test/bg)}</style><meta http-equiv=refresh content="0;http://leak.test/go">
<form action="http://leak.test/form"><button>Send</button></form>
<iframe src="http://leak.test/frame"></iframe><p style="color:red">shown</p>
"""


@pytest.fixture
def board(chromium: Browser) -> Iterator[Board]:
    made = Board(chromium, max_height=None)
    yield made
    made.page.close()
    assert made.errors == []


def over(board: Board, *rows: dict[str, Any]) -> None:
    run = {"status": "completed", "turn": 1, "now": T0 + 9, "started_at": T0, "ended_at": T0 + 9}
    board.send(*rows, run=run)


def test_html_runs_no_script_and_reaches_no_network(board: Board):
    asked: list[str] = []
    board.page.route("**/*", lambda route: (asked.append(route.request.url), route.abort()))
    mime = {"text/html": HOSTILE}
    over(
        board,
        board.row("artifact", title="Page", mime=mime),
        board.row("custom", "{}", mime=mime),
    )
    card = board.page.get_by_role("group", name="Page", exact=True)
    expect(card.frame_locator("iframe").get_by_text("shown")).to_be_visible()
    card.frame_locator("iframe").get_by_role("button", name="Send").click()
    board.page.wait_for_timeout(500)
    assert board.page.title() == ""
    assert [url for url in asked if "leak" in url] == []


def test_a_frame_has_the_colours_of_the_theme(board: Board):
    over(board, board.row("artifact", title="Page", mime={"text/html": "<p style='x:y'>Hi</p>"}))
    body = (
        board.page.get_by_role("group", name="Page", exact=True)
        .frame_locator("iframe")
        .locator("body")
    )
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    board.page.evaluate("model.set('theme', 'dark')")
    expect(body).to_have_css("background-color", "rgb(17, 17, 17)")


def test_a_bar_says_how_far_a_call_has_come(board: Board):
    call = board.row("tool_call", name="draw", status="executing", args={})
    board.send(call)
    board.send(set=[[call["seq"], {"progress": {"fraction": 0.5, "text": "half"}}]])
    bar = board.page.get_by_role("progressbar", name="draw")
    expect(bar).to_have_attribute("aria-valuenow", "50")
    box = bar.bounding_box()
    assert box is not None
    assert round(box["height"]) == 3


def test_a_dialog_holds_the_whole_of_a_long_artifact(board: Board):
    text = "\n\n".join(f"Line {i}" for i in range(200))
    over(board, board.row("artifact", title="Long", mime={"text/markdown": text}))
    board.page.get_by_role("group", name="Long", exact=True).get_by_role(
        "button", name="Open"
    ).click()
    dialog = board.page.get_by_role("dialog", name="Long")
    box = dialog.bounding_box()
    assert box is not None
    assert box["height"] < 800
    dialog.get_by_text("Line 199").scroll_into_view_if_needed()
    expect(dialog.get_by_text("Line 199")).to_be_in_viewport()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
