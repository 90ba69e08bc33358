"""Writes the figures of bench/results.json into the README.

python -m bench.readme
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "bench" / "results.json"
BEGIN, END = "<!-- figures: make bench -->\n", "<!-- end of figures -->\n"

EACH, MERGED = "naive, per token", "naive, every 33 ms"


def lines(results: dict[str, Any]) -> str:
    """The table of the README."""
    streams = {(c["way"], c["rate"]): c for c in results["streams"] if c["threads"] == 1}
    page, cpu = results["page"], results["cpu"]
    ours, each, merged = (
        {rate: case for (name, rate), case in streams.items() if name == way}
        for way in ("view", EACH, MERGED)
    )

    def number(value: float, unit: str = "") -> str:
        digits = 0 if value >= 10 else 1
        return f"{value:,.{digits}f}{unit}"

    def lost(cases: dict[Any, dict[str, Any]]) -> str:
        worst = max(cases.values(), key=lambda case: case["lost_records"] / case["records"])
        return f"{worst['lost_records']} of {worst['records']}" if worst["lost_records"] else "0"

    def late(rate: int) -> list[str]:
        return [number(way[rate]["p50"], " ms") for way in (ours, each, merged)]

    mixed = page["message"]["mixed, 200 kB"]["p50"]
    anew = page["naive_message"]["200 kB"]
    frame, plain = page["updates"]["frame_p95"], page["naive_updates"]["p95"]
    again = page["reopened"]["10,000 rows"]["opened"]["painted"]
    ratios = cpu["with_page"]["ratio"]
    rows = [
        ["", "nestling", "list, every token", "list, every 33 ms", "goal"],
        ["---"] * 5,
        [
            "bytes to the page per byte of text, 1000 tokens/s",
            *(number(way[1000]["ratio"]) for way in (ours, each, merged)),
            "6.5",
        ],
        [
            "the same at 5000 tokens/s",
            *(number(way[5000]["ratio"]) for way in (ours, each, merged)),
            "2.5",
        ],
        [
            "messages missing or wrong in the end, at the worst rate",
            *(lost(way) for way in (ours, each, merged)),
            "0",
        ],
        [
            "CPU of a run at full speed over the bare graph's",
            f"{ratios['view']:.2f}",
            f"{cpu['per_token']['ratio'][EACH]:.1f}",
            f"{ratios[MERGED]:.2f}",
            "1.2",
        ],
        ["token to page, median, 1000 tokens/s", *late(1000), "30 ms"],
        [
            "one more token of a 200 kB Markdown message",
            number(mixed, " ms"),
            number(anew["p50"], " ms") if anew else "",
            "",
            "4 ms",
        ],
        [
            "frame with 10,000 messages of which 10 grow, p95",
            number(frame, " ms"),
            number(plain, " ms"),
            "",
            "17 ms",
        ],
        ["10,000 messages opened again", number(again, " ms"), "", "", "500 ms"],
    ]
    return "".join(f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in row)}|\n" for row in rows)


def part(text: str) -> str:
    """What stands in the README now."""
    return text.split(BEGIN)[1].split(END)[0]


def main() -> None:
    text = README.read_text(encoding="utf-8")
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    README.write_text(text.replace(part(text), lines(results)), encoding="utf-8")


if __name__ == "__main__":
    main()
