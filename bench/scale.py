"""What long conversations cost in the page: see `bench.blank`.

    python -m bench.scale [--profile DIRECTORY]

prints the figures alone; with a directory, also which functions take the time. It holds a
bundle that was built without minifying, so that they have names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.blank import Blank, Kernel
from bench.messages import TOKENS, say, words
from bench.plain import Plain
from bench.profile import Pages, main

# --- conversations ------------------------------------------------------------------------


def line(number: int) -> str:
    return f"Row {number}: {words(12, number % 97)}, **{number}** of `them`."


def flat(view: Kernel, rows: int, begin: int = 0) -> None:
    """Messages of the root."""
    for number in range(begin, begin + rows):
        say(view, f"row-{number}", line(number))


def turns(view: Kernel, count: int, agents: int, rows: int) -> None:
    """In every turn each agent says its rows, all agents at a time."""
    for turn in range(count):
        for number in range(rows):
            for agent in range(agents):
                box = f"agent{agent}_{turn}"
                say(view, f"row-{turn}-{agent}-{number}", line(number), box)
        view.finalize()


# --- what is measured ---------------------------------------------------------------------


def updates(pages: Pages, rows: int, times: int = 120) -> dict[str, Any]:
    """Ten rows that grow in each frame, at the end of a conversation that came live."""
    view = Kernel()
    blank = pages.blank(view)
    blank.open()
    for begin in range(0, rows - 10, 500):
        blank.play(lambda begin=begin: flat(view, min(500, rows - 10 - begin), begin), 1)
    step = _ten(view)
    blank.play(step, 20)
    found = pages.profile(
        blank, f"{rows} rows, 10 updates a frame", lambda: blank.play(step, times)
    )
    found["rows"] = blank.rows()
    found["from_end"] = blank.from_end()
    blank.end()
    view.close()
    return found


def live(pages: Pages, rows: int) -> dict[str, Any]:
    """A page that saw all of a long run as it went on."""
    view = Kernel()
    blank = pages.blank(view)
    blank.open()
    empty = blank.memory()
    for begin in range(0, rows, 500):
        blank.play(lambda begin=begin: flat(view, 500, begin), 1)
    blank.play(lambda: say(view, "grows", "word "), 5)
    found: dict[str, Any] = {
        "token": pages.profile(
            blank,
            f"{rows} rows that came live: {TOKENS} tokens",
            lambda: blank.play(lambda: say(view, "grows", "word "), TOKENS),
        ),
        "rows": blank.rows(),
        "from_end": blank.from_end(),
    }
    after = blank.memory()
    blank.end()
    view.close()
    return found | {name: after[name] - empty[name] for name in ("heap", "nodes")}


def reopened(pages: Pages, name: str, view: Kernel) -> dict[str, Any]:
    """A long conversation shown, read, and going on."""
    blank = pages.blank(view)
    empty = blank.memory()["heap"]
    found: dict[str, Any] = {
        "opened": pages.profile(blank, f"{name}: opened", blank.open),
    }
    found["rows"] = blank.rows()
    found["from_end_opened"] = blank.from_end()
    flat(view, 1, 10_000_000)
    blank.play(lambda: None, 2)
    token = lambda: say(view, "row-10000000", "word ")  # noqa: E731
    blank.play(token, 10)
    found["token"] = pages.profile(
        blank, f"{name}: {TOKENS} tokens", lambda: blank.play(token, TOKENS)
    )
    found["from_end"] = blank.from_end()
    found["scroll"] = pages.profile(blank, f"{name}: scrolled", lambda: _scroll(blank))
    found["moved"] = _moved(blank, view)
    found["heap"] = blank.memory()["heap"] - empty
    blank.end()
    return found


def again(pages: Pages, view: Kernel, times: int = 20) -> dict[str, float]:
    """Opened and closed again and again; what is left of it, over the first times."""
    blank = pages.blank(view)
    for _ in range(10):
        blank.open()
        blank.close()
    before = blank.memory()
    for _ in range(times):
        blank.open()
        blank.close()
    after = blank.memory()
    blank.end()
    return {name: after[name] / before[name] for name in before}


def _ten(view: Kernel) -> Callable[[], None]:
    """Ten agents that each say one more word."""

    def step() -> None:
        for agent in range(10):
            say(view, f"grows-{agent}", "word ", f"agent{agent}")

    return step


_SCROLL = """async () => {
  const area = document.querySelector('.nst-area'), found = [];
  for (let i = 0; i < 60; i++) {
    bench.work = 0;
    area.dispatchEvent(new WheelEvent('wheel', {deltaY: -120}));
    area.scrollTop -= 120;
    found.push(await bench.painted());
  }
  return found.sort((a, b) => a - b);
}"""


def _scroll(blank: Blank) -> dict[str, float]:
    """Up, one notch of the wheel in each frame."""
    found = blank.page.evaluate(_SCROLL)
    return {"p50": found[len(found) // 2], "p95": found[int(0.95 * len(found))]}


_SEEN = """() => {
  const area = document.querySelector('.nst-area'), {top, bottom} = area.getBoundingClientRect();
  const row = [...area.querySelectorAll('.nst-row, article')].find(row => {
    const at = row.getBoundingClientRect();
    return at.height > 0 && at.top >= top && at.top <= bottom;
  });
  bench.seen = row;
  return row.getBoundingClientRect().top;
}"""


def _moved(blank: Blank, view: Kernel) -> float:
    """Pixels by which what a reader further up has before the eyes moves while rows come."""
    page = blank.page
    page.wait_for_timeout(200)
    before: float = page.evaluate(_SEEN)
    for begin in range(5):
        blank.play(lambda begin=begin: flat(view, 20, 20_000_000 + 20 * begin), 1)
    after: float = page.evaluate("bench.seen.getBoundingClientRect().top")
    return abs(after - before)


def run(pages: Pages) -> dict[str, Any]:
    found: dict[str, Any] = {"reopened": {}}
    found["updates"] = updates(pages, 10_000)
    found["naive_updates"] = Plain(pages.chromium).updates(10_000, line)

    view = Kernel()
    flat(view, 10_000)
    view.finalize()
    found["again"] = again(pages, view)
    found["reopened"]["10,000 rows"] = reopened(pages, "10,000 rows", view)
    view.close()
    found["live"] = live(pages, 100_000)
    view = Kernel()
    flat(view, 100_000)
    view.finalize()
    found["reopened"]["100,000 rows"] = reopened(pages, "100,000 rows", view)
    view.close()
    view = Kernel()
    turns(view, 100, 10, 100)
    found["reopened"]["100 turns of 10 agents"] = reopened(pages, "100 turns of 10 agents", view)
    view.close()
    return found


if __name__ == "__main__":
    main(run, "bench.scale", __doc__)
