"""What grows with the length of a session, and what must not."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import Any

import psutil
from playwright.sync_api import BrowserContext

import nestling
from bench import page as pages
from bench.feed import event
from tests.browser.lab import Lab

# --- in a process of its own --------------------------------------------------------------


def turns(count: int = 1000, tokens: int = 200) -> dict[str, float]:
    """CPU of one token in the first and in the last of many turns of one view."""
    view = nestling.View()
    costs = []
    for turn in range(count):
        events = [event(i % 10, turn * tokens + i // 10, "word ") for i in range(tokens)]

        began = time.process_time()
        for each in events:
            view.process_event(each)
        view.finalize()
        costs.append(1e6 * (time.process_time() - began) / tokens)
    first, last = (statistics.median(part) for part in (costs[5:55], costs[-50:]))
    view.close()
    return {"turns": count, "first": first, "last": last, "ratio": last / first}


def memory(tokens: int = 1_000_000) -> dict[str, float]:
    """Bytes that a process has more for each token that a view was fed."""
    warm = nestling.View()
    for i in range(1000):
        warm.process_event(event(i % 10, i // 10, "word "))
    warm.close()
    view = nestling.View()
    process = psutil.Process()
    before = process.memory_info().rss
    for i in range(tokens):
        view.process_event(event(i % 10, i // 10, "word "))
    view.finalize()
    return {"tokens": tokens, "bytes": (process.memory_info().rss - before) / tokens}


def apart(call: str) -> Any:
    """What a function above returns in a fresh process."""
    code = f"import json; from bench import growth; print(json.dumps(growth.{call}))"
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=pages.HERE.parent,
    )  # fmt: skip
    return json.loads(done.stdout)


# --- in a notebook ------------------------------------------------------------------------

AGAIN = """
import nestling
from IPython.display import display
from bench.feed import QUESTION, team
graph = team(4, 800)
view = nestling.watch(graph)
display(view)
result = view.invoke(QUESTION)
"""

#: A silent request: its value is fetched without a cell.
COUNTS = "__import__('bench.growth').growth.counts()"

LONG = """
from bench.growth import conversation
from bench.naive import Ours
view = Ours(collapse="none")
view
"""


def counts() -> dict[str, int]:
    """What a kernel holds."""
    import gc
    import threading

    import comm
    import ipywidgets

    gc.collect()
    return {
        "comms": len(comm.get_comm_manager().comms),
        "widgets": len(ipywidgets.widgets.widget._instances),
        "threads": threading.active_count(),
        "objects": len(gc.get_objects()),
        "rss": psutil.Process().memory_info().rss,
    }


def conversation(view: Any, rows: int) -> None:
    """Short messages of one agent, the last one marked."""
    for number in range(rows):
        text = "the last ⟦m1⟧" if number == rows - 1 else f"Row {number}: some **words** of `it`."
        view.process_event(event(0, 200 * number, text))
    view.finalize()


def again(lab: Lab, context: BrowserContext, times: int = 50) -> dict[str, Any]:
    """A cell that watches, displays and runs, again and again."""
    with pages.notebook(lab, context, [AGAIN]) as notebook:
        tools = context.new_cdp_session(notebook.page)

        def held() -> dict[str, float]:
            notebook.page.wait_for_timeout(2500)  # threads end when they were idle for a while
            for _ in range(3):
                tools.send("HeapProfiler.collectGarbage")
            return {
                **notebook.python(COUNTS),
                "heap": tools.send("Runtime.getHeapUsage")["usedSize"],
                "nodes": tools.send("Memory.getDOMCounters")["nodes"],
            }

        for _ in range(5):
            notebook.run(0)
        pages.reset(notebook.page)
        before = held()
        for _ in range(times):
            notebook.run(0)
            pages.reset(notebook.page)  # what the probe has kept is no growth
        after = held()
    return {
        "times": times,
        "before": before,
        "after": after,
        "ratio": {name: after[name] / before[name] for name in before},
        # Of which a module that a page has loaded is never freed, and every widget has one.
        "page_mb_a_time": (after["heap"] - before["heap"]) / 1e6 / times,
    }


def reopened(lab: Lab, context: BrowserContext, rows: int = 10_000) -> dict[str, Any]:
    """A long run after a reload, its kernel alive: milliseconds until its end was drawn."""
    with pages.notebook(lab, context, [LONG, f"conversation(view, {rows})"]) as notebook:
        page = notebook.page
        notebook.run(0)
        notebook.run(1)
        pages.settle(page)
        notebook.save()
        notebook.reload()
        at = page.wait_for_function(_IN_SIGHT).json_value()
        return {
            "rows": rows,
            "from_hello": at - page.evaluate("probe.hello"),
            "from_reload": at - page.evaluate("performance.timeOrigin"),
        }


#: When the end of the last message is in sight.
_IN_SIGHT = """() => {
  const row = [...document.querySelectorAll('.nestling [data-id]')]
    .findLast(row => row.textContent.includes('⟦m1⟧'));
  if (!row) return null;
  const area = row.closest('.nst-area').getBoundingClientRect();
  const {height, top, bottom} = row.getBoundingClientRect();
  const seen = height > 0 && bottom <= area.bottom + 1 && top >= area.top - 1;
  return seen ? performance.timeOrigin + performance.now() : null;
}"""
