"""Rows beside messages and calls: quiet updates, errors, and what is shown plainly."""

from __future__ import annotations

import linecache
import logging
import traceback
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from nestling.conversation import Conversation
from nestling.encode import encode, short, text
from nestling.langgraph.normalize import Ns
from nestling.langgraph.spaces import Space, Spaces

log = logging.getLogger("nestling")

#: Lines of source that a traceback shows before the line itself.
_BEFORE = 2
#: Characters of a traceback that are kept; the end says most.
_TRACEBACK = 20_000


class Rows:
    """Everything of the adapter that is neither a message nor a call."""

    def __init__(self, conversation: Conversation, spaces: Spaces) -> None:
        self.conversation = conversation
        self.spaces = spaces

    def update(self, space: Space, node: str, order: int, status: str, update: Any) -> None:
        """The quiet row of a node."""
        changed = update if isinstance(update, Mapping) else {}
        data = {text(str(key)): short(value, 40) for key, value in changed.items()}
        self.conversation.add(
            "update",
            None,
            space.segments,
            speaker=node,
            order=order,
            status=status,
            content=", ".join(f"{key}={value}" for key, value in data.items()),
            data=data or None,
        )

    def plain(self, ns: Ns, data: Any) -> None:
        """A custom event, or one of a kind that is not known."""
        space = self.spaces.get(ns)
        record = self.conversation.add(
            "custom",
            None,
            space.segments,
            speaker=self.whoever(space),
            order=space.order,
            content=short(data, 400),
            data=encode(data),
        )
        self.conversation.tell_of(record, data)

    def whoever(self, space: Space) -> str:
        """Who speaks where an event names no node: the only one at work, if there is one."""
        names = [name for name, tasks in space.open.items() if tasks]
        return space.speaker(names[0] if len(names) == 1 else None)

    def fault(self, event: Any) -> None:
        """An event that we could not read is shown raw, and counted."""
        log.warning("An event could not be shown; the run goes on.", exc_info=True)
        self.conversation.problem()
        root = self.spaces.root
        self.conversation.add(
            "custom",
            None,
            [],
            speaker=root.box["label"],
            order=root.order,
            content=short(event, 400),
            data=encode(event),
        )

    def error(self, space: Space, error: Any, order: int, node: str | None = None) -> None:
        """The card of an error, in the box where it happened."""
        error_type, message = plain_error(error)
        trace = None
        if isinstance(error, BaseException) and error.__traceback__ is not None:
            trace = text(traced(error))[-_TRACEBACK:]
        self.conversation.add(
            "error",
            None,
            space.segments,
            speaker=space.speaker(node),
            order=order,
            content=f"{error_type}: {message}" if message else error_type,
            error_type=error_type,
            message=message,
            traceback=trace,
        )


class _Frames(traceback.StackSummary):
    """Frames in Python's own format, with the lines of source that stand before each."""

    def format_frame_summary(self, frame_summary: traceback.FrameSummary, **options: Any) -> str:
        head, *rest = super().format_frame_summary(frame_summary, **options).splitlines()
        number, own = frame_summary.lineno, frame_summary.line
        if not rest or not own or number is None:
            return "\n".join((head, *rest, ""))
        first = max(1, number - _BEFORE)
        lines = [linecache.getline(frame_summary.filename, n) for n in range(first, number + 1)]
        before = dedent("".join(line if line.strip() else "\n" for line in lines)).splitlines()
        if len(before) != len(lines) or before[-1].strip() != own.splitlines()[0].strip():
            return "\n".join((head, *rest, ""))  # the file is another one by now
        # The line itself comes last, its marks behind it: newer Pythons print whole statements.
        rest = [line for i, line in enumerate(rest[:2]) if i == 0 or not line.strip(" ^~")]
        *before, last = before
        shift = len(last) - len(last.lstrip())
        while before and not before[0]:
            del before[0]
        shown = [f"    {line}".rstrip() for line in before]
        return "\n".join((head, *shown, *(" " * shift + line for line in rest), ""))


def traced(error: BaseException) -> str:
    """The traceback of an error, with some source around each line."""
    whole = traceback.TracebackException.from_exception(error)
    parts = [whole]
    for part in parts:
        part.stack = _Frames(part.stack)
        causes = (part.__cause__, part.__context__, *(part.exceptions or ()))
        parts += [cause for cause in causes if cause is not None]
    return "".join(whole.format())


def told(error: Any, errors: list[Any]) -> bool:
    """Whether an error is one of `errors`: they bubble, every enclosing task reports them."""
    return any(seen is error or plain_error(seen) == plain_error(error) for seen in errors)


def plain_error(error: Any) -> tuple[str, str]:
    """`(type, message)` of an exception, of a remote server's dict, or of its text."""
    if isinstance(error, BaseException):
        inner = error.args[0] if error.args else None
        if type(error).__name__ == "RemoteException" and isinstance(inner, Mapping):
            return plain_error(inner)
        return type(error).__name__, text(str(error))
    if isinstance(error, Mapping):  # from a remote server
        return str(error.get("error", "Error")), text(str(error.get("message", "")))
    name, _, message = str(error).partition("(")
    return (
        (name, text(message.rstrip(")").strip("'\""))) if message else ("Error", text(str(error)))
    )
