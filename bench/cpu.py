"""CPU of a run with the view and without, and what one token costs. Runs in any process."""

from __future__ import annotations

import contextlib
import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import nestling
from bench.feed import drain, event, team
from bench.naive import Naive


def spent(work: Callable[[], Any]) -> float:
    """CPU seconds of this process, all threads."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


class _Naive:
    """A graph that is drained into the naive widget."""

    def __init__(self, graph: Any, pause: float) -> None:
        self.graph, self.widget = graph, Naive(pause)

    def stream(self, *args: Any, **options: Any) -> Any:
        for part in self.graph.stream(*args, **options):
            self.widget.process_event(part)
            yield part
        self.widget.finalize()


def _source(way: str, graph: Any) -> Any:
    if way == "bare":
        return graph
    if way == "view":
        return nestling.watch(graph, collapse="none")
    return _Naive(graph, 0.0 if way == "naive, per token" else 0.033)


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Threads that pass one lock between cores cost each run another amount of time."""
    if not hasattr(os, "sched_setaffinity"):  # Linux only
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def run(
    tokens: int, repeats: int, ways: Sequence[str], show: Callable[[Any], Any] | None = None
) -> dict:
    """CPU of full-speed runs: the bare graph and each of `ways`, by turns.

    A ratio is the median over the rounds of what a way took to what the bare graph took in the
    same round. `show` takes each widget before its run, to display it.
    """
    graph = team(10, tokens)
    times: dict[str, list[float]] = {way: [] for way in ("bare", *ways)}

    def one(way: str) -> float:
        source = _source(way, graph)
        widget = getattr(source, "widget", source)
        if show is not None and way != "bare":
            show(widget)
        came = 0

        def work() -> None:
            nonlocal came
            came = drain(source)

        seconds = spent(work)
        assert came >= tokens, f"{came} of {tokens} tokens came"
        if way != "bare":
            widget.close()
        return seconds

    for way in times:
        one(way)  # everything is imported and warm
    for number in range(repeats):
        for way in list(times)[:: -1 if number % 2 else 1]:
            times[way].append(one(way))
    ratios = {
        way: statistics.median(a / b for a, b in zip(times[way], times["bare"], strict=True))
        for way in ways
    }
    return {
        "tokens": tokens,
        "microseconds": {w: 1e6 * statistics.median(times[w]) / tokens for w in times},
        "ratio": ratios,
        "spread": {way: [min(times[way]), max(times[way])] for way in times},
    }


def paced(
    rates: Sequence[int], ways: Sequence[str], show: Callable[[Any], Any], seconds: float = 1.0
) -> list[dict]:
    """The same for runs that keep to a rate, two rounds of each."""
    found = []
    for rate in rates:
        graph = team(10, int(rate * seconds), rate)
        times: dict[str, list[float]] = {way: [] for way in ("bare", *ways)}
        drain(graph)
        for _ in range(2):
            for way, spans in times.items():
                source = _source(way, graph)
                widget = getattr(source, "widget", source)
                if way != "bare":
                    show(widget)
                spans.append(spent(partial(drain, source)))
                if way != "bare":
                    widget.close()
        ratios = {
            way: statistics.median(a / b for a, b in zip(times[way], times["bare"], strict=True))
            for way in ways
        }
        found.append({"rate": rate, "ratio": ratios})
    return found


def per_token(tokens: int, agents: int, repeats: int = 5) -> float:
    """Microseconds of CPU for one token fed by hand, events not counted."""
    found = []
    for _ in range(repeats):
        view = nestling.View()
        events = [event(i % agents, i // agents, "word ") for i in range(tokens)]

        def work(view: Any = view, events: Any = events) -> None:
            for each in events:
                view.process_event(each)
            view.finalize()

        found.append(1e6 * spent(work) / tokens)
        view.close()
    return statistics.median(found)


def scale(repeats: int = 5) -> dict:
    """How the cost of a token grows with the run and with the number of namespaces."""
    costs = {
        "1k tokens": per_token(1_000, 10, 8 * repeats),
        "100k tokens": per_token(100_000, 10, max(repeats // 2, 2)),
        "1 namespace": per_token(20_000, 1, repeats),
        "100 namespaces": per_token(20_000, 100, repeats),
    }
    return {
        "microseconds": costs,
        "by_tokens": costs["100k tokens"] / costs["1k tokens"],
        "by_namespaces": costs["100 namespaces"] / costs["1 namespace"],
    }
