"""What long messages and long conversations cost in the page: see `bench.blank`.

    python -m bench.scale [--profile DIRECTORY]

prints the figures alone; with a directory, also which functions take the time. It holds a
bundle that was built without minifying, so that they have names.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessageChunk
from playwright.sync_api import Browser

from bench.blank import STATIC, Blank, Kernel
from bench.plain import Plain, whole
from tests.browser.lab import browser

WORDS = ("the", "model", "reads", "a", "table", "and", "finds", "that", "demand", "falls", "when")
SIZES = {"7 kB": 7_000, "20 kB": 20_000, "200 kB": 200_000}
TOKENS = 60


# --- texts --------------------------------------------------------------------------------


def words(count: int, seed: int = 0) -> str:
    pick = random.Random(seed)  # noqa: S311  # the same text each time
    return " ".join(pick.choice(WORDS) for _ in range(count))


def _mixed() -> Iterator[str]:
    for number in range(10_000):
        yield f"## Part {number}\n\n{words(60, number)} **{words(3)}** and `{words(2)}`.\n\n"
        yield "".join(f"- {words(8, i)}\n" for i in range(6)) + "\n"
        yield f"```python\n{chr(10).join(f'x{i} = read({i})' for i in range(8))}\n```\n\n"
        yield "| a | b | c |\n|---|---|---|\n"
        yield "".join(f"| {i} | {words(2, i)} | {i * i} |\n" for i in range(5)) + "\n"


def _lines(begin: str, line: str) -> Iterator[str]:
    yield begin
    for number in range(100_000):
        yield line.format(number, words(8, number))


def text(kind: str, size: int) -> str:
    """A Markdown message that is not over yet."""
    parts = {
        "mixed": _mixed(),
        "one paragraph": (words(20, i) + " " for i in range(100_000)),
        "one code block": _lines("```python\n", "x{} = read('{}')\n"),
        "one list": _lines("", "- **{}** {}\n"),
        "one table": _lines("| a | b |\n|---|---|\n", "| {} | {} |\n"),
    }[kind]
    made = ""
    while len(made) < size:
        made += next(parts)
    return made[:size]


KINDS = ("mixed", "one paragraph", "one code block", "one list", "one table")


# --- conversations ------------------------------------------------------------------------


def say(view: Kernel, row: str, content: str, box: str = "") -> None:
    ns = (f"{box}:task-{box}",) if box else ()
    metadata = {"langgraph_node": "model", "langgraph_checkpoint_ns": "|".join((*ns, "model:x"))}
    chunk = AIMessageChunk(content=content, id=row)
    view.process_event({"type": "messages", "ns": ns, "data": (chunk, metadata)})


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


class Bench:
    """Blank pages, one after the other, of one bundle."""

    def __init__(self, chromium: Browser, static: Path = STATIC, profiled: bool = False) -> None:
        self.chromium, self.static, self.profiled = chromium, static, profiled

    def message(self, kind: str, size: int) -> dict[str, Any]:
        """One more token at the end of a message, and the next time that all of it is read."""
        view = Kernel()
        blank = Blank(self.chromium, view, self.static)
        blank.open()
        content = text(kind, size)
        blank.play(lambda: say(view, "long", content), 1)
        blank.play(lambda: None, 6)  # the rest of a text too long for one message
        blank.play(lambda: say(view, "long", "word "), 5)
        found = self._profiled(
            blank,
            f"{kind}, {size // 1000} kB: {TOKENS} tokens",
            lambda: blank.play(lambda: say(view, "long", "word "), TOKENS),
        )
        many = "word " * (size // 25)
        found["worst"] = max(found["worst"], blank.play(lambda: say(view, "long", many), 1)["p50"])
        found["end"] = self._profiled(
            blank, f"{kind}, {size // 1000} kB: its end", lambda: blank.play(view.finalize, 1)
        )["p50"]
        blank.end()
        view.close()
        return found

    def updates(self, rows: int, times: int = 120) -> dict[str, Any]:
        """Ten rows that grow in each frame, at the end of a conversation that came live."""
        view = Kernel()
        blank = Blank(self.chromium, view, self.static)
        blank.open()
        for begin in range(0, rows - 10, 500):
            blank.play(lambda begin=begin: flat(view, min(500, rows - 10 - begin), begin), 1)
        step = _ten(view)
        blank.play(step, 20)
        found = self._profiled(
            blank, f"{rows} rows, 10 updates a frame", lambda: blank.play(step, times)
        )
        found["rows"] = blank.rows()
        found["from_end"] = blank.from_end()
        blank.end()
        view.close()
        return found

    def live(self, rows: int) -> dict[str, Any]:
        """A page that saw all of a long run as it went on."""
        view = Kernel()
        blank = Blank(self.chromium, view, self.static)
        blank.open()
        empty = blank.memory()
        for begin in range(0, rows, 500):
            blank.play(lambda begin=begin: flat(view, 500, begin), 1)
        blank.play(lambda: say(view, "grows", "word "), 5)
        found: dict[str, Any] = {
            "token": self._profiled(
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

    def reopened(self, name: str, view: Kernel) -> dict[str, Any]:
        """A long conversation shown, read, and going on."""
        blank = Blank(self.chromium, view, self.static)
        empty = blank.memory()["heap"]
        found: dict[str, Any] = {
            "opened": self._profiled(blank, f"{name}: opened", blank.open),
        }
        found["rows"] = blank.rows()
        found["from_end_opened"] = blank.from_end()
        flat(view, 1, 10_000_000)
        blank.play(lambda: None, 2)
        token = lambda: say(view, "row-10000000", "word ")  # noqa: E731
        blank.play(token, 10)
        found["token"] = self._profiled(
            blank, f"{name}: {TOKENS} tokens", lambda: blank.play(token, TOKENS)
        )
        found["from_end"] = blank.from_end()
        found["scroll"] = self._profiled(blank, f"{name}: scrolled", lambda: _scroll(blank))
        found["moved"] = _moved(blank, view)
        found["heap"] = blank.memory()["heap"] - empty
        blank.end()
        return found

    def again(self, view: Kernel, times: int = 20) -> dict[str, float]:
        """Opened and closed again and again; what is left of it, over the first times."""
        blank = Blank(self.chromium, view, self.static)
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

    def _profiled(self, blank: Blank, what: str, work: Callable[[], Any]) -> Any:
        if not self.profiled:
            return work()
        lines: list[str] = []
        with blank.profile(lines):
            found = work()
        print(f"-- {what}: {_short(found)}", *lines, sep="\n", flush=True)
        return found


def _short(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in found.items())


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


def run(
    chromium: Browser, static: Path = STATIC, profiled: bool = False, quick: bool = False
) -> dict[str, Any]:
    bench = Bench(chromium, static, profiled)
    found: dict[str, Any] = {"message": {}, "naive_message": {}, "reopened": {}}
    for name, size in SIZES.items():
        for kind in KINDS:
            found["message"][f"{kind}, {name}"] = bench.message(kind, size)
        found["naive_message"][name] = whole(chromium, text("mixed", size), 10 if quick else 20)
    found["updates"] = bench.updates(10_000)
    found["naive_updates"] = Plain(chromium).updates(10_000, line)

    view = Kernel()
    flat(view, 10_000)
    view.finalize()
    found["again"] = bench.again(view)
    found["reopened"]["10,000 rows"] = bench.reopened("10,000 rows", view)
    view.close()
    found["live"] = bench.live(100_000)
    view = Kernel()
    flat(view, 100_000)
    view.finalize()
    found["reopened"]["100,000 rows"] = bench.reopened("100,000 rows", view)
    view.close()
    view = Kernel()
    turns(view, 100, 10, 100)
    found["reopened"]["100 turns of 10 agents"] = bench.reopened("100 turns of 10 agents", view)
    view.close()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--profile", type=Path, metavar="DIRECTORY")
    chosen = parser.parse_args().profile
    with browser() as launched:
        for name, value in run(launched, chosen or STATIC, chosen is not None).items():
            print(name, value)
