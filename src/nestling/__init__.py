"""Watch LangGraph agents work, inside the notebook."""

from __future__ import annotations

from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

from nestling.inside import emit_artifact, progress
from nestling.options import options
from nestling.renderers import renderer
from nestling.usage import Usage
from nestling.view import View, watch

if TYPE_CHECKING:
    from nestling import demo

__version__ = _version("nestling")
__all__ = [
    "Usage",
    "View",
    "demo",
    "emit_artifact",
    "options",
    "progress",
    "renderer",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name == "demo":  # needs langchain, which importing nestling must not
        import importlib

        return importlib.import_module("nestling.demo")
    raise AttributeError(f"module 'nestling' has no attribute {name!r}")


def load_ipython_extension(ipython: Any) -> None:
    """Of `%load_ext nestling`: brings `%nest` and `%%nest`."""
    from nestling.magics import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Of `%unload_ext nestling`."""
    from nestling.magics import unload

    unload(ipython)
