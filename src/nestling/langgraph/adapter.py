"""Events -> edits: one rule for every shape of run.

Everything is keyed by (namespace, message id, tool-call id), never by "current": events of
concurrent namespaces may interleave in any way. Within one namespace LangGraph's order holds:
START, messages, updates, RESULT, values.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nestling.conversation import Conversation
from nestling.inspection import KINDS, Inspection
from nestling.langgraph.calls import ArtifactStore
from nestling.langgraph.emitted import Emitted
from nestling.langgraph.ends import Ends, is_cancel
from nestling.langgraph.interrupts import Interrupts
from nestling.langgraph.lifecycle import Lifecycle
from nestling.langgraph.messages import Messages
from nestling.langgraph.nameless import Said, beyond, claimed, said
from nestling.langgraph.normalize import (
    Event,
    Memory,
    Message,
    Ns,
    messages_in,
    normalize,
    read_message,
)
from nestling.langgraph.rows import Rows, told
from nestling.langgraph.spaces import Space, Spaces, Task
from nestling.records import NamespaceStatus

log = logging.getLogger("nestling")

#: What triggers a task that a Send made.
_PUSH = "__pregel_push"

#: Called with each normalised event and the time of its arrival: a recording.
Tap = Callable[[float, Event], None]


class Adapter:
    """Folds LangGraph's events into one conversation. Call it under the conversation's lock."""

    def __init__(
        self,
        conversation: Conversation,
        *,
        named: bool = False,
        artifacts: ArtifactStore | None = None,
        artifact_keys: tuple[str, ...] = (),
    ) -> None:
        self.conversation = conversation
        self.spaces = Spaces(conversation, named)
        self.messages = Messages(conversation, self.spaces, artifacts)
        #: State keys whose values are artifacts.
        self.artifact_keys = artifact_keys
        self.tap: Tap | None = None
        self.rows = Rows(conversation, self.spaces)
        self.ends = Ends(conversation, self.spaces, self.messages, self.rows)
        self.interrupts = Interrupts(conversation, self.spaces)
        #: The root's last state: what the graph gave out at last.
        self.value: Any = None
        self.lifecycle = Lifecycle(self.spaces)
        self.emitted = Emitted(conversation, self.spaces, self.messages.calls)
        #: This run tells of tasks; else updates have to do.
        self._saw_tasks = False
        #: Events came by hand, whatever of them there is.
        self._by_hand = False
        #: An event said that the run as a whole failed.
        self._told_failure = False
        #: Events told by callbacks that are ahead of the stream.
        self._early: list[Event] = []
        self._memory = Memory()
        self._handlers: dict[str, Callable[[Ns, Any], None]] = {
            "messages": self.messages.stream,
            "updates": self._updates,
            "values": self._values,
            "tasks": self._tasks,
            "tools": self.messages.calls.tool,
            "custom": self.rows.plain,
            "link": self.spaces.link,
            "lifecycle": self.lifecycle.event,
            "broken": self.messages.broken,
            "error": self._told_error,
            "raised": self.ends.raised,
            "interrupts": self._interrupts,
            "emitted": self.emitted.artifact,
            "progressed": self.emitted.progress,
            "checkpoints": self._nothing,
            "debug": self._nothing,
        }
        #: What each step did; tokens go past it.
        self.inspection = Inspection(conversation, self.spaces)
        for kind in KINDS:
            self._handlers[kind] = self._inspected(kind, self._handlers[kind])

    def _inspected(
        self, kind: str, handler: Callable[[Ns, Any], None]
    ) -> Callable[[Ns, Any], None]:
        def handle(ns: Ns, data: Any) -> None:
            handler(ns, data)
            self.inspection.note(kind, ns, data)

        return handle

    def process(self, event: Any) -> None:
        """One event of any shape. Never raises: what cannot be read is shown plainly."""
        self._by_hand = True
        try:
            if self._is_token(event):
                self.feed("messages", event["ns"], event["data"])
                return
            for normalized in normalize(event, self._memory):
                self.feed(*normalized)
        except Exception:  # noqa: BLE001  # shown raw instead
            self.rows.fault(event)
        if self._early:
            self._catch_up()

    def _is_token(self, event: Any) -> bool:
        """The hot path: a v2 part of `messages` from a namespace that is known needs no reading."""
        if event.__class__ is not dict or event.get("type") != "messages":
            return False
        try:
            known = event["ns"].__class__ is tuple and event["ns"] in self.spaces.by_ns
        except (KeyError, TypeError):  # it has none, or none that is one
            return False
        return known and "data" in event and not event.get("interrupts")

    def feed(self, kind: str, ns: Ns, data: Any) -> None:
        """One normalised event. Never raises."""
        try:
            if self.tap is not None:
                self.record(kind, data, ns)
            handler = self._handlers.get(kind)
            if handler is None:
                self.rows.plain(ns, data)
            else:
                handler(ns, data)
        except Exception:  # noqa: BLE001  # shown raw instead
            self.rows.fault({"type": kind, "ns": list(ns), "data": data})

    def feed_inner(self, kind: str, ns: Ns, data: Any) -> None:
        """One event told by a callback: it waits until its namespace's tasks have STARTed."""
        if kind in ("emitted", "progressed"):
            ready = self.emitted.is_placed(ns, data) or (self._by_hand and not self._saw_tasks)
        else:
            ready = kind == "link" or self.spaces.knows(ns)
        if ready:
            self.feed(kind, ns, data)
        else:
            self._early.append(Event(kind, ns, data))

    def catch_up(self) -> None:
        """Feeds what callbacks told, whether the stream has come as far or not."""
        early, self._early = self._early, []
        for event in early:
            self.feed(*event)

    def _catch_up(self) -> None:
        early, self._early = self._early, []
        for event in early:
            self.feed_inner(*event)

    def record(self, kind: str, data: Any, ns: Ns = ()) -> None:
        """A line of the recording: an event, or how a run begins and ends."""
        if self.tap is None:
            return
        try:
            self.tap(self.conversation.clock(), Event(kind, ns, data))
        except Exception:
            log.warning("An event could not be recorded; the run goes on.", exc_info=True)
            self.conversation.problem()

    def failed(self, error: Any) -> None:
        """The run raised: an error record, unless a task has told of it already."""
        self.catch_up()
        if not told(error, self.ends.errors):
            space = self.lifecycle.where(error) or self.spaces.root
            self.rows.error(space, error, space.order)
            self.ends.errors.append(error)

    def verdict(self) -> NamespaceStatus:
        """How a run ended that raised nothing: a server tells of failures by events."""
        for _, message in self.lifecycle.fallen:
            self._told_error((), {"error": "Error", "message": message})
        if self._told_failure:
            return "failed"
        return "interrupted" if self.interrupts.waiting else "completed"

    def _told_error(self, ns: Ns, error: Any) -> None:
        self._told_failure = True
        self.failed(error)

    def begin(
        self, asks: list[str] | None = None, resume: Any = None, by_hand: bool = True
    ) -> None:
        """A new run on the same view: it asks something new, or answers what waits."""
        self.interrupts.begin(by_hand or (asks is None and resume is None))
        self.ends.errors.clear()
        self.lifecycle.fallen.clear()
        self._memory.clear()
        self._saw_tasks = self._told_failure = self._by_hand = False
        goes_on = resume is not None or (asks is None and (not by_hand or self.interrupts.asked))
        self.emitted.begin(goes_on)
        self.spaces.begin()
        self.inspection.begin(goes_on)
        self.messages.begin(asks or ())
        if resume is not None:
            self.interrupts.answer(resume)
        elif asks is not None:
            self.interrupts.abandon()

    def ended(self, status: str) -> None:
        """The run is over: tasks without a RESULT go no further."""
        self.catch_up()
        self.interrupts.ended(status == "completed")
        for space in sorted(self.spaces.active, key=lambda space: space.box["seq"]):
            self.ends.settle(space)
        for task in self.spaces.open.values():
            self.ends.unseen(task, status)
        self.spaces.stop()
        if status == "completed":
            self.inspection.let_go()

    # --- tasks ----------------------------------------------------------------------------

    def _tasks(self, ns: Ns, data: Mapping[str, Any]) -> None:
        if "result" in data or "error" in data:
            self._result(ns, data)
            return
        self._saw_tasks = True
        task_input = data.get("input")
        calls = _calls_in(task_input)
        ids = tuple(str(call["id"]) for call in calls if call.get("id"))
        self.ends.settle(self.spaces.get(ns))
        task = self.spaces.start(ns, str(data["id"]), str(data["name"]), ids)
        space = task.space
        self.spaces.name(space, data.get("metadata"))
        sent = _PUSH in (data.get("triggers") or ())  # what a Send carries is for its node alone
        space.began = space.began or task.order
        if not space.saw_start and not calls and not sent:
            self.messages.opening(space, task_input, space.began - 1)  # before all that it led to
        space.saw_start = space.saw_start or bool(task_input)  # nothing tells nothing
        for call in calls:
            self.messages.calls.start(space, call, task)
        if self._early:
            self._catch_up()

    def _result(self, ns: Ns, data: Mapping[str, Any]) -> None:
        task = self.spaces.tasks.get(str(data["id"]))
        if task is None:
            task = self.spaces.start(ns, str(data["id"]), str(data["name"]), ())
        error, interrupts = data.get("error"), data.get("interrupts")
        result = data.get("result")
        self.ends.settle_inside(task)
        if result:
            written = list(messages_in(result))
            self._read(task.space, task, written)
            self.messages.wrote(task, written)
        self.spaces.finish(task)
        if self.emitted.showing:
            self.emitted.done(task)
        task.result = result
        if interrupts:
            self._interrupts(ns, interrupts)
            self.interrupts.place(task, interrupts)
            self.ends.interrupted(task)
            return
        task.space.writers.append(task)
        if error is not None and is_cancel(error):
            self.ends.cancelled(task)
        elif error is not None:
            self.ends.failed(task, error)
        else:
            self.ends.completed(task)

    # --- state ----------------------------------------------------------------------------

    def _updates(self, ns: Ns, data: Mapping[str, Any]) -> None:
        space = self.spaces.get(ns)
        cached = bool((data.get("__metadata__") or {}).get("cached"))
        for node, update in data.items():
            if node == "__interrupt__":
                self._interrupts(ns, update)
            elif node == "__metadata__":
                continue
            elif not self._saw_tasks:
                self._told_by_update(space, node, update)
            elif update is not None:
                tasks = space.open.get(node, ())
                if cached and tasks:
                    self._cached(tasks[0], update)
                elif len(tasks) < 2:  # else the RESULT says whose it is
                    task, written = (tasks[0] if tasks else None), messages_in(update)
                    self._read(space, task, written, node, again=bool(tasks))

    def _cached(self, task: Task, update: Any) -> None:
        """A task that does not run again; there will be no RESULT."""
        if task.shown:  # it ran before the interrupt that is answered now
            for message in messages_in(update):
                if message.id is not None:
                    self.messages.speeches.give(message.id)
        else:
            written = list(messages_in(update))
            self._read(task.space, task, written)
            self.messages.wrote(task, written)
            task.result = update
            task.space.writers.append(task)
        self.spaces.finish(task)

    def _told_by_update(self, space: Space, node: str, update: Any) -> None:
        """Without `tasks` an update is all that tells of a node."""
        before = len(self.conversation.records)
        written = list(messages_in(update))
        self._read(space, None, written, node)
        told = any(message.type != "remove" for message in written)
        boxed = any(child.segment.partition(":")[0] == node for child in space.children)
        if len(self.conversation.records) == before and not told and not boxed:
            self.rows.update(space, node, space.order, "completed", update)

    def _read(
        self,
        space: Space,
        task: Task | None,
        written: Iterable[Message],
        node: str | None = None,
        again: bool = False,
    ) -> None:
        """Messages of an update or RESULT; `again`: the RESULT will tell those without an id."""
        for message in written:
            named = message.id is not None or (message.type == "tool" and not again)
            if named or (message.tool_calls and not again) or task is None:
                self.messages.whole(space, message, task, task.name if task else node)

    def _values(self, ns: Ns, data: Any) -> None:
        space = self.spaces.get(ns)
        if not ns:
            self.value = data
        if isinstance(data, Mapping):
            if data.get("__interrupt__"):
                self._interrupts(ns, data["__interrupt__"])
            for key in self.artifact_keys:
                if data.get(key) is not None:
                    self.messages.calls.state_artifact(space, key, data[key])
        if not space.saw_values:
            space.saw_values = True
            self.messages.opening(space, data)
            return
        speeches, told = self.messages.speeches, Said()
        messages = list(messages_in(data, speeches.is_old))
        new = [message for message in messages if speeches.is_new(message)]
        for message in (*new, *beyond(space, messages)):
            writer = claimed(space.writers, message)
            if writer is None and message.type != "tool":  # which stand with their calls
                writer = _writer(space.writers, message)
                told[said(message)] += 1
            self.messages.whole(space, message, writer, writer.name if writer else None)
        self.ends.settle(space, told)
        if self._early and not ns:
            self.catch_up()

    # --- the rest -------------------------------------------------------------------------

    def _interrupts(self, ns: Ns, interrupts: Any) -> None:
        self.interrupts.raised(ns, interrupts, self.rows.whoever)

    def _nothing(self, ns: Ns, data: Any) -> None:
        """Checkpoints and debug events repeat what the others say."""


def _writer(writers: list[Task], message: Message) -> Task | None:
    """Which of the tasks that just ended wrote a message that only `values` shows."""
    candidates = writers
    if len(writers) > 1:
        told = [task for task in writers if str(message.content) in str(task.result)]
        candidates = told or writers
    return candidates[-1] if candidates else None


def _calls_in(task_input: Any) -> list[Mapping[str, Any]]:
    """The tool calls that a task was given: a list of them, or one with its context."""
    if isinstance(task_input, Mapping):
        call = task_input.get("tool_call")
        tagged = task_input.get("__type") == "tool_call_with_context"
        return [call] if tagged and isinstance(call, Mapping) else []
    if not isinstance(task_input, (list, tuple)):
        return []
    return [
        call for call in task_input
        if isinstance(call, Mapping) and "name" in call and "args" in call and "id" in call
        and read_message(call) is None
    ]  # fmt: skip
