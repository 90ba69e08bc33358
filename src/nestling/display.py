"""Outputs in cells: which cell runs, what is published in it, and which views it made.

A saved notebook does not hold the widget's state. Reopened without its kernel it would show an
error line; so an anchor output hides the widget's output unless the widget is alive in it.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

ANCHOR = (
    '<div class="nestling-anchor"><style>'
    ".jp-OutputArea-child:has(.nestling-anchor){display:none}"
    ".jp-OutputArea-child:has(.nestling-anchor)+.jp-OutputArea-child:not(:has(.nestling))"
    "{display:none}</style></div>"
)


def shell() -> Any:
    """The IPython kernel's shell, None outside of one."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    found: Any = get_ipython()
    return found if getattr(found, "kernel", None) is not None else None


def execution() -> Any:
    """Id of the cell execution that goes on, None outside of a kernel or off its main thread."""
    found = shell()
    if found is None or threading.current_thread() is not threading.main_thread():
        return None
    try:
        return found.get_parent()["header"]["msg_id"]
    except Exception:  # noqa: BLE001  # between cells
        return None


@contextmanager
def answering_nothing() -> Iterator[None]:
    """Lets what this thread sends answer no request.

    Patches belong to no cell: with the header of whichever ran last, each would carry 230 bytes
    more, and ipykernel would hand what a page says to the shell that runs that cell. Where
    ipykernel keeps no such context nothing changes.
    """
    parent = getattr(getattr(shell(), "kernel", None), "_shell_parent", None)
    if not isinstance(parent, ContextVar):
        yield
        return
    token = parent.set({})
    try:
        yield
    finally:
        parent.reset(token)


def publish(data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> None:
    """One output in the running cell."""
    from IPython.display import display

    display(dict(data), raw=True, metadata=dict(metadata or {}))  # type: ignore[no-untyped-call]  # IPython's own signature


# --- one view per cell --------------------------------------------------------------------

_views: dict[str, tuple[Any, weakref.WeakSet[Any]]] = {}


def claim_cell(view: Any) -> None:
    """Closes the views that an earlier run of the same cell made, unless they are running."""
    found = shell()
    if found is None:
        return
    try:
        parent = found.get_parent()
        cell = parent["metadata"].get("cellId") or parent["metadata"].get("cell_id")
        execution = parent["header"]["msg_id"]
    except Exception:  # noqa: BLE001  # front ends tell of cells as they like
        return
    if not cell:
        return
    before = _views.get(cell)
    if before is None or before[0] != execution:
        for old in list(before[1]) if before is not None else ():
            if old.status != "running":
                old.close()
        _views[cell] = (execution, weakref.WeakSet())
    _views[cell][1].add(view)
