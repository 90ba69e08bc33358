"""What Python shows of a run in the pages that display it: boxes that open, a row in sight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nestling.conversation import Conversation
    from nestling.outbox import Outbox
    from nestling.records import Show


class Reveals:
    """Acts on every display that there is now; one made later begins as `collapse` says."""

    _conversation: Conversation
    _outbox: Outbox

    def expand(self, label: str) -> None:
        """Opens the boxes of an agent, and those around them. `KeyError` for an unknown label."""
        with self._conversation.lock:
            boxes = self._conversation.namespaces.values()
            labels = sorted({box["label"] for box in boxes if box["parent"] is not None})
            if label not in labels:
                known = ", ".join(map(repr, labels)) or "none"
                raise KeyError(f"No box is called {label!r}. There are: {known}")
            self._tell_pages({"type": "show", "open": True, "label": label})

    def collapse_all(self) -> None:
        """Closes all boxes, as the menu does."""
        self._tell_pages({"type": "show", "open": False})

    def scroll_to(self, record: Any) -> None:
        """Brings a record of `view.transcript`, or the one with this id, into sight.

        Opens what it stands in and moves the widget's own area, never the notebook; selects
        nothing. `KeyError` when this view has no such record.
        """
        wanted = record.get("id") if isinstance(record, Mapping) else record
        with self._conversation.lock:
            found = self._conversation.records.get(wanted) if isinstance(wanted, str) else None
            if found is None:
                raise KeyError(
                    f"This view has no record {wanted!r}. Give one of view.transcript, or its id."
                )
            key = "|".join(found["namespace"])
            self._tell_pages({"type": "show", "key": key, "seq": found["seq"]})

    def _tell_pages(self, message: Show) -> None:
        with self._conversation.lock:
            self._outbox.flush()  # what it is about may be on its way
            self._outbox.answer(message)
