"""A long run in a real JupyterLab: does anything grow that must not?

    python -m bench.soak [--minutes 30] [--tokens 1000000] [--namespaces 100]

Writes bench/soak.json. Fails if kernel or page hold more in the last third than in the first,
if a token is lost, or if a row that is shown is not the kernel's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench import page as pages
from bench.feed import LONG, MARKED, Pacer, event, mark, marks
from bench.growth import counts
from tests.browser.lab import Notebook

EVERY = 10.0
#: Tokens of one message.
SHORT = 40
#: What a view of a long run is told to keep; without it the kernel keeps every record.
MAX_RECORDS = 4000
#: The last third over the first.
GOALS = {"rss": 1.2, "objects": 1.2, "threads": 1.0, "heap": 1.2, "nodes": 1.2}

CELLS = [
    "import bench.soak\nfrom bench.naive import Ours\nview = Ours(max_records={keep})\nview",
    "run = bench.soak.Run(view, {tokens}, {rate}, {namespaces})",
]


class Run(threading.Thread):
    """Feeds a view beside the cells, inside the kernel."""

    def __init__(self, view: Any, tokens: int, rate: float, namespaces: int) -> None:
        super().__init__(daemon=True)
        self.view, self.tokens, self.rate, self.namespaces = view, tokens, rate, namespaces
        self.fed = 0
        self.start()

    def run(self) -> None:
        pacer = Pacer(self.rate)
        for i in range(self.tokens):
            pacer.wait()
            text = mark() if i % (4 * MARKED) == 0 else "word "
            # short messages, so that the page soon has all the rows that it will hold
            number = i // self.namespaces
            last = number % SHORT == SHORT - 1
            number *= LONG // SHORT
            self.view.process_event(event(i % self.namespaces, number, text, last))
            self.fed = i + 1
        self.view.finalize()

    def sample(self) -> dict[str, Any]:
        """What the kernel holds, and the marks that were made since the last time."""
        made = {key: marks.pop(key) for key in list(marks)}
        return {**counts(), "fed": self.fed, "marks": made, "over": not self.is_alive()}


#: The marks that were drawn; the page forgets them.
_TAKE = """() => {
  const {marks} = probe;
  Object.assign(probe, {marks: {}, messages: []});
  return marks;
}"""


class Watch:
    """The page of a run."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.tools = self.page.context.new_cdp_session(self.page)
        self.began = time.monotonic()
        self.ahead = pages.skew(self.page)
        #: Marks that were made and are not known to be drawn, and those drawn of which the
        #: kernel has not told yet.
        self.waiting: dict[str, float] = {}
        self.drawn: dict[str, float] = {}
        #: Since when nobody has looked: looking takes time from both sides.
        self.undisturbed = time.time()

    def sample(self) -> dict[str, Any]:
        until = time.time()
        held = self.notebook.python("run.sample()")
        self.waiting |= held.pop("marks")
        self.drawn |= self.page.evaluate(_TAKE)
        since, until = 1000 * self.undisturbed, 1000 * until - 200
        late = []
        for key in [*self.waiting.keys() & self.drawn.keys()]:
            made, seen = self.waiting.pop(key), self.drawn.pop(key)
            if since < made < until:
                late.append(seen - self.ahead - made)
        late.sort()
        for _ in range(2):
            self.tools.send("HeapProfiler.collectGarbage")
        sample = {
            "seconds": round(time.monotonic() - self.began, 1),
            **held,
            "heap": self.tools.send("Runtime.getHeapUsage")["usedSize"],
            "nodes": self.tools.send("Memory.getDOMCounters")["nodes"],
            "rows": self.page.locator(".nestling [data-id]").count(),
            "p50": pages.percentile(late, 0.5),
            "p95": pages.percentile(late, 0.95),
        }
        self.undisturbed = time.time() + 0.5
        return sample


def soak(minutes: float, tokens: int, namespaces: int) -> dict[str, Any]:
    rate = tokens / (60 * minutes)
    cells = [
        CELLS[0].format(keep=MAX_RECORDS),
        CELLS[1].format(tokens=tokens, rate=rate, namespaces=namespaces),
    ]
    with tempfile.TemporaryDirectory() as root, pages.measured(Path(root)) as (lab, context, _):  # noqa: SIM117
        with pages.notebook(lab, context, cells) as notebook:
            notebook.run(0)
            notebook.page.locator(".nestling").wait_for(state="attached")
            watch = Watch(notebook)
            notebook.run(1)
            samples = []
            while not samples or not samples[-1]["over"]:
                notebook.page.wait_for_timeout(1000 * min(EVERY, 6 * minutes))
                samples.append(watch.sample())
                told = {k: samples[-1][k] for k in ("seconds", "fed", "rss", "heap", "p95")}
                print(told, flush=True)
            pages.settle(notebook.page)
            samples.append(watch.sample())
            return {
                "minutes": minutes,
                "tokens": tokens,
                "namespaces": namespaces,
                "max_records": MAX_RECORDS,
                "lost_marks": len(watch.waiting),
                "wrong_rows": pages.wrong(
                    notebook.page, ".nestling", notebook.python("view.texts()")
                ),
                "samples": samples,
            }


def thirds(samples: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Medians of the first and of the last third, the very beginning left out."""
    part = max(len(samples) // 3, 1)
    found = {}
    for name in (*GOALS, "rows", "p50", "p95"):
        first, last = (
            [s[name] for s in some if s[name] is not None]
            for some in (samples[1 : part + 1], samples[-part:])
        )
        found[name] = (statistics.median(first or [0]), statistics.median(last or [0]))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--namespaces", type=int, default=100)
    args = parser.parse_args()
    tokens = args.tokens or int(1_000_000 * args.minutes / 30)
    found = soak(args.minutes, tokens, args.namespaces)
    found["thirds"] = thirds(found["samples"])
    missed = [name for name in ("lost_marks", "wrong_rows") if found[name]]
    for name, (first, last) in found["thirds"].items():
        ratio = last / first if first else 0.0
        goal = GOALS.get(name)
        if goal is not None and ratio > goal:
            missed.append(name)
        told = "" if goal is None else f"  <= {goal:g}  {'MISSED' if name in missed else 'ok'}"
        print(f"  {name:<10}{first:>16,.1f}{last:>16,.1f}{ratio:>8.2f}{told}")
    path = pages.HERE / "soak.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if missed:
        print("Missed: " + ", ".join(missed), file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
