"""What it costs to explore a long run of many agents: to search it, to draw its timeline.

    python -m bench.explore [--profile DIRECTORY]

A search begins here where `query` is set: who types is waited for, 150 ms after each letter.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from bench.blank import Blank, Kernel
from bench.messages import WORDS, say, words
from bench.plain import Plain
from bench.profile import Pages, main
from nestling.questions import QUESTIONS

AGENTS, ROWS = 100, 10_000
#: Seconds of the run from one of its rows to the next.
PACE = 0.06
#: In most of the rows, in some, in one, in none.
QUERIES = (
    *WORDS[5:],
    "row 12",
    "row 9999:",
    "agent 7,",
    "the agent",
    "demand falls",
    "reads a table",
    "search",
    "found 12",
    "nowhere",
)


# --- a run --------------------------------------------------------------------------------


def line(number: int) -> str:
    return f"Row {number}: agent {number % AGENTS}, {words(12, number % 97)}."


class Long(Kernel):
    """Agents side by side: each asks a tool, says what it found, and asks again."""

    def __init__(self) -> None:
        super().__init__(label="team")
        self.now = time.time() - ROWS * PACE
        self._conversation.clock = lambda: self.now
        for number in range(ROWS):
            self.now += PACE
            self.row(number)

    def row(self, number: int) -> None:
        agent, turn = number % AGENTS, number // AGENTS
        box = f"agent_{agent}"
        ns, call = (f"{box}:task-{box}",), f"call-{agent}-{turn // 2}"
        if turn % 2:
            say(self, f"row-{number - AGENTS}", " I search.", box, last=True)
            asks = {"query": words(3, number)}
            self._tool(ns, call, "tool-started", tool_name="search", input=asks)
            return
        if turn:
            call = f"call-{agent}-{turn // 2 - 1}"
            self._tool(ns, call, "tool-finished", output=f"found {number}: {words(6, number)}")
        say(self, f"row-{number}", line(number), box)

    def _tool(self, ns: tuple[str, ...], call: str, event: str, **fields: Any) -> None:
        data = {"event": event, "tool_call_id": call, **fields}
        self.process_event({"type": "tools", "ns": ns, "data": data})

    def more(self) -> None:
        """One agent goes on."""
        self.now += 0.3
        say(self, "more", "word ", "agent_1")


def ask(view: Kernel, query: str) -> dict[str, Any]:
    """What the view answers a page that searches."""
    return QUESTIONS["find"](view, {"query": query, "filters": {}, "time_range": None})


# --- search -------------------------------------------------------------------------------

# Until the whole count stands in the bar: what the page finds by itself is only a part.
_SEARCH = """async queries => {
  const find = selector => document.querySelector(selector);
  const found = [];
  for (const query of queries) {
    await bench.painted();
    const began = performance.now();
    bench.model.set('query', query);
    do await bench.painted();
    while (find('.nst-sifting').textContent.includes('in the page'));
    found.push([performance.now() - began, find('.nst-count').textContent]);
  }
  return found;
}"""


def asked(view: Kernel) -> dict[str, float]:
    """Milliseconds until the kernel knows: the first time, and then."""
    found = []
    for query in QUERIES:
        began = time.perf_counter()
        ask(view, query)
        found.append(1000 * (time.perf_counter() - began))
    return {"first": found[0], **_of(found[1:])}


def searched(pages: Pages, blank: Blank) -> dict[str, float]:
    """Milliseconds until the page shows how many there are."""

    def work() -> dict[str, float]:
        found = blank.page.evaluate(_SEARCH, list(QUERIES))
        for query, (_, told) in zip(QUERIES, found, strict=True):
            count = ask(blank.view, query)["matches"]
            shown = told.split()[0].replace(",", "")
            assert shown == (str(count) if count else "No"), f"{query}: {told}, not {count}"
        return _of([spent for spent, _ in found])

    found: dict[str, float] = pages.profile(blank, "searched", work)
    blank.page.evaluate("bench.model.set('query', '')")
    return found


# --- timeline -----------------------------------------------------------------------------

# Shown, hidden and shown again.
_OPEN = """async times => {
  const found = [];
  for (let i = 0; i < times; i++) {
    bench.model.set('timeline', false);
    await bench.painted();
    await bench.painted();
    bench.work = 0;
    bench.timed(() => bench.model.set('timeline', true))();
    found.push(await bench.painted());
  }
  return found;
}"""

# It follows a run by a clock of its own: some time after there is news.
_LIVE = """async times => {
  const found = [], panel = document.querySelector('.nst-tl');
  const changed = () => new Promise(done => {
    const seen = new MutationObserver(() => { seen.disconnect(); done(); });
    seen.observe(panel, {subtree: true, childList: true, attributes: true, characterData: true});
  });
  for (let i = 0; i < times; i++) {
    const said = await kernel({step: 1});
    bench.hear(said);
    await bench.painted();
    bench.work = 0;
    await changed();
    found.push(await bench.painted());
  }
  return found;
}"""


def drawn(pages: Pages, blank: Blank) -> dict[str, float]:
    """Milliseconds of the main thread for a frame that shows the lanes, first and again."""

    def work() -> dict[str, float]:
        first, *others = blank.page.evaluate(_OPEN, 15)
        return {"first": first, **_of(others)}

    found: dict[str, float] = pages.profile(blank, "timeline opened", work)
    return found


def followed(pages: Pages, blank: Blank, view: Long) -> dict[str, float]:
    """The same for a frame in which the lanes of a run that goes on are drawn again."""
    blank.step = view.more
    blank.page.evaluate("bench.model.set('timeline', true)")
    blank.page.evaluate(_LIVE, 3)
    work = lambda: _of(blank.page.evaluate(_LIVE, 15))  # noqa: E731
    found: dict[str, float] = pages.profile(blank, "timeline followed", work)
    return found


def _of(found: list[float]) -> dict[str, float]:
    return {"p50": statistics.median(found), "worst": max(found)}


def run(pages: Pages) -> dict[str, Any]:
    view = Long()
    found: dict[str, Any] = {"agents": AGENTS, "rows": len(view.transcript), "kernel": asked(view)}
    blank = pages.blank(view)
    blank.open()
    found["live_search"] = searched(pages, blank)
    found["live_timeline"] = followed(pages, blank, view)
    blank.close()
    view.finalize()
    blank.open()
    found["search"] = searched(pages, blank)
    found["timeline"] = drawn(pages, blank)
    blank.end()
    view.close()
    found["naive_search"] = Plain(pages.chromium).search(ROWS, line, QUERIES)
    return found


if __name__ == "__main__":
    main(run, "bench.explore", __doc__)
