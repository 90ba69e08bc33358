"""What a widget shows, read from its page by the names that users select by."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from playwright.sync_api import Locator

from tests.browser.lab import Notebook


class Row(TypedDict):
    """One row; `text` is the content, of a tool call its arguments as well."""

    id: str
    type: str
    status: str
    namespace: str
    box: str
    text: str


class Frame(TypedDict):
    """The rows of one widget after a change, and whether the cell ran then."""

    running: bool
    rows: list[Row]


_ROWS = """root => [...root.querySelectorAll('[data-id]')].map(row => ({
  id: row.dataset.id,
  type: row.dataset.type,
  status: row.dataset.status,
  namespace: row.dataset.namespace,
  box: row.closest('[data-label]').dataset.label,
  text: row.dataset.type === 'tool_call'
    ? row.textContent
    : row.querySelector('[data-part=content]')?.textContent ?? '',
}))"""

_FILM = """([cell, rows]) => {
  window.film = [];
  let last = '';
  const look = () => {
    const root = document.querySelector('.nestling');
    if (!root) return;
    const frame = {running: window.cells?.[cell] === 'running', rows: rows(root)};
    const now = JSON.stringify(frame);
    if (now !== last) window.film.push(JSON.parse(last = now));
  };
  new MutationObserver(look).observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true,
  });
}"""

#: All there is to see but clocks (and what is drawn by them, like the overview), the place where
#: one reads, and names of elements.
_STRUCTURE = """root => {
  const kept = ['id', 'type', 'status', 'namespace', 'label', 'part'];
  const inner = node => [...node.childNodes].flatMap(child => {
    if (child.nodeType === Node.TEXT_NODE) return child.data.trim() ? [child.data] : [];
    if (child.nodeType !== Node.ELEMENT_NODE) return [];
    if (child.matches('.nst-num, .nst-strip, time, nav, svg')) return [];
    if (child.matches('[aria-live]:not([role=log])')) return [];
    const names = kept.filter(name => name in child.dataset).map(name => child.dataset[name]);
    return [[child.localName, ...names, ...inner(child)]];
  });
  return inner(root);
}"""


def widget(notebook: Notebook, number: int = 0) -> Locator:
    return notebook.page.locator(".nestling").nth(number)


def rows(root: Locator) -> list[Row]:
    found: list[Row] = root.evaluate(_ROWS)
    return found


def ids(root: Locator) -> set[str]:
    return {row["id"] for row in rows(root)}


def structure(root: Locator) -> Any:
    return root.evaluate(_STRUCTURE)


def structures(notebook: Notebook) -> list[Any]:
    """That of every display, all at one moment."""
    found: list[Any] = notebook.page.evaluate(
        f"[...document.querySelectorAll('.nestling')].map({_STRUCTURE})"
    )
    return found


def start_film(notebook: Notebook, cell: int) -> None:
    """From now on every change of the first widget is kept."""
    notebook.page.evaluate(_FILM.replace("rows(root)", f"({_ROWS})(root)"), [cell, None])


def film(notebook: Notebook) -> list[Frame]:
    frames: list[Frame] = notebook.page.evaluate("window.film")
    return frames


def until_status(root: Locator, status: str) -> None:
    root.and_(root.page.locator(f'[data-status="{status}"]')).wait_for()


# --- page and kernel --------------------------------------------------------------------------

#: The records of a view in the order in which a page shows them.
_RECORDS = """(lambda view, text: list(text.records(text.outline(
    view.namespaces, list(view.transcript)))))({}, __import__("nestling.text").text)"""


def letters(text: str) -> str:
    """Markdown and its rendering have these in common."""
    return re.sub(r"\W", "", text)


def records(notebook: Notebook, view: str = "view") -> list[dict[str, Any]]:
    """What the kernel holds and a page has to show."""
    found = notebook.python(_RECORDS.format(view))
    return [r for r in found if r["type"] != "ai" or r["content"] or r.get("reasoning")]


def assert_shows(root: Locator, wanted: Iterable[dict[str, Any]]) -> None:
    """Every record is there once, at its place, with its status and its whole text.

    Artifacts stand behind what their call led to, in the text tree before it.
    """
    wanted = sorted(wanted, key=_is_artifact)
    drawn = sorted(rows(root), key=_is_artifact)
    assert [row["id"] for row in drawn] == [record["id"] for record in wanted]
    for row, record in zip(drawn, wanted, strict=True):
        at = {"status": record["status"], "namespace": "|".join(record["namespace"])}
        assert {"status": row["status"], "namespace": row["namespace"]} == at, row["id"]
        if record["type"] == "tool_call":
            assert record["name"] in row["text"]
        elif record["type"] in ("ai", "user"):
            assert letters(row["text"]) == letters(record["content"])


def _is_artifact(row: Mapping[str, Any]) -> bool:
    return row["type"] == "artifact"


def until_equal(notebook: Notebook, number: int = 0, view: str = "view") -> None:
    """A widget shows what the kernel holds, after five seconds at most."""
    root, end = widget(notebook, number), time.monotonic() + 5
    while True:
        wanted = records(notebook, view)
        try:
            return assert_shows(root, wanted)
        except AssertionError:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)
