"""Figures that are not pictures yet: what plotly and altair make, and pictures of a large size."""

from __future__ import annotations

import base64
import io
from typing import Any

#: Side of a picture that is drawn smaller, in pixels.
_SIDE = 1000


def drawn(value: Any) -> dict[str, Any] | None:
    """The mimebundle of a figure of plotly or altair; None for all other objects.

    A page runs no script of theirs. A plotly figure is a widget where there is a kernel, an altair
    chart a picture where vl-convert is installed, and what else they say of themselves is kept.
    """
    module = type(value).__module__.partition(".")[0]
    if module == "plotly" and hasattr(value, "to_plotly_json"):
        return _plotly(value)
    if module == "altair" and hasattr(value, "to_dict"):
        return _altair(value)
    return None


def _plotly(figure: Any) -> dict[str, Any]:
    title = getattr(getattr(getattr(figure, "layout", None), "title", None), "text", None)
    count = len(getattr(figure, "data", ()))
    plain = f"plotly figure{f' {title!r}' if title else ''}, {count} trace{'s' * (count != 1)}"
    bundle = _bundle(figure) if hasattr(figure, "_model_id") else {}
    if not bundle:
        from IPython.core.getipython import get_ipython

        shell: Any = get_ipython()
        if shell is not None and hasattr(shell, "kernel"):
            try:
                from plotly.graph_objects import FigureWidget  # type: ignore[import-not-found]

                bundle = _bundle(FigureWidget(figure))
            except ImportError:  # it is older than anywidget
                bundle = {}
    widget = {name: part for name, part in bundle.items() if name.endswith("widget-view+json")}
    return {**widget, "text/plain": plain}


def _altair(chart: Any) -> dict[str, Any]:
    buffer = io.StringIO()
    try:
        chart.save(buffer, format="svg")
        return {"image/svg+xml": buffer.getvalue()}
    except (ImportError, ValueError):
        plain = "altair chart. To draw it here: pip install vl-convert-python"
        return {"application/json": chart.to_dict(), "text/plain": plain}


def _bundle(widget: Any) -> dict[str, Any]:
    made = widget._repr_mimebundle_()
    return dict((made[0] if isinstance(made, tuple) else made) or {})


def smaller(picture: Any) -> str | None:
    """A picture of PIL as PNG that is at most 1000 pixels wide and high, in base64."""
    if not all(hasattr(picture, name) for name in ("copy", "thumbnail", "save")):
        return None
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    small.save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()
