"""Takes the pictures of the README from a real JupyterLab: docs/*.png."""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.lab import Lab, Notebook, browser  # noqa: E402  # found from the checkout only


class Picture(NamedTuple):
    """A view, and how long after the start of its run it is taken; None for the end."""

    name: str
    setup: str
    run: str
    after: float | None


ASK = '{"messages": [("user", "Analyze this data and create visualizations")]}'
PICTURES = (
    Picture(
        "live",
        "view = nestling.watch(nestling.demo.parallel_team(workers=2))",
        'result = await view.ainvoke({"topic": "solar power"})',
        1.9,
    ),
    Picture(
        "finished",
        "view = nestling.watch(nestling.demo.research_team())",
        f"view.invoke({ASK});",
        None,
    ),
)


def take(notebook: Notebook, picture: Picture) -> None:
    notebook.run(0)
    notebook.page.wait_for_selector(".nestling")
    notebook.start(1)
    if picture.after is None:
        notebook.wait(1)
        time.sleep(2.5)  # finished boxes close
    else:
        time.sleep(picture.after)
    png = notebook.page.locator(".nestling").screenshot()
    colours = Image.open(io.BytesIO(png)).convert("RGB").quantize(192)
    path = ROOT / "docs" / f"{picture.name}.png"
    colours.save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    (ROOT / "docs").mkdir(exist_ok=True)
    with browser() as chromium, tempfile.TemporaryDirectory() as root, Lab(Path(root)) as lab:
        context = chromium.new_context(
            viewport={"width": 1064, "height": 1100}, device_scale_factor=2
        )
        for picture in PICTURES:
            cells = [f"import nestling\n{picture.setup}\nview", picture.run]
            notebook = Notebook(lab, context, lab.write(cells))
            notebook.page.evaluate(
                "window.jupyterapp.shell.leftCollapsed ||"
                " window.jupyterapp.commands.execute('application:toggle-left-area')"
            )
            take(notebook, picture)
            notebook.close()
