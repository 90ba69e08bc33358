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

from bench import cpu, explore, growth, messages, scale, table, wire
from bench.page import HERE, measured
from bench.profile import Pages

PACKAGES = ("nestling", "anywidget", "ipykernel", "ipywidgets", "jupyterlab", "langgraph")


def measure(quick: bool) -> dict[str, Any]:
    repeats = 7 if quick else 15
    ways = (table.MERGED, table.EACH)
    with cpu.one_core():
        alone = cpu.run(20_000, repeats, ["view"])
    grown = {
        "scale": cpu.scale(3 if quick else 7),
        "turns": growth.apart("turns()"),
        "memory": growth.apart("memory()"),
    }
    with tempfile.TemporaryDirectory() as root, measured(Path(root)) as (lab, context, chromium):
        streams = [wire.stream(lab, context, *case) for case in wire.cases(quick)]
        pair = wire.pair(lab, context)
        shown = wire.cpu(lab, context, 20_000, repeats, ("view", table.MERGED))
        each = wire.cpu(lab, context, 4_000, 3, (table.EACH,))
        paced = wire.paced(lab, context, ("view",) if quick else ("view", *ways))
        grown["again"] = growth.again(lab, context)
        reload = growth.reopened(lab, context)
        assert context.browser is not None
        pages = Pages(context.browser)
        page = messages.run(pages) | scale.run(pages)
        explored = explore.run(pages)
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "quick": quick,
        "versions": {
            "python": platform.python_version(),
            "chromium": chromium,
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
        "cores": os.cpu_count(),
        "streams": streams,
        "pair": pair,
        "cpu": {"without_page": alone, "with_page": shown, "per_token": each, "paced": paced},
        "growth": grown,
        "reload": reload,
        "page": page,
        "explore": explored,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats, fewer naive cases")
    began = time.monotonic()
    results = measure(parser.parse_args().quick)
    told = table.told(results)
    results["table"] = told.rows
    results["missed"] = told.missed
    path = HERE / "results.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\n{time.monotonic() - began:.0f} s, written to bench/{path.name}")
    if told.missed:
        print("Missed: " + "; ".join(told.missed), file=sys.stderr)
    return bool(told.missed)


if __name__ == "__main__":
    sys.exit(main())
