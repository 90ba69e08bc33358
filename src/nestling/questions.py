"""What a page may ask beside the wire: answered once, drawn, and never kept in step.

`QUESTIONS` has a function for each: it gets the view and what the page sent, and returns the fields
of the answer, at most 1 MB. Pages are not trusted: a function checks what it reads, and what it
raises is an answer without fields.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nestling import find
from nestling.inspected import inspect
from nestling.spans import spans
from nestling.structure import running, structure
from nestling.usage import told_usage

if TYPE_CHECKING:
    from nestling.view import View

log = logging.getLogger("nestling")

QUESTIONS: dict[str, Callable[[View, Mapping[str, Any]], dict[str, Any]]] = {
    "spans": spans,
    "structure": structure,
    "running": running,
    "find": find.question,
    "inspect": inspect,
    "usage": told_usage,
}


def answer(view: View, command: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer to a page; None when it asks for nothing that is known."""
    name, ask = command.get("question"), command.get("ask")
    question = QUESTIONS.get(name) if isinstance(name, str) else None
    if question is None or not isinstance(ask, str):
        return None
    fields: dict[str, Any] = {}
    try:
        fields = question(view, command)
    except Exception:
        log.warning("The page could not be told about %s; the run goes on.", name, exc_info=True)
    return {**fields, "type": "answer", "ask": ask}
