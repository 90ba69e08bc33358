"""The inline callback: what LangGraph's events do not tell.

Only callbacks know a graph's name and which tool call started a subgraph in every case. Of the
run of a namespace's graph the parents are walked up to the nearest tool; a node on the way
means that no tool called it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler

from nestling.langgraph.normalize import Ns, namespace_of

Feed = Callable[[str, Ns, Any], None]


class _Run(NamedTuple):
    kind: str
    name: str
    parent: UUID | None
    tool_call_id: str | None = None
    agent: str | None = None


class Links(BaseCallbackHandler):
    """Feeds one `link` for each namespace, at the start of its first node."""

    run_inline = True
    raise_error = False
    ignore_llm = True
    ignore_chat_model = True
    ignore_retriever = True
    ignore_retry = True
    ignore_custom_event = True

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self._runs: dict[UUID, _Run] = {}
        self._linked: set[Ns] = set()

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        metadata = metadata or {}
        is_node = any(tag.startswith("graph:step:") for tag in tags or ())
        kind = "node" if is_node else "chain"
        name = str(kwargs.get("name") or "")
        agent = metadata.get("lc_agent_name")
        self._runs[run_id] = _Run(kind, name, parent_run_id, agent=agent)
        if is_node:
            self._link(namespace_of(metadata), parent_run_id)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._runs.pop(run_id, None)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._runs.pop(run_id, None)

    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        call_id = kwargs.get("tool_call_id")
        self._runs[run_id] = _Run("tool", str(kwargs.get("name") or ""), parent_run_id, call_id)

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._runs.pop(run_id, None)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._runs.pop(run_id, None)

    def _link(self, ns: Ns, graph_run: UUID | None) -> None:
        if ns in self._linked or graph_run is None:
            return
        self._linked.add(ns)
        graph = self._runs.get(graph_run)
        if graph is None:
            return
        self.feed(
            "link",
            ns,
            {"graph": graph.name, "agent": graph.agent, "tool_call_id": self._caller(graph)},
        )

    def _caller(self, graph: _Run) -> str | None:
        run = self._runs.get(graph.parent) if graph.parent is not None else None
        while run is not None and run.kind == "chain":
            run = self._runs.get(run.parent) if run.parent is not None else None
        return run.tool_call_id if run is not None and run.kind == "tool" else None
