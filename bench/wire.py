"""What goes over the wire, what gets lost there, and how late the rest is."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext

from bench import page as pages
from tests.browser.lab import PATIENCE, Lab

SETUP = {
    "view": "from bench.naive import Ours\nview = Ours(collapse='none', max_height=None)\nview",
    "naive, per token": "from bench.naive import Naive\nview = Naive()\nview",
    "naive, every 33 ms": "from bench.naive import Naive\nview = Naive(pause=0.033)\nview",
}
SELECTOR = {"view": ".nestling"}
NAIVE = ".naive"

RATES = (100, 500, 1000, 2000, 5000)
#: Seconds that a case lasts, or a few more: slow ones have little to tell.
LASTS = {100: 6, 500: 4, 1000: 3}

Case = tuple[str, int | None, int, int]


def cases(quick: bool = False) -> list[Case]:
    """Way, tokens a second (None: as fast as it goes), tokens, threads that feed them."""
    found: list[Case] = []
    for way in ("view", "naive, every 33 ms", "naive, per token"):
        each = way == "naive, per token"
        for rate in RATES:
            if quick and (rate < 500 or way != "view") and rate != 500:
                continue
            tokens = rate * LASTS.get(rate, 2)
            found.append((way, rate, min(tokens, 4_000) if each else tokens, 1))
        if way == "view" or not quick:
            found.append((way, None, 4_000 if each else 20_000, 1))
    found.append(("view", None, 40_000, 16))
    return found


TEAM = """
import nestling
from bench.feed import QUESTION, marks, team
import time
graph = team(2, 1576, rate=1576 / 5.6, marked=True)
view = nestling.watch(graph, collapse="none", max_height=None)
view
"""
BARE = """
began = time.perf_counter(); graph.invoke(QUESTION)
bare = time.perf_counter() - began; marks.clear()
"""
WATCHED = """
began = time.perf_counter(); view.invoke(QUESTION)
watched = time.perf_counter() - began
"""


def stream(
    lab: Lab, context: BrowserContext, way: str, rate: int | None, tokens: int, threads: int
) -> dict:
    """One feeding of one widget."""
    selector = SELECTOR.get(way, NAIVE)
    name = f"{uuid.uuid4().hex}.json"
    fed = f"feed(view, {tokens}, {rate}, {max(10, threads)}, {threads})"
    run = f"from bench.feed import feed, save\nsave({name!r}, {fed})"
    with pages.notebook(lab, context, [SETUP[way], run]) as notebook:
        page = notebook.page
        notebook.run(0)
        page.locator(selector).wait_for(state="attached")
        pages.settle(page)
        ahead = pages.skew(page)
        pages.reset(page)
        notebook.start(1)
        result = _load(lab.root / name)
        pages.settle(page)
        streamed, kept, largest = pages.received(page)
        late = pages.latencies(page, result["marks"], ahead)
        sends = None
        if result["sent"] is not None:  # one drawing more than changes: the first
            drawn = int(page.locator(selector).get_attribute("data-received") or 0)
            sends = max(0, result["sent"] + 2 - drawn) / result["sent"]
        return {
            "way": way,
            "rate": rate,
            "tokens": tokens,
            "threads": threads,
            "busiest_second": result["busiest"],
            "largest": largest,
            "ratio": (streamed + kept) / result["bytes"],
            "kept": kept / result["bytes"],
            "lost_sends": sends,
            "lost_records": pages.missing(page, selector, result["texts"]),
            "lost_marks": len(result["marks"]) - len(late),
            "records": len(result["texts"]),
            "status": page.locator(selector).get_attribute("data-status"),
            "p50": pages.percentile(late, 0.5),
            "p95": pages.percentile(late, 0.95),
        }


def _load(path: Path) -> Any:
    end = time.monotonic() + 5 * PATIENCE
    while not path.exists():
        assert time.monotonic() < end, "the cell did not end"
        time.sleep(0.1)
    return json.loads(path.read_text())


def pair(lab: Lab, context: BrowserContext) -> dict:
    """Two agents that write 1,576 tokens in 5.6 s."""
    with pages.notebook(lab, context, [TEAM, BARE, WATCHED]) as notebook:
        page = notebook.page
        notebook.run(0)
        page.locator(".nestling").wait_for()
        notebook.run(1)
        pages.settle(page)
        ahead = pages.skew(page)
        pages.reset(page)
        notebook.run(2)
        page.locator('.nestling[data-status="completed"]').wait_for()
        pages.settle(page)
        sent = notebook.python("dict(marks)")
        seen = page.evaluate("window.probe.marks")
        last = max(sent, key=lambda key: sent[key])
        texts = notebook.python("{r['id']: r['content'] for r in view.transcript}")
        bare, watched = notebook.python("[bare, watched]")
        return {
            "bytes": sum(len(text.encode()) for text in texts.values()),
            "last_token_late_ms": seen[last] - ahead - sent[last],
            "lost_records": pages.missing(page, ".nestling", texts),
            "bare_seconds": bare,
            "watched_seconds": watched,
            "ratio": watched / bare,
        }


def in_kernel(lab: Lab, context: BrowserContext, call: str) -> Any:
    """What a call in `bench.cpu` returns in a kernel whose page shows what it is given."""
    name = f"{uuid.uuid4().hex}.json"
    run = (
        "from IPython.display import display\n"
        "from bench import cpu\nfrom bench.feed import save\n"
        f"save({name!r}, cpu.{call})"
    )
    with pages.notebook(lab, context, [run]) as notebook:
        notebook.start(0)
        return _load(lab.root / name)


def cpu(lab: Lab, context: BrowserContext, tokens: int, repeats: int, ways: tuple[str, ...]) -> Any:
    """CPU of full-speed runs in a kernel whose page shows them."""
    return in_kernel(lab, context, f"run({tokens}, {repeats}, {ways}, display)")


def paced(lab: Lab, context: BrowserContext, ways: tuple[str, ...]) -> Any:
    """CPU of runs at the rates of `cases`."""
    return in_kernel(lab, context, f"paced({RATES}, {ways}, display)")
