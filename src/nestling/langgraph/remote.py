"""What to ask a graph for that runs on a LangGraph server.

`RemoteGraph` yields what a local graph yields, but messages are plain dicts, no callback is
called here, and the server refuses the `tools` mode: results are read from ToolMessages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nestling.langgraph.normalize import Ns
from nestling.langgraph.source import (
    NOT_WIDENED,
    NOTHING,
    WITH_TOKENS,
    WITHOUT_TOKENS,
    Item,
    Source,
)

log = logging.getLogger("nestling")

#: The server's name of the mode that RemoteGraph calls `messages`.
_TUPLES = "messages-tuple"


class RemoteSource(Source):
    """One call of `stream` or `astream` of a RemoteGraph."""

    def __init__(
        self,
        graph: Any,
        config: Mapping[str, Any] | None,
        options: Mapping[str, Any],
        stream_tokens: bool,
    ) -> None:
        #: Without a callback of ours: it would hear nothing, they stay on this side.
        self.config = config
        asked = options.get("stream_mode") or "updates"
        self._graph = graph
        self._as_list = not isinstance(asked, str)
        modes = (asked,) if isinstance(asked, str) else tuple(asked)
        self._asked = tuple("messages" if mode == _TUPLES else mode for mode in modes)
        self._with_ns = bool(options.get("subgraphs"))
        self._v2 = options.get("version") == "v2"
        #: The caller gets the server's own parts, with ids that only these carry.
        raw = self._as_list and not self._v2 and bool(options.get("stream_resumable"))
        #: Otherwise a server says nothing of subgraphs.
        self.wide = self._with_ns or (not raw and NOT_WIDENED.isdisjoint(self._asked))
        ours = WITH_TOKENS if stream_tokens else WITHOUT_TOKENS
        self.options = {
            **options,
            "stream_mode": list(dict.fromkeys((*self._asked, *(m for m in ours if m != "tools")))),
            "subgraphs": self.wide,
        }
        #: Where the run goes on: its tasks tell the run, its messages the thread as well.
        self._run: dict[str, str] = {}
        for known in (config, self._graph.config):
            thread = ((known or {}).get("configurable") or {}).get("thread_id")
            if thread is not None:
                self._run.setdefault("thread_id", str(thread))

    def _read(self, item: Any) -> Item:
        if self._v2:
            mode, ns, data = item["type"], item["ns"], item["data"]
        elif self.wide:
            ns, mode, data = item
        else:
            mode, *rest = item.event.split("|")
            ns, data = tuple(rest), item.data
        if len(self._run) < 2:
            with suppress(Exception):  # a payload may be anything
                self._learn(mode, data)
        return mode, ns, data, self._theirs(mode, ns, data, item), True

    def _theirs(self, mode: str, ns: Ns, data: Any, item: Any) -> Any:
        if mode not in self._asked or (ns and not self._with_ns and mode != "messages"):
            return NOTHING
        if self._v2 or (self._as_list and not self.wide):
            return item
        if self._with_ns:
            return (ns, mode, data) if self._as_list else (ns, data)
        return _part(mode, data) if self._as_list else data

    def _learn(self, mode: str, data: Any) -> None:
        if mode not in ("tasks", "messages"):
            return
        metadata = data[1] if mode == "messages" else data.get("metadata") or {}
        for name in ("thread_id", "run_id"):
            if metadata.get(name):
                self._run.setdefault(name, str(metadata[name]))

    def stopped(self) -> None:
        """Asks the server to end the run: it goes on when its reader only leaves."""
        try:
            self._graph.sync_client.runs.cancel(**self._run)
        except Exception:
            log.warning(_GOES_ON, exc_info=True)

    async def astopped(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._graph.client.runs.cancel(**self._run)
        except Exception:
            log.warning(_GOES_ON, exc_info=True)


#: Seconds that a server may take to stop a run.
_PATIENCE = 5.0
_GOES_ON = "The server could not be asked to stop; the run may go on there."


def _part(mode: str, data: Any) -> Any:
    from langgraph_sdk.schema import StreamPart

    return StreamPart(mode, data)
