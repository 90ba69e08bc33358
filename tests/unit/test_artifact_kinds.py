"""What artifacts are called, and what a page can draw of them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.display import HTML, SVG, Code, Markdown
from ipywidgets import IntSlider
from PIL import Image

from nestling.artifacts import MAX_BYTES, describe

FRAME = pd.DataFrame({"region": ["North", "East"], "slope": [0.081, 0.054]})


def figure() -> Any:
    made, axes = plt.subplots()
    axes.plot([1, 2, 3])
    plt.close(made)
    return made


class Chart:
    """As altair charts are, without altair."""

    def __init__(self, saves: bool) -> None:
        self.saves = saves

    def to_dict(self) -> dict[str, Any]:
        return {"mark": "bar"}

    def save(self, buffer: Any, format: str) -> None:
        if not self.saves:
            raise ImportError("vl-convert")
        buffer.write(f"<svg>{format}</svg>")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"application/vnd.vegalite.v5+json": self.to_dict(), "text/plain": "<alt.Chart>"}


Chart.__module__ = "altair.vegalite.v5.api"


class Plotly:
    """As figures of plotly are, without plotly."""

    data = ({"type": "bar"},)

    def to_plotly_json(self) -> dict[str, Any]:
        return {"data": list(self.data)}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"application/vnd.plotly.v1+json": self.to_plotly_json(), "text/html": "<script>"}


Plotly.__module__ = "plotly.graph_objs._figure"


class FigureWidget(Plotly):
    _model_id = "m1"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"application/vnd.jupyter.widget-view+json": {"model_id": "m1"}}


FigureWidget.__module__ = "plotly.graph_objs._figurewidget"


def picture(side: int = 8, noise: bool = False) -> Image.Image:
    if not noise:
        return Image.new("RGB", (side, side), "red")
    pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def png() -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("value", "kind", "drawn"),
    [
        (figure(), "figure", "image/png"),
        ([figure(), figure()], "figures", "image/png"),
        (Chart(saves=True), "figure", "image/svg+xml"),
        (Chart(saves=False), "figure", "application/json"),
        (Plotly(), "figure", "text/plain"),
        (FigureWidget(), "figure", "application/vnd.jupyter.widget-view+json"),
        (picture(), "image", "image/png"),
        (png(), "image", "image/png"),
        (SVG("<svg xmlns='http://www.w3.org/2000/svg'/>"), "image", "image/svg+xml"),
        (FRAME, "DataFrame 2 × 2", "text/html"),
        (FRAME["slope"], "Series 2", "text/html"),
        (np.zeros((3, 4)), "ndarray 3 × 4", "text/plain"),
        ("# Report", "markdown", "text/markdown"),
        (Markdown("# Report"), "markdown", "text/markdown"),
        (HTML("<b>x</b>"), "HTML", "text/html"),
        ({"a": [1, None]}, "JSON", "application/json"),
        (Code("a = 1", language="python"), "code", "text/x-python"),
        (b"\x00\x01", "file", "application/octet-stream"),
        (IntSlider(), "widget", "application/vnd.jupyter.widget-view+json"),
    ],
)
def test_kinds(value: Any, kind: str, drawn: str):
    told = describe(value, "title")
    assert told["kind"] == kind
    assert drawn in told["mime"]
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize(
    ("name", "content", "kind", "drawn"),
    [
        ("q.py", b"a = 1", "code", "text/x-python"),
        ("q.sql", b"select 1", "code", "text/x-sql"),
        ("a.md", b"# Hi", "markdown", "text/markdown"),
        ("a.json", b'{"a": 1}', "JSON", "application/json"),
        ("broken.json", b'{"a": ', "file", "text/plain"),
        ("a.csv", b"a,b\n1,2", "file", "text/csv"),
        ("a.html", b"<b>x</b>", "HTML", "text/html"),
        ("a.png", png(), "image", "image/png"),
        ("a.parquet", b"PAR1\xff\x00", "file", "application/octet-stream"),
    ],
)
def test_files(tmp_path: Path, name: str, content: bytes, kind: str, drawn: str):
    (tmp_path / name).write_bytes(content)
    told = describe(tmp_path / name, name)
    assert (told["kind"], next(iter(told["mime"]))) == (kind, drawn)


def test_a_file_says_its_name_and_size(tmp_path: Path):
    (tmp_path / "q3.parquet").write_bytes(b"\xff" * 12_000)
    assert describe(tmp_path / "q3.parquet", "x")["mime"]["text/plain"] == "q3.parquet, 12 kB"
    (tmp_path / "large.bin").write_bytes(b"\xff" * 1_200_000)
    assert describe(tmp_path / "large.bin", "x")["mime"] == {"text/plain": "large.bin, 1.2 MB"}


def test_a_path_to_nothing_is_text(tmp_path: Path):
    assert set(describe(tmp_path / "none", "x")["mime"]) == {"text/plain"}


def test_a_table_brings_all_its_rows_to_save():
    long = pd.DataFrame({"n": range(500)})
    csv = describe(long, "x")["mime"]["text/csv"]
    assert csv.splitlines()[-1] == "499,499"
    huge = pd.DataFrame({"n": range(50_000)})
    assert "text/csv" not in describe(huge, "x")["mime"]


def test_a_large_picture_is_drawn_smaller():
    told = describe(picture(2600, noise=False).resize((2600, 1300)), "x")
    assert "image/png" in told["mime"]
    large = picture(700, noise=True)
    part = describe(large, "x")["mime"].get("image/png")
    assert part is None or len(base64.b64decode(part)) < MAX_BYTES


def test_what_is_too_large_says_its_size_and_where_it_is():
    told = describe("x" * 12_000_000, "Long text")
    assert told["mime"] == {
        "text/plain": "Too large to embed (12 MB). `view.artifacts['Long text'].data`"
    }


def test_plotly_says_what_it_is():
    assert describe(Plotly(), "x")["mime"] == {"text/plain": "plotly figure, 1 trace"}
