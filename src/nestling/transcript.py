"""Reading a run from Python: every record, found and counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nestling.find import Finder
from nestling.records import Record


class Transcript(Sequence[Record]):
    """A read-only sequence over history, then live."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder

    def _rows(self) -> list[Record]:
        return self._finder.rows()

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
        """Records that hold `text` (any case, arguments and titles too) and match the fields.

        `TypeError` for a text that is no str, and for fields that are neither a str nor several.
        """
        if text is not None and not isinstance(text, str):
            raise TypeError(
                f"find takes a text to look for, not {text!r}: write find({str(text)!r})"
            )
        wanted = {"speaker": speaker, "type": type, "status": status}
        fields = {
            field: _values(field, value) for field, value in wanted.items() if value is not None
        }
        return self._finder.find(self._rows(), text or "", fields)

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


def _values(field: str, value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    values = list(value) if isinstance(value, Iterable) else [value]
    if not all(isinstance(each, str) for each in values):
        raise TypeError(f"find({field}=...) takes a str, or several in a list, not {value!r}.")
    return set(values)


#: Fields that every record has.
_ALWAYS = ("id", "type", "namespace", "speaker", "seq", "order", "status", "content", "started_at")


def _tokens(record: Record) -> int | None:
    return record.get("usage", {}).get("total_tokens")


def _seconds(record: Record) -> float | None:
    ended = record.get("ended_at")
    return None if ended is None else ended - record["started_at"]
