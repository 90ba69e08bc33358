"""The table that `python -m bench` prints: nestling, the naive list, and the goals."""

from __future__ import annotations

from typing import Any

from bench.wire import RATES

BYTES = {5000: 2.5, 1000: 6.5, 500: 12.0}
EACH, MERGED = "naive, per token", "naive, every 33 ms"
HEAD = f"\n{'':<46}{'nestling':>12}{'every token':>14}{'every 33 ms':>14}  goal"


class Table:
    """Lines with a goal each; remembers what was missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []
        self.rows: list[dict[str, Any]] = []
        self._title = ""

    def title(self, text: str) -> None:
        self._title = text
        print(f"\n{text}")

    def line(
        self, what: str, value: float | None, goal: float | None = None, unit: str = "",
        *, each: float | None = None, merged: float | None = None, gate: bool = True,
    ) -> None:  # fmt: skip
        """`each` and `merged`: the list in a trait, sent at every token and every 33 ms."""
        missed = goal is not None and (value is None or not value <= goal)
        verdict = "" if goal is None else "ok"
        if missed:
            verdict = "MISSED" if gate else "over"
        if missed and gate:
            self.missed.append(f"{self._title}: {what}")
        told = "" if goal is None else f"<= {_shown(goal, unit)}"
        columns = f"{_shown(value, unit):>12}{_shown(each, unit):>14}{_shown(merged, unit):>14}"
        print(f"  {what:<44}{columns}  {told:<14}{verdict}".rstrip())
        row = {"title": self._title, "what": what, "value": value, "goal": goal, "unit": unit}
        self.rows.append({**row, "gate": gate, EACH: each, MERGED: merged})


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".") + unit


def told(results: dict[str, Any]) -> Table:
    """Prints everything in `results`."""
    table = Table()
    print(HEAD)
    _streams(table, results["streams"])
    _pair(table, results["pair"])
    _costs(table, results["cpu"])
    _growth(table, results["growth"])
    _page(table, results["page"], results["reload"])
    _explore(table, results["explore"])
    return table


def _streams(table: Table, streams: list[dict]) -> None:
    found = {(c["way"], c["rate"], c["threads"]): c for c in streams}
    ways = {"each": EACH, "merged": MERGED}
    views = [c for c in streams if c["way"] == "view"]

    def name(case: dict) -> str:
        if case["threads"] > 1:
            return f"full speed, {case['threads']} threads"
        return f"{case['rate']:,} tokens/s" if case["rate"] else "full speed"

    def others(case: dict, field: str) -> dict[str, Any]:
        beside = {k: found.get((way, case["rate"], case["threads"])) for k, way in ways.items()}
        return {k: other[field] for k, other in beside.items() if other}

    table.title("Bytes on the wire per byte of text: 5-byte tokens, all that comes")
    for case in views:
        goal = BYTES.get(case["rate"])
        table.line(name(case), case["ratio"], goal, **others(case, "ratio"))
    table.title("Messages that are missing, wrong or too many in the final page")
    for case in views:
        table.line(name(case), case["lost_records"], 0, **others(case, "lost_records"))
    table.title("Marked tokens that were never drawn")
    for case in views:
        table.line(name(case), case["lost_marks"], 0, **others(case, "lost_marks"))
    table.title("Runs that the page shows as not over")
    table.line("of all above", sum(c["status"] != "completed" for c in views), 0)
    table.title("Messages to the page in the busiest second")
    for case in views:
        table.line(name(case), case["busiest_second"], 30)
    table.title("Largest message, kB")
    for case in views:
        others_kb = {k: v / 1000 for k, v in others(case, "largest").items()}
        table.line(name(case), case["largest"] / 1000, 1000, **others_kb)
    for share, goal in (("p50", 30.0), ("p95", 50.0)):
        table.title(f"From token to DOM, {share}")
        for case in views:
            paced = goal if case["rate"] else None
            table.line(name(case), case[share], paced, " ms", gate=False, **others(case, share))


def _pair(table: Table, pair: dict) -> None:
    table.title("1,576 tokens by two agents in 5.6 s")
    table.line("messages missing or wrong", pair["lost_records"], 0)
    table.line("last token late by", pair["last_token_late_ms"], 200.0, " ms", gate=False)
    table.line("wall time with the view over without", pair["ratio"], 1.01, gate=False)


def _costs(table: Table, cpu: dict) -> None:
    table.title("CPU of a full-speed run, 10 subgraphs, six modes, over the bare graph")
    table.line("without a page, on one core", cpu["without_page"]["ratio"]["view"], 1.2)
    shown, each = cpu["with_page"]["ratio"], cpu["per_token"]["ratio"]
    table.line("with a page", shown["view"], 1.2, each=each[EACH], merged=shown[MERGED])
    table.title("CPU of a run at some rate over the bare graph, with a page")
    for rate, case in zip(RATES, cpu["paced"], strict=True):
        ratio = case["ratio"]
        beside = {"each": ratio.get(EACH), "merged": ratio.get(MERGED)}
        table.line(f"{rate:,} tokens/s", ratio["view"], **beside)
    table.title("CPU of one token")
    for way, cost in cpu["with_page"]["microseconds"].items():
        table.line(way, cost, None, " µs")


def _growth(table: Table, growth: dict) -> None:
    table.title("How the cost of a token grows")
    table.line("run of 100k tokens over 1k", growth["scale"]["by_tokens"], 1.2)
    table.line("100 namespaces over 1", growth["scale"]["by_namespaces"], 1.2)
    turns = growth["turns"]
    table.line(f"turn {turns['turns']:,} over turn 1", turns["ratio"], 1.2)
    table.title("Memory")
    table.line("kernel, one token of 5 bytes", growth["memory"]["bytes"], 50, " B")
    again = growth["again"]
    table.title(f"A cell that watches, displays and runs, {again['times']} times more")
    for name in ("comms", "widgets", "threads", "objects", "rss", "nodes"):
        table.line(f"{name}, after over before", again["ratio"][name], 1.1)
    table.line("page, each time", again["page_mb_a_time"], 1, " MB", gate=False)


def _page(table: Table, page: dict, reload: dict) -> None:
    table.title("One more token at the end of a Markdown message: script and layout, p95")
    for kind, found in page["message"].items():
        table.line(kind, found["p95"], 4.0, " ms", gate=False)
    for size, found in page["naive_message"].items():
        if found:
            what = f"all of it rendered anew, mixed, {size}"
            table.line(what, None, None, " ms", each=found["p95"])
    table.title("The longest step of such a message: a part or all of it read again")
    for kind, found in page["message"].items():
        table.line(kind, max(found["worst"], found["end"]), None, " ms")
    table.title("Frame with 10,000 messages and 10 updates, p95")
    naive = page["naive_updates"]["p95"]
    table.line("main thread", page["updates"]["frame_p95"], 17, " ms", gate=False, each=naive)
    table.title("Reopened, until its end is in sight")
    for name, found in page["reopened"].items():
        table.line(name, found["opened"]["painted"], 500, " ms", gate=False)
    table.line(
        f"{reload['rows']:,} rows in JupyterLab", reload["from_hello"], 500, " ms", gate=False
    )
    for name, found in page["reopened"].items():
        table.title(f"Then: {name}")
        table.line("rows in the page", found["rows"])
        table.line("JavaScript heap", found["heap"], None, " MB")
        table.line("one more token, p95", found["token"]["p95"], 4, " ms", gate=False)
        table.line("frame that scrolls, p95", found["scroll"]["p95"], 17, " ms", gate=False)
        table.line("from the end while following", found["from_end"], 1, " px")
        table.line("what is read moves when rows come", found["moved"], 1, " px")
    live = page["live"]
    table.title("100,000 rows that came while the page was open")
    table.line("rows in the page", live["rows"])
    table.line("JavaScript heap", live["heap"], None, " MB")
    table.line("DOM nodes", live["nodes"])
    table.line("one more token, p95", live["token"]["p95"], 4, " ms", gate=False)
    table.line("from the end while following", live["from_end"], 1, " px")
    table.title("A view opened and closed 20 times, after over before")
    for name, ratio in page["again"].items():
        table.line(name, ratio, 1.1)


def _explore(table: Table, found: dict) -> None:
    run = f"{found['agents']} agents and {found['rows']:,} rows"
    kernel, page, naive = found["kernel"], found["search"], found["naive_search"]
    table.title(f"Search in a run of {run}")
    table.line("the kernel's answer, the first time", kernel["first"], 100, " ms", gate=False)
    table.line("the kernel's answer, p50", kernel["p50"], 100, " ms", gate=False)
    for share in ("p50", "worst"):
        what = f"from query to count in the page, {share}"
        table.line(what, page[share], 100, " ms", gate=False, each=naive[share])
    live = found["live_search"]["p50"]
    table.line("while the run goes on, p50", live, 100, " ms", gate=False)
    table.title(f"Frame that draws the timeline of {run}: main thread")
    table.line("opened, the first time", found["timeline"]["first"], 16.7, " ms", gate=False)
    table.line("opened again, p50", found["timeline"]["p50"], 16.7, " ms", gate=False)
    live = found["live_timeline"]["p50"]
    table.line("while the run goes on, p50", live, 16.7, " ms", gate=False)
