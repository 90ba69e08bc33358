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
        """A pandas DataFrame, one row a record: its fields, then `tokens` and `seconds`.

        `tokens`: in all, as the provider counted them, of AI messages. `seconds`: from the start of
        a record to its end. Both are missing (NaN) where they are not known, as fields that do not
        apply are. `ImportError` without pandas.
        """
        try:
            import pandas as pd  # type: ignore[import-untyped]  # pandas ships no types
        except ImportError as error:
            raise ImportError(
                "to_frame needs pandas. Install it with: pip install pandas"
            ) from error
        rows = self._rows()
        fields = dict.fromkeys((*_ALWAYS, *(name for record in rows for name in record)))
        frame = pd.DataFrame(rows, columns=list(fields))
        frame["tokens"] = pd.Series([_tokens(record) for record in rows], dtype="float64")
        frame["seconds"] = pd.Series([_seconds(record) for record in rows], dtype="float64")
        return frame


#: Fields that every record has.
_ALWAYS = ("id", "type", "namespace", "speaker", "seq", "order", "status", "content", "started_at")


def _tokens(record: Record) -> int | None:
    return record.get("usage", {}).get("total_tokens")


def _seconds(record: Record) -> float | None:
    ended = record.get("ended_at")
    return None if ended is None else ended - record["started_at"]


def _searchable(record: Record) -> str:
    parts = [record["content"]]
    parts += [str(record.get(name, "")) for name in ("reasoning", "name", "title", "error")]
    parts.append(json.dumps(record.get("args", ""), ensure_ascii=False))
    return "\n".join(parts).casefold()
