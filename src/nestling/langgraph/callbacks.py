"""Graphs told by callbacks alone, where the stream says nothing of them, or not enough.

A caller who asks for `messages` without subgraphs would get other items if subgraphs were
streamed too: LangGraph dedupes messages by id. Then the root's events come from the stream, and
those of the namespaces inside it from here, in the same shapes. So do, always, those of graphs on a
thread of their own or with a memory of their own, whose events the stream leaves out or mixes up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_core.messages import BaseMessageChunk, message_chunk_to_message
from langgraph.errors import GraphDrained, GraphInterrupt, ParentCommand

from nestling.langgraph.links import Feed, Links, Run, Streamed
from nestling.langgraph.normalize import Ns

_NOSTREAM = "nostream"
#: LangGraph's own first node, of graphs that begin with a choice.
_START = "__start__"
#: Under which it keeps what an entrypoint returns, and what a task does.
_END = "__end__"
_RETURN = "__return__"


class Callbacks(Links):
    """Feeds `tasks`, `messages` and `tools` of every graph that the stream does not tell of."""

    # Tokens are heard only where they are told here: each would cost its time. LangChain looks
    # here for each of them.
    ignore_llm = False
    ignore_chat_model = False

    def __init__(self, feed: Feed, streamed: Streamed = "all") -> None:
        super().__init__(feed, streamed)
        self.ignore_llm = self.ignore_chat_model = streamed == "all"
        #: Tasks that are told here, so that their tokens in the stream are needless.
        self.tasks: set[str] = set()
        #: Nodes that raised, with their errors, until it is known that none is tried again.
        self._failed: dict[str, tuple[Run, BaseException]] = {}
        #: The same for calls of tools.
        self.calls: set[str] = set()
        #: Calls that wait for an answer, or to be gone on with.
        self.paused: set[str] = set()
        self._models: dict[UUID, tuple[Ns, Mapping[str, Any]]] = {}
        self._tools: dict[UUID, tuple[Ns, str]] = {}

    # --- nodes ------------------------------------------------------------------------------

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
        super().on_chain_start(
            serialized,
            inputs,
            run_id=run_id,
            parent_run_id=parent_run_id,
            tags=tags,
            metadata=metadata,
            **kwargs,
        )
        metadata, run = metadata or {}, self.runs[run_id]
        if not self._is_told(run) or run.name != str(metadata.get("langgraph_node") or ""):
            return
        if run.name == _START:  # not one of the graph's own
            return
        task_id = run.segment.rpartition(":")[2]
        self.tasks.add(task_id)
        self.ignore_llm = self.ignore_chat_model = False
        self._failed.pop(task_id, None)  # it is tried again
        start = {"id": task_id, "name": run.name, "input": inputs, "metadata": metadata}
        self.feed("tasks", _place(run), {**start, "triggers": metadata.get("langgraph_triggers")})

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        self._give_up(run_id)
        if run is not None and self._has_begun(run):
            self._result(run, result=_written(run, outputs))
        super().on_chain_end(outputs, run_id=run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        self._give_up(run_id)
        if run is not None and self._has_begun(run):
            self._raised(run, error)
        super().on_chain_error(error, run_id=run_id)

    def _raised(self, run: Run, error: BaseException) -> None:
        if isinstance(error, GraphInterrupt):
            self._result(run, interrupts=error.args[0] if error.args else ())
        elif isinstance(error, ParentCommand):
            if run.segment in self.holders:  # a graph in it has left: what it brings is for here
                self._result(run, result={"messages": _messages(error.args[0])})
        elif not _leaves(error):
            self._failed[run.segment.rpartition(":")[2]] = (run, error)

    def _give_up(self, run_id: UUID) -> None:
        """A graph has ended: what failed in it is not tried again."""
        graph = self.graphs.get(run_id)
        if graph is None:
            return
        for task_id, (run, error) in list(self._failed.items()):
            if run.graph is graph:
                del self._failed[task_id]
                self._result(run, error=error)

    def _is_told(self, run: Run | None) -> bool:
        return run is not None and run.graph is not None and run.graph.told

    def _has_begun(self, run: Run) -> bool:
        """A node; what it is made of has its segment, but not its name."""
        return self._is_told(run) and run.segment.partition(":")[0] == run.name != _START

    def _result(self, run: Run, **fields: Any) -> None:
        end = {"id": run.segment.rpartition(":")[2], "name": run.name, "result": None, **fields}
        self.feed("tasks", _place(run), end)

    # --- models -----------------------------------------------------------------------------

    def on_chat_model_start(
        self,
        serialized: Any,
        messages: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        node = self.around(parent_run_id)
        if node is not None and self._is_told(node) and _NOSTREAM not in (tags or ()):
            self._models[run_id] = (_place(node), metadata or {})

    def on_llm_new_token(
        self, token: Any, *, chunk: Any = None, run_id: UUID, **kwargs: Any
    ) -> None:
        model = self._models.get(run_id)
        message = getattr(chunk, "message", None)
        if model is not None and message is not None:
            self.feed("messages", model[0], (message, model[1]))

    def on_llm_end(self, response: Any, *, run_id: UUID, **kwargs: Any) -> None:
        model = self._models.pop(run_id, None)
        if model is None:
            return
        for generations in response.generations[:1]:
            for generation in generations[:1]:
                message = getattr(generation, "message", None)
                if isinstance(message, BaseMessageChunk):  # the sum of those that came before
                    message = message_chunk_to_message(message)
                if message is not None:
                    self.feed("messages", model[0], (message, model[1]))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._models.pop(run_id, None)

    # --- tools ------------------------------------------------------------------------------

    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        inputs: Any = None,
        **kwargs: Any,
    ) -> None:
        super().on_tool_start(
            serialized, input_str, run_id=run_id, parent_run_id=parent_run_id, **kwargs
        )
        node = self.around(parent_run_id)
        if node is None or not self._is_told(node):
            return
        call_id = str(kwargs.get("tool_call_id") or run_id)
        self._tools[run_id] = (_place(node), call_id)
        self.calls.add(call_id)
        name = str((serialized or {}).get("name") or kwargs.get("name") or "")
        started = {"event": "tool-started", "tool_call_id": call_id, "tool_name": name}
        self.feed("tools", _place(node), {**started, "input": inputs})

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        super().on_tool_end(output, run_id=run_id)
        tool = self._tools.pop(run_id, None)
        if tool is not None:
            ns, call_id = tool
            finished = {"event": "tool-finished", "tool_call_id": call_id, "output": output}
            self.feed("tools", ns, finished)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        run = self.runs.get(run_id)
        super().on_tool_error(error, run_id=run_id)
        tool = self._tools.pop(run_id, None)
        if run is not None and isinstance(error, (GraphInterrupt, GraphDrained)):
            self.paused.add(str(run.tool_call_id or run_id))
        elif tool is not None and not _leaves(error):
            ns, call_id = tool
            failed = {"event": "tool-error", "tool_call_id": call_id, "message": str(error)}
            self.feed("tools", ns, failed)


def _place(node: Run) -> Ns:
    assert node.graph is not None  # noqa: S101  # every node has the graph it is in
    return node.graph.place


def _leaves(error: BaseException) -> bool:
    """Whether a node ends without a RESULT: cancelled, or handing over to another graph."""
    return isinstance(error, (ParentCommand, GraphDrained)) or not isinstance(error, Exception)


def _written(run: Run, outputs: Any) -> Any:
    """What a node returned; create_agent's nodes return a list of `Command`s."""
    if run.is_task:
        return {_RETURN: outputs}
    if isinstance(outputs, Sequence) and not isinstance(outputs, (str, bytes)):
        if all(isinstance(one, Mapping) or hasattr(one, "update") for one in outputs):
            return {"messages": [message for one in outputs for message in _messages(one)]}
    elif outputs is None or isinstance(outputs, Mapping) or hasattr(outputs, "update"):
        return outputs
    return {_END: outputs}  # of an entrypoint


def _messages(update: Any) -> list[Any]:
    """The messages in a state, or in the one of a `Command`."""
    state = update if isinstance(update, Mapping) else update.update
    found = state.get("messages") if isinstance(state, Mapping) else None
    return found if isinstance(found, list) else [] if found is None else [found]
