"""Keeps a conversation within `max_records`: the oldest records go, boxes left empty with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nestling.records import OPEN, Namespace, Record

if TYPE_CHECKING:
    from nestling.conversation import Conversation

#: These may still change: by the run, or by an answer to it.
_KEPT = OPEN | {"pending", "interrupted"}


def drop_oldest(conversation: Conversation, limit: int) -> None:
    """Drops the oldest finished records until `limit` are left; under the conversation's lock."""
    excess = len(conversation.history) + len(conversation.live) - limit
    for name in ("history", "live"):
        records: list[Record] = getattr(conversation, name)
        at = 0
        while excess > 0 and at < len(records):
            if records[at]["status"] in _KEPT:
                at += 1
                continue
            conversation.drop(records.pop(at))
            excess -= 1


def is_left_empty(conversation: Conversation, box: Namespace) -> bool:
    """Whether a box has ended and nothing that stood in it is kept."""
    return (
        box["parent"] is not None
        and box["status"] not in _KEPT
        and not conversation.rows_in(box["key"])
        and all(is_left_empty(conversation, inner) for inner in conversation.boxes_in(box["key"]))
    )
