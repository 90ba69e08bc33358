"""A page that is measured: what its sockets receive, and when marks in the text are in the DOM."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext

from tests.browser.lab import Lab, Notebook, browser

HERE = Path(__file__).resolve().parent

_PROBE = """(() => {
  const probe = window.probe = {messages: [], at: 0, marks: {}, hello: 0};
  const now = () => performance.timeOrigin + performance.now();
  const plain = data => typeof data === 'string' ? data : new TextDecoder().decode(data);
  window.WebSocket = class extends window.WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({data}) => {
        probe.messages.push(data);
        probe.at = now();
      });
    }
    send(data) {
      if (!probe.hello && plain(data).includes('"hello"')) probe.hello = now();
      super.send(data);
    }
  };
  new MutationObserver(mutations => {
    const at = now(), seen = new Set();
    for (const {type, target, addedNodes} of mutations) {
      if (type === 'characterData') seen.add(target);
      for (const node of addedNodes) seen.add(node);
    }
    for (const node of seen)
      for (const [, mark] of (node.textContent ?? '').slice(-8192).matchAll(/⟦m(\\d+)⟧/g))
        if (!(mark in probe.marks)) probe.marks[mark] = at;
  }).observe(document, {subtree: true, childList: true, characterData: true});
})()"""

_TEXTS = """selector => Object.fromEntries(
  [...document.querySelectorAll(`${selector} [data-id]`)].map(row =>
    [row.dataset.id, (row.querySelector('[data-part=content]') ?? row).textContent]))"""

#: `[all bytes, those of the outputs that stay in the notebook, those of the largest to a widget]`
_RECEIVED = """() => {
  const decoder = new TextDecoder();
  let all = 0, kept = 0, largest = 0;
  for (const data of window.probe.messages) {
    const size = data.byteLength ?? data.length;
    const text = typeof data === 'string' ? data : decoder.decode(data);
    all += size;
    if (text.includes('nestling-static')) kept += size;
    else if (text.includes('comm_msg')) largest = Math.max(largest, size);
  }
  return [all, kept, largest];
}"""

#: Seconds without a message after which nothing more is expected.
QUIET = 1.5


@contextlib.contextmanager
def measured(root: Path) -> Iterator[tuple[Lab, BrowserContext, str]]:
    """JupyterLab with its default limits, a browser, and the browser's version."""
    with Lab(root, path=HERE.parent) as lab, browser() as launched:
        context = launched.new_context(viewport={"width": 1280, "height": 900})
        context.add_init_script(_PROBE)
        yield lab, context, launched.version


@contextlib.contextmanager
def notebook(lab: Lab, context: BrowserContext, cells: list[str]) -> Iterator[Notebook]:
    opened = Notebook(lab, context, lab.write(cells))
    try:
        yield opened
    finally:
        opened.close()


def skew(page: Any) -> float:
    """Milliseconds that the page's clock is ahead of ours."""
    best = None
    for _ in range(9):
        before = time.time() * 1000
        theirs = page.evaluate("performance.timeOrigin + performance.now()")
        after = time.time() * 1000
        if best is None or after - before < best[0]:
            best = (after - before, theirs - (before + after) / 2)
    assert best is not None
    return best[1]


def reset(page: Any) -> None:
    page.evaluate("Object.assign(window.probe, {messages: [], at: 0, marks: {}})")


def received(page: Any) -> tuple[int, int, int]:
    """Bytes that came since `reset`: while the run went on, and for its output at the end.

    And those of the largest message to a widget.
    """
    every, kept, largest = page.evaluate(_RECEIVED)
    return every - kept, kept, largest


def settle(page: Any) -> None:
    """Waits until the page's sockets are quiet."""
    page.wait_for_function(
        f"performance.timeOrigin + performance.now() - window.probe.at > {QUIET * 1000}"
    )


def latencies(page: Any, sent: dict[str, float], ahead: float) -> list[float]:
    """Milliseconds from the making of each mark to its being in the DOM, sorted."""
    seen = page.evaluate("window.probe.marks")
    return sorted(seen[key] - ahead - at for key, at in sent.items() if key in seen)


def missing(page: Any, selector: str, wanted: dict[str, str]) -> int:
    """How many messages the page lacks, shows otherwise, or has too many."""
    shown = page.evaluate(_TEXTS, selector)
    keys = {*shown, *wanted}
    return sum(_words(shown.get(key, "")) != _words(wanted.get(key, "")) for key in keys)


def wrong(page: Any, selector: str, wanted: dict[str, str]) -> int:
    """How many of the messages that the page shows are not the kernel's."""
    shown = page.evaluate(_TEXTS, selector)
    return sum(_words(text) != _words(wanted.get(key, "")) for key, text in shown.items())


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def percentile(values: list[float], share: float) -> float | None:
    return values[min(len(values) - 1, int(share * len(values)))] if values else None
