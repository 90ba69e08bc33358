"""Rows beside messages and calls: quiet updates, interrupts, errors, and what is shown plainly."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from nestling.conversation import Conversation
from nestling.encode import encode, short, text
from nestling.langgraph.normalize import Ns
from nestling.langgraph.spaces import Space, Spaces

log = logging.getLogger("nestling")


class Rows:
    """Everything of the adapter that is neither a message nor a call."""

    def __init__(self, conversation: Conversation, spaces: Spaces) -> None:
        self.conversation = conversation
        self.spaces = spaces
        #: Interrupts that wait for an answer, by id with their threads, and those that did when
        #: the run began.
        self.pending: dict[str, str | None] = {}
        self._asked: dict[str, str | None] = {}

    def begin(self) -> None:
        """A new run: what waits may be answered by it."""
        self._asked, self.pending = {**self._asked, **self.pending}, {}

    def answer(self, resume: Any) -> None:
        """The run resumes its thread with an answer, or with one for each interrupt id."""
        asked = self._of_this_thread()
        by_id = bool(resume) and isinstance(resume, Mapping) and set(resume) <= set(asked)
        for key in resume if by_id else asked:
            given = encode(resume[key] if by_id else resume)
            self._settle(key, status="answered", answer=given)

    def abandon(self) -> None:
        """The run asks its thread something new: what waited there is not answered any more."""
        for key in self._of_this_thread():
            self._settle(key, status="cancelled")

    def _of_this_thread(self) -> list[str]:
        thread = self.conversation.thread_id
        return [key for key, asked_in in self._asked.items() if asked_in == thread]

    def _settle(self, key: str, **fields: Any) -> None:
        del self._asked[key]
        self.conversation.set(self.conversation.records[key], **fields)

    def interrupts(self, ns: Ns, interrupts: Any) -> None:
        """One record per id, at the deepest namespace: children report before parents."""
        for interrupt in interrupts:
            read = interrupt.get if isinstance(interrupt, Mapping) else _reader(interrupt)
            key = str(read("id") or "") or None
            space = self.spaces.get(ns)
            known = self.conversation.records.get(key or "")
            if known is not None and known["type"] == "interrupt":
                if key not in self.pending:  # it asks again, or was not among those answered
                    self.conversation.set(known, status="pending", answer=None, ended_at=None)
                    self.pending[known["id"]] = self.conversation.thread_id
                    self._asked.pop(known["id"], None)
                continue
            value = encode(read("value"))
            schema = read("response_schema")
            record = self.conversation.add(
                "interrupt",
                key,
                space.segments,
                speaker=self._whoever(space),
                order=space.order,
                status="pending",
                content=value if isinstance(value, str) else short(value, 400),
                value=value,
                response_schema=None if schema is None else encode(schema),
            )
            self.pending[record["id"]] = self.conversation.thread_id

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
        self.conversation.add(
            "custom",
            None,
            space.segments,
            speaker=self._whoever(space),
            order=space.order,
            content=short(data, 400),
            data=encode(data),
        )

    def _whoever(self, space: Space) -> str:
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
            lines = traceback.format_exception(type(error), error, error.__traceback__)
            trace = text("".join(lines))[-20_000:]
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


def _reader(value: Any) -> Callable[[str], Any]:
    return lambda name: getattr(value, name, None)
