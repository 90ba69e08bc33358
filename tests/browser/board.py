"""The page alone, without JupyterLab: a fake model in a blank page, for what needs layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator

import nestling

STATIC = Path(nestling.__file__).parent / "static"
T0 = 1_700_000_000

_SHOW = """async ([source, traits]) => {
  const url = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
  const widget = (await import(url)).default();
  const listeners = new Set();
  window.model = {
    get: name => traits[name],
    set: (name, value) => {
      traits[name] = value;
      for (const [event, act] of [...listeners]) if (event === `change:${name}`) act();
    },
    save_changes() {},
    send() {},
    on: (event, act) => listeners.add([event, act]),
    off() {},
    receive: message => {
      for (const [event, act] of [...listeners]) if (event === 'msg:custom') act(message, []);
    },
  };
  const {signal} = new AbortController();
  widget.initialize({model, signal});
  widget.render({model, el: document.body, signal});
}"""


class Board:
    """One display of a run whose patches the test sends."""

    def __init__(self, chromium: Browser, width: int = 900, **traits: Any) -> None:
        self.page = chromium.new_page(viewport={"width": width, "height": 800})
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.set_content('<body style="margin:0">')
        self.page.add_style_tag(path=STATIC / "widget.css")
        self.n = self.seq = 0
        root = self.box("", status="running", parent=None, namespace=[], label="team")
        snapshot = {
            "type": "snapshot",
            "epoch": "e",
            "n": 0,
            "floor": 0,
            "earlier": {},
            "chat_history": [],
            "live_chat": [],
            "namespaces": {"": root},
            "run": {"status": "running", "turn": 1, "now": T0 + 50, "started_at": T0},
        }
        given = {
            "mode": "nested",
            "collapse": "auto",
            "max_height": "400px",
            "_explore": nestling.View()._explore,
            **traits,
        }
        source = (STATIC / "widget.js").read_text()
        self.page.evaluate(_SHOW, [source, {**given, "snapshot": snapshot}])
        self.page.get_by_role("button", name="More actions").wait_for()

    def box(self, key: str, **fields: Any) -> dict[str, Any]:
        self.seq += 1
        return {
            "key": key,
            "namespace": key.split("|"),
            "label": key,
            "parent": "",
            "spawned_by": None,
            "status": "running",
            "is_agent": True,
            "started_at": T0,
            "seq": self.seq,
            "order": self.seq,
            **fields,
        }

    def row(self, kind: str, content: str = "", box: str = "", **fields: Any) -> dict[str, Any]:
        self.seq += 1
        return {
            "id": f"{kind}:{self.seq}",
            "type": kind,
            "content": content,
            "speaker": box,
            "namespace": box.split("|") if box else [],
            "status": "completed",
            "started_at": T0,
            "seq": self.seq,
            "order": self.seq,
            **fields,
        }

    def send(self, *rows: dict[str, Any], **fields: Any) -> None:
        """One patch, drawn before this returns; boxes as `namespaces={key: fields}`."""
        self.n += 1
        patch = {"type": "patch", "epoch": "e", "n": self.n, "add": list(rows), **fields}
        self.page.evaluate(
            """patch => new Promise(done => {
              model.receive(patch);
              requestAnimationFrame(() => setTimeout(done));
            })""",
            patch,
        )

    def open(self, *keys: str, **fields: Any) -> None:
        """Boxes with so much in them that they do not fit."""
        boxes = {key: self.box(key, **fields) for key in keys}
        rows = [self.row("ai", f"{key} says {i}. " * 12, key) for i in range(24) for key in keys]
        self.send(*rows, namespaces=boxes)

    def end(self, *keys: str, status: str = "completed") -> None:
        ended = {"status": status, "ended_at": T0 + 60}
        self.send(namespaces=dict.fromkeys(keys, ended))

    def at(self, key: str) -> Locator:
        return self.page.locator(f'article[data-namespace="{key}"]')

    @property
    def area(self) -> Locator:
        return self.page.locator(".nst-area")

    @property
    def pill(self) -> Locator:
        return self.page.locator(".nst-jump")

    def scroll(self, by: int) -> None:
        """As a reader does, with the wheel."""
        before = self.area.evaluate("area => area.scrollTop")
        self.area.hover()
        self.page.mouse.wheel(0, by)
        self.page.wait_for_function(
            "before => document.querySelector('.nst-area').scrollTop !== before", arg=before
        )
        self.page.wait_for_timeout(200)

    def top(self, element: Locator) -> float:
        found: float = element.evaluate("element => element.getBoundingClientRect().top")
        return found

    def width(self, key: str) -> float:
        found: float = self.at(key).evaluate("element => element.getBoundingClientRect().width")
        return found
