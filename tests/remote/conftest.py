"""A real LangGraph server for the whole session, started in a directory of its own."""

from __future__ import annotations

import importlib.util
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import SERVED

from nestling.demo.server import start

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server answers."""
    for module in ("langgraph_cli", "langgraph_api"):
        if importlib.util.find_spec(module) is None:
            pytest.fail('needs a LangGraph server: pip install "langgraph-cli[inmem]"')
    directory = tmp_path_factory.mktemp("server")
    shutil.copy(TESTS / "served.py", directory)
    paths = [str(TESTS.parent / "src"), str(TESTS), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        server = start(directory, {name: f"./served.py:make_{name}" for name in SERVED})
    with server:
        yield server.url


@pytest.fixture
def remote(url: str) -> Any:
    """Makes the RemoteGraph of a name."""
    from langgraph.pregel.remote import RemoteGraph

    return lambda name: RemoteGraph(name, url=url)


@pytest.fixture
def thread() -> dict[str, Any]:
    """The config of a fresh thread."""
    return {"configurable": {"thread_id": str(uuid.uuid4())}}
