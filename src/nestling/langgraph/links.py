"""The inline callback: what LangGraph's events do not tell.

Only callbacks know a graph's name, which tool call started a subgraph in every case, and which
of two runs of one graph a task belongs to. Of the run of a namespace's graph the parents are
walked up to the nearest tool; a node on the way means that no tool called it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langgraph.errors import GraphBubbleUp

from nestling.langgraph.normalize import Ns, is_task_path, namespace_of

Feed = Callable[[str, Ns, Any], None]
#: What the stream beside this callback tells of: every namespace, the root only, or there is none.
Streamed: TypeAlias = Literal["all", "root", "nothing"]


@dataclass(slots=True, eq=False)
class Graph:
    """One run of a graph."""

    #: Its namespace as LangGraph tells it, and the one that is its own.
    raw: Ns
    place: Ns
    #: Callbacks tell of it, not the stream.
    told: bool


class Run(NamedTuple):
    """One run of LangChain: a graph, a node, a tool or anything else that calls callbacks."""

    kind: Literal["node", "tool", "chain"]
    name: str
    parent: UUID | None
    tool_call_id: str | None = None
    agent: str | None = None
    #: What a graph that nobody streams was given.
    input: Any = None
    #: Of a node: the graph it is in, and its segment of the namespace.
    graph: Graph | None = None
    segment: str = ""
    #: It is a `@task`, which is a node that no graph has.
    is_task: bool = False


class Links(BaseCallbackHandler):
    """Finds out which graph runs where, and feeds one `link` for each at its first node."""

    run_inline = True
    raise_error = False
    ignore_retriever = True
    ignore_retry = True
    ignore_custom_event = True

    def __init__(self, feed: Feed, streamed: Streamed = "all") -> None:
        self.feed = feed
        #: A call without an id of its own is told of by the id of its run.
        self.tells_tools = True
        self.streamed = streamed
        self.runs: dict[UUID, Run] = {}
        #: Graphs that go on, by their run and by their place.
        self.graphs: dict[UUID, Graph] = {}
        self._at: dict[Ns, UUID] = {}
        #: Segments of nodes with a graph in them.
        self.holders: set[str] = set()
        self._lock = threading.RLock()

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
        name, agent = str(kwargs.get("name") or ""), metadata.get("lc_agent_name")
        segment = str(metadata.get("langgraph_checkpoint_ns") or "").rpartition("|")[2]
        with self._lock:  # the first nodes of a graph may begin at the same time
            graph = self._graph_of_node(parent_run_id, tags or (), metadata, segment)
        if graph is None:
            given = inputs if self.streamed == "nothing" else None
            self.runs[run_id] = Run("chain", name, parent_run_id, agent=agent, input=given)
        else:
            self.runs[run_id] = Run(
                "node",
                name,
                parent_run_id,
                agent=agent,
                graph=graph,
                segment=segment,
                is_task=_is_task(metadata),
            )

    def _graph_of_node(
        self,
        parent: UUID | None,
        tags: Sequence[str],
        metadata: Mapping[str, Any],
        segment: str,
    ) -> Graph | None:
        """The graph that a run is a node of; None for any other run."""
        if parent is None:
            return None
        if any(tag.startswith("graph:step:") for tag in tags):
            return self.graphs.get(parent) or self._begin(parent, namespace_of(metadata), metadata)
        around = self.around(parent)
        if around is not None and around.segment != segment and _is_task(metadata):
            return around.graph
        return None

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._end(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        graph = self.graphs.get(run_id)
        self._end(run_id)
        fails = isinstance(error, Exception) and not isinstance(error, GraphBubbleUp)
        if fails and graph is not None and graph.place:  # the outermost one raises to the caller
            self.feed("raised", graph.place, error)

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
        self.runs[run_id] = Run("tool", str(kwargs.get("name") or ""), parent_run_id, call_id)

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._end(run_id)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._end(run_id)

    # --- which graph runs where -------------------------------------------------------------

    def around(self, run_id: UUID | None) -> Run | None:
        """The node that a run is or stands in, the nearest one."""
        run = self.runs.get(run_id) if run_id is not None else None
        while run is not None and run.kind != "node":
            run = self.runs.get(run.parent) if run.parent is not None else None
        return run

    def _begin(self, run_id: UUID, raw: Ns, metadata: Mapping[str, Any]) -> Graph:
        """A graph is known by its first node."""
        run = self.runs.get(run_id)
        node = self.around(run_id)
        outer = node.graph if node is not None else None
        if node is None or outer is None:
            outer_place: Ns = ()
            place, segment = outer_place, f"{run.name if run else 'graph'}:{run_id}"
            told = self.opens(run_id, run, metadata)
        else:
            self.holders.add(node.segment)
            inner = raw[: len(outer.raw)] == outer.raw and len(raw) > len(outer.raw)
            place = outer.place + (raw[len(outer.raw) :] if inner else ())
            segment, outer_place = node.segment, outer.place
            # The stream knows nothing of a graph on a thread of its own, and mixes up those
            # whose namespace does not say which task runs them.
            unclear = not inner or any(not _is_unique(part) for part in raw)
            told = outer.told or self.streamed == "root" or (self.streamed == "all" and unclear)
            if unclear and run is not None and self._caller(run) is not None:
                place = (*outer_place, segment)  # one for each call
        number = 0
        while place in self._at:
            place = (*outer_place, segment, *((str(number),) if number else ()))
            number += 1
        graph = self.graphs[run_id] = Graph(raw, place, told)
        self._at[place] = run_id
        self.opened(run_id, graph, run)
        if run is not None and (told or self.streamed != "nothing"):
            link = {"graph": run.name, "agent": run.agent, "tool_call_id": self._caller(run)}
            self.feed("link", place, link)
        return graph

    def opens(self, run_id: UUID, run: Run | None, metadata: Mapping[str, Any]) -> bool:
        """An outermost graph begins. Whether callbacks tell of it: here its stream does."""
        return False

    def opened(self, run_id: UUID, graph: Graph, run: Run | None) -> None:
        """It is known where a graph stands."""

    def _end(self, run_id: UUID) -> None:
        self.runs.pop(run_id, None)
        graph = self.graphs.pop(run_id, None)
        if graph is not None:
            self._at.pop(graph.place, None)

    def _caller(self, graph: Run) -> str | None:
        run = self.runs.get(graph.parent) if graph.parent is not None else None
        while run is not None and run.kind == "chain":
            run = self.runs.get(run.parent) if run.parent is not None else None
        return run.tool_call_id if run is not None and run.kind == "tool" else None


def _is_unique(segment: str) -> bool:
    """A segment that names its task, or counts the graphs of one."""
    return ":" in segment or segment.isdigit()


def is_shared(ns: Ns) -> bool:
    """Whether runs of one graph may share this namespace: it remembers between them."""
    return any(not _is_unique(segment) for segment in ns)


def _is_task(metadata: Mapping[str, Any]) -> bool:
    """Whether a run is that of a `@task`."""
    return is_task_path(metadata.get("langgraph_path") or ())
