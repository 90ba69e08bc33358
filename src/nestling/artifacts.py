"""Artifacts: the real Python objects, and how a page can draw them.

An object goes through IPython's own formatters once, in the kernel. What is too large for the
wire says so instead of being cut in the middle.
"""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import current_thread, main_thread
from typing import Any

from nestling import figures, files
from nestling.conversation import Conversation
from nestling.encode import encode, short, text
from nestling.records import Record
from nestling.renderers import Function, is_bundle, renderer
from nestling.text import artifacts, outline

log = logging.getLogger("nestling")

#: Bytes of everything that one artifact puts on the wire.
MAX_BYTES = 700_000
#: Cells of a table that is put on the wire whole.
_MAX_CELLS = 20_000

_KEPT = (
    "application/vnd.jupyter.widget-view+json",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/gif",
    "text/markdown",
    "text/html",
    "application/json",
    "text/plain",
)


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact; `data` is the real object while its kernel lives, else None."""

    id: str
    title: str
    kind: str
    data: Any
    record: Record

    def __repr__(self) -> str:
        return f"<Artifact {self.title!r} {self.kind}>"


class Artifacts(Sequence[Artifact]):
    """The artifacts of a view, by position or title."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._objects: dict[str, Any] = {}

    def keep(self, record_id: str, value: Any) -> None:
        self._objects[record_id] = value
        for gone in [key for key in self._objects if key not in self._conversation.records]:
            del self._objects[gone]  # max_records

    def describe(self, value: Any, title: str) -> dict[str, Any]:
        return describe(value, title)

    def clear(self) -> None:
        self._objects.clear()

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Artifact]:
        return iter(self._all())

    def _all(self) -> list[Artifact]:
        with self._conversation.lock:
            tree = outline(self._conversation.namespaces, self._conversation.rows())
        return [
            Artifact(r["id"], r["title"], r["kind"], self._objects.get(r["id"]), r)
            for r in artifacts(tree)
        ]

    def __contains__(self, value: object) -> bool:
        if isinstance(value, str):
            return any(artifact.title == value for artifact in self._all())
        return value in self._all()

    def __getitem__(self, key: Any) -> Any:
        found = self._all()
        if not isinstance(key, str):
            return found[key]
        for artifact in found:
            if artifact.title == key:
                return artifact
        titles = ", ".join(repr(artifact.title) for artifact in found) or "none"
        raise KeyError(f"No artifact is called {key!r}. There are: {titles}")

    def __repr__(self) -> str:
        return repr(self._all())


def describe(value: Any, title: str) -> dict[str, Any]:
    """`kind` and `mime` of an object. Never raises."""
    try:
        return _describe(value, f"`view.artifacts[{short(title)!r}].data`")
    except Exception:
        log.warning("The artifact %r could not be drawn.", title, exc_info=True)
        return {"kind": type(value).__name__, "mime": {"text/plain": short(value, 400)}}


def drawn_by(function: Function, given: Any) -> dict[str, Any] | None:
    """The mimebundle that a renderer makes; None for the default row. Never raises."""
    try:
        return _bundle(function(given))
    except BaseException as error:  # whatever it is, it is not the run's
        if isinstance(error, KeyboardInterrupt) and current_thread() is main_thread():
            raise  # a person wants the node to stop that shows this
        renderer.failed(function)
        return None


def _bundle(made: Any) -> dict[str, Any] | None:
    from ipywidgets import Widget  # type: ignore[import-untyped]  # it ships no types

    if isinstance(made, Widget):
        made = made._repr_mimebundle_()
    if isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], Mapping):
        made = made[0]  # with its metadata
    if made is None:
        return None
    if isinstance(made, str):
        made = {"text/markdown": made}
    if isinstance(made, Mapping):
        if not is_bundle(made):
            names = ", ".join(map(repr, made))
            raise TypeError(f'a mimebundle has MIME types as keys ("text/html"), not {names}')
        mime = dict(made)
    else:
        mime = _describe(made, "")["mime"]
    return _fit(mime, where="") or None


def _describe(value: Any, where: str) -> dict[str, Any]:
    """`where` the whole object is, said of one that is too large."""
    function = renderer.of_object(value)
    if function is not None:
        mime = drawn_by(function, value)
        if mime is not None:
            return {"kind": type(value).__name__, "mime": mime}
    if isinstance(value, dict) and "kind" in value and isinstance(value.get("mime"), dict):
        return {
            "kind": str(value["kind"]),
            "mime": _fit(value["mime"], where),
        }  # told by a recording
    if isinstance(value, (list, tuple)) and value and all(_is_figure(item) for item in value):
        return {
            "kind": "figures",
            "mime": _fit({"image/png": [_png(item) for item in value]}, where),
        }
    if isinstance(value, str):
        return {"kind": "markdown", "mime": _fit({"text/markdown": text(value)}, where)}
    told = files.described(value)
    if told is not None:
        return {"kind": told[0], "mime": _fit(told[1], where)}
    if isinstance(value, (dict, list, tuple, int, float, bool)):
        return {"kind": "JSON", "mime": _fit({"application/json": encode(value)}, where)}
    mime = figures.drawn(value)
    if mime is not None:
        return {"kind": "figure", "mime": _fit(mime, where)}
    mime = _formatted(value)
    if not any(name.startswith("image/") for name in mime):
        if _is_figure(value):
            mime = {"image/png": _png(value), **mime}
        elif type(value).__name__ == "Series" and hasattr(value, "to_frame"):
            mime = {**_formatted(value.to_frame()), **mime}
    elif "image/png" in mime and len(mime["image/png"]) > MAX_BYTES:
        mime["image/png"] = figures.smaller(value) or mime["image/png"]
    if type(value).__name__ in ("DataFrame", "Series"):
        mime |= _csv(value)
    return {"kind": _kind(value, mime), "mime": _fit(mime, where)}


def _csv(frame: Any) -> dict[str, str]:
    """All of a table of moderate size, for whoever saves it: what is drawn is cut."""
    if getattr(frame, "size", _MAX_CELLS + 1) > _MAX_CELLS or not hasattr(frame, "to_csv"):
        return {}
    csv = frame.to_csv()
    return {"text/csv": csv} if isinstance(csv, str) and len(csv) < MAX_BYTES // 3 else {}


def _kind(value: Any, mime: dict[str, Any]) -> str:
    shape = getattr(value, "shape", None)
    if shape and isinstance(shape, tuple) and all(isinstance(side, int) for side in shape):
        return f"{type(value).__name__} " + " × ".join(str(side) for side in shape)
    if _is_figure(value):
        return "figure"
    if "application/vnd.jupyter.widget-view+json" in mime:
        return "widget"
    if any(name.startswith("image/") for name in mime):
        return "image"
    for name, kind in (("text/markdown", "markdown"), ("text/html", "HTML")):
        if name in mime:
            return kind
    return type(value).__name__


def _is_figure(value: Any) -> bool:
    return callable(getattr(value, "savefig", None))


def _png(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return base64.b64encode(buffer.getvalue()).decode()


def _formatted(value: Any) -> dict[str, Any]:
    try:
        from IPython.core.formatters import DisplayFormatter
        from IPython.core.getipython import get_ipython
    except ImportError:
        return {"text/plain": short(value, 4000)}
    shell: Any = get_ipython()
    formatter = shell.display_formatter if shell is not None else DisplayFormatter()
    if hasattr(value, "_ipython_display_"):  # it would show itself in the cell that runs
        data = _asked(formatter, value)
    else:
        data, _ = formatter.format(value)
    mime: dict[str, Any] = {}
    for name in _KEPT:
        if name in data:
            part = data[name]
            mime[name] = base64.b64encode(part).decode() if isinstance(part, bytes) else part
    return mime


def _asked(formatter: Any, value: Any) -> dict[str, Any]:
    """What each formatter makes of an object, and what it says of itself."""
    found = {name: form(value) for name, form in formatter.formatters.items() if name in _KEPT}
    own = formatter.mimebundle_formatter(value)
    found |= (own[0] if isinstance(own, tuple) else own) or {}
    parts = {name: part[0] if isinstance(part, tuple) else part for name, part in found.items()}
    return {name: part for name, part in parts.items() if part is not None}


def _fit(mime: dict[str, Any], where: str) -> dict[str, Any]:
    """As much of a mimebundle as the wire takes; the rest is named with its size."""
    kept: dict[str, Any] = {}
    room = MAX_BYTES
    for name, part in ((text(str(name)), part) for name, part in mime.items()):
        part = text(part) if isinstance(part, str) else part
        try:
            size = len(json.dumps(part, allow_nan=False))
        except (TypeError, ValueError):
            part = encode(part)
            size = len(json.dumps(part))
        if size <= room:
            kept[name] = part
            room -= size
        elif name not in ("text/plain", "text/csv"):
            mb = f"{size / 1_000_000:.{0 if size >= 9_950_000 else 1}f}"
            kept["text/plain"] = f"Too large to embed ({mb} MB). {where}".rstrip()
    return kept
