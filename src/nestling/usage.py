"""What a run used: tokens, calls, seconds, and what it cost.

All of it is read from the records, so it is there while a run goes on, after it, and of a run that
was loaded. What `max_records` drops stays counted.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from nestling.options import options
from nestling.records import Namespace, Record

if TYPE_CHECKING:
    from nestling.view import View

#: When each run of a view began and ended, in order.
Spans: TypeAlias = list[tuple[float, float]]

#: Bytes of UTF-8 for one token, where no provider counts them.
BYTES_PER_TOKEN = 4
#: Seconds within which a message came at once, as far as its speed goes; the page says the same.
BURST = 0.05
#: Tasks of one namespace whose latest message is remembered.
_RECENT = 256
#: Namespaces whose usage a page is told at once: those that used most.
_TOLD = 500
_COUNTS = ("input_tokens", "output_tokens", "total_tokens", "tools", "estimated", "cost")
_SECONDS = ("model_seconds", "tool_seconds", "wall_seconds", "waiting_seconds")
_SPEED = ("first_token_seconds", "tokens_per_second")
_FIELDS = (*_COUNTS, *_SECONDS, *_SPEED, "namespaces")


class Usage(dict[str, Any]):
    """What was used: a dict whose keys are attributes as well.

    `input_tokens, output_tokens, total_tokens`: as the provider counted them.
    `estimated`: whether that includes an estimate, for namespaces in which no message came with a
    count. A token is then four bytes of UTF-8: written are the text, reasoning and calls of a
    message, read is all that stands before it in its namespace. System prompts and descriptions
    of tools are not in the records, so not in the estimate; a message that a node wrote without
    a model is.
    `tools`: calls of tools, without those that ran an agent or graph.
    `model_seconds`: from the start of a node, or the latest message or result in it, to the end
    of a model's message, summed. `tool_seconds`: how long those tools ran, summed.
    `wall_seconds`: how long it ran by the clock; runs add up, waiting for a person does not count.
    `waiting_seconds`: how long runs stood interrupted until they were answered.
    `first_token_seconds`: from its start (in all: that of the latest run) to its first message,
    without waiting.
    `tokens_per_second`: written tokens by the time in which they arrived, of messages that took
    more than 0.05 s to arrive.
    `cost`: US dollars, where every model that used tokens has its price in
    `nestling.options.prices`; a sum without some of them would say too little.
    `namespaces`: the same for each namespace by its key, without those inside it.

    What is not known has no key, and is None as an attribute.
    """

    if TYPE_CHECKING:
        input_tokens: int
        output_tokens: int
        total_tokens: int
        tools: int
        model_seconds: float
        wall_seconds: float
        tool_seconds: float
        waiting_seconds: float
        estimated: bool
        first_token_seconds: float | None
        tokens_per_second: float | None
        cost: float | None
        namespaces: dict[str, Usage]

    def __getattr__(self, name: str) -> Any:
        if name in _FIELDS:
            return self.get(name)
        raise AttributeError(f"usage has no {name!r}. It has: {', '.join(_FIELDS)}")

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *_FIELDS]


@dataclass(slots=True)
class _Tokens:
    """What is counted alike by providers and by the estimate."""

    messages: int = 0
    input: int = 0
    output: int = 0
    total: int = 0
    #: Of the messages that were streamed.
    streamed: int = 0
    streaming: float = 0.0
    #: Read and written, by the model that is paid for them; None is one without a name.
    paid: dict[str | None, tuple[int, int]] = field(default_factory=dict)

    @property
    def cost(self) -> float | None:
        """None where the price of a model is not known."""
        cost = 0.0
        for model, (read, written) in self.paid.items():
            price = options.price_of(model)
            if price is None:
                return None
            cost += (read * price.input + written * price.output) / 1_000_000
        return cost if self.paid else None

    def copied(self) -> _Tokens:
        return replace(self, paid=dict(self.paid))

    def pay(self, model: str | None, read: int, written: int) -> None:
        before = self.paid.get(model, (0, 0))
        self.paid[model] = before[0] + read, before[1] + written

    def take(self, read: int, written: int, total: int, model: str | None) -> None:
        self.input += read
        self.output += written
        self.total += total
        if model:  # else it may be what a node wrote
            self.pay(model, read, written)

    def message(
        self, read: int, written: int, total: int, model: str | None, seconds: float
    ) -> None:
        self.messages += 1
        self.take(read, written, total, model)
        if seconds > BURST and written:
            self.streamed += written
            self.streaming += seconds

    def add(self, other: _Tokens) -> None:
        self.messages += other.messages
        self.input += other.input
        self.output += other.output
        self.total += other.total
        self.streamed += other.streamed
        self.streaming += other.streaming
        for model, (read, written) in other.paid.items():
            self.pay(model, read, written)


@dataclass(slots=True)
class _Wait:
    """Time that was waited, told in the order in which it began."""

    seconds: float = 0.0
    until: float = 0.0

    def take(self, start: float, end: float) -> None:
        start = max(start, self.until)
        if end > start:
            self.seconds += end - start
            self.until = end


@dataclass(slots=True)
class _Sum:
    """Of one namespace."""

    told: _Tokens = field(default_factory=_Tokens)
    guessed: _Tokens = field(default_factory=_Tokens)
    wait: _Wait = field(default_factory=_Wait)
    #: Tokens of all that stands in it, as they are estimated, and the model that spoke last.
    read: int = 0
    model: str | None = None
    #: It is the sum of others with an estimate in it.
    guesses: bool = False
    tools: int = 0
    model_seconds: float = 0.0
    tool_seconds: float = 0.0
    #: When its first message of the latest run began.
    first: float | None = None
    #: When something of a task ended at last, by the order of the task.
    ends: dict[int, float] = field(default_factory=dict)

    @property
    def tokens(self) -> _Tokens:
        return self.told if self.told.messages else self.guessed

    @property
    def estimated(self) -> bool:
        return self.guesses or (not self.told.messages and self.guessed.total > 0)

    def copied(self) -> _Sum:
        told, guessed, wait = self.told.copied(), self.guessed.copied(), copy(self.wait)
        return replace(self, told=told, guessed=guessed, wait=wait, ends=dict(self.ends))

    def merge(self, part: _Sum, began: float) -> None:
        """`began`: when the latest run did, of which the first message is looked for."""
        firsts = [at for at in (self.first, part.first) if at is not None and at >= began]
        self.first = min(firsts, default=None)
        self.guesses = self.guesses or part.estimated
        self.told.add(part.tokens)
        self.tools += part.tools
        self.model_seconds += part.model_seconds
        self.tool_seconds += part.tool_seconds


class Meter:
    """Adds up records, in order of `seq`."""

    def __init__(self) -> None:
        self.sums: dict[str, _Sum] = {}
        #: Of boxes that are not kept any more.
        self.gone = _Sum()
        self.wait = _Wait()
        #: When each task started, by its order from 1 on.
        self.starts = array("d")
        self.spans: Spans = []
        #: Since when a run goes on.
        self.since: float | None = None

    def copied(self) -> Meter:
        meter = Meter()
        meter.sums = {key: part.copied() for key, part in self.sums.items()}
        meter.gone, meter.wait = self.gone.copied(), copy(self.wait)
        meter.starts, meter.spans, meter.since = self.starts, self.spans, self.since
        return meter

    def add(self, record: Record, box: Namespace, now: float) -> None:
        key, kind = box["key"], record["type"]
        part = self.sums.get(key)
        if part is None:
            part = self.sums[key] = _Sum()
        end = record.get("ended_at", now)
        if kind == "ai":
            self._message(part, record, box, end)
        elif kind == "tool_call":
            self._call(part, record, end)
        elif kind == "interrupt":
            pause = self._pause(record["started_at"], end)
            part.wait.take(*pause)
            self.wait.take(*pause)
        elif kind in ("user", "system"):
            part.read += _size(record["content"])

    def forget(self, key: str, began: float) -> None:
        """A box that is not kept any more; the latest run `began` then."""
        part = self.sums.pop(key, None)
        if part is not None:
            self.gone.merge(part, began)

    def _message(self, part: _Sum, record: Record, box: Namespace, end: float) -> None:
        start, usage, model = record["started_at"], record.get("usage"), record.get("model")
        size, seconds = _size(record["content"] + record.get("reasoning", "")), end - start
        if part.first is None or part.first < box["started_at"]:
            part.first = start
        if usage is None:
            part.guessed.message(part.read, size, part.read + size, model, seconds)
        else:
            read, written = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
            total = usage.get("total_tokens", read + written)
            part.told.message(read, written, total, model, seconds)
            if not model:
                part.told.pay(None, read, written)
        if usage is not None or model or seconds > 0:  # else a node wrote it, not a model
            part.model_seconds += max(end - self._asked(part, record), 0.0)
        part.read += size
        part.model = model
        self._ended(part, record, end)

    def _call(self, part: _Sum, record: Record, end: float) -> None:
        if not record.get("spawned"):
            part.tools += 1
            if record["status"] in ("completed", "failed", "executing"):
                part.tool_seconds += max(end - record["started_at"], 0.0)
        if part.guessed.messages:  # the model wrote it
            args = json.dumps(record["args"], ensure_ascii=False) if "args" in record else ""
            size = _size(record.get("name", "") + record.get("args_text", "") + args)
            part.guessed.take(0, size, size, part.model)
            part.read += size
        part.read += _size(record["content"])
        self._ended(part, record, end)

    def _asked(self, part: _Sum, record: Record) -> float:
        """When the model of a message may have been asked."""
        start, order = record["started_at"], record["order"]
        asked = self.starts[order - 1] if 0 < order <= len(self.starts) else start
        asked = max(asked, part.ends.get(order, asked))
        span = bisect_right(self.spans, (start, float("inf"))) - 1
        if span >= 0 and start <= self.spans[span][1]:
            asked = max(asked, self.spans[span][0])
        elif self.since is not None:
            asked = max(asked, self.since)
        return min(asked, start)

    def _ended(self, part: _Sum, record: Record, end: float) -> None:
        part.ends[record["order"]] = max(end, part.ends.get(record["order"], end))
        if len(part.ends) > _RECENT:
            del part.ends[next(iter(part.ends))]

    def _pause(self, asked: float, answered: float) -> tuple[float, float]:
        """How long nothing ran after something was asked."""
        span = bisect_right(self.spans, (asked, float("inf"))) - 1
        if span < 0 or asked > self.spans[span][1]:
            return asked, asked  # what else was begun goes on
        goes_on = self.spans[span + 1][0] if span + 1 < len(self.spans) else self.since
        return self.spans[span][1], answered if goes_on is None else min(answered, goes_on)

    def until_first(self, part: _Sum, began: float) -> float | None:
        """How long it ran until its first message; None when there is none since `began`."""
        if part.first is None or part.first < began:
            return None
        return self.ran(began, part.first)

    def ran(self, start: float, end: float) -> float:
        """How long runs went on between two times."""
        at = max(bisect_right(self.spans, (start, float("inf"))) - 1, 0)
        seconds = 0.0
        for began, ended in self.spans[at:]:
            if began >= end:
                break
            seconds += max(min(ended, end) - max(began, start), 0.0)
        if self.since is not None:
            seconds += max(end - max(self.since, start), 0.0)
        return seconds


def usage_of(
    past: Meter, rows: Iterable[Record], namespaces: Mapping[str, Namespace], now: float
) -> Usage:
    """What was used, in all and by namespace: of `rows` and of what is not kept any more."""
    meter = past.copied()
    for record in rows:
        meter.add(record, namespaces["|".join(record["namespace"])], now)
    root, whole = namespaces[""], meter.gone
    parts: dict[str, Usage] = {}
    for key, box in namespaces.items():
        part, began = meter.sums.get(key) or _Sum(), box["started_at"]
        wall = meter.ran(began, box.get("ended_at", now)) if key else meter.ran(0.0, now)
        parts[key] = _usage(part, wall, meter.until_first(part, began), part.wait.seconds)
        whole.merge(part, root["started_at"])
    first = meter.until_first(whole, root["started_at"])
    usage = _usage(whole, meter.ran(0.0, now), first, meter.wait.seconds)
    usage["namespaces"] = parts
    return usage


def told_usage(view: View, command: Mapping[str, Any]) -> dict[str, Any]:
    """What was used, for a page: `{usage, namespaces}`, those of 500 namespaces at most.

    Without `namespaces` for a page that asks for what was used `in_all`.
    """
    usage = view.usage
    parts = sorted(usage.namespaces.items(), key=lambda part: -part[1].total_tokens)
    whole = {name: value for name, value in usage.items() if name != "namespaces"}
    if command.get("in_all") is True:
        return {"usage": whole}
    return {"usage": whole, "namespaces": dict(parts[:_TOLD])}


def _usage(part: _Sum, wall: float, first: float | None, waited: float) -> Usage:
    tokens = part.tokens
    usage = Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        total_tokens=tokens.total,
        estimated=part.estimated,
        tools=part.tools,
        model_seconds=round(part.model_seconds, 6),
        tool_seconds=round(part.tool_seconds, 6),
        wall_seconds=round(wall, 6),
        waiting_seconds=round(waited, 6),
    )
    if first is not None:
        usage["first_token_seconds"] = round(first, 6)
    if tokens.streaming > 0:
        usage["tokens_per_second"] = round(tokens.streamed / tokens.streaming, 3)
    cost = tokens.cost
    if cost is not None:
        usage["cost"] = round(cost, 10)
    return usage


def _size(said: str) -> int:
    """About how many tokens a text is."""
    return -(-(len(said) if said.isascii() else len(said.encode())) // BYTES_PER_TOKEN)
