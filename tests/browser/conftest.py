from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.lab import Lab, Notebook, browser


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("notebooks")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as launched:
        yield launched


@pytest.fixture(scope="session")
def context(chromium: Browser) -> BrowserContext:
    return chromium.new_context(viewport={"width": 1280, "height": 900})


@pytest.fixture
def open_notebook(lab: Lab, context: BrowserContext) -> Iterator[Callable[..., Notebook]]:
    """Opens notebooks made of cells; in the end no page may have told of an error.

    `noise` is a pattern of errors that JupyterLab itself causes: whoever passes it says why.
    """
    opened: list[Notebook] = []

    def open_it(
        *cells: str,
        on: Lab = lab,
        name: str | None = None,
        noise: str | None = None,
        by: BrowserContext = context,
    ) -> Notebook:
        notebook = Notebook(on, by, name or on.write(list(cells)), noise)
        opened.append(notebook)
        return notebook

    yield open_it
    errors = [error for notebook in opened for error in notebook.errors]
    for notebook in opened:
        notebook.close()
    assert errors == []


@pytest.fixture
def somebody_else(chromium: Browser) -> Iterator[BrowserContext]:
    """A second browser."""
    other = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield other
    other.close()


@pytest.fixture
def again(lab: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A second server that trusts what the first one saved: the next day."""
    with Lab(tmp_path, lab.home) as running:
        yield running


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Lab]:
    """A server that has never seen any of these notebooks."""
    with Lab(tmp_path) as running:
        yield running
