"""Blank pages of one bundle, one after the other, and which functions take the time in them."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession

from bench.blank import STATIC, Blank, Kernel
from tests.browser.lab import browser


class Pages:
    """What is measured in blank pages; `profiled` also prints what took the time."""

    def __init__(self, chromium: Browser, static: Path = STATIC, profiled: bool = False) -> None:
        self.chromium, self.static, self.profiled = chromium, static, profiled

    def blank(self, view: Kernel) -> Blank:
        return Blank(self.chromium, view, self.static)

    def profile(self, blank: Blank, what: str, work: Callable[[], Any]) -> Any:
        """What `work` returns."""
        if not self.profiled:
            return work()
        lines: list[str] = []
        with _profile(blank.tools, lines):
            found = work()
        print(f"-- {what}: {_short(found)}", *lines, sep="\n", flush=True)
        return found


def _short(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in found.items())


@contextmanager
def _profile(tools: CDPSession, into: list[str], lines: int = 12) -> Iterator[None]:
    """Adds what took the most time: styles and layout, and functions themselves."""
    tools.send("Performance.enable")
    before = _metrics(tools)
    tools.send("Profiler.enable")
    tools.send("Profiler.setSamplingInterval", {"interval": 200})
    tools.send("Profiler.start")
    yield
    profile = tools.send("Profiler.stop")["profile"]
    after = _metrics(tools)
    for name in ("RecalcStyle", "Layout"):
        spent = 1000 * (after[f"{name}Duration"] - before[f"{name}Duration"])
        times = after[f"{name}Count"] - before[f"{name}Count"]
        into.append(f"{spent:9.1f} ms  {name}, {times:.0f} times")
    into += top(profile, lines)


def _metrics(tools: CDPSession) -> dict[str, float]:
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in metrics}


def top(profile: dict[str, Any], lines: int) -> list[str]:
    """`12.3 ms  function  line`, by self time."""
    frames = {node["id"]: node["callFrame"] for node in profile["nodes"]}
    spent: dict[str, float] = defaultdict(float)
    for node, microseconds in zip(profile["samples"], profile["timeDeltas"], strict=True):
        frame = frames[node]
        name = frame["functionName"] or "(anonymous)"
        if name not in ("(idle)", "(program)"):
            spent[f"{name}:{frame['lineNumber'] + 1}"] += microseconds / 1000
    ordered = sorted(spent.items(), key=lambda item: -item[1])[:lines]
    return [f"{ms:9.1f} ms  {name}" for name, ms in ordered]


def main(run: Callable[[Pages], dict[str, Any]], module: str, description: str | None) -> None:
    """The command line of one of the modules that measure in blank pages."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--profile", type=Path, metavar="DIRECTORY")
    chosen = parser.parse_args().profile
    with browser() as launched:
        for name, value in run(Pages(launched, chosen or STATIC, chosen is not None)).items():
            print(name, value)
