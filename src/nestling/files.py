"""Artifacts that are files, bytes or code."""

from __future__ import annotations

import base64
import json
import mimetypes
from pathlib import Path
from typing import Any

#: Bytes of a file that are put on the wire.
MOST = 500_000

_FILE = "application/octet-stream"
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)
_CODE = {
    ".py": "text/x-python",
    ".sql": "text/x-sql",
    ".js": "text/javascript",
    ".ts": "text/x-typescript",
    ".sh": "text/x-sh",
    ".r": "text/x-r",
}


def described(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Kind and mimebundle of a path to a file, of bytes, of `IPython.display.Code`; else None."""
    if isinstance(value, Path) and value.is_file():
        return _file(value)
    if isinstance(value, (bytes, bytearray)):
        return _bytes(bytes(value))
    if type(value).__module__.startswith("IPython.") and type(value).__name__ == "Code":
        language = str(getattr(value, "language", None) or "python")
        return "code", {f"text/x-{language}": str(value.data)}
    return None


def _file(path: Path) -> tuple[str, dict[str, Any]]:
    size = path.stat().st_size
    plain = {"text/plain": f"{path.name}, {_size(size)}"}
    if size > MOST:
        return "file", plain
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or ""
    suffix = path.suffix.lower()
    if _image(content) is not None:
        return _bytes(content)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return "file", {_FILE: _base64(content), **plain}
    if suffix in _CODE:
        return "code", {_CODE[suffix]: text}
    if suffix == ".md":
        return "markdown", {"text/markdown": text}
    if suffix == ".svg":
        return "image", {"image/svg+xml": text}
    if suffix == ".json":
        try:
            return "JSON", {"application/json": json.loads(text)}
        except ValueError:
            return "file", {"text/plain": text}
    if suffix in (".html", ".htm"):
        return "HTML", {"text/html": text}
    return "file", {kind if kind.startswith("text/") else "text/plain": text}


def _bytes(content: bytes) -> tuple[str, dict[str, Any]]:
    image = _image(content)
    if image is not None:
        return "image", {image: _base64(content)}
    plain = {"text/plain": _size(len(content))}
    if len(content) > MOST:
        return "file", plain
    return "file", {_FILE: _base64(content), **plain}


def _image(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if content.startswith(start)), None)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 999_500 else f"{count / 1e6:.1f} MB"
