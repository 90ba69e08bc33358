"""Subgraphs told by callbacks alone, where the stream may not be widened.

A caller who asks for `messages` without subgraphs would get other items if subgraphs were
streamed too: LangGraph dedupes messages by id. So the root's events come from the stream, and
those of the namespaces inside it from here, in the same shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from nestling.langgraph.links import Feed, Links
from nestling.langgraph.normalize import Ns, namespace_of

_NOSTREAM = "nostream"


class Callbacks(Links):
    """Feeds `tasks`, `messages`, `tools` and `updates` of every namespace but the root."""

    ignore_llm = False
    ignore_chat_model = False

    def __init__(self, feed: Feed) -> None:
        super().__init__(feed)
        self._nodes: dict[UUID, tuple[Ns, str, str]] = {}
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
        metadata = metadata or {}
        if self._runs[run_id].kind != "node":
            return
        ns, name = namespace_of(metadata), str(metadata.get("langgraph_node") or "")
        task_id = str(metadata.get("langgraph_checkpoint_ns")).rpartition(":")[2]
        if ns and self._runs[run_id].name == name:
            self._nodes[run_id] = (ns, name, task_id)
            start = {"id": task_id, "name": name, "input": inputs, "metadata": metadata}
            self.feed("tasks", ns, start)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        super().on_chain_end(outputs, run_id=run_id)
        node = self._nodes.pop(run_id, None)
        if node is not None:
            ns, name, task_id = node
            self.feed("tasks", ns, {"id": task_id, "name": name, "result": _written(outputs)})

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        super().on_chain_error(error, run_id=run_id)
        node = self._nodes.pop(run_id, None)
        if node is None or _leaves(error):
            return
        ns, name, task_id = node
        end: dict[str, Any] = {"id": task_id, "name": name, "result": None}
        kind = type(error).__name__
        if kind == "GraphInterrupt":
            end["interrupts"] = error.args[0] if error.args else ()
        else:
            end["error"] = error
        self.feed("tasks", ns, end)

    # --- models -----------------------------------------------------------------------------

    def on_chat_model_start(
        self,
        serialized: Any,
        messages: Any,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        metadata = metadata or {}
        ns = namespace_of(metadata)
        if ns and _NOSTREAM not in (tags or ()):
            self._models[run_id] = (ns, metadata)

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
        metadata: Mapping[str, Any] | None = None,
        inputs: Any = None,
        **kwargs: Any,
    ) -> None:
        super().on_tool_start(
            serialized, input_str, run_id=run_id, parent_run_id=parent_run_id, **kwargs
        )
        ns = namespace_of(metadata or {})
        if not ns:
            return
        call_id = str(kwargs.get("tool_call_id") or run_id)
        self._tools[run_id] = (ns, call_id)
        name = str((serialized or {}).get("name") or kwargs.get("name") or "")
        started = {"event": "tool-started", "tool_call_id": call_id, "tool_name": name}
        self.feed("tools", ns, {**started, "input": inputs})

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        super().on_tool_end(output, run_id=run_id)
        tool = self._tools.pop(run_id, None)
        if tool is not None:
            ns, call_id = tool
            finished = {"event": "tool-finished", "tool_call_id": call_id, "output": output}
            self.feed("tools", ns, finished)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        super().on_tool_error(error, run_id=run_id)
        tool = self._tools.pop(run_id, None)
        if tool is not None and not _leaves(error) and type(error).__name__ != "GraphInterrupt":
            ns, call_id = tool
            failed = {"event": "tool-error", "tool_call_id": call_id, "message": str(error)}
            self.feed("tools", ns, failed)


def _leaves(error: BaseException) -> bool:
    """Whether a node ends without a RESULT: cancelled, or handing over to another graph."""
    handed_over = type(error).__name__ in ("ParentCommand", "GraphDrained")
    return handed_over or not isinstance(error, Exception)


def _written(outputs: Any) -> Any:
    """What a node returned; create_agent's nodes return a list of `Command`s."""
    if isinstance(outputs, Sequence) and not isinstance(outputs, (str, bytes)):
        return {"messages": [message for command in outputs for message in _messages(command)]}
    return outputs


def _messages(command: Any) -> list[Any]:
    update = getattr(command, "update", None)
    found = update.get("messages") if isinstance(update, Mapping) else None
    return list(found) if isinstance(found, Sequence) and not isinstance(found, str) else []
