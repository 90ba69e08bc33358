"""What nodes and tools say to the views that watch them: `emit_artifact` and `progress`.

A view is found through the callbacks that LangChain keeps in the context of every node and tool,
so nothing of it is in the graph, its state or its streams. A view that wraps a stream with `tee`
puts its callback there through LangChain's own hook for that.
"""

from __future__ import annotations

import logging
import math
import sys
from typing import TYPE_CHECKING, Any

from nestling.artifacts import describe
from nestling.encode import text as clean

if TYPE_CHECKING:
    from nestling.langgraph.watchers import Watcher

log = logging.getLogger("nestling")

#: How far a fraction may be over, so that sums of floats end at 1.
_ROUNDING = 1e-9
#: Characters of the text beside a bar.
_MAX_TEXT = 200


def emit_artifact(obj: Any, title: str | None = None, id: str | None = None) -> None:
    """Shows an object as an artifact of the node or tool that calls this.

    `obj` is a figure, a DataFrame, text in Markdown, or anything that IPython can display;
    `view.artifacts[title].data` is the object itself. The title defaults to `id`, then to the
    name of the tool or node. The same `id` again, in the same namespace and turn, is a new version
    in the same place.

    Works in sync and async nodes and tools, and in threads that got a copy of their context.
    Nothing happens when no view watches. `TypeError` for a title or id that is not a str.
    """
    for name, value in (("title", title), ("id", id)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"emit_artifact: {name} is a str or None, not {value!r}.")
    watchers = _watchers()
    if watchers:
        named, key = title and clean(title), id and clean(id)
        # here, not in the view: drawing takes its time, and a view is locked meanwhile
        drawn = describe(obj, named or key or watchers[0].name)
        told = {"title": named, "id": key, "drawn": drawn, "object": obj}
        for watcher in watchers:
            _tell(watcher, "emitted", told)


def progress(fraction: float, text: str | None = None) -> None:
    """Says how far the tool call that runs has come; outside of a tool, its node in its box.

    `fraction` is a number from 0 to 1; `text` says what is being done. It is shown until the call
    or node ends. To call it often costs little: a page hears of it at most thirty times a second.

    Works where `emit_artifact` does, and nothing happens when no view watches. `TypeError` for
    what is not a number, `ValueError` for one outside of 0 to 1.
    """
    told: dict[str, Any] = {"fraction": _fraction(fraction)}
    if text is not None:
        if not isinstance(text, str):
            raise TypeError(f"progress: text is a str or None, not {text!r}.")
        told["text"] = clean(text[:_MAX_TEXT])
    for watcher in _watchers():
        _tell(watcher, "progressed", {"progress": told})


def _fraction(value: Any) -> float:
    hint = "give a number from 0 to 1, such as done / total."
    try:
        number = None if isinstance(value, (bool, str, bytes)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None:
        raise TypeError(f"progress: {value!r} is not a fraction: {hint}")
    if not (math.isfinite(number) and -_ROUNDING <= number <= 1 + _ROUNDING):
        raise ValueError(f"progress: {value!r} is not from 0 to 1: {hint}")
    return min(max(number, 0.0), 1.0)


def _watchers() -> list[Watcher]:
    """Those who watch the node or tool that runs here."""
    if "nestling.langgraph.links" not in sys.modules:  # no view has run or wrapped anything yet
        return []
    try:
        from nestling.langgraph.watchers import watchers

        return watchers()
    except Exception:
        log.warning("The display failed; the run goes on.", exc_info=True)
        return []


def _tell(watcher: Watcher, kind: str, told: dict[str, Any]) -> None:
    """A fault of the display must not reach the run."""
    try:
        watcher.tell(kind, told)
    except Exception:
        log.warning("The display failed; the run goes on.", exc_info=True)
