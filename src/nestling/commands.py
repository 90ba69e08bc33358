"""What pages ask of a view: what they lack, older rows, an answer beside the wire, a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nestling.questions import answer

if TYPE_CHECKING:
    from nestling.view import View


def heed(view: View, command: Any) -> None:
    """One `records.Command`. Pages are not trusted: anything else is ignored."""
    if not isinstance(command, dict):
        return
    kind = command.get("type")
    if kind == "hello" and isinstance(command.get("have"), int):
        view._outbox.hello(command.get("epoch"), command["have"])
    elif kind == "rows" and all(type(command.get(k)) is int for k in ("before", "limit")):
        namespace = command.get("namespace")
        if namespace is None or isinstance(namespace, str):
            asked = command["before"], command["limit"], namespace, bool(command.get("closed"))
            with view._conversation.lock:  # no patch may overtake it
                view._post(view._outbox.rows(*asked))
    elif kind == "ask":
        told = answer(view, command)
        if told is not None:
            view._outbox.answer(told)
    elif kind == "stop":
        view.stop()
