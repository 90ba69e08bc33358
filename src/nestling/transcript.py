"""Reading a run from Python: every record, found and counted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nestling.conversation import Conversation
from nestling.records import Record


class Transcript(Sequence[Record]):
    """A read-only sequence over history, then live."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def _rows(self) -> list[Record]:
        with self._conversation.lock:
            self._conversation.settle()
            return self._conversation.rows()

    def __len__(self) -> int:
        return len(self._rows())

    def __iter__(self) -> Iterator[Record]:
        return iter(self._rows())

    def __getitem__(self, index: Any) -> Any:
        return self._rows()[index]

    def __repr__(self) -> str:
        return f"<Transcript of {len(self)} records>"

    def find(
        self,
        text: str | None = None,
        *,
        speaker: str | Iterable[str] | None = None,
        type: str | Iterable[str] | None = None,
        status: str | Iterable[str] | None = None,
    ) -> list[Record]:
        """Records that hold `text` (any case, arguments and titles too) and match the fields."""
        wanted = {"speaker": speaker, "type": type, "status": status}
        accepted = {
            field: {value} if isinstance(value, str) else set(value)
            for field, value in wanted.items()
            if value is not None
        }
        needle = None if text is None else text.casefold()
        return [
            record
            for record in self._rows()
            if all(record.get(field) in values for field, values in accepted.items())
            and (needle is None or needle in _searchable(record))
        ]

    def to_frame(self) -> Any:
        """A pandas DataFrame: the fields of the records plus `tokens` and `seconds`."""
        try:
            import pandas as pd  # type: ignore[import-untyped]  # pandas ships no types
        except ImportError as error:
            raise ImportError(
                "to_frame needs pandas. Install it with: pip install pandas"
            ) from error
        rows = []
        for record in self._rows():
            usage = record.get("usage") or {}
            ended = record.get("ended_at")
            seconds = None if ended is None else ended - record["started_at"]
            rows.append({**record, "tokens": usage.get("total_tokens"), "seconds": seconds})
        always = ("id", "type", "namespace", "speaker", "seq", "status", "content", "started_at")
        empty = [*always, "tokens", "seconds"]
        return pd.DataFrame(rows) if rows else pd.DataFrame(columns=empty)


def _searchable(record: Record) -> str:
    parts = [record["content"]]
    parts += [str(record.get(name, "")) for name in ("reasoning", "name", "title", "error")]
    parts.append(json.dumps(record.get("args", ""), ensure_ascii=False))
    return "\n".join(parts).casefold()
