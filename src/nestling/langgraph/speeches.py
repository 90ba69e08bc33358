"""Which message is which: one speech for each, by whatever ids its chunks and copies carry."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from nestling.langgraph.content import Parts
from nestling.langgraph.normalize import Message, Ns
from nestling.langgraph.spaces import Space, Task
from nestling.records import Record

#: What LangChain calls a message that its provider did not name: this and the run's id.
_RUN_ID = "lc_run-"
_NO_FIELDS: Mapping[str, Any] = {}
#: Types of messages that are no speech.
_NOT_SAID = ("human", "tool", "system")
_RUN_ID_LENGTH = len(f"{_RUN_ID}-{'0' * 36}")


@dataclass(slots=True, eq=False)
class Speech:
    """One AI message while it streams and after."""

    record: Record
    space: Space
    task: Task | None
    #: Every id that it went by.
    ids: set[str] = field(default_factory=set)
    #: Its content as it arrives.
    parts: Parts = field(default_factory=Parts)
    #: Its tool calls by index of their chunks, and by id.
    by_index: dict[Any, Record] = field(default_factory=dict)
    by_id: dict[str, Record] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    #: Content of the whole message it was compared with.
    whole: Any = None
    #: It has no id, and what its task returned is known to be the same.
    retold: bool = False
    #: Metadata of its chunks, by which the model call is known.
    metadata: Any = None
    #: Namespace and key of that call.
    call: Any = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model, as its chunks tell of it."""

    metadata: Any
    #: Equal for all that one call of a model says, if anything is.
    key: Any
    #: All that is known is the task.
    vague: bool


def call_of(value: Any, metadata: Mapping[str, Any], place: str) -> Call:
    """The model call that a chunk or message belongs to.

    LangGraph hands out one metadata object with all that a call says; a recording numbers them;
    a remote server tells only in which task it was said.
    """
    if not isinstance(value, Mapping):
        return Call(metadata, id(metadata), vague=False)
    number = metadata.get("call")
    return Call(None, place if number is None else ("call", number), vague=number is None)


class Speeches:
    """The speeches of one run, and of its ids which were shown and which only repeated."""

    def __init__(self) -> None:
        self.by_id: dict[tuple[Ns, str | None], Speech] = {}
        self._of_call: dict[tuple[Ns, Any], list[Speech]] = {}
        #: Those with an id of LangChain's, by their call and its run.
        self._of_run: dict[tuple[Any, str], Speech] = {}
        self._of_task: dict[Task, list[Speech]] = {}
        #: By the `seq` of their records.
        self._of_record: dict[int, Speech] = {}
        #: The namespace that showed a message id; those around it repeat it.
        self.owners: dict[str, Ns] = {}
        #: What was ever shown without an id, by type and text.
        self.nameless: set[tuple[str, str]] = set()
        #: Ids that were shown in this run, and those that it was given to begin with.
        self._fresh: set[str] = set()
        self._given: set[str] = set()
        #: Ids of what was dropped in this run.
        self.gone: set[str] = set()

    def begin(self) -> None:
        """A new run: what a model says from now on is new, also under an id of before."""
        self.by_id.clear()
        self._of_call.clear()
        self._of_run.clear()
        self._of_task.clear()
        self._of_record.clear()
        self._fresh.clear()
        self._given.clear()
        self.gone.clear()

    def add(self, speech: Speech, message_id: str | None, call: Call | None) -> None:
        self._of_record[speech.record["seq"]] = speech
        if call is not None:
            speech.metadata = call.metadata  # kept alive: the key may be its address
            speech.call = (speech.space.ns, call.key)
            self._of_call.setdefault(speech.call, []).append(speech)
        if speech.task is not None:
            self._of_task.setdefault(speech.task, []).append(speech)
        if message_id is not None:
            self.call_it(speech, message_id)

    def call_it(self, speech: Speech, message_id: str) -> None:
        """One more id of a speech."""
        ns = speech.space.ns
        speech.ids.add(message_id)
        run = _run_of(message_id)
        if run is not None and speech.call is not None:
            self._of_run[speech.call, run] = speech
        self.by_id[ns, message_id] = speech
        self.owners[message_id] = ns
        self._fresh.add(message_id)

    def forget(self, record: Record) -> None:
        """A message that was dropped: whoever tells of it again only repeats it."""
        speech = self._of_record.pop(record["seq"], None)
        if speech is None:
            return
        for message_id in speech.ids:
            self.by_id.pop((speech.space.ns, message_id), None)
            self._of_run.pop((speech.call, _run_of(message_id) or ""), None)
            self._given.add(message_id)
            self.gone.add(message_id)
        of_call, of_task = self._of_call.get(speech.call), self._of_task.get(speech.task)  # type: ignore[arg-type]  # None is no key
        for said in (of_call, of_task):
            if said is not None and speech in said:
                said.remove(speech)
        if of_call is not None and not of_call:
            del self._of_call[speech.call]

    def of_call(self, ns: Ns, message_id: str | None, call: Call | None) -> Speech | None:
        """What this call of a model said so far, under another id.

        A provider may name a message in some of its chunks only; LangChain names the others.
        """
        if call is None or message_id is None:
            return None
        said = self._of_call.get((ns, call.key), [])
        if call.vague and said:
            again = self._of_run.get(((ns, call.key), _run_of(message_id) or ""))
            # of the others only what is still being said can be it, and a task may say much
            said[:] = [speech for speech in said if speech.record["status"] == "streaming"]
            said = [again] if again is not None else said
        for speech in said:
            if _one_call(speech, message_id, call.vague):
                self.call_it(speech, message_id)
                return speech
        return None

    def of_text(self, task: Task | None, message_id: str | None, said: str) -> Speech | None:
        """What was streamed in this task and is told again as a message with an id of its own."""
        for speech in self._of_task.get(task, ()) if task is not None and said else ():
            if speech.whole is None and speech.record["content"] == said:
                if message_id is not None:
                    self.call_it(speech, message_id)
                return speech
        return None

    def without_id(self, task: Task, said: str) -> Speech | None:
        """What was said in a task without an id, and not been asked for before."""
        for speech in self._of_task.get(task, ()):
            if not speech.ids and not speech.retold and speech.record["content"] == said:
                speech.retold = True
                return speech
        return None

    def end_task(self, task: Task) -> list[Speech]:
        return self._of_task.pop(task, [])

    # --- what is told again ---------------------------------------------------------------

    def give(self, message_id: str) -> None:
        """An id of the state that a run or subgraph begins with."""
        self._given.add(message_id)

    def is_unseen(self, message_id: str, again: Container[str]) -> bool:
        """Whether a run or subgraph is given a message that was not shown, or is asked `again`."""
        if message_id not in self.owners:
            return True
        return (
            message_id in again and message_id not in self._given and message_id not in self._fresh
        )

    def is_new(self, message: Message) -> bool:
        """Whether a message of the state may have something to show."""
        if message.id is None:  # counted, but for the results of tools
            return message.type == "tool"
        owner = self.owners.get(message.id)
        if owner is None:
            return True
        speech = self.by_id.get((owner, message.id))
        if speech is None:
            return message.type == "ai" and not self.repeats(owner, message.id)
        return speech.whole is not message.content

    def is_old(self, value: Any) -> bool:
        """Whether `is_new` would deny it, of a message that was not read yet.

        A state tells all of its messages at every step, and nearly all of them are old.
        """
        fields = getattr(value, "__dict__", None) or _NO_FIELDS
        message_id = fields.get("id")
        owner = self.owners.get(message_id) if isinstance(message_id, str) else None
        if owner is None:
            return False
        speech = self.by_id.get((owner, message_id))
        if speech is not None:
            return speech.whole is fields.get("content", _NO_FIELDS)
        return fields.get("type") in _NOT_SAID or message_id in self._given

    def repeats(self, ns: Ns, message_id: str | None) -> bool:
        """Whether a known message is told again: by a state that held it, or from inside."""
        if message_id not in self.owners:
            return False
        if message_id in self._given:
            return True
        owner = self.owners[message_id]
        # what was said further inside may be of an earlier run, before it was interrupted
        return owner[: len(ns)] == ns and (len(owner) > len(ns) or message_id in self._fresh)


def _one_call(speech: Speech, message_id: str, vague: bool) -> bool:
    """Whether a new id may be another one of a speech, which is of the same call or task.

    A message has at most one id of LangChain's and one of its provider's.
    """
    run = _run_of(message_id)
    alike = [known for known in map(_run_of, speech.ids) if (known is None) == (run is None)]
    if alike:
        return run is not None and run in alike
    # models may speak at the same time in one task
    return not vague or bool(speech.ids and speech.record["status"] == "streaming")


def _run_of(message_id: str) -> str | None:
    return message_id[:_RUN_ID_LENGTH] if message_id.startswith(_RUN_ID) else None
