"""Messages in, `user`, `system` and `ai` records out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nestling.conversation import Conversation
from nestling.encode import encode, text
from nestling.langgraph.calls import ArtifactStore, Calls, Speech
from nestling.langgraph.normalize import (
    Message,
    Ns,
    messages_in,
    read_content,
    read_message,
)
from nestling.langgraph.spaces import Space, Spaces, Task
from nestling.records import OPEN, Record, Usage


class Messages:
    """Everything of the adapter that concerns messages; tool calls are handed on."""

    def __init__(
        self, conversation: Conversation, spaces: Spaces, artifacts: ArtifactStore | None
    ) -> None:
        self.conversation = conversation
        self.spaces = spaces
        self._speeches: dict[tuple[Ns, str | None], Speech] = {}
        self._of_task: dict[Task, list[Speech]] = {}
        #: The namespace that showed a message id; those around it repeat it.
        self._owners: dict[str, Ns] = {}
        #: Ids that were shown in this run, and those that it was given to begin with.
        self._fresh: set[str] = set()
        self._given: set[str] = set()
        self.calls = Calls(conversation, spaces, artifacts, self._owners)

    def begin(self) -> None:
        """A new run: what a model says from now on is new, also under an id of before."""
        self._speeches.clear()
        self._of_task.clear()
        self._fresh.clear()
        self._given.clear()

    # --- chunks ---------------------------------------------------------------------------

    def stream(self, ns: Ns, data: Any) -> None:
        """An item of the `messages` mode: `(message or chunk, metadata)`."""
        message, metadata = data
        try:  # the hot path: text that goes on
            speech = self._speeches[ns, message.id]
            content = message.content
            if (
                content.__class__ is str
                and message.chunk_position is None
                and not message.tool_call_chunks
                and message.usage_metadata is None
                and not message.additional_kwargs
            ):
                if content:
                    self.conversation.append(
                        speech.record, content if content.isascii() else text(content)
                    )
                return
        except (KeyError, AttributeError):
            pass  # the first chunk, a whole message, or a plain dict
        self._item(ns, message, metadata or {})

    def _item(self, ns: Ns, value: Any, metadata: Mapping[str, Any]) -> None:
        message = read_message(value)
        if message is None:
            raise ValueError("not a message")
        space = self.spaces.get(ns)
        path = str(metadata.get("langgraph_checkpoint_ns") or "").split("|")
        while len(path) > 1 and path[-1].isdigit():
            path.pop()
        task = self.spaces.tasks.get(path[-1].partition(":")[2])
        node = metadata.get("langgraph_node")
        # older releases tell an agent's name with its messages only, not with its START
        if message.chunk and (not space.saw_start or (task and task.space is space)):
            self.spaces.name(space, metadata)
        if message.type == "ai" and message.chunk:
            self._chunk(space, message, task, node, path[-1])
        else:
            self.whole(space, message, task, node)

    def _chunk(
        self, space: Space, message: Message, task: Task | None, node: str | None, place: str
    ) -> None:
        key = (space.ns, message.id or place)
        speech = self._speeches.get(key)
        if speech is None:
            speech = self._speak(space, message, task, node, "streaming")
            self._speeches[key] = speech
        record = speech.record
        content = read_content(message)
        if content.text:
            self.conversation.append(record, text(content.text))
        if content.reasoning:
            self.conversation.append(record, text(content.reasoning), "reasoning")
        if content.blocks:
            blocks = [*record.get("blocks", ()), *content.blocks]
            self.conversation.set(record, blocks=encode(blocks))
        for chunk in message.tool_call_chunks:
            self.calls.chunk(speech, chunk)
        for call in () if message.tool_call_chunks else message.tool_calls:
            self.calls.whole(speech, call)  # a server tells them whole, again and again
        for name, count in (message.usage or {}).items():
            if isinstance(count, int):
                speech.usage[name] = speech.usage.get(name, 0) + count
        if message.last:
            self._finish(speech, speech.usage, _model(message))

    # --- whole messages -------------------------------------------------------------------

    def opening(self, space: Space, state: Any) -> None:
        """The first state of a run or subgraph: what it was asked.

        Whatever stands before the last answer in it was said in an earlier turn.
        """
        given = list(messages_in(state))
        unseen = [m for m in given if m.id is None or m.id not in self._owners]
        self._given.update(message.id for message in given if message.id is not None)
        for message in unseen:
            if message.id is not None:
                self._owners[message.id] = space.ns
        answers = [i for i, message in enumerate(unseen) if message.type in ("ai", "tool")]
        asker = space.parent.box["label"] if space.parent is not None else "You"
        for message in unseen[answers[-1] + 1 if answers else 0 :]:
            self._ask(space, message, asker, space.order)

    def _ask(self, space: Space, message: Message, asker: str, order: int) -> None:
        if message.type not in ("human", "system"):
            return
        content = read_content(message)
        if message.id is None:
            if (message.type, content.text) in space.nameless:
                return
            space.nameless.add((message.type, content.text))
        self.conversation.add(
            "user" if message.type == "human" else "system",
            message.id,
            space.segments,
            speaker=asker if message.type == "human" else "system",
            order=order,
            content=text(content.text),
            blocks=encode(content.blocks) or None,
        )

    def is_new(self, message: Message) -> bool:
        """Whether a message of the state may have something to show."""
        owner = self._owners.get(message.id or "")
        if owner is None:
            return True
        speech = self._speeches.get((owner, message.id))
        if speech is None:
            return message.type == "ai" and not self._repeated(owner, message)
        return speech.whole is not message.content

    def _repeated(self, ns: Ns, message: Message) -> bool:
        """Whether a known message is told again: by a state that held it, or from inside."""
        if message.id in self._given:
            return True
        owner = self._owners[message.id or ""]
        return message.id in self._fresh and owner[: len(ns)] == ns

    def whole(self, space: Space, message: Message, task: Task | None, node: str | None) -> None:
        """A message from updates, a RESULT, values, or one that was not streamed."""
        if message.type == "tool":
            self.calls.result(space, message, task)
            return
        if message.type == "ai":
            self._answer(space, message, task, node)
            return
        if message.id is not None:
            if message.id in self._owners:
                return
            self._owners[message.id] = space.ns
        if task is not None:
            task.shown = True
        order = task.order if task is not None else space.order
        self._ask(space, message, node or space.box["label"], order)

    def _answer(self, space: Space, message: Message, task: Task | None, node: str | None) -> None:
        speech = self._speeches.get((space.ns, message.id))
        if speech is None:
            if message.id is None:
                return
            if message.id in self._owners and self._repeated(space.ns, message):
                return
            speech = self._unnamed(message, task)
            if speech is None:
                speech = self._speak(space, message, task, node, "completed")
            self._owners[message.id] = space.ns
            self._fresh.add(message.id)
            self._speeches[space.ns, message.id] = speech
        elif speech.whole is not None and speech.whole is message.content:
            return
        speech.whole = message.content
        if task is not None:
            task.shown = True
        record, content = speech.record, read_content(message)
        self.conversation.settle()
        changes: dict[str, Any] = {}
        if text(content.text) != record["content"]:
            changes["content"] = text(content.text)
        if content.reasoning and not record.get("reasoning"):
            changes["reasoning"] = text(content.reasoning)
        if content.blocks:
            changes["blocks"] = encode(content.blocks)
        if changes:
            self.conversation.set(record, **changes)
        for call in message.tool_calls:
            self.calls.whole(speech, call)
        self._finish(speech, message.usage or {}, _model(message))

    def _unnamed(self, message: Message, task: Task | None) -> Speech | None:
        """What was streamed without an id and is this message, which got one in the state."""
        self.conversation.settle()
        said = read_content(message).text
        for speech in self._of_task.get(task, ()) if task is not None else ():
            if speech.unnamed and said and speech.record["content"] == text(said):
                speech.unnamed = False
                return speech
        return None

    def _speak(
        self, space: Space, message: Message, task: Task | None, node: str | None, status: str
    ) -> Speech:
        record = self.conversation.add(
            "ai",
            message.id,
            space.segments,
            speaker=space.speaker(node),
            order=task.order if task is not None else space.order,
            status=status,
        )
        speech = Speech(record, space, task, unnamed=message.id is None)
        if message.id is not None:
            self._owners[message.id] = space.ns
            self._fresh.add(message.id)
        if task is not None:
            task.shown = True
            self._of_task.setdefault(task, []).append(speech)
        return speech

    def _finish(self, speech: Speech, usage: Mapping[str, Any], model: str | None) -> None:
        self.conversation.settle()
        for call in speech.by_index.values():
            if "args" not in call:
                self.calls.complete(call)
        record = speech.record
        counted = _usage(usage)
        if counted is not None and "usage" not in record:
            box = speech.space.box
            before = box.get("usage", {})
            total = {k: v + before.get(k, 0) for k, v in counted.items()}  # type: ignore[operator]  # TypedDict values are ints
            self.conversation.set_namespace(box, usage=total)
            self.conversation.set(record, usage=counted)
        if model is not None:
            self.conversation.set(record, model=model)
        self.conversation.set(record, status="completed")

    # --- ends -----------------------------------------------------------------------------

    def broken(self, ns: Ns, message_id: Any) -> None:
        """A model broke off in the middle of a message."""
        speech = self._speeches.get((ns, message_id))
        if speech is not None and speech.record["status"] == "streaming":
            self.conversation.set(speech.record, status="aborted")

    def end_task(self, task: Task, end: str, error: str | None = None) -> None:
        """A RESULT: what its task left unfinished ends with it."""
        speeches = self._of_task.pop(task, [])
        for number, speech in enumerate(speeches, 1):
            if speech.record["status"] == "streaming":
                # a retry leaves the partial behind and says it again
                cut = end in ("failed", "cancelled") or number < len(speeches)
                self.conversation.set(speech.record, status="aborted" if cut else "completed")
        open_calls: Iterable[Record] = (
            task.space.calls[call] for call in task.calls if call in task.space.calls
        )
        for record in open_calls:
            if end == "cancelled" and record["status"] == "failed":  # of the same error
                self.conversation.set(record, status=end, error=None)
            elif record["status"] in OPEN and end != "completed":
                self.conversation.set(record, status=end, error=error)


def _usage(usage: Mapping[str, Any]) -> Usage | None:
    names = ("input_tokens", "output_tokens", "total_tokens")
    counts = {name: usage[name] for name in names if isinstance(usage.get(name), int)}
    return counts or None  # type: ignore[return-value]  # keys are exactly those of Usage


def _model(message: Message) -> str | None:
    name = message.metadata.get("model_name") or message.metadata.get("model")
    return str(name) if name else None
