"""What ships: run by `make test-wheel` against the installed wheel, away from the checkout."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import nestling

HERE = Path(__file__).parent
LIMIT = 100_000  # bytes of the bundle: it travels with every widget


@pytest.fixture(scope="session")
def wheel() -> zipfile.ZipFile:
    return zipfile.ZipFile(os.environ["WHEEL"])


def python(*args: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own interpreter and files
        [sys.executable, *args], capture_output=True, text=True, check=False, cwd=HERE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_the_installed_package_that_is_tested():
    assert nestling.__file__ is not None
    assert "site-packages" in Path(nestling.__file__).parts
    assert not any((Path(entry) / "pyproject.toml").exists() for entry in sys.path)


def test_wheel_holds_the_package_and_nothing_else(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {"nestling", f"nestling-{importlib.metadata.version('nestling')}.dist-info"}
    suffixes = {Path(name).suffix for name in wheel.namelist() if name.startswith("nestling/")}
    assert suffixes == {".py", ".typed", ".js", ".css"}


@pytest.mark.parametrize(
    "name",
    [*(f"static/{n}" for n in ("loader.js", "widget.js", "explore.js", "widget.css")), "py.typed"],
)
def test_wheel_holds(wheel, name):
    assert f"nestling/{name}" in wheel.namelist()


def test_bundle_is_built_and_small(wheel):
    script = wheel.read("nestling/static/widget.js")
    assert b"export" in script
    assert len(script) <= LIMIT


def test_wheel_holds_the_license(wheel):
    text = [wheel.read(name).decode() for name in wheel.namelist() if name.endswith("/LICENSE")]
    assert len(text) == 1
    assert text[0].startswith("BSD 3-Clause License")
    assert importlib.metadata.metadata("nestling")["License-Expression"] == "BSD-3-Clause"


def test_widget_finds_its_files():
    view = nestling.View()
    assert view._esm
    assert view._css
    carried = len(view._esm) + len(view._page) + len(view._explore)
    assert 0 < carried <= LIMIT


def test_import_brings_neither_langgraph_nor_langchain():
    code = "import sys, nestling; print([m for m in sys.modules if m.startswith('lang')])"
    assert python("-c", code) == "[]\n"


def test_user_code_runs():
    lines = python("user_code.py").splitlines()
    assert lines[0] == "research_team [completed]"
    assert lines[-1] == "2 artifacts: Analysis Report, Visualization Suite"


def test_user_code_type_checks():
    assert "Success" in python("-m", "mypy", "--strict", "--config-file=", "user_code.py")
