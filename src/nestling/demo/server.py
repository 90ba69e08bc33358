"""A LangGraph server on this machine, with a demo graph on it: for trying out `RemoteGraph`."""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

URL = "http://127.0.0.1:2024"
#: Seconds until a server has to answer, and until it has to be gone.
_START, _STOP = 60.0, 10.0
_MODULE = "from nestling.demo import {name}\n\nagent = {name}()\n"


class Server:
    """A server and the process that it runs in, if that was started here."""

    def __init__(self, url: str, process: subprocess.Popen[bytes] | None = None) -> None:
        self.url = url
        self._process = process
        self._directory: Path | None = None
        atexit.register(self.stop)

    def __repr__(self) -> str:
        """Without the port, which may be another one each time."""
        running = self._process is None or self._process.poll() is None
        return f"<nestling.demo.Server {'running' if running else 'stopped'}>"

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the process and all that it started. Nothing when it was not started here."""
        process, directory = self._process, self._directory
        if process is not None and process.poll() is None:
            _end(process, signal.SIGTERM)
            try:
                process.wait(_STOP)
            except subprocess.TimeoutExpired:
                _end(process, signal.SIGKILL)
                process.wait()
        if directory is not None:
            self._directory = None
            shutil.rmtree(directory, ignore_errors=True)
        atexit.unregister(self.stop)


def serve(graph: str = "nested_team", url: str = URL) -> Server:
    """A LangGraph server with a demo graph as its assistant "agent", at `server.url`.

    If a server with an assistant of that name answers at `url` already, that one is taken.
    Otherwise one is started there, or on a free port if something else has this one. It ends
    with `server.stop()`, at the latest when Python ends.

    Args:
        graph: The name of one of the demo graphs.
        url: Where to look first.

    Raises:
        ImportError: if there is no `langgraph-cli[inmem]`.
    """
    if _has_agent(url):
        return Server(url)
    directory = Path(tempfile.mkdtemp(prefix="nestling-"))
    (directory / "graphs.py").write_text(_MODULE.format(name=graph), encoding="utf-8")
    try:
        server = start(directory, {"agent": "./graphs.py:agent"}, int(url.rpartition(":")[2]))
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    server._directory = directory
    return server


def start(directory: Path, graphs: Mapping[str, str], port: int = 0) -> Server:
    """A development server for graphs of `directory`: `{"name": "./file.py:variable"}`."""
    for module in ("langgraph_cli", "langgraph_api"):
        if importlib.util.find_spec(module) is None:
            raise ImportError(
                "A LangGraph server needs the langgraph-cli package. Run: pip install "
                '"langgraph-cli[inmem]"',
                name=module,
            )
    config = {"dependencies": ["."], "graphs": dict(graphs)}
    (directory / "langgraph.json").write_text(json.dumps(config), encoding="utf-8")
    port = _free_port(port)
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--host", "127.0.0.1"]
    # some graphs read files while they are made; a run that nobody waits for blocks no other
    options = ["--no-browser", "--no-reload", "--allow-blocking", "--n-jobs-per-worker", "4"]
    log = directory / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # Python itself, with arguments made here
            [*command, "--port", str(port), *options],
            cwd=directory,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(f"http://127.0.0.1:{port}", process)
    ends = time.monotonic() + _START
    while not _answer(f"{server.url}/ok"):
        if process.poll() is not None or time.monotonic() > ends:
            server.stop()
            tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"The LangGraph server did not start:\n{tail}")
        time.sleep(0.1)
    return server


# --- inside -------------------------------------------------------------------------------


def _environment() -> dict[str, str]:
    """This process's environment, without what would send anything anywhere."""
    prefixes = ("LANGSMITH_", "LANGCHAIN_", "LANGGRAPH_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return {**kept, "LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1"}


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("There is no free port on 127.0.0.1.")


def _has_agent(url: str) -> bool:
    return bool(_answer(f"{url}/assistants/search", {"graph_id": "agent"}))


def _answer(url: str, body: Any = None) -> Any:
    """What a server answers, None if it does not. Never through a proxy."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"})  # noqa: S310  # http only
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=2) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def _end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Sends a signal to the process and to all that it started."""
    try:
        os.killpg(process.pid, how)
    except AttributeError:  # Windows has no process groups of this kind
        process.terminate()
    except ProcessLookupError:
        pass
