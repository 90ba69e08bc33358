from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.providers.replay import Replay, Script

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is traced, and no proxy stands between a client and the replaying server."""
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    monkeypatch.setenv("LANGCHAIN_TRACING_V2", "false")
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def replay() -> Iterator[Callable[..., Replay]]:
    """Starts servers that answer with scripts."""
    servers: list[Replay] = []

    def start(*scripts: Script) -> Replay:
        servers.append(Replay(*scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
    assert [error for server in servers for error in server.errors] == []
