"""Measures what nestling promises about speed, next to the naive way, in one run.

    python -m bench [--quick]

Prints a table and writes bench/results.json. Fails where bytes, losses or ratios miss their
goals. Milliseconds are told, never judged: they are the machine's as much as ours.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import cpu, wire
from bench.page import HERE, measured

PACKAGES = ("nestling", "anywidget", "ipykernel", "ipywidgets", "jupyterlab", "langgraph")
BYTES = {5000: 2.5, 1000: 6.5, 500: 12.0}


class Table:
    """Lines with a goal each; remembers what was missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []
        self.rows: list[dict[str, Any]] = []

    def title(self, text: str) -> None:
        print(f"\n{text}")

    def line(
        self, what: str, value: float | None, goal: float | None = None, unit: str = "",
        *, gate: bool = True, note: str = "",
    ) -> None:  # fmt: skip
        missed = goal is not None and (value is None or value > goal)
        verdict = "" if goal is None else "ok"
        if missed:
            verdict = "MISSED" if gate else "over"
        if missed and gate:
            self.missed.append(what)
        shown = "-" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".") + unit
        told = "" if goal is None else f"<= {goal:g}{unit}"
        verdict = (
            "" if goal is None else "MISSED" if missed and gate else "over" if missed else "ok"
        )
        print(f"  {what:<58}{shown:>12}  {told:<12}{verdict:<8}{note}".rstrip())
        self.rows.append({"what": what, "value": value, "goal": goal, "unit": unit, "gate": gate})


def streams(table: Table, found: list[dict]) -> None:
    table.title("Bytes on the wire per byte of text: 5-byte tokens, 10 namespaces, all that comes")
    for case in found:
        if case["rate"] is not None:
            goal = BYTES[case["rate"]] if case["way"] == "view" else None
            note = f"{case['kept']:.2f} of it stays in the cell" if case["kept"] else ""
            table.line(f"{case['way']}, {case['rate']} tokens/s", case["ratio"], goal, note=note)
    table.title("Messages that are missing or wrong in the final page")
    for case in found:
        what = f"{case['way']}, {case['rate']} tokens/s"
        if case["rate"] is None:
            what = f"{case['way']}, {case['tokens']} tokens at full speed"
        ours = case["way"] == "view"
        note = f"of {case['records']}"
        if case["lost_sends"] is not None:
            note += f", {case['lost_sends']:.0%} of the sends lost"
        table.line(what, case["lost_records"], 0 if ours else None, note=note)
        if ours:
            table.line(f"{what}: marked tokens never drawn", case["lost_marks"], 0)
            table.line(f"{what}: still running", case["status"] != "completed", 0)
    table.title("From token to DOM")
    for case in found:
        if case["rate"] is not None:
            ours = case["way"] == "view"
            for name, goal in (("p50", 30.0), ("p95", 50.0)):
                what = f"{case['way']}, {case['rate']} tokens/s, {name}"
                table.line(what, case[name], goal if ours else None, " ms", gate=False)


def costs(table: Table, alone: dict, shown: dict, each: dict, scale: dict) -> None:
    table.title("CPU of a full-speed run, 10 subgraphs, six modes, over the bare graph")
    table.line("view, without a page", alone["ratio"]["view"], 1.25)
    table.line("view, with a page", shown["ratio"]["view"], 1.25)
    for found in (shown, each):
        for way, ratio in found["ratio"].items():
            if way != "view":
                table.line(f"{way}, with a page", ratio, note=f"{found['tokens']} tokens")
    for way, cost in shown["microseconds"].items():
        table.line(f"one token: {way}", cost, None, " µs")
    table.title("How the cost of a token grows")
    table.line("100k-token run over 1k-token run", scale["by_tokens"], 1.2)
    table.line("100 namespaces over 1", scale["by_namespaces"], 1.2)


def paired(table: Table, pair: dict) -> None:
    table.title("1,576 tokens by two agents in 5.6 s")
    table.line("messages missing or wrong", pair["lost_records"], 0)
    table.line("last token late by", pair["last_token_late_ms"], 200.0, " ms", gate=False)
    table.line("wall time with the view over without", pair["ratio"], 1.01, gate=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats, fewer naive cases")
    quick = parser.parse_args().quick
    began = time.monotonic()
    repeats = 7 if quick else 15
    cases = [c for c in wire.CASES if not quick or c[0] == "view" or c[1] == 500]

    alone = cpu.run(20_000, repeats, ["view"])
    scale = cpu.scale(3 if quick else 7)
    with tempfile.TemporaryDirectory() as root, measured(Path(root)) as (lab, context, chromium):
        found = [wire.stream(lab, context, *case) for case in cases]
        pair = wire.pair(lab, context)
        shown = wire.cpu(lab, context, 20_000, repeats, ("view", "naive, every 33 ms"))
        each = wire.cpu(lab, context, 4_000, 3, ("naive, per token",))

    table = Table()
    streams(table, found)
    costs(table, alone, shown, each, scale)
    paired(table, pair)
    results = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "quick": quick,
        "versions": {
            "python": platform.python_version(),
            "chromium": chromium,
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
        "cores": os.cpu_count(),
        "table": table.rows,
        "streams": found,
        "cpu": {"without_page": alone, "with_page": shown, "per_token": each, "scale": scale},
        "pair": pair,
    }
    path = HERE / "results.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\n{time.monotonic() - began:.0f} s, written to bench/{path.name}")
    if table.missed:
        print("Missed: " + "; ".join(table.missed), file=sys.stderr)
    return bool(table.missed)


if __name__ == "__main__":
    sys.exit(main())
