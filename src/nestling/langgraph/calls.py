"""Tool calls in, `tool_call` and `artifact` records out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, cast

from nestling.conversation import Conversation
from nestling.encode import encode, short, text
from nestling.langgraph.content import result_text
from nestling.langgraph.normalize import Message, Ns, messages_in
from nestling.langgraph.spaces import Space, Spaces, Task
from nestling.langgraph.speeches import Speech
from nestling.records import Record

#: Of a call that was dropped.
_REMEMBERED = frozenset(
    {"id", "type", "namespace", "speaker", "seq", "order", "status", "started_at", "name"}
    | {"tool_call_id", "spawned"}
)


class ArtifactStore(Protocol):
    """Keeps the real objects and says how a page can draw them."""

    def describe(self, value: Any, title: str) -> dict[str, Any]: ...
    def keep(self, record_id: str, value: Any) -> None: ...


class Calls:
    """Everything of the adapter that concerns tools and what they make."""

    def __init__(
        self,
        conversation: Conversation,
        spaces: Spaces,
        artifacts: ArtifactStore | None,
        owners: dict[str, Ns],
    ) -> None:
        self.conversation = conversation
        self.spaces = spaces
        self.artifacts = artifacts
        #: Shared with the messages: the first namespace to show a message id owns it.
        self._owners = owners
        #: Ids of the calls that ToolMessages answered, by the ids of these.
        self._results: dict[str, str] = {}
        #: Artifacts made of state keys, with the value each was made of.
        self._from_state: dict[tuple[Ns, str], tuple[Record, Any]] = {}
        #: Calls whose ToolMessage brought an artifact, by the ids of their records.
        self._brought: set[str] = set()

    # --- what a model asks for ------------------------------------------------------------

    def chunk(self, speech: Speech, chunk: Mapping[str, Any]) -> None:
        index, call_id = chunk.get("index"), chunk.get("id")
        if index is None:
            index = call_id if call_id is not None else next(reversed(speech.by_index), None)
        record = speech.by_index.get(index)
        if record is None or (call_id and record.get("tool_call_id") != call_id):
            record = self._new_call(speech, call_id, chunk.get("name") or "")
            speech.by_index[index] = record
        elif chunk.get("name"):
            self.conversation.set(record, name=record.get("name", "") + text(chunk["name"]))
        if chunk.get("args"):
            self.conversation.append(record, text(chunk["args"]), "args_text")

    def whole(self, speech: Speech, call: Mapping[str, Any]) -> None:
        call_id = call.get("id")
        record = speech.by_id.get(str(call_id)) if call_id else None
        if record is None:
            record = self._new_call(speech, call_id, str(call.get("name") or ""))
        args = _arguments(call.get("args"))
        if record.get("args") == args and repr(record["args"]) != repr(args):
            self.conversation.set(record, args=None)  # 80 and 80.0 are equal, yet not the same
        self.conversation.set(record, args=args, name=str(call.get("name") or ""), args_text=None)

    def invalid(self, speech: Speech, call: Mapping[str, Any]) -> None:
        """A call whose arguments are no JSON: their text is all there is."""
        call_id = call.get("id")
        if str(call_id) in speech.by_id if call_id else speech.by_index:
            return  # it was streamed
        record = self._new_call(speech, call_id, str(call.get("name") or ""))
        self.conversation.append(record, text(str(call.get("args") or "")), "args_text")

    def complete(self, call: Record) -> None:
        try:
            args = json.loads(call.get("args_text") or "{}", strict=False)
        except ValueError:
            return  # cut short by the model: the text is all there is
        if isinstance(args, dict):
            self.conversation.set(call, args=encode(args), args_text=None)

    def _new_call(self, speech: Speech, call_id: Any, name: str) -> Record:
        said = speech.record
        record = self._add_call(
            speech.space, call_id, name, said["order"], "calling", speaker=said["speaker"]
        )
        if call_id:
            speech.by_id[str(call_id)] = record
        return record

    def _add_call(
        self,
        space: Space,
        call_id: Any,
        name: str,
        order: int,
        status: str,
        *,
        speaker: str | None = None,
        **fields: Any,
    ) -> Record:
        record = self.conversation.add(
            "tool_call",
            str(call_id) if call_id else None,
            space.segments,
            speaker=speaker or space.box["label"],
            order=order,
            status=status,
            name=text(name),
            tool_call_id=str(call_id) if call_id else None,
            **fields,
        )
        if call_id:
            space.calls[str(call_id)] = record
            self.spaces.spawned(str(call_id))
        return record

    # --- what tools do --------------------------------------------------------------------

    def start(self, space: Space, call: Mapping[str, Any], task: Task) -> None:
        """A call in the input of a task that starts: its tool is about to run."""
        task.shown = True
        record = space.calls.get(str(call["id"]))
        if record is None:
            args = _arguments(call["args"])
            name = str(call["name"])
            self._add_call(space, call["id"], name, task.order, "executing", args=args)
        elif record["status"] in ("calling", "interrupted"):
            self._execute(record)

    def _execute(self, record: Record) -> None:
        self.conversation.set(
            record, status="executing", started_at=self.conversation.clock(), ended_at=None
        )

    def tool(self, ns: Ns, data: Mapping[str, Any]) -> None:
        """An item of the `tools` mode."""
        space = self.spaces.get(ns)
        event, call_id = data["event"], str(data["tool_call_id"])
        record = space.calls.get(call_id)
        if record is None:
            name = str(data.get("tool_name") or "")
            record = self._add_call(space, call_id, name, space.order, "executing")
        if event == "tool-started":
            if record["status"] == "failed":  # the node is tried again
                attempt = record.get("attempt", 1) + 1
                self.conversation.set(record, attempt=attempt, error=None)
            if record["status"] != "executing":
                self._execute(record)
            if "args" not in record and data.get("input") is not None:
                self.conversation.set(record, args=_arguments(data["input"]), args_text=None)
        elif event == "tool-output-delta":
            self._delta(record, data.get("delta"))
        elif event == "tool-finished":
            self._output(space, record, data.get("output"))
        elif event == "tool-error":
            error = text(str(data.get("message") or data.get("error") or ""))
            self.conversation.set(record, status="failed", error=error)
            self.spaces.close_spawned(record, "failed")

    def _delta(self, record: Record, delta: Any) -> None:
        """A piece of a result that is still being made."""
        piece = delta if isinstance(delta, str) else f"{short(delta, 400)}\n"
        if record["status"] == "executing":
            self.conversation.append(record, text(piece))

    def _output(self, space: Space, record: Record, output: Any) -> None:
        found = [m for m in messages_in(output) if m.type == "tool"]
        mine = [m for m in found if m.tool_call_id == record.get("tool_call_id")]
        if mine:
            self.result(space, mine[0], None)
        elif not found:
            plain = output if isinstance(output, str) else str(encode(output))
            self.conversation.set(record, status="completed", content=text(plain))

    def result(self, space: Space, message: Message, task: Task | None) -> None:
        if task is not None and self._owners.get(message.id or "", space.ns) == space.ns:
            task.shown = True
        if message.id is not None and message.id in self._owners:
            self._edit(message)
            return
        call_id = str(message.tool_call_id or "")
        record = space.calls.get(call_id) or self._elsewhere(space, call_id)
        if record is None:
            order = task.order if task is not None else space.order
            record = self._add_call(space, call_id, message.name or "", order, "executing")
        if message.id is not None:
            self._owners[message.id] = space.ns
            self._results[message.id] = record["id"]
        content = text(result_text(message.content))
        failed = message.status == "error"
        if message.artifact is not None and record["id"] not in self._brought:
            self._artifact(space, record, message.artifact)
        if record["status"] == "rejected":
            self.conversation.set(record, content=content)
        elif record["status"] != "cancelled":
            self.conversation.set(
                record,
                status="failed" if failed else "completed",
                content=content,
                error=content if failed else None,
            )
        self.spaces.close_spawned(record, "completed")

    def _edit(self, message: Message) -> None:
        """The same id again: the result is what the state holds now."""
        record = self.conversation.records.get(self._results.get(message.id or "", ""))
        content = text(result_text(message.content))
        if record is not None and record["status"] in ("completed", "failed", "rejected"):
            failed = record["status"] == "failed"
            self.conversation.set(record, content=content, error=content if failed else None)

    def _elsewhere(self, space: Space, call_id: str) -> Record | None:
        """The call of a box inside, whose result this namespace repeats."""
        stack = list(space.children)
        while stack:
            child = stack.pop()
            if call_id in child.calls:
                return child.calls[call_id]
            stack.extend(child.children)
        return None

    def forget(self, record: Record) -> None:
        """A call that was dropped: that it was there is all that is remembered of it."""
        if len(self._results) > 2 * len(self.conversation.records) + 100:
            kept = self.conversation.records
            self._results = {key: call for key, call in self._results.items() if call in kept}
        space = self.spaces.by_ns.get(tuple(record["namespace"]))
        call_id = record.get("tool_call_id")
        if call_id is not None and space is not None and space.calls.get(call_id) is record:
            known = {name: value for name, value in record.items() if name in _REMEMBERED}
            space.calls[call_id] = cast(Record, {**known, "content": ""})

    # --- artifacts ------------------------------------------------------------------------

    def _artifact(self, space: Space, record: Record, value: Any) -> None:
        title, data = record.get("name", ""), value
        if isinstance(value, Mapping) and "data" in value and "title" in value:
            title, data = str(value["title"]), value["data"]
        self._brought.add(record["id"])
        artifact = self.add_artifact(space, title, data, record["id"], record["order"])
        if artifact is not None:
            made = [*record.get("artifacts", ()), artifact["id"]]
            self.conversation.set(record, artifacts=made)

    def state_artifact(self, space: Space, key: str, value: Any) -> None:
        """A state key that the user named: a new value is a new version."""
        if self.artifacts is None:
            return
        known = self._from_state.get((space.ns, key))
        if known is not None and known[1] is not value and not self.conversation.is_kept(known[0]):
            known = None  # it was dropped: what comes now is drawn anew
        if known is None and any(shown is value for _, shown in self._from_state.values()):
            return  # a state that shares it
        if known is None:
            created_by = space.box["key"]
            made = self.add_artifact(space, key, value, created_by, space.order)
            if made is not None:
                self._from_state[space.ns, key] = made, value
        elif known[1] is not value:
            artifact, _ = known
            self._from_state[space.ns, key] = artifact, value
            described = self.artifacts.describe(value, key)
            if any(artifact.get(name) != part for name, part in described.items()):
                self.artifacts.keep(artifact["id"], value)
                version = artifact.get("version", 1) + 1
                self.conversation.set(artifact, version=version, **described)

    def add_artifact(
        self,
        space: Space,
        title: str,
        data: Any,
        created_by: str,
        order: int,
        *,
        drawn: Mapping[str, Any] | None = None,
        record_id: str | None = None,
    ) -> Record | None:
        """A new artifact, None where nobody keeps any; `drawn`: its `kind` and `mime`."""
        if self.artifacts is None:
            return None
        artifact = self.conversation.add(
            "artifact",
            record_id,
            space.segments,
            speaker=space.box["label"],
            order=order,
            created_by=created_by,
            version=1,
            title=text(title),
            **(self.artifacts.describe(data, title) if drawn is None else drawn),
        )
        self.keep(artifact, data)
        return artifact

    def keep(self, artifact: Record, data: Any) -> None:
        """The object that an artifact shows now."""
        if self.artifacts is not None:
            self.artifacts.keep(artifact["id"], data)


def _arguments(value: Any) -> dict[str, Any]:
    """The arguments of a call as an object, whatever a model made of them."""
    plain = encode(value if value is not None else {})
    return plain if isinstance(plain, dict) else {"input": plain}
