"""Which views watch the node or tool that runs here, and where in their run it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers.context import register_configure_hook

from nestling.langgraph.links import Feed, Links
from nestling.langgraph.normalize import Ns

#: What `emit_artifact` and `progress` tell, which is no event of LangGraph.
KINDS = frozenset({"emitted", "progressed"})


class Watcher(NamedTuple):
    """One view, and the place in its run that this code is at."""

    handler: Links
    ns: Ns
    #: Of the node, in the namespace `ns`.
    segment: str
    #: The tool call that runs, if one does.
    call: str | None

    @property
    def name(self) -> str:
        return self.segment.partition(":")[0] or "artifact"

    def tell(self, kind: str, told: Mapping[str, Any]) -> None:
        self.handler.feed(kind, self.ns, {**told, "segment": self.segment, "call": self.call})


class Onlooker(Links):
    """Tells a view that wraps a stream where nodes and tools are, and what they say to it."""

    ignore_llm = True
    ignore_chat_model = True

    def __init__(self, feed: Feed) -> None:
        super().__init__(self._only_ours)
        self._feed = feed

    def _only_ours(self, kind: str, ns: Ns, data: Any) -> None:
        if kind in KINDS:  # else the stream tells of it
            self._feed(kind, ns, data)


#: Graphs that are run in this context have it among their callbacks.
_onlooker: ContextVar[Onlooker | None] = ContextVar("nestling_onlooker", default=None)
register_configure_hook(_onlooker, inheritable=True)


@contextmanager
def onlooking(handler: Onlooker) -> Iterator[None]:
    """What runs in here is looked at by `handler`."""
    token = _onlooker.set(handler)
    try:
        yield
    finally:
        _onlooker.reset(token)


def watchers() -> list[Watcher]:
    """Those who watch the node or tool that runs here; none outside of both."""
    config: Mapping[str, Any] = var_child_runnable_config.get() or {}
    callbacks = config.get("callbacks")
    handlers: list[Any] = []
    run_id = None
    if isinstance(callbacks, BaseCallbackManager):
        handlers, run_id = list(callbacks.handlers), callbacks.parent_run_id
    elif callbacks is not None:
        handlers = list(callbacks)
    onlooker = _onlooker.get()
    if onlooker is not None and onlooker not in handlers:  # its stream had begun before
        handlers.append(onlooker)
    found = (_at(handler, run_id, config) for handler in handlers if isinstance(handler, Links))
    return [watcher for watcher in found if watcher is not None]


def _at(handler: Links, run_id: Any, config: Mapping[str, Any]) -> Watcher | None:
    call = None
    run = handler.runs.get(run_id) if run_id is not None else None
    while run is not None and run.kind != "node":
        if run.kind == "tool" and call is None:
            call = run.tool_call_id or (str(run_id) if handler.tells_tools else None)
        run_id = run.parent
        run = handler.runs.get(run_id) if run_id is not None else None
    if run is not None and run.graph is not None:
        return Watcher(handler, run.graph.place, run.segment, call)
    # it never heard of the node, or the node has ended: LangGraph says where it was
    place = (config.get("configurable") or {}).get("checkpoint_ns")
    if not isinstance(place, str) or not place:
        return None
    *ns, segment = place.split("|")
    return Watcher(handler, tuple(ns), segment, call)
