"""The graph itself, for pages that draw it: its nodes and edges, without what is in them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from threading import Thread
from typing import TYPE_CHECKING, Any

from nestling.encode import text

if TYPE_CHECKING:
    from nestling.view import View

log = logging.getLogger("nestling")

#: Nodes that a strip has room for.
MOST_NODES = 60
MOST_EDGES = 300
#: Characters of the name of a node.
_MAX_NAME = 200
#: Seconds that a graph on a server may take to answer.
PATIENCE = 4.0


def structure(view: View, _asked: Mapping[str, Any]) -> dict[str, Any]:
    """`nodes`: a list of `{id, name}`, `edges`: of `{source, target, conditional}`; or why not.

    The id of a node inside a subgraph is `subgraph:node`. Subgraphs with too many nodes are drawn
    as one each. Where there is nothing to draw, only `reason` is in the answer, a text.
    """
    graph = view._graph
    if graph is None or not hasattr(graph, "get_graph"):
        return {"reason": "This view has no graph: it shows a recording, or what it is fed."}
    drawn = _asked_for(graph)
    if drawn is None:
        return {"reason": "This graph does not tell its structure."}
    nodes, edges = _read(drawn)
    if len(nodes) > MOST_NODES:
        nodes, edges = _folded(nodes, edges)
    if len(nodes) > MOST_NODES or len(edges) > MOST_EDGES:
        return {"reason": f"This graph has {len(nodes):,} nodes, too many to draw."}
    if not nodes:
        return {"reason": "This graph has no nodes."}
    return {
        "nodes": [{"id": key, "name": name} for key, name in nodes.items()],
        "edges": [{"source": a, "target": b, "conditional": c} for (a, b), c in edges.items()],
    }


def running(view: View, _asked: Mapping[str, Any]) -> dict[str, Any]:
    """`running`: ids of the nodes that run now, at most `MOST_EDGES`, as `structure` has them."""
    with view._conversation.lock:
        tasks = list(view._adapter.spaces.open.values())
    found = {":".join([*(part.split(":")[0] for part in t.space.ns), t.name]) for t in tasks}
    return {"running": [text(key)[:_MAX_NAME] for key in sorted(found)[:MOST_EDGES]]}


def _asked_for(graph: Any) -> Any:
    """What `get_graph` returns; None when it fails or takes too long."""
    found: list[Any] = []

    def ask() -> None:
        for options in ({"xray": True}, {}):
            try:
                found.append(graph.get_graph(**options))
                return
            except Exception:
                log.debug("get_graph(%s) failed.", options, exc_info=True)

    asking = Thread(target=ask, name="nestling-structure", daemon=True)
    asking.start()
    asking.join(PATIENCE)
    return found[0] if found else None


def _read(drawn: Any) -> tuple[dict[str, str], dict[tuple[str, str], bool]]:
    """Names of nodes by id, and whether an edge is conditional by its two ends."""
    nodes: dict[str, str] = {}
    for key, node in drawn.nodes.items():
        key = text(str(key))[:_MAX_NAME]
        nodes[key] = text(str(getattr(node, "name", None) or key))[:_MAX_NAME].rpartition(":")[2]
    edges: dict[tuple[str, str], bool] = {}
    for edge in drawn.edges:
        ends = text(str(edge.source))[:_MAX_NAME], text(str(edge.target))[:_MAX_NAME]
        if ends[0] in nodes and ends[1] in nodes:
            edges[ends] = edges.get(ends, True) and bool(edge.conditional)
    if len(edges) <= MOST_EDGES:
        for key in [key for key in nodes if key.endswith((":__start__", ":__end__"))]:
            _bridge(key, nodes, edges)
    return nodes, edges


def _bridge(key: str, nodes: dict[str, str], edges: dict[tuple[str, str], bool]) -> None:
    """Takes out the start or the end of a subgraph, which nothing runs in."""
    before = {source: edges.pop((source, key)) for source, target in list(edges) if target == key}
    after = {target: edges.pop((key, target)) for source, target in list(edges) if source == key}
    del nodes[key]
    for source, first in before.items():
        for target, second in after.items():
            ends = source, target
            edges[ends] = edges.get(ends, True) and (first or second)


def _folded(
    nodes: Iterable[str], edges: Mapping[tuple[str, str], bool]
) -> tuple[dict[str, str], dict[tuple[str, str], bool]]:
    """The same with every subgraph as one node."""
    outer = {key: key.partition(":")[0] for key in nodes}
    folded: dict[tuple[str, str], bool] = {}
    for (source, target), conditional in edges.items():
        ends = outer[source], outer[target]
        if ends[0] != ends[1]:
            folded[ends] = folded.get(ends, True) and conditional
    return {key: key for key in outer.values()}, folded
