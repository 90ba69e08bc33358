"""What to ask a graph for, and which of the items that come are the caller's.

The caller's own stream is run, widened by nestling's modes and by subgraphs, in the version the
caller asked for. What was added is read and held back, so that the caller gets exactly what the
bare graph yields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, TypeAlias

from langchain_core.runnables.config import ensure_config

from nestling.langgraph.callbacks import Callbacks
from nestling.langgraph.links import Feed, is_shared
from nestling.langgraph.normalize import Ns

WITH_TOKENS: tuple[str, ...] = ("messages", "updates", "tasks", "tools", "custom", "values")
#: Asking for messages or tools makes models stream, which real models answer differently.
WITHOUT_TOKENS: tuple[str, ...] = ("updates", "tasks", "custom", "values")
_SHOWN = frozenset(WITH_TOKENS)
#: In these the parent's items change when subgraphs are streamed as well.
NOT_WIDENED = frozenset({"messages", "custom", "tools"})


#: Stands for the caller's item where it was not asked for.
NOTHING: Any = object()
#: One item of a widened stream: mode, namespace and data; the caller's item, or `NOTHING`; and
#: whether the view has to see it: no callback tells it, or nothing that was asked for already.
Item: TypeAlias = tuple[str, Ns, Any, Any, bool]


class Source:
    """One call of `stream` or `astream`. `feed` gets what callbacks tell."""

    def __init__(
        self,
        graph: Any,
        config: Mapping[str, Any] | None,
        options: Mapping[str, Any],
        stream_tokens: bool,
        feed: Feed,
    ) -> None:
        asked = options.get("stream_mode")
        if asked is None:
            asked = getattr(graph, "stream_mode", None) or "values"
        self._as_list = isinstance(asked, list)
        self._asked = (asked,) if isinstance(asked, str) else tuple(asked)
        self._with_ns = bool(options.get("subgraphs"))
        self._v2 = options.get("version") == "v2"
        prints = bool(options.get("print_mode") or options.get("debug") or _debug(graph))
        #: The stream tells of subgraphs; otherwise callbacks have to.
        self.wide = self._with_ns or (not prints and NOT_WIDENED.isdisjoint(self._asked))
        ours = WITH_TOKENS if stream_tokens else WITHOUT_TOKENS
        if asks_server(graph):
            ours = tuple(mode for mode in ours if mode != "tools")  # refused there
        #: Keyword arguments for the graph's own method.
        self.options: dict[str, Any] = {
            **options,
            "stream_mode": list(dict.fromkeys((*self._asked, *ours))),
            "subgraphs": self.wide,
        }
        self._callbacks = Callbacks(feed, "all" if self.wide else "root")
        self._callbacks.tells_tools = "tools" in ours
        #: The caller's config and our callback; the caller's own object stays as it is.
        self.config: Mapping[str, Any] | None = _with_callback(config, self._callbacks)
        #: Length of the namespace of a graph that runs inside another one: all begin with it.
        self._around: int | None = None

    def read(self, item: Any) -> Item:
        """Takes an item apart and finds the caller's part of it. Never raises."""
        try:
            return self._read(item)
        except Exception:  # noqa: BLE001  # of no shape that is known: shown plainly
            return "unread", (), item, item, True

    def _read(self, item: Any) -> Item:
        if self._v2:
            mode, ns, data = item["type"], item["ns"], item["data"]
        elif self.wide:
            ns, mode, data = item
        else:
            (mode, data), ns = item, ()
        if self._around is None:
            self._around = len(ns)  # the first item is the root's own
        whole, ns = ns, ns[self._around :]
        try:
            shown = mode in _SHOWN and not self._is_told(mode, ns, data)
        except Exception:  # noqa: BLE001  # a payload of no shape that is known: shown plainly
            shown = True
        if mode not in self._asked or (ns and not self._with_ns):
            return mode, ns, data, NOTHING, shown
        if self._v2:
            return mode, ns, data, item, shown
        if self._as_list:
            theirs = (whole, mode, data) if self._with_ns else (mode, data)
        else:
            theirs = (whole, data) if self._with_ns else data
        return mode, ns, data, theirs, shown

    def _is_told(self, mode: str, ns: Ns, data: Any) -> bool:
        """Whether callbacks tell of it, and tell it better."""
        if mode == "messages":
            tasks = self._callbacks.tasks
            return bool(tasks) and _task_of(data[1]) in tasks
        if mode == "tools":
            calls, paused = self._callbacks.calls, self._callbacks.paused
            if data["event"] == "tool-error" and data["tool_call_id"] in paused:
                return True  # older releases call it failed
            return bool(calls) and data["tool_call_id"] in calls
        return bool(ns) and mode != "custom" and is_shared(ns)

    def stopped(self) -> None:
        """The run was stopped and its stream closed: a local one has ended with it."""

    async def astopped(self) -> None:
        """As `stopped`, on the event loop."""


def source_of(
    graph: Any,
    config: Mapping[str, Any] | None,
    options: Mapping[str, Any],
    stream_tokens: bool,
    feed: Feed,
) -> Source:
    """What to ask `graph` for, wherever it runs."""
    if not is_remote(graph):
        return Source(graph, config, options, stream_tokens, feed)
    from nestling.langgraph.remote import RemoteSource

    return RemoteSource(graph, config, options, stream_tokens)


def _task_of(metadata: Mapping[str, Any] | None) -> str:
    place = str((metadata or {}).get("langgraph_checkpoint_ns") or "")
    return place.rpartition("|")[2].rpartition(":")[2]


def _with_callback(config: Mapping[str, Any] | None, handler: Callbacks) -> dict[str, Any]:
    merged = dict(config or {})
    callbacks = merged.get("callbacks")
    if callbacks is None:  # a graph inside another one hears that one's callbacks
        callbacks = ensure_config().get("callbacks")
    if callbacks is None or isinstance(callbacks, Sequence):
        merged["callbacks"] = [*(callbacks or ()), handler]
    else:
        manager = callbacks.copy()
        manager.add_handler(handler, inherit=True)
        merged["callbacks"] = manager
    return merged


def streamed(graph: Any, stream: Any, astream: Any) -> Any:
    """A copy of a graph whose `stream` and `astream` are watched.

    `invoke` of LangGraph calls `self.stream`: the own `invoke` of this gives the graph's own
    answer, whatever version, keys or modes were asked for.
    """
    twin = copy(graph)
    twin.stream, twin.astream = stream, astream
    return twin


def _debug(graph: Any) -> bool:
    return getattr(graph, "debug", False) is True


def is_graph(value: Any) -> bool:
    """Whether `value` is one of LangGraph's graphs: compiled, an entrypoint, or remote."""
    from langgraph.pregel.protocol import PregelProtocol

    return isinstance(value, PregelProtocol)


def is_remote(graph: Any) -> bool:
    """Whether `graph` is a RemoteGraph, whose import takes its time."""
    kinds = (f"{kind.__module__}.{kind.__name__}" for kind in type(graph).__mro__)
    return "langgraph.pregel.remote.RemoteGraph" in kinds


def asks_server(graph: Any) -> bool:
    """Whether a server is asked for the modes of this graph: for itself or for one of its nodes."""
    found = [graph]
    for one in found:  # grows meanwhile
        if is_remote(one):
            return True
        for node in (getattr(one, "nodes", None) or {}).values():
            found += [g for g in getattr(node, "subgraphs", ()) if not any(g is f for f in found)]
    return False


def has_own_name(graph: Any) -> bool:
    """Whether nothing in a run may name it otherwise; an assistant's id is no name."""
    named_after_id = is_remote(graph) and graph.name == graph.assistant_id
    return graph_name(graph) is not None and not named_after_id


def graph_name(graph: Any) -> str | None:
    """The name of a graph, None for LangGraph's default."""
    name = getattr(graph, "name", None)
    return name if isinstance(name, str) and name and name != "LangGraph" else None


def merged(base: Any, config: Any) -> Any:
    """The view's config under that of the call."""
    if not base:
        return config
    from langchain_core.runnables.config import merge_configs

    both: dict[str, Any] = dict(merge_configs(base, config))
    for asked in (base, config or {}):  # merging takes a limit of 25 for none at all
        if "recursion_limit" in asked:
            both["recursion_limit"] = asked["recursion_limit"]
    return both


def never_waits(graph: Any) -> bool:
    """Whether its checkpointer cannot be awaited: such as SqliteSaver only say so when asked."""
    saver = getattr(graph, "checkpointer", None)
    code = getattr(getattr(saver, "aget_tuple", None), "__code__", None)
    return code is not None and "NotImplementedError" in code.co_names


def must_wait(graph: Any) -> bool:
    """Whether some of its nodes or tools can only be awaited, so that `invoke` would refuse."""
    found = [graph]
    for one in found:  # grows meanwhile
        for node in (getattr(one, "nodes", None) or {}).values():
            bound = getattr(node, "bound", None)
            if _only_awaited(bound, "func", "afunc"):
                return True
            tools = getattr(bound, "tools_by_name", None) or {}
            if any(_only_awaited(tool, "func", "coroutine") for tool in tools.values()):
                return True
            found += [g for g in getattr(node, "subgraphs", ()) if not any(g is f for f in found)]
    return False


def _only_awaited(value: Any, sync: str, wait: str) -> bool:
    return getattr(value, sync, wait) is None and getattr(value, wait, None) is not None


def loop_of(graph: Any) -> Any:
    """The event loop that its checkpointer works in; None for one that works anywhere."""
    return getattr(getattr(graph, "checkpointer", None), "loop", None)
