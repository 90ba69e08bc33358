"""A real JupyterLab with real kernels and a real Chromium, for the browser tests and the bench."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

#: Seconds until something that has to happen counts as not happening, on a busy machine too.
PATIENCE = 60

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: ipykernel 6, which `make test-browser` puts beside everything else that kernels import.
CLASSIC = Path(sys.prefix) / "classic"

SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


def chromium() -> str | None:
    """The system's Chromium; None for the one that Playwright brings."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield launched
        launched.close()


class Lab:
    """A server on loopback with settings, kernels and a port of its own.

    `home` keeps what trusts notebooks: servers that share one trust each other's. Kernels find
    modules in the folder `path` too.
    """

    def __init__(self, root: Path, home: Path | None = None, path: Path | None = None) -> None:
        self.root, self.path = root, path
        self._own_home = home is None
        self.home = home or Path(tempfile.mkdtemp(prefix="lab-"))
        self.private = Path(tempfile.mkdtemp(prefix="lab-"))

    def __enter__(self) -> Lab:
        for name, values in SETTINGS.items():
            path = self.private / "settings" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        self._add_classic_kernel()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(self.private / "config"),
            "JUPYTER_RUNTIME_DIR": str(self.private / "runtime"),
            "JUPYTER_DATA_DIR": str(self.home),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "IPYTHONDIR": str(self.private / "ipython"),
        }
        if self.path is not None:
            paths = [str(self.path), os.environ.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        options = {
            "ServerApp.port": self.port,
            "ServerApp.port_retries": 0,
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.root_dir": self.root,
            "ServerApp.disable_check_xsrf": True,
            "IdentityProvider.token": "",
            "LabApp.expose_app_in_browser": True,
            "JupyterNotebookApp.expose_app_in_browser": True,
            "LabApp.extension_manager": "readonly",
            "LabApp.user_settings_dir": self.private / "settings",
            "LabApp.workspaces_dir": self.private / "workspaces",
        }
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        with (self.private / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter
                [*command, *(f"--{name}={value}" for name, value in options.items())],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self.root,
            )
        self._wait()
        return self

    def _add_classic_kernel(self) -> None:
        """A kernel without subshells, by the name of `classic`."""
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "classic",
            "language": "python",
            "env": {"PYTHONPATH": os.pathsep.join(map(str, filter(None, (CLASSIC, self.path))))},
        }
        path = self.home / "kernels" / "classic" / "kernel.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(spec))

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/api/status", timeout=2).close()  # noqa: S310  # ours
                return
            except (urllib.error.URLError, OSError):
                if self._process.poll() is not None or time.monotonic() > end:
                    self.__exit__()
                    raise RuntimeError("JupyterLab did not start:\n" + self.log()) from None
            time.sleep(0.2)

    def log(self) -> str:
        return (self.private / "log").read_text(errors="replace")[-4000:]

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
        shutil.rmtree(self.private, ignore_errors=True)
        if self._own_home:
            shutil.rmtree(self.home, ignore_errors=True)

    def write(self, cells: list[str], kernel: str = "python3") -> str:
        """A new notebook file; returns its name."""
        name = f"{uuid.uuid4().hex[:8]}.ipynb"
        spec = {"name": kernel, "display_name": kernel, "language": "python"}
        blank = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        content = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": spec},
            "cells": [{**blank, "id": f"c{i}", "source": cell} for i, cell in enumerate(cells)],
        }
        (self.root / name).write_text(json.dumps(content))
        return name


_NOTEBOOK = "window.jupyterapp.shell.currentWidget"
_CELLS = f"{_NOTEBOOK}.content.model.cells"

_READY = """name => {
  const notebook = window.jupyterapp?.shell?.currentWidget;
  if (notebook?.context?.path !== name || !notebook.context.isReady) return false;
  const kernel = notebook.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""

_START = """index => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = index;
  notebook.deselectAll();
  const cells = (window.cells ??= {});
  cells[index] = 'running';
  window.jupyterapp.commands.execute('notebook:run-cell').finally(() => cells[index] = 'done');
}"""

# A network that fails may take an answer with it: then it is asked again.
_EVALUATE = """async ([code, patience]) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const asked = {code: '', silent: true, store_history: false, user_expressions: {value: code}};
  const late = new Promise((_, fail) => setTimeout(() => fail(Error('no answer')), patience));
  const changed = () => new Promise(done => {
    const tell = () => { kernel.connectionStatusChanged.disconnect(tell); done(null); };
    kernel.connectionStatusChanged.connect(tell);
  });
  for (;;) {
    while (kernel.connectionStatus !== 'connected') await Promise.race([changed(), late]);
    const answer = await Promise.race([kernel.requestExecute(asked).done, changed(), late]);
    if (answer) return answer.content.user_expressions.value;
  }
}"""


class Notebook:
    """One notebook in one page.

    `url` is where that page finds the server, if not at its own; `app` the front end:
    JupyterLab (`lab/tree`) or Jupyter Notebook (`notebooks`).
    """

    def __init__(
        self,
        lab: Lab,
        context: BrowserContext,
        name: str,
        noise: str | None = None,
        url: str | None = None,
        app: str = "lab/tree",
    ) -> None:
        self.lab, self.name, self.noise, self.app = lab, name, noise, app
        self.url = url or lab.url
        self.errors: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._error(f"uncaught: {error}"))
        self.open()

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self._error(f"{message.text} ({message.location.get('url', '')})")

    def _error(self, text: str) -> None:
        if self.noise is None or not re.search(self.noise, text):
            self.errors.append(text)

    def open(self) -> None:
        self.page.goto(f"{self.url}/{self.app}/{self.name}?reset")
        self.page.wait_for_function(_READY, arg=self.name)

    def reload(self, busy: bool = False) -> None:
        """Loads the page again; `busy`: a cell is running, the kernel will not be idle."""
        self.page.reload()
        ready = _READY.replace("kernel.status === 'idle'", "true") if busy else _READY
        self.page.wait_for_function(ready, arg=self.name)

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.page.evaluate(f"{_NOTEBOOK}.sessionContext.shutdown()")
        self.page.close()

    # --- cells ------------------------------------------------------------------------------

    def start(self, index: int) -> None:
        """Runs a cell and does not wait for its end."""
        self.page.evaluate(_START, index)

    def wait(self, index: int) -> None:
        self.page.wait_for_function("i => window.cells[i] === 'done'", arg=index)

    def run(self, index: int) -> None:
        """Runs a cell to its end, which must not be an error."""
        self.start(index)
        self.wait(index)
        errors = [o for o in self.outputs(index) if o["output_type"] == "error"]
        assert not errors, errors[0]["ename"] + ": " + errors[0]["evalue"]

    def set_source(self, index: int, source: str) -> None:
        self.page.evaluate(
            f"([i, source]) => {_CELLS}.get(i).sharedModel.setSource(source)",
            [index, source],
        )

    def outputs(self, index: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate(
            f"i => {_CELLS}.get(i).outputs.toJSON()", index
        )
        return found

    def printed(self, index: int) -> str:
        streams = [o for o in self.outputs(index) if o["output_type"] == "stream"]
        return "".join("".join(o["text"]) for o in streams)

    def cell(self, index: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def save(self) -> dict[str, Any]:
        """Saves the notebook; returns what is in its file."""
        self.page.evaluate(f"{_NOTEBOOK}.context.save()")
        saved: dict[str, Any] = json.loads((self.lab.root / self.name).read_text())
        return saved

    def python(self, expression: str) -> Any:
        """What an expression is in the kernel, as JSON carries it; waits until it is idle."""
        code = f"__import__('json').dumps({expression})"
        answer = self.page.evaluate(_EVALUATE, [code, PATIENCE * 1000])
        assert answer["status"] == "ok", answer
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))
