"""Draws docs/performance.png from bench/results.json: what the README shows.

python -m bench.plot
"""

from __future__ import annotations

import io
import json
import math
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from PIL import Image

from bench.page import HERE
from bench.table import BYTES, EACH, MERGED

PATH = HERE.parent / "docs" / "performance.png"

INK, MUTED, LINE = "#1f2328", "#656d76", "#d8dee4"
#: Way -> name, colour, width.
WAYS = {
    "view": ("nestling", "#1a7f64", 2.6),
    MERGED: ("list every\n33 ms", "#a8700a", 1.6),
    EACH: ("list every\ntoken", "#c2413b", 1.6),
}
FULL = 12_000  # where "full speed" stands on the axis

#: Where the word stands: points from the beginning of the line.
GOAL_AT = {"bytes": (2, 8), "cpu": (-13, 0), "late": (14, 9)}

Points = dict[str, list[tuple[float, float]]]


def points(results: dict[str, Any]) -> dict[str, Points]:
    """Of each panel: way -> (rate, value)."""
    found: dict[str, Points] = {
        panel: {way: [] for way in WAYS} for panel in ("bytes", "cpu", "late")
    }
    for case in results["streams"]:
        if case["threads"] > 1:
            continue
        rate = case["rate"] or FULL
        found["bytes"][case["way"]].append((rate, case["ratio"]))
        if case["p50"] is not None:
            found["late"][case["way"]].append((rate, case["p50"]))
    cpu = results["cpu"]
    for case in cpu["paced"]:
        for way, ratio in case["ratio"].items():
            found["cpu"][way].append((case["rate"], ratio))
    for measured in (cpu["with_page"], cpu["per_token"]):
        for way, ratio in measured["ratio"].items():
            found["cpu"][way].append((FULL, ratio))
    return {k: {way: sorted(some) for way, some in v.items()} for k, v in found.items()}


def draw(results: dict[str, Any]) -> bytes:
    plt.rcParams.update(
        {"font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "axes.edgecolor": LINE}
    )
    figure, axes = plt.subplots(1, 3, figsize=(10.4, 3.6), dpi=120)
    figure.subplots_adjust(left=0.045, right=0.93, top=0.87, bottom=0.24, wspace=0.46)
    found = points(results)
    lost = {
        (c["way"], c["rate"] or FULL)
        for c in results["streams"]
        if c["lost_records"] and c["threads"] == 1
    }
    panels = (
        ("bytes", "Bytes to the page per byte of text", sorted(BYTES.items()), (1, 10, 100, 1000)),
        ("cpu", "CPU of the run, bare graph = 1", [(FULL, 1.25)], (1, 2, 5, 10)),
        ("late", "Token to page, median, ms", [(100, 30), (5000, 30)], (1, 10, 100, 1000)),
    )
    for at, (name, title, goal, ticks) in zip(axes, panels, strict=True):
        _panel(at, title, found[name], lost)
        _goal(at, goal, *GOAL_AT[name])
        at.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    figure.text(
        0.012, 0.025,
        f"5-byte tokens of ten agents, JupyterLab {results['versions']['jupyterlab']} with its"
        f" default limits, {results['cores']} cores.  ✕ the page ended with messages missing or"
        " wrong.  List: all messages in a synced trait.",
        color=MUTED, fontsize=8,
    )  # fmt: skip
    raw = io.BytesIO()
    figure.savefig(raw, format="png", facecolor="white")
    plt.close(figure)
    small = io.BytesIO()
    Image.open(raw).convert("RGB").quantize(64).save(small, "png", optimize=True)
    return small.getvalue()


def _panel(at: Axes, title: str, lines: Points, lost: set[tuple[str, int]]) -> None:
    at.set_title(title, loc="left", fontsize=9.5, fontweight="bold", pad=11)
    at.set_xscale("log")
    at.set_yscale("log")
    for way, (_, colour, width) in WAYS.items():
        paced = [point for point in lines[way] if point[0] < FULL]
        at.plot(*zip(*paced, strict=True), color=colour, linewidth=width, zorder=3)
        # between the fastest rate and full speed nothing was measured
        at.plot(
            *zip(*lines[way][-2:], strict=True), color=colour, linewidth=width * 0.6, zorder=2,
            linestyle=(0, (1, 1.2)),
        )  # fmt: skip
        for rate, value in lines[way]:
            bad = (way, rate) in lost
            at.plot(
                rate, value, "X" if bad else "o", color=colour, zorder=4,
                markersize=8 if bad else 4.5, markeredgecolor="white", markeredgewidth=0.8,
            )  # fmt: skip
    values = [value for some in lines.values() for _, value in some]
    at.set_ylim(min(*values, 1.0) / 1.5, max(values) * 1.6)
    at.set_xlim(80, FULL * 1.15)
    at.set_xticks([100, 1000, 5000, FULL], ["100", "1,000", "5,000", "full\nspeed"])
    at.xaxis.set_minor_locator(NullLocator())
    at.yaxis.set_minor_locator(NullLocator())
    at.set_xlabel("tokens a second", color=MUTED, fontsize=8, labelpad=-9, x=0.3)
    at.tick_params(colors=MUTED, length=0, labelsize=8)
    at.grid(axis="y", color=LINE, linewidth=0.7)
    at.set_axisbelow(True)
    for side in ("top", "right", "left"):
        at.spines[side].set_visible(False)
    _labels(at, lines)


def _labels(at: Axes, lines: Points) -> None:
    """Each name at the end of its line, none over another."""
    to_axes = at.transLimits.transform
    ends = sorted((to_axes((0, math.log10(lines[way][-1][1])))[1], way) for way in WAYS)
    lowest = -1.0
    for height, way in ends:
        label, colour, width = WAYS[way]
        half = 0.075 if "\n" in label else 0.04
        place = max(height, lowest + half)
        lowest = place + half
        at.text(
            1.02, place, label, transform=at.transAxes, color=colour, fontsize=8.5, va="center",
            linespacing=0.95, fontweight="bold" if width > 2 else "normal",
        )  # fmt: skip


def _goal(at: Axes, goal: list[tuple[float, float]], x: int, y: int) -> None:
    """A thin line, or a short one where the goal is for one rate only."""
    rates, values = zip(*goal, strict=True)
    if len(goal) == 1:
        rates, values = (rates[0] / 1.35, rates[0] * 1.15), values * 2
    at.plot(rates, values, color=INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=5)
    at.annotate(
        "goal", (rates[0], values[0]), xytext=(x, y), textcoords="offset points", color=INK,
        fontsize=7.5, va="center", ha="center",
    )  # fmt: skip


def main() -> None:
    results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    PATH.write_bytes(draw(results))
    print(f"{PATH.stat().st_size / 1000:.0f} kB, written to docs/{PATH.name}")


if __name__ == "__main__":
    main()
