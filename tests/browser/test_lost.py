"""What a page shows when its kernel goes while a run goes on."""

import os
import signal

import pytest

from tests.browser.page import ids, until_status, widget

GONE = "Kernel gone. Showing saved history"
#: The server looks for dead kernels every 3 s; the page itself tells within 2, on a quiet machine.
SOON = 15_000

WATCH = """
import nestling, os
from nestling import demo
view = nestling.watch(demo.parallel_team(delay=0.1), collapse="none")
"""

RUN = 'result = await view.ainvoke({"topic": "solar power"})'

ENDLESS = """root => root.getAnimations({subtree: true})
    .filter(animation => animation.effect.getTiming().iterations === Infinity).length"""


@pytest.fixture
def running(open_notebook):
    notebook = open_notebook(WATCH, RUN)
    notebook.run(0)
    notebook.pid = notebook.python("os.getpid()")
    notebook.start(1)
    widget(notebook).locator('[data-type="ai"]').first.wait_for()
    assert widget(notebook).evaluate(ENDLESS) > 0
    return notebook


def kill(notebook):
    os.kill(notebook.pid, signal.SIGKILL)


def restart(notebook):
    notebook.page.evaluate(
        "void window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )


def shut_down(notebook):
    notebook.page.evaluate("void window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")


@pytest.mark.parametrize("end", [kill, restart, shut_down])
def test_a_kernel_that_is_gone_is_noticed(running, end):
    root = widget(running)
    before = ids(root)
    end(running)
    lost = root.and_(running.page.locator('[data-connection="lost"]'))
    lost.wait_for(timeout=SOON)
    assert GONE in root.locator("header").inner_text()
    assert root.evaluate(ENDLESS) == 0
    assert not root.get_by_role("button", name="Stop").is_visible()
    assert before <= ids(root)
    clocks = root.locator(".nst-num").all_inner_texts()
    running.page.wait_for_timeout(3000)
    assert root.locator(".nst-num").all_inner_texts() == clocks
    assert lost.count() == 1, "a new kernel knows nothing of the old one's views"
    if end is kill:
        running.page.locator(".jp-Dialog button").click()
    root.get_by_role("button", name="More actions").click()
    root.get_by_role("menuitem", name="Log view").click()
    root.and_(running.page.locator('[data-mode="log"]')).wait_for(timeout=SOON)
    assert before <= ids(root)


def test_a_connection_that_comes_back_is_live_again(running):
    root = widget(running)
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    running.page.evaluate(f"""() => {{
        const settings = {kernel}.serverSettings;
        window.Real = settings.WebSocket;
        settings.WebSocket = class {{ send() {{}} close() {{}} }};  // never opens
        void {kernel}.reconnect();
    }}""")
    root.and_(running.page.locator('[data-connection="lost"]')).wait_for(timeout=SOON)
    running.page.evaluate(f"""() => {{
        {kernel}.serverSettings.WebSocket = window.Real;
        void {kernel}.reconnect();
    }}""")
    root.and_(running.page.locator(":not([data-connection])")).wait_for(timeout=SOON)
    assert "Running" in root.locator("header").inner_text()
    running.wait(1)
    until_status(root, "completed")
    assert ids(root) == {row["id"] for row in running.python("list(view.chat_history)")}
