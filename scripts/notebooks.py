"""Execute notebooks in a real Jupyter kernel.

    python scripts/notebooks.py show notebooks/01_quick_start.ipynb
    python scripts/notebooks.py refresh notebooks/*.ipynb

`show` prints what the cells print and changes no file. `refresh` writes the outputs into the
notebooks, without anything that differs from run to run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

WIDGET = "application/vnd.jupyter.widget-view+json"
NEXT = """
The same run, live: make lab
More of them:       notebooks/02_parallel_agents.ipynb
Your own graph:     README.md"""


def execute(path: Path) -> nbformat.NotebookNode:
    """The notebook with new outputs."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        record_timing=False,
        # else the bundle is stored in every notebook
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
        # a kernel on the loopback interface warns of its lack of encryption, at every start
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute()
    return notebook


def strip(notebook: nbformat.NotebookNode) -> None:
    """Take out what differs from run to run or from machine to machine."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number}"
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            # The id of a widget model means nothing once its kernel is gone.
            output.get("data", {}).pop(WIDGET, None)
        if "outputs" in cell:
            cell.outputs = [o for o in cell.outputs if o.get("data") != {}]


def printed(notebook: nbformat.NotebookNode) -> str:
    """What the cells printed."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")


def main(command: str, *names: str) -> None:
    """Run one command on some notebooks."""
    for path in map(Path, names):
        notebook = execute(path)
        if command == "show":
            print(printed(notebook).rstrip())
            print(NEXT)
        else:
            strip(notebook)
            nbformat.write(notebook, path)
            print(path)


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in {"show", "refresh"}:
        sys.exit(__doc__)
    main(*sys.argv[1:])
