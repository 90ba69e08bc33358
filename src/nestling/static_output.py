"""The boxes as plain HTML: what a saved notebook, nbconvert and GitHub show of a finished run.

No script, no class that styles, no URL; whatever comes from a model is escaped, its Markdown
rendered without links and images. Colours are
translucent or inherited, so that it reads on light and dark pages alike.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle

from nestling.encode import short
from nestling.markdown import prose
from nestling.records import Namespace, Record
from nestling.text import Branch, clean, line, not_here, outline, summary

_LINE = "rgba(128,128,128,.35)"
_FRAME = (
    f"border:1px solid {_LINE};border-radius:8px;padding:10px 12px;font-size:13px;line-height:1.5;"
    "white-space:pre-wrap;overflow-wrap:anywhere"
)
_ROW = "margin:5px 0"
_ASKED = f"{_ROW};background:rgba(128,128,128,.12);border-radius:6px;padding:6px 10px"
_ERROR = f"{_ROW};border:1px solid rgba(196,35,43,.5);border-radius:6px;padding:6px 10px"
_MONO = "font-family:monospace;font-size:.92em"
_MUTED = "opacity:.7"
#: Left rules of the boxes, in order of appearance.
_HUES = ("#5c68d6", "#1b8f90", "#a04fbb", "#2f86c2", "#7d8824", "#c44a82", "#9c6a3c")
_MARKS = {"completed": "✓", "failed": "✗", "cancelled": "⊘", "rejected": "⊘", "interrupted": "‖"}
_SAID = ("user", "ai", "system")
#: Characters of a tool's result that are shown.
_RESULT = 300
#: Characters of all messages together; a longer run shows the beginning of each. A notebook
#: that grew by everything its agents ever said could soon not be opened.
_ALL = 12_000
#: Characters that any message may have.
_LEAST = 200


def static_html(
    namespaces: Mapping[str, Namespace], rows: Iterable[Record], status: str, left_out: int = 0
) -> tuple[str, str]:
    """`(key, html)` of a run; the key is a hash of what is shown, equal for equal runs."""
    rows = list(rows)
    drawing = _Drawing(rows)
    label = _escape(clean(namespaces[""]["label"]))
    head = f"<div><b>{_mark(status)}{status.capitalize()}</b> {label}</div>"
    root = outline(namespaces, rows)
    body = "".join(map(drawing.branch, root.children))
    if left_out:
        body = f'<div style="{_ROW};{_MUTED}">{not_here(left_out)}</div>{body}'
    made = summary(root)
    if made:
        body += f'<div style="{_ROW}">{_escape(made)}</div>'
    key = hashlib.sha256((head + body).encode()).hexdigest()[:12]
    classes = f"nestling-static nestling-static-{key}"
    return key, f'<div class="{classes}" style="{_FRAME}">{head}{body}</div>'


class _Drawing:
    """One pass over a run: hands out colours, shortens messages where there is much to show."""

    def __init__(self, rows: list[Record]) -> None:
        self._hues = cycle(_HUES)
        said = [len(record["content"]) for record in rows if record["type"] in _SAID]
        self._limit = max(said, default=0)
        if sum(said) > _ALL:
            self._limit = max(_ALL // len(said), _LEAST)

    def branch(self, branch: Branch) -> str:
        if not branch.is_box:
            row = self._row(branch.item)  # type: ignore[arg-type]  # is_box told it
            return row + "".join(map(self.branch, branch.children))
        box: Namespace = branch.item  # type: ignore[assignment]  # is_box told it
        style = (
            f"margin:6px 0;padding:3px 10px;border:1px solid {_LINE};"
            f"border-left:3px solid {next(self._hues)};border-radius:3px 7px 7px 3px"
        )
        done = box["status"] == "completed"
        word = "" if done else f' <span style="{_MUTED}">{box["status"]}</span>'
        title = f"{_mark(box['status'])}<b>{_escape(clean(box['label']))}</b>{word}"
        inside = "".join(map(self.branch, branch.children))
        summary = f'<summary style="cursor:pointer">{title}</summary>'
        return f'<details open style="{style}">{summary}{inside}</details>'

    def _row(self, record: Record) -> str:
        kind = record["type"]
        if kind in _SAID:
            content = record["content"].strip()
            if not content:
                return ""
            more = ""
            if len(content) > self._limit:
                more = f"… ({len(content):,} characters in all)"
                content = content[: self._limit]
            said = f"<br>{_escape(content)}" if kind == "user" else prose(content)
            speaker = f'<b style="{_MUTED}">{_escape(clean(record["speaker"]))}</b>'
            style = _ASKED if kind == "user" else _ROW
            return f'<div style="{style}">{speaker}{said}{more}</div>'
        if kind == "tool_call":
            return _call(record)
        if kind == "error":
            return f'<div style="{_ERROR}">✗ {_escape(record["content"])}</div>'
        shown = line(record)
        return f'<div style="{_ROW};{_MUTED}">{_escape(shown)}</div>' if shown else ""


def _call(record: Record) -> str:
    status = record["status"]
    args = record.get("args")
    shown = record.get("args_text", "") if args is None else ", ".join(_arguments(args))
    word = "" if status == "completed" else f" {status}"
    name, given = _escape(clean(record.get("name", ""))), _escape(clean(shown) + word)
    call = f'{_mark(status)}<b>{name}</b> <span style="{_MUTED}">{given}</span>'
    result = clean(record["content"] or record.get("error") or "")
    if record.get("spawned") and status == "completed":
        result = ""  # its box says it
    if len(result) > _RESULT:
        result = result[: _RESULT - 1] + "…"
    after = f'<br><span style="{_MUTED}">→ {_escape(result)}</span>' if result else ""
    return f'<div style="{_ROW};{_MONO}">{call}{after}</div>'


def _arguments(args: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(args):
        value = args[name]
        shown = f'"{short(value)}"' if isinstance(value, str) else short(value)
        yield f"{name}={shown}"


def _mark(status: str) -> str:
    mark = _MARKS.get(status)
    return f"{mark} " if mark else ""


def _escape(value: str) -> str:
    return html.escape(value)
