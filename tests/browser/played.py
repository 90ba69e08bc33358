"""A finished run in a blank page, whose questions its view answers: no JupyterLab, no waiting."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser

from nestling import View
from tests.browser.board import Board

_CONNECT = """snapshot => new Promise(done => {
  model.send = async command => {
    for (const told of await window.kernel(command)) model.receive(told);
  };
  model.receive(snapshot);
  requestAnimationFrame(() => setTimeout(done));
})"""


class Played(Board):
    """The run of a view."""

    def __init__(self, chromium: Browser, view: View, width: int = 900, **traits: Any) -> None:
        super().__init__(chromium, width, **traits)
        self.view = view
        self.page.expose_function("kernel", self._kernel)
        self.page.evaluate(_CONNECT, view._outbox.snapshot())

    def _kernel(self, command: dict[str, Any]) -> list[Any]:
        """As the view hears a page, and what it would send."""
        told: list[Any] = []
        post, self.view._outbox.send = self.view._outbox.send, told.append
        sent, self.view._post = self.view._post, told.append  # type: ignore[method-assign]
        try:
            self.view._on_command(None, command, None)
        finally:
            self.view._outbox.send, self.view._post = post, sent  # type: ignore[method-assign]
        return told
