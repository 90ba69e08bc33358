"""Whatever happens between kernel and page, the page comes to show what the kernel holds."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.browser.lab import Notebook
from tests.browser.page import records, rows, until_equal, until_status, widget
from tests.browser.proxy import Proxy

FEEDER = (Path(__file__).parent / "feeder.py").read_text()
START = """
import nestling
view = nestling.View(collapse="none")
feeder = Feeder(view)
feeder.start()
view
"""
BURST = """
view = nestling.View(collapse="none")
display(view)
burst(view)
"""
TEAM = """
import nestling
from nestling import demo
view = nestling.watch(demo.parallel_team(delay=0.05), collapse="none")
"""
QUESTION = "{'topic': 'solar power'}"
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
#: When the kernel sent each message of its widgets.
LISTEN = f"""() => {{
    window.sent = [];
    {KERNEL}.iopubMessage.connect((_, {{header}}) => {{
        if (header.msg_type === 'comm_msg') sent.push(header.date);
    }});
}}"""
#: Part of what browsers and JupyterLab say of a server that cannot be reached.
AWAY = "ERR_CONNECTION_REFUSED"


@pytest.fixture(scope="module")
def network(lab):
    with Proxy(lab.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def shared(lab, context, network):
    """One notebook for all of this file, opened through a network that can fail."""
    notebook = Notebook(lab, context, lab.write([FEEDER, START, "view"]), AWAY, network.url)
    notebook.run(0)
    yield notebook
    notebook.close()
    assert notebook.errors == []


@pytest.fixture
def empty(shared):
    """The notebook without any output."""
    command(shared, "notebook:clear-all-cell-outputs")
    until_shown(shared, 0)
    return shared


@pytest.fixture
def feeding(empty):
    """The notebook while a thread feeds a new view; in the end the page has all of it."""
    shared = empty
    shared.run(1)
    widget(shared).locator('[data-type="ai"]').nth(3).wait_for()
    shared.set_source(2, "view")
    yield shared
    shared.python("feeder.end()")
    until_equal(shared)
    assert {row["status"] for row in rows(widget(shared))} == {"completed"}


def assert_equal_in_mid_run(*notebooks):
    """While nothing is said for a moment."""
    notebooks[0].python("feeder.hold()")
    for notebook in notebooks:
        until_equal(notebook)
    notebooks[0].python("feeder.go_on()")


def command(notebook, name, **arguments):
    run = "([name, given]) => void window.jupyterapp.commands.execute(name, given)"
    notebook.page.evaluate(run, [name, arguments])


def until_shown(notebook, count):
    notebook.page.wait_for_function(
        "count => document.querySelectorAll('.nestling').length === count", arg=count
    )


def break_connection(notebook, network):
    broke = f"new Promise(broke => {KERNEL}.connectionStatusChanged.connect(broke))"
    notebook.page.evaluate(f"() => {{ window.broken = {broke}.then(() => true); }}")
    network.drop()
    assert notebook.page.evaluate("broken")


def take_server_away(notebook, network):
    """JupyterLab tries again after 10 to 30 seconds, unless it is told to reconnect."""
    network.cut()
    widget(notebook).and_(notebook.page.locator('[data-connection="lost"]')).wait_for(
        timeout=15_000
    )
    notebook.page.wait_for_timeout(5000)
    network.resume()
    notebook.page.evaluate(f"void {KERNEL}.reconnect()")


def stall(notebook, network):
    network.stall()
    notebook.page.wait_for_timeout(5000)
    network.resume()


def until_connected(notebook):
    notebook.page.wait_for_function(f"{KERNEL}.connectionStatus === 'connected'", timeout=15_000)


FAULTS = [break_connection, take_server_away, stall]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_network_that_fails(feeding, network, fault):
    fault(feeding, network)
    until_connected(feeding)
    assert_equal_in_mid_run(feeding)
    assert widget(feeding).get_attribute("data-connection") is None


def test_a_network_that_fails_one_browser_while_another_stays(
    feeding, network, open_notebook, somebody_else
):
    """The server then keeps nothing of what it cannot deliver."""
    feeding.save()
    late = open_notebook(name=feeding.name, by=somebody_else)
    until_status(widget(late), "running")
    assert_equal_in_mid_run(feeding, late)
    for fault in FAULTS:
        fault(feeding, network)
        until_connected(feeding)
        assert_equal_in_mid_run(feeding, late)
    network.cut()
    late.page.wait_for_timeout(1000)
    late.python("feeder.hold()")  # nothing comes later that would tell of the gap
    late.page.wait_for_timeout(200)
    network.resume()
    feeding.page.evaluate(f"void {KERNEL}.reconnect()")
    until_connected(feeding)
    until_equal(feeding)
    feeding.python("feeder.go_on()")
    late.page.close()


def test_a_reload_while_a_thread_feeds_the_view(feeding):
    before = len(records(feeding))
    feeding.save()
    feeding.reload()
    until_status(widget(feeding), "running")
    assert_equal_in_mid_run(feeding)
    assert len(records(feeding)) > before


def test_of_two_displays_one_is_cleared_then_the_other(feeding):
    feeding.run(2)
    until_shown(feeding, 2)
    command(feeding, "notebook:clear-cell-output")
    until_shown(feeding, 1)
    assert_equal_in_mid_run(feeding)
    command(feeding, "notebook:clear-all-cell-outputs")
    until_shown(feeding, 0)
    feeding.page.wait_for_timeout(500)
    feeding.run(2)
    until_shown(feeding, 1)
    assert_equal_in_mid_run(feeding)


def test_a_cell_that_runs_again_in_mid_run(feeding):
    feeding.python("vars().update(older=feeder)")
    feeding.run(1)
    feeding.page.wait_for_timeout(500)
    until_shown(feeding, 1)
    assert_equal_in_mid_run(feeding)
    feeding.set_source(2, "older.view")
    feeding.run(2)
    feeding.python("older.end()")
    until_equal(feeding, 1, "older.view")


def test_a_panel_behind_another_one(feeding):
    command(feeding, "launcher:create")
    feeding.page.locator(".jp-Launcher").wait_for()
    assert not widget(feeding).is_visible()
    feeding.page.wait_for_timeout(5000)
    command(feeding, "tabsmenu:activate-previously-used-tab")
    widget(feeding).wait_for()
    assert_equal_in_mid_run(feeding)


def test_a_page_that_nobody_sees(feeding):
    """As browsers have it: it is hidden, and no frame comes. Headless ones never are."""
    feeding.page.evaluate("""() => {
        window.frames_come = window.requestAnimationFrame;
        window.requestAnimationFrame = () => 0;
        Object.defineProperty(document, 'hidden', {configurable: true, value: true});
    }""")
    feeding.page.wait_for_timeout(5000)
    assert_equal_in_mid_run(feeding)
    feeding.page.evaluate("""() => {
        window.requestAnimationFrame = window.frames_come;
        delete document.hidden;
    }""")
    assert_equal_in_mid_run(feeding)


def test_an_interrupt_while_a_thread_feeds_the_view(feeding):
    feeding.set_source(2, "import time; time.sleep(20)")
    feeding.start(2)
    feeding.page.wait_for_timeout(500)
    feeding.page.evaluate(f"void {KERNEL}.interrupt()")
    feeding.wait(2)
    assert_equal_in_mid_run(feeding)


def test_thirty_messages_a_second_however_fast_it_goes(feeding):
    feeding.page.evaluate(LISTEN)
    feeding.python("vars(feeder).update(delay=0.0005)")
    feeding.page.wait_for_timeout(3000)
    assert_equal_in_mid_run(feeding)
    sent = [datetime.fromisoformat(date).timestamp() for date in feeding.page.evaluate("sent")]
    assert len(sent) > 60
    assert all(after - before >= 1 for before, after in zip(sent, sent[30:], strict=False))


def test_sixteen_threads_at_full_speed(empty):
    empty.set_source(2, BURST)
    empty.run(2)
    until_equal(empty)
    assert len(records(empty)) == 16 * 40


@pytest.mark.parametrize("how", ["view.invoke", "await view.ainvoke"])
def test_an_interrupt_of_a_run(empty, how):
    empty.set_source(2, f"{TEAM}{how}({QUESTION})")
    empty.start(2)
    widget(empty).locator('[data-label="worker"] [data-type="ai"]').first.wait_for()
    empty.page.evaluate(f"void {KERNEL}.interrupt()")
    until_status(widget(empty), "cancelled")
    empty.wait(2)
    until_equal(empty)
    assert not {"streaming", "calling", "executing"} & {r["status"] for r in records(empty)}
