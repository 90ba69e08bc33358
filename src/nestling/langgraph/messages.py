"""Messages in, `user`, `system` and `ai` records out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nestling.conversation import Conversation
from nestling.encode import MAX_INT, encode, text
from nestling.langgraph.calls import ArtifactStore, Calls
from nestling.langgraph.content import read_content
from nestling.langgraph.nameless import Said, beyond, said, shown, written
from nestling.langgraph.normalize import Message, Ns, messages_in, read_message
from nestling.langgraph.spaces import Space, Spaces, Task
from nestling.langgraph.speeches import Call, Speech, Speeches, call_of
from nestling.records import OPEN, Record


class Messages:
    """Everything of the adapter that concerns messages; tool calls are handed on."""

    def __init__(
        self, conversation: Conversation, spaces: Spaces, artifacts: ArtifactStore | None
    ) -> None:
        self.conversation = conversation
        self.spaces = spaces
        self.speeches = Speeches()
        self._by_id = self.speeches.by_id
        self._owners = self.speeches.owners
        #: Ids of the input of this run, which may be those of an earlier one.
        self._asks: frozenset[str] = frozenset()
        self.calls = Calls(conversation, spaces, artifacts, self._owners)
        #: Shows what the boxes of a task wrote, before the task repeats it.
        self.settle_inside: Callable[[Task], None] = lambda task: None
        conversation.on_drop = self._forget

    def _forget(self, record: Record) -> None:
        self.calls.forget(record)
        self.speeches.forget(record)

    def begin(self, asks: Iterable[str]) -> None:
        """A new run: what a model says from now on is new, also under an id of before."""
        self._asks = frozenset(asks)
        self.speeches.begin()

    # --- chunks ---------------------------------------------------------------------------

    def stream(self, ns: Ns, data: Any) -> None:
        """An item of the `messages` mode: `(message or chunk, metadata)`."""
        message, metadata = data
        try:  # the hot path: text that goes on
            speech = self._by_id[ns, message.id]
            content = message.content
            if (
                content.__class__ is str
                and content  # else it is there for what stands beside it
                and message.chunk_position is None
                and not message.tool_call_chunks
                and message.usage_metadata is None
                and not message.additional_kwargs
            ):
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
        node = str(metadata.get("langgraph_node") or "") or None
        # older releases tell an agent's name with its messages only, not with its START
        if message.chunk and (not space.saw_start or (task and task.space is space)):
            self.spaces.name(space, metadata)
        if message.type != "ai" or not message.chunk:
            if task is not None and task.boxes:
                self.settle_inside(task)
            self.whole(space, message, task, node, call_of(value, metadata, path[-1]))
            return
        key = space.ns, message.id or path[-1]
        speech = self._by_id.get(key)
        if speech is None:
            if message.id in self.speeches.gone:
                return
            call = call_of(value, metadata, path[-1])
            speech = self.speeches.of_call(space.ns, message.id, call)
            speech = speech or self._speak(space, message, task, node, "streaming", call)
            self._by_id[key] = speech
        self._chunk(speech, message)

    def _chunk(self, speech: Speech, message: Message) -> None:
        record = speech.record
        content = speech.parts.take(message)
        if content.text:
            self.conversation.append(record, text(content.text))
        if content.reasoning:
            self.conversation.append(record, text(content.reasoning), "reasoning")
        if content.blocks is not None:
            self.conversation.set(record, blocks=encode(content.blocks))
        for chunk in message.tool_call_chunks:
            self.calls.chunk(speech, chunk)
        for call in () if message.tool_call_chunks else message.tool_calls:
            self.calls.whole(speech, call)  # a server tells them whole, again and again
        if message.last:
            self._complete_calls(speech)
        if message.usage:
            for name, count in message.usage.items():
                if isinstance(count, int):
                    speech.usage[name] = speech.usage.get(name, 0) + count
            self._count(speech, speech.usage)
        if message.metadata:
            self._name_model(record, message)
        if message.last:
            self.conversation.set(record, status="completed")

    # --- whole messages -------------------------------------------------------------------

    def opening(self, space: Space, state: Any, order: int | None = None) -> None:
        """The first state of a run or subgraph: what it was asked.

        Whatever stands before the last answer in it was said in an earlier turn.
        """
        given = list(messages_in(state))
        nameless = set(map(id, beyond(space, given)))
        again = self._asks if space.parent is None else frozenset()
        unseen = [
            message
            for message in given
            if (
                id(message) in nameless
                if message.id is None
                else self.speeches.is_unseen(message.id, again)
            )
        ]
        answers = [i for i, message in enumerate(unseen) if message.type in ("ai", "tool")]
        first = answers[-1] + 1 if answers else 0
        asker = space.parent.box["label"] if space.parent is not None else "You"
        for message in given:
            if message.id is not None:
                self.speeches.give(message.id)
        for i, message in enumerate(unseen):
            if message.id is not None:
                self._owners[message.id] = space.ns
            if message.id is not None and self._has_a_name_now(space, message):
                continue
            if i >= first:
                self._ask(space, message, asker, space.order if order is None else order)
            elif message.id is None:
                shown(space, message, self.speeches)

    def wrote(self, task: Task, update: Iterable[Message]) -> None:
        """Keeps what a task wrote without an id until its state has told it."""
        self.conversation.settle()  # it is compared with what was streamed
        task.nameless = written(task, update, self.speeches)

    def settle(self, task: Task, told: Said) -> None:
        """Shows what a task wrote without an id, but for what its state has `told` by now."""
        for message in task.nameless:
            if told[said(message)] > 0:
                told[said(message)] -= 1
            else:
                self.whole(task.space, message, task, task.name)
        task.nameless = []

    def _ask(self, space: Space, message: Message, asker: str, order: int) -> None:
        if message.type not in ("human", "system"):
            return
        content = read_content(message)
        if message.id is None:
            shown(space, message, self.speeches)
        record = self.conversation.add(
            "user" if message.type == "human" else "system",
            message.id,
            space.segments,
            speaker=asker if message.type == "human" else "system",
            order=order,
            content=text(content.text),
            blocks=encode(content.blocks) or None,
        )
        self.conversation.tell_of(record, message.source)

    def whole(
        self,
        space: Space,
        message: Message,
        task: Task | None,
        node: str | None,
        call: Call | None = None,
    ) -> None:
        """A message from updates, a RESULT, values, or one that was not streamed."""
        if message.type == "remove":  # takes one from the state; what was said stays said
            return
        if message.type == "tool":
            self.calls.result(space, message, task)
            return
        if message.type == "ai":
            self._answer(space, message, task, node, call)
            return
        if message.id is not None:
            if message.id in self._owners:
                self._edit(message)
                return
            if self._has_a_name_now(space, message):
                return
            self._owners[message.id] = space.ns
        if task is not None:
            task.shown = True
        order = task.order if task is not None else space.order
        self._ask(space, message, node or space.box["label"], order)

    def _edit(self, message: Message) -> None:
        """The same id again: what it says now is what the state holds."""
        record = self.conversation.records.get(message.id or "")
        if record is not None and record["type"] in ("user", "system"):
            self.conversation.set(record, content=text(read_content(message).text))

    def _answer(
        self,
        space: Space,
        message: Message,
        task: Task | None,
        node: str | None,
        call: Call | None,
    ) -> None:
        speech = self._by_id.get((space.ns, message.id)) if message.id is not None else None
        if speech is not None and speech.whole is not None and speech.whole is message.content:
            return
        content = read_content(message)
        words = text(content.text)
        if speech is None:
            if self.speeches.repeats(space.ns, message.id):
                return
            self.conversation.settle()
            speech = self.speeches.of_call(space.ns, message.id, call)
            speech = speech or self.speeches.of_text(task, message.id, words)
            retold = call is None or (task is not None and bool(task.boxes))
            if message.id is None:
                shown(space, message, self.speeches)
            elif speech is None and retold and self._has_a_name_now(space, message):
                return
            speech = speech or self._speak(space, message, task, node, "completed", call)
        speech.whole = message.content
        if task is not None:
            task.shown = True
        record = speech.record
        self.conversation.settle()
        changes: dict[str, Any] = {}
        if words != record["content"]:
            changes["content"] = words
        if content.reasoning and not record.get("reasoning"):
            changes["reasoning"] = text(content.reasoning)
        if content.blocks:
            changes["blocks"] = encode(content.blocks)
        if changes:
            self.conversation.set(record, **changes)
        for tool_call in message.tool_calls:
            self.calls.whole(speech, tool_call)
        for tool_call in message.invalid_tool_calls:
            self.calls.invalid(speech, tool_call)
        self._complete_calls(speech)
        if message.usage:
            self._count(speech, message.usage)
        self._name_model(record, message)
        self.conversation.set(record, status="completed")
        self.conversation.tell_of(record, message.source)

    def _has_a_name_now(self, space: Space, message: Message) -> bool:
        """Whether this was shown when it had no id yet, here or further inside."""
        words = said(message)
        if words not in self.speeches.nameless:
            return False
        for inner in self.spaces.below(space):
            if inner.nameless[words] > 0:
                inner.nameless[words] -= 1
                self._owners[message.id or ""] = inner.ns
                self.speeches.give(message.id or "")
                return True
        return False

    def _speak(
        self,
        space: Space,
        message: Message,
        task: Task | None,
        node: str | None,
        status: str,
        call: Call | None,
    ) -> Speech:
        record = self.conversation.add(
            "ai",
            message.id,
            space.segments,
            speaker=space.speaker(node),
            order=task.order if task is not None else space.order,
            status=status,
            created_by=_tool_of(task),
        )
        speech = Speech(record, space, task)
        self.speeches.add(speech, message.id, call)
        if task is not None:
            task.shown = True
        return speech

    def _count(self, speech: Speech, usage: Mapping[str, Any]) -> None:
        """The tokens of a message, as far as they are told; its box counts each of them once."""
        record, box = speech.record, speech.space.box
        counted = _usage(usage)
        if counted is None or counted == record.get("usage"):
            return
        before: Mapping[str, Any] = record.get("usage", {})
        total: Mapping[str, Any] = box.get("usage", {})
        summed = {k: total.get(k, 0) + n - before.get(k, 0) for k, n in counted.items()}
        self.conversation.set_namespace(box, usage={**total, **summed})
        self.conversation.set(record, usage=counted)

    def _name_model(self, record: Record, message: Message) -> None:
        name = message.metadata.get("model_name") or message.metadata.get("model")
        if name:
            self.conversation.set(record, model=str(name))

    def _complete_calls(self, speech: Speech) -> None:
        self.conversation.settle()
        for call in speech.by_index.values():
            if "args" not in call:
                self.calls.complete(call)

    # --- ends -----------------------------------------------------------------------------

    def broken(self, ns: Ns, message_id: Any) -> None:
        """A model broke off in the middle of a message."""
        speech = self._by_id.get((ns, message_id))
        if speech is not None and speech.record["status"] == "streaming":
            self.conversation.set(speech.record, status="aborted")

    def end_task(self, task: Task, end: str, error: str | None = None) -> None:
        """A RESULT: what its task left unfinished ends with it."""
        speeches = self.speeches.end_task(task)
        for number, speech in enumerate(speeches, 1):
            if speech.record["status"] == "streaming":
                # a retry leaves the partial behind and says it again
                cut = end in ("failed", "cancelled") or number < len(speeches)
                self.conversation.set(speech.record, status="aborted" if cut else "completed")
                for call in speech.by_index.values() if cut else ():
                    if call["status"] == "calling":  # it was never asked for as a whole
                        self.conversation.set(call, status="cancelled")
        open_calls: Iterable[Record] = (
            task.space.calls[call] for call in task.calls if call in task.space.calls
        )
        for record in open_calls:
            if end == "cancelled" and record["status"] == "failed":  # of the same error
                self.conversation.set(record, status=end, error=None)
            elif record["status"] in OPEN and end != "completed":
                self.conversation.set(record, status=end, error=error)


def _tool_of(task: Task | None) -> str | None:
    """The call in whose tool something is said."""
    if task is None or len(task.calls) != 1:
        return None
    call = task.space.calls.get(task.calls[0])
    return None if call is None else call["id"]


def _usage(usage: Mapping[str, Any]) -> Mapping[str, Any] | None:
    names = ("input_tokens", "output_tokens", "total_tokens")
    counts = {name: usage[name] for name in names if _is_count(usage.get(name))}
    return counts or None


def _is_count(value: Any) -> bool:
    """Whether JSON can hold it, too: Python does not even write out the largest numbers."""
    return isinstance(value, int) and -MAX_INT <= value <= MAX_INT
