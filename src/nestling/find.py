"""What matches a search: one definition, for Python, for pages, and for rows no page holds.

`js/src/find/match.ts` says the same of the rows that a page has; `tests/find_cases.json` holds
both to it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nestling.conversation import Conversation
from nestling.records import OPEN, Record

if TYPE_CHECKING:
    from nestling.view import View

#: Fields whose text is looked through, besides the arguments.
_TEXTS = ("content", "reasoning", "name", "title", "error")
_FINAL_SIGMA = "\N{GREEK SMALL LETTER FINAL SIGMA}"
_SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
#: What a page may ask for, and how many matches it is told of.
_MAX_QUERY = 10_000
_MAX_FIELDS = 50
_MAX_VALUES = 1_000
MAX_FOUND = 20_000
_MAX_BYTES = 800_000


class Finder:
    """Looks through the records of one conversation.

    The text of what is finished is kept as it is compared: 10,000 rows answer in some 20 ms.
    """

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        #: Id -> the values that the text was made of, and the text.
        self._made: dict[str, tuple[list[Any], str]] = {}

    def rows(self) -> list[Record]:
        with self.conversation.lock:
            self.conversation.settle()
            return self.conversation.rows()

    def find(
        self,
        rows: Iterable[Record],
        query: str = "",
        fields: Mapping[str, Collection[Any]] | None = None,
        span: tuple[float, float] | None = None,
    ) -> list[Record]:
        """The rows that hold `query` in any case and have one of the values of each field.

        `span`: those that were going on at some time in it, in seconds since the epoch.
        """
        needle = fold(query)
        accepted = (fields or {}).items()
        found = [
            row
            for row in rows
            if all(row.get(field) in values for field, values in accepted)
            and (span is None or overlaps(row, span))
        ]
        if not needle:
            return found
        if len(self._made) > 2 * len(self.conversation.records):  # most of them were dropped
            self._made = {}
        return [row for row in found if needle in self._text(row)]

    def _text(self, record: Record) -> str:
        values = [record.get(name) for name in (*_TEXTS, "args")]
        made = self._made.get(record["id"])
        if made is not None and all(map(_is, made[0], values)):
            return made[1]
        text = searchable(record)
        if record["status"] not in OPEN:
            self._made[record["id"]] = values, text
        return text


def _is(one: object, other: object) -> bool:
    return one is other


def searchable(record: Record) -> str:
    """All text of a record that is looked through, without case."""
    parts = [str(record.get(name, "")) for name in _TEXTS]
    args = record.get("args", "")
    if isinstance(args, dict):
        values = {name: _json(value) for name, value in args.items()}
        fields = ", ".join(f"{_json(name)}: {value}" for name, value in values.items())
        # Once as JSON, once as rows show it.
        parts += "{" + fields + "}", ", ".join(map("=".join, values.items()))
    else:
        parts.append(_json(args))
    return fold("\n".join(parts))


def fold(text: str) -> str:
    """Text without case, as a page can make it: `casefold` is unknown there."""
    return text.lower().upper().lower().replace(_FINAL_SIGMA, _SIGMA)


def _json(value: Any) -> str:
    return json.dumps(_whole(value), ensure_ascii=False)


def _whole(value: Any) -> Any:
    """With whole floats as a page writes them: `24`, not `24.0`."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    return [_whole(inner) for inner in value] if isinstance(value, list | tuple) else value


def overlaps(record: Record, span: tuple[float, float]) -> bool:
    """Whether a record was going on at some time in `span`; what goes on has no end."""
    start, end = span
    return record["started_at"] <= end and record.get("ended_at", float("inf")) >= start


def is_drawn(record: Record) -> bool:
    """An AI message that only calls tools draws nothing; `arrange.ts` says the same."""
    return record["type"] != "ai" or any(map(record.get, ("content", "reasoning", "blocks")))


def drawn(finder: Finder, query: str, filters: Mapping[str, Any], span: Any) -> list[Record]:
    """What a display shows of a run with these traits. An error counts as failed there."""
    # A page has no None, and a list is another one than any of a record.
    fields = {
        name: [v for v in values if v is not None and not isinstance(v, (list, dict))]
        for name, values in ((n, v if isinstance(v, list) else [v]) for n, v in filters.items())
    }
    statuses = fields.pop("status", None)
    found = finder.find(filter(is_drawn, finder.rows()), query, fields, span)
    if statuses is None:
        return found
    errors = "failed" in statuses
    return [r for r in found if r["status"] in statuses or (errors and r["type"] == "error")]


def question(view: View, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The rows that match what a page searches for.

    `entries`: number of rows in all; `matches`: of those that match; `found`: a list of
    `(namespace key, its number of matches, their seqs)`, in all at most `MAX_FOUND` seqs, the
    last ones. `ValueError` for what is no search.
    """
    query, filters, span = _checked(asked)
    finder = view._finder
    found = drawn(finder, query, filters, span)
    counts: dict[str, int] = {}
    seqs: dict[str, list[int]] = {}
    for at, row in enumerate(found, MAX_FOUND - len(found)):
        key = "|".join(row["namespace"])
        counts[key] = counts.get(key, 0) + 1
        listed = seqs.setdefault(key, [])
        if at >= 0:
            listed.append(row["seq"])
    room = _MAX_BYTES
    told = []
    for key, count in counts.items():
        room -= len(json.dumps(key)) + 12 * len(seqs[key]) + 20
        if room < 0:
            break
        told.append((key, count, seqs[key]))
    entries = sum(map(is_drawn, finder.rows()))
    return {"entries": entries, "matches": len(found), "found": told}


def _checked(asked: Mapping[str, Any]) -> tuple[str, dict[str, Any], tuple[float, float] | None]:
    query, filters, span = asked.get("query"), asked.get("filters"), asked.get("time_range")
    if not isinstance(query, str) or len(query) > _MAX_QUERY:
        raise ValueError("query is a text.")
    if not isinstance(filters, dict) or len(filters) > _MAX_FIELDS:
        raise ValueError("filters are lists of accepted values by field.")
    for values in filters.values():
        if isinstance(values, list) and len(values) > _MAX_VALUES:
            raise ValueError(f"A filter has at most {_MAX_VALUES} values.")
    if span is None:
        return query, filters, None
    if not isinstance(span, list) or [type(t) in (int, float) for t in span] != [True, True]:
        raise ValueError("time_range is two numbers of seconds, or null.")
    return query, filters, (span[0], span[1])
