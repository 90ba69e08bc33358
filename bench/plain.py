"""The page that nestling's is measured against: nothing clever, but nothing stupid either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from bench.blank import VIEWPORT

#: The parser that the bundle is made from, whole; only there after `make setup-js`.
PARSER = (
    Path(__file__).resolve().parents[1]
    / "js/node_modules/markdown-it/dist/browser/markdown-it.umd.min.js"
)

_FRAMES = """
const painted = () => new Promise(done => requestAnimationFrame(() => {
  const {port1, port2} = new MessageChannel();
  const began = performance.now();
  port1.onmessage = () => done(performance.now() - began);
  port2.postMessage(0);
}));
"""

# Every token: the whole message through the parser and into the page.
_WHOLE = """async ([text, times]) => {
  const area = document.body.appendChild(document.createElement('div'));
  area.style.cssText = 'height: 600px; overflow: auto';
  const message = area.appendChild(document.createElement('div'));
  const parser = markdownit();
  const found = [];
  for (let i = 0; i < times; i++) {
    text += 'word ';
    const began = performance.now();
    message.innerHTML = parser.render(text);
    area.scrollTop = area.scrollHeight;
    found.push(performance.now() - began);
    await new Promise(done => setTimeout(done));
  }
  return found.sort((a, b) => a - b);
}"""

# One list of rows, found by their ids; only rows that changed are touched.
_UPDATES = (
    """async ([lines, times]) => {"""
    + _FRAMES
    + """
  const area = document.body.appendChild(document.createElement('div'));
  area.style.cssText = 'height: 600px; overflow: auto';
  const rows = new Map();
  const set = (id, text) => {
    if (!rows.has(id)) rows.set(id, area.appendChild(document.createElement('div')));
    rows.get(id).textContent = text;
  };
  lines.forEach((line, i) => set(i, line));
  await painted();
  const found = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    for (let row = lines.length - 10; row < lines.length; row++) {
      lines[row] += 'word ';
      set(row, lines[row]);
    }
    area.scrollTop = area.scrollHeight;
    const work = performance.now() - began;
    found.push(work + await painted());
  }
  return found.slice(20).sort((a, b) => a - b);
}"""
)


# Every row is asked for its text; the others are hidden.
_SEARCH = (
    """async ([lines, queries]) => {"""
    + _FRAMES
    + """
  const count = document.body.appendChild(document.createElement('div'));
  const area = document.body.appendChild(document.createElement('div'));
  area.style.cssText = 'height: 600px; overflow: auto';
  for (const line of lines) area.appendChild(document.createElement('div')).textContent = line;
  await painted();
  const found = [];
  for (const query of queries) {
    const began = performance.now();
    let matches = 0;
    for (const row of area.children) {
      const isMatch = row.textContent.toLowerCase().includes(query);
      row.hidden = !isMatch;
      matches += isMatch;
    }
    count.textContent = matches;
    await painted();
    found.push(performance.now() - began);
  }
  return found.sort((a, b) => a - b);
}"""
)


def _share(found: list[float]) -> dict[str, float]:
    return {"p50": found[len(found) // 2], "p95": found[int(0.95 * len(found))]}


def whole(chromium: Browser, text: str, times: int) -> dict[str, float] | None:
    """One more token of a message that is rendered anew; None where the parser is missing."""
    if not PARSER.exists():
        return None
    page = chromium.new_page(viewport=VIEWPORT)
    page.set_default_timeout(120_000)
    page.add_script_tag(path=PARSER)
    found = page.evaluate(_WHOLE, [text, times])
    page.close()
    return _share(found)


class Plain:
    def __init__(self, chromium: Browser) -> None:
        self.chromium = chromium

    def updates(self, rows: int, line: Callable[[int], str]) -> dict[str, Any]:
        """Ten rows that grow in each frame."""
        return _share(self._evaluate(_UPDATES, [[line(i) for i in range(rows)], 140]))

    def search(
        self, rows: int, line: Callable[[int], str], queries: Sequence[str]
    ) -> dict[str, float]:
        """From each query to the count of rows that hold it, drawn."""
        found = self._evaluate(_SEARCH, [[line(i) for i in range(rows)], list(queries)])
        return _share(found) | {"worst": found[-1]}

    def _evaluate(self, script: str, given: list[Any]) -> list[float]:
        page = self.chromium.new_page(viewport=VIEWPORT)
        page.set_default_timeout(120_000)
        found: list[float] = page.evaluate(script, given)
        page.close()
        return found
