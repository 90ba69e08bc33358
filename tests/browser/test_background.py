"""Runs in the background, and questions that wait for an answer."""

from tests.browser.page import rows, structure, until_status, widget

START = """
import nestling
from nestling import demo
view = nestling.watch(demo.{graph}, collapse="none")
run = view.start({question})
"""
HELLO = {"messages": [("user", "Hello")]}
REFUND = {"messages": [("user", "Refund order A-1042.")]}
SLOW = START.format(graph="research_team(delay=0.07)", question=HELLO)
DESK = """
import nestling
from nestling import demo
view = nestling.watch(demo.support_desk(), config={"configurable": {"thread_id": "1"}})
"""


def test_cells_run_on_beside_it_and_stop_is_heard(open_notebook):
    notebook = open_notebook(SLOW, "seen = view.status", "await run")
    notebook.run(0)
    widget(notebook).locator('[data-type="ai"]').first.wait_for()
    notebook.run(1)
    assert notebook.python("seen") == "running"
    widget(notebook).get_by_role("button", name="Stop").click()
    until_status(widget(notebook), "cancelled")
    assert notebook.python("[view.status, run.status]") == ["cancelled", "cancelled"]
    assert not {"streaming", "calling", "executing"} & {r["status"] for r in rows(widget(notebook))}


def test_a_thread_goes_on_while_a_cell_blocks_the_kernel(open_notebook):
    threaded = SLOW.replace("run = view.start(", "run = view.start(thread=True, input=")
    notebook = open_notebook(threaded, "import time; time.sleep(6)", "await run;", "run.result();")
    notebook.run(0)
    root = widget(notebook)
    root.locator('[data-type="ai"]').first.wait_for()
    notebook.start(1)
    before = len(root.inner_text())
    notebook.page.wait_for_function(
        "n => document.querySelector('.nestling').innerText.length > n + 20", arg=before
    )
    assert notebook.page.evaluate("window.cells[1]") == "running"
    notebook.wait(1)
    until_status(root, "completed")
    for cell, kept in ((2, 1), (3, 0)):  # the first cell that waits keeps the run
        notebook.run(cell)
        html = [o["data"].get("text/html", "") for o in notebook.outputs(cell)]
        assert sum("nestling-static" in "".join(part) for part in html) == kept


def test_a_question_is_answered_from_python_and_the_run_goes_on_in_place(open_notebook):
    notebook = open_notebook(
        DESK + "view",
        f"view.invoke({REFUND});",
        "view.pending[0].edit(amount=19.9).result()['messages'][-1].content",
        "view",
    )
    notebook.run(0)
    notebook.run(1)
    root = widget(notebook)
    until_status(root, "interrupted")
    card = root.locator('[data-type="interrupt"]')
    assert card.get_attribute("data-status") == "pending"
    assert "view.pending[0].approve()" in card.inner_text()
    call = root.locator('[data-type="tool_call"][data-status="interrupted"]')
    assert "issue_refund" in call.inner_text()
    notebook.run(2)
    until_status(root, "completed")
    assert card.get_attribute("data-status") == "answered"
    assert "Approved with 1 edit: amount 24.9 → 19.9" in card.inner_text()
    assert root.locator('[data-type="tool_call"]').count() == 2
    notebook.run(3)
    second = widget(notebook, 1)
    until_status(second, "completed")
    notebook.page.wait_for_timeout(1500)  # what has just ended closes in the first
    assert structure(second) == structure(root)
