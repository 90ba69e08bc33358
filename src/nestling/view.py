"""The widget: its traits hold what must survive, messages carry what just happened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import traitlets
from traitlets.utils.bunch import Bunch

from nestling import display
from nestling.artifacts import Artifacts
from nestling.cells import Cells
from nestling.commands import heed
from nestling.conversation import Conversation
from nestling.find import Finder
from nestling.outbox import Outbox
from nestling.records import Namespace
from nestling.renderings import Renderings
from nestling.reveal import Reveals
from nestling.runs import Runs
from nestling.text import label_of, tree
from nestling.transcript import Transcript
from nestling.usage import Usage

if TYPE_CHECKING:
    from nestling.langgraph.adapter import Adapter


class View(Cells, Runs, Reveals):
    """A LangGraph run as nested boxes, live and after. Made by `nestling.watch`."""

    def __init__(
        self,
        graph: Any = None,
        *,
        label: str | None = None,
        config: Any = None,
        stream_tokens: bool = True,
        **traits: Any,
    ) -> None:
        known = self.settable()
        for trait in traits:
            if trait not in (*known, "layout"):
                raise TypeError(
                    f"unexpected keyword argument {trait!r}. Known are: {', '.join(sorted(known))}"
                )
        self._graph = graph
        self.config = dict(config or {})
        self.stream_tokens = stream_tokens
        self._conversation = Conversation(time.time, label or "graph")
        self._artifacts = Artifacts(self._conversation)
        self._finder = Finder(self._conversation)
        self._renderings = Renderings(self._conversation)
        self._adapter = self._new_adapter(named=label is not None)
        self._outbox = Outbox(
            self._conversation, self._post, self._on_frame, display.answering_nothing
        )
        #: What Python observers were told: numbers of edits by list, and the status.
        self._told: dict[str, int] = {}
        self._told_status = self._conversation.status
        super().__init__(**traits)
        self._own_layout: Any = None if "layout" in traits else self.layout
        self.on_msg(self._on_command)
        display.claim_cell(self)

    @traitlets.observe("max_records")
    def _limit(self, _change: Any = None) -> None:
        """What is over the limit goes at once, for all pages in one piece."""
        conversation = self._conversation
        with conversation.lock:
            conversation.max_records = self.max_records
            before = conversation.left_out
            conversation.limit()
            if conversation.left_out > before:
                self._outbox.reset()
                self._outbox.send(self._outbox.snapshot())

    def _new_adapter(self, named: bool) -> Adapter:
        from nestling.langgraph.adapter import Adapter

        return Adapter(self._conversation, named=named, artifacts=self._artifacts)

    # --- reading ----------------------------------------------------------------------------

    @property
    def namespaces(self) -> dict[str, Namespace]:
        """Namespace records by key; the root stands under `""`. Read-only."""
        return self._conversation.namespaces

    @property
    def value(self) -> Any:
        """The last output of the graph."""
        return self._adapter.value

    @property
    def error(self) -> BaseException | None:
        """The exception that ended the last run, the original object."""
        return self._error

    @property
    def transcript(self) -> Transcript:
        """Every record, history before live."""
        return Transcript(self._finder)

    @property
    def artifacts(self) -> Artifacts:
        """What the run made, by position or title."""
        return self._artifacts

    @property
    def usage(self) -> Usage:
        """What was used so far, in all and by namespace: tokens, calls, seconds, cost.

        See `Usage`; costs need `nestling.options.prices`.
        """
        return self._conversation.usage()

    def on_event(self, callback: Any, remove: bool = False) -> None:
        """Calls `callback({op, id, record})` for every change, on the thread that feeds.

        An exception in it is logged and never stops the run.
        """
        callbacks = self._conversation.callbacks
        if not remove:
            callbacks.append(callback)
        elif callback in callbacks:
            callbacks.remove(callback)

    def clear(self) -> None:
        """Empties conversation and boxes. `RuntimeError` while running."""
        conversation = self._conversation
        with conversation.lock:
            if conversation.running:
                raise RuntimeError("This view is running. Use view.stop() before view.clear().")
            before = self._adapter
            conversation.clear()
            self._artifacts.clear()
            self._renderings.clear()
            self._adapter = self._new_adapter(before.spaces.named)
            self._adapter.artifact_keys = before.artifact_keys
            self._outbox.reset()
            self._error = None
            self._post(self._outbox.snapshot())
        conversation.tell()
        self._sync_status()

    def close(self) -> None:
        """Ends the widget: its page goes, its thread too. Records stay readable."""
        if "_outbox" in vars(self):  # not yet, when __init__ has refused its arguments
            self._outbox.close()
        super().close()
        if "_own_layout" in vars(self) and self._own_layout is not None:
            self._own_layout.close()  # a widget as well, which ipywidgets leaves open

    # --- text -------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<nestling.View {label_of(self._conversation.namespaces[''])} {self.status}>"

    def __str__(self) -> str:
        conversation = self._conversation
        with conversation.lock:
            conversation.settle()
            rows, left_out = conversation.rows(), conversation.left_out
            return tree(conversation.namespaces, rows, conversation.status, left_out)

    # --- the wire ---------------------------------------------------------------------------

    def _post(self, message: Any) -> None:
        if self.comm is not None:
            self.send(message)

    def _on_command(self, _widget: Any, command: Any, _buffers: Any) -> None:
        heed(self, command)

    def _hear(self, hears: bool) -> None:
        self._outbox.hear(hears)

    def _on_frame(self) -> None:
        """Tells Python observers of the lists, once per frame."""
        with self._conversation.lock:
            counts = dict(self._conversation.edits)
        for name, count in counts.items():
            if self._told.get(name) != count:
                self._told[name] = count
                records = getattr(self, name)
                self._notify(name, records, records)

    def _sync_status(self) -> None:
        """Tells Python observers how the run goes, which whoever asks has found already."""
        if not self._conversation.running:
            self._renderings.drain()
        with self._conversation.lock:
            before, self._told_status = self._told_status, self._conversation.status
        if self._told_status != before:
            self._notify("status", before, self._told_status)
        if not self._conversation.running:
            self._on_frame()

    def _notify(self, name: str, old: object, new: object) -> None:
        self.notify_change(Bunch(name=name, old=old, new=new, owner=self, type="change"))


def watch(
    graph: Any,
    *,
    name: str | None = None,
    config: Any = None,
    chat: Any = "auto",
    stream_tokens: bool = True,
    artifact_keys: Sequence[str] = (),
    **traits: Any,
) -> View:
    """A `View` of a graph. Runs nothing and shows nothing yet.

    `graph` is a compiled graph, a functional-API entrypoint or a `RemoteGraph`; it is never
    changed. `config` is merged under the config of each call. With `stream_tokens=False` models
    are not asked to stream and messages appear whole. Other keywords are traits of `View`.

    Raises `TypeError` for anything that is not a graph and for unknown keywords, `ImportError`
    when langgraph is missing.
    """
    try:
        from nestling.langgraph.source import graph_name, has_own_name, is_graph
    except ImportError as error:
        raise ImportError(
            "nestling.watch needs langgraph. Install it with: pip install nestling"
        ) from error
    if not is_graph(graph):
        hint = "pass what StateGraph.compile() or create_agent() returns."
        if hasattr(graph, "compile"):
            hint = "did you forget .compile()?"
        kind = type(graph).__name__
        raise TypeError(f"nestling.watch takes a compiled LangGraph graph, not {kind}: {hint}")
    label = name or graph_name(graph)
    view = View(graph, label=label, config=config, stream_tokens=stream_tokens, chat=chat, **traits)
    keys = (artifact_keys,) if isinstance(artifact_keys, str) else tuple(artifact_keys)
    view._adapter.artifact_keys = keys
    view._adapter.spaces.named = bool(name) or has_own_name(graph)
    return view
