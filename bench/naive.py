"""What nestling is measured against: the whole list of messages in a trait, again and again."""

from __future__ import annotations

import time
from bisect import bisect_left
from typing import Any

import anywidget
import traitlets

from nestling import View


class Naive(anywidget.AnyWidget):
    """Assigns its list at every event, or every `pause` seconds at most."""

    _esm = """
    export default {
      render({ model, el }) {
        const list = document.createElement("div");
        list.className = "naive";
        el.append(list);
        const rows = new Map();
        const draw = () => {
          for (const message of model.get("messages")) {
            let row = rows.get(message.id);
            if (!row) {
              row = document.createElement("div");
              row.dataset.id = message.id;
              row.append(document.createTextNode(""));
              rows.set(message.id, row);
              list.append(row);
            }
            if (row.firstChild.data !== message.content) row.firstChild.data = message.content;
          }
          list.dataset.received = Number(list.dataset.received ?? 0) + 1;
          list.dataset.status = model.get("status");
        };
        model.on("change:messages", draw);
        model.on("change:status", draw);
        draw();
      },
    };
    """
    messages = traitlets.List().tag(sync=True)
    status = traitlets.Unicode("idle").tag(sync=True)

    def __init__(self, pause: float = 0.0) -> None:
        super().__init__()
        self.pause = pause
        self.sent = 0
        self._texts: dict[str, str] = {}
        self._last = 0.0

    def process_event(self, event: Any) -> None:
        if event["type"] != "messages":
            return
        message, _ = event["data"]
        self._texts[message.id] = self._texts.get(message.id, "") + message.content
        now = time.monotonic()
        if now - self._last >= self.pause:
            self._last = now
            self._assign()

    def _assign(self) -> None:
        self.sent += 1
        self.messages = [{"id": key, "content": text} for key, text in self._texts.items()]

    def finalize(self) -> None:
        self._assign()
        self.status = "completed"

    def texts(self) -> dict[str, str]:
        return dict(self._texts)

    def busiest(self) -> None:
        """Not counted: it sends at every event, or as often as it was told."""


class Ours(View):
    """A view that says what its page has to show, as the naive widget does."""

    def __init__(self, **traits: Any) -> None:
        self._sent_at: list[float] = []
        super().__init__(**traits)

    def _post(self, message: Any) -> None:
        self._sent_at.append(time.monotonic())
        super()._post(message)

    def busiest(self) -> int:
        """The most messages that left within one second."""
        times = self._sent_at
        return max((bisect_left(times, at + 1) - i for i, at in enumerate(times)), default=0)

    def texts(self) -> dict[str, str]:
        return {r["id"]: r["content"] for r in self.transcript if r["type"] == "ai"}
