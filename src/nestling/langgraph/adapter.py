"""Events -> edits: one rule for every shape of run.

Everything is keyed by (namespace, message id, tool-call id), never by "current": events of
concurrent namespaces may interleave in any way. Within one namespace LangGraph's order holds:
START, messages, updates, RESULT, values.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from nestling.conversation import Conversation
from nestling.langgraph.calls import ArtifactStore
from nestling.langgraph.interrupts import Interrupts
from nestling.langgraph.messages import Messages
from nestling.langgraph.nameless import Said, beyond, claimed, said
from nestling.langgraph.normalize import Event, Message, Ns, messages_in, normalize, read_message
from nestling.langgraph.rows import Rows, plain_error, told
from nestling.langgraph.spaces import Space, Spaces, Task
from nestling.records import NamespaceStatus

log = logging.getLogger("nestling")

#: Ends that are somebody's wish, not a failure.
CANCELS = (KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, SystemExit)
_CANCEL_NAMES = frozenset(kind.__name__ for kind in CANCELS)
#: LangGraph stopped between two steps, as it was asked to; the run can be gone on with.
_DRAINED = "GraphDrained"
#: What triggers a task that a Send made.
_PUSH = "__pregel_push"

#: Called with each normalised event and the time of its arrival: a recording.
Tap = Callable[[float, Event], None]


def is_cancel(error: Any) -> bool:
    """Whether a task's error is a wish; also one of a recording, or of a remote server."""
    return isinstance(error, CANCELS) or plain_error(error)[0] in _CANCEL_NAMES


def end_of(error: BaseException | None) -> NamespaceStatus | None:
    """How a run ends with an exception that is no failure; None for a failure, or without one."""
    if isinstance(error, CANCELS):
        return "cancelled"
    return "interrupted" if type(error).__name__ == _DRAINED else None


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
        self.messages.settle_inside = self._settle_inside
        #: State keys whose values are artifacts.
        self.artifact_keys = artifact_keys
        self.tap: Tap | None = None
        self.rows = Rows(conversation, self.spaces)
        self.interrupts = Interrupts(conversation, self.spaces)
        #: The root's last state: what the graph gave out at last.
        self.value: Any = None
        #: This run tells of tasks; else updates have to do.
        self._saw_tasks = False
        #: Errors that tasks of this run have told of.
        self._errors: list[Any] = []
        #: Events told by callbacks that are ahead of the stream.
        self._early: list[Event] = []
        self._handlers: dict[str, Callable[[Ns, Any], None]] = {
            "messages": self.messages.stream,
            "updates": self._updates,
            "values": self._values,
            "tasks": self._tasks,
            "tools": self.messages.calls.tool,
            "custom": self.rows.plain,
            "link": self.spaces.link,
            "raised": self._raised,
            "interrupts": self._interrupts,
            "answer": lambda ns, given: self.interrupts.answer(given),
            "abandon": lambda ns, _: self.interrupts.abandon(),
            "checkpoints": self._nothing,
            "debug": self._nothing,
        }

    def process(self, event: Any) -> None:
        """One event of any shape. Never raises: what cannot be read is shown plainly."""
        try:
            for normalized in normalize(event):
                self.feed(*normalized)
        except Exception:  # noqa: BLE001  # shown raw instead
            self.rows.fault(event)

    def feed(self, kind: str, ns: Ns, data: Any) -> None:
        """One normalised event. Never raises."""
        try:
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
        if kind == "link" or self.spaces.knows(ns):
            self.feed(kind, ns, data)
        else:
            self._early.append(Event(kind, ns, data))

    def _catch_up(self, *, everything: bool = False) -> None:
        early, self._early = self._early, []
        for event in early:
            if everything:
                self.feed(*event)
            else:
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
        self._catch_up(everything=True)
        if not told(error, self._errors):
            self.rows.error(self.spaces.root, error, self.spaces.root.order)

    def begin(self, asks: bool = True) -> None:
        """A new run on the same view; `asks`: it has an input, and does not just go on."""
        self.interrupts.begin()
        self._errors.clear()
        self._saw_tasks = False
        self.spaces.begin()
        self.messages.begin(asks)

    def ended(self, status: str) -> None:
        """The run is over: tasks without a RESULT go no further."""
        self._catch_up(everything=True)
        for space in self.spaces.by_ns.values():
            self._settle_writers(space)
        for task in self.spaces.open.values():
            self._unseen(task, status)
        self.spaces.stop()

    # --- tasks ----------------------------------------------------------------------------

    def _tasks(self, ns: Ns, data: Mapping[str, Any]) -> None:
        if "result" in data or "error" in data:
            self._result(ns, data)
            return
        self._saw_tasks = True
        task_input = data.get("input")
        calls = _calls_in(task_input)
        ids = tuple(str(call["id"]) for call in calls if call.get("id"))
        self._settle_writers(self.spaces.get(ns))
        task = self.spaces.start(ns, str(data["id"]), str(data["name"]), ids)
        space = task.space
        self.spaces.name(space, data.get("metadata"))
        sent = _PUSH in (data.get("triggers") or ())  # what a Send carries is for its node alone
        if not space.saw_start and not calls and not sent:
            self.messages.opening(space, task_input)
        space.saw_start = True
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
        self._settle_inside(task)
        if result:
            self._read(task.space, task, result)
            self.messages.wrote(task, result)
        self.spaces.finish(task)
        task.result = result
        if interrupts:
            self._interrupts(ns, interrupts)
            self.interrupts.place(task, interrupts)
            self.messages.end_task(task, "interrupted")
            self.spaces.close_owned(task, "interrupted")
            return
        task.space.writers.append(task)
        if error is not None and is_cancel(error):
            self._cancel_task(task)
        elif error is not None:
            self._fail_task(task, error)
        else:
            self.messages.end_task(task, "completed")
            self._leave(task)
            self._tell_raised(task)
            self.spaces.close_owned(task, "completed")

    def _cancel_task(self, task: Task) -> None:
        """A node was stopped from inside: nobody's failure."""
        self.messages.end_task(task, "cancelled")
        self.spaces.close_owned(task, "cancelled")
        self._unseen(task, "cancelled")
        if task.space.parent is not None and task.space.box["status"] == "running":
            self.conversation.close_namespace(task.space.box, "cancelled")

    def _fail_task(self, task: Task, error: Any) -> None:
        self.messages.end_task(task, "failed", plain_error(error)[1])
        self._tell_raised(task)
        self.spaces.close_owned(task, "failed")
        self._unseen(task, "failed")
        if not any(told(error, space.errors) for space in self.spaces.inside(task)):
            self._tell_error(task.space, error, task.order, task.name)
        self._fail_box(task.space)

    def _tell_error(self, space: Space, error: Any, order: int, node: str | None = None) -> None:
        space.errors.append(error)
        self._errors.append(error)
        self.rows.error(space, error, order, node)

    def _fail_box(self, space: Space) -> None:
        if space.parent is None:  # the run may go on
            return
        if space.box["status"] == "running":
            self.conversation.close_namespace(space.box, "failed")
        else:  # closed with what is around it, for another reason that came first
            self.conversation.set_namespace(space.box, status="failed")

    def _raised(self, ns: Ns, error: Any) -> None:
        """A graph raised: one of its tasks did, or it did so itself, at its limit of steps."""
        self.spaces.get(ns).raised = error

    def _tell_raised(self, task: Task) -> None:
        """Its tasks have told all by now: tells of graphs inside that raised by themselves."""
        for space in reversed(list(self.spaces.inside(task))):  # the deepest first
            error, space.raised = space.raised, None
            below = self.spaces.below(space)
            if error is not None and not any(told(error, inner.errors) for inner in below):
                self._tell_error(space, error, space.order)
                self._fail_box(space)

    def _settle_writers(self, space: Space, told: Said | None = None) -> None:
        """Tasks that ended and showed nothing, not even in `values`, leave their quiet rows."""
        writers, space.writers = space.writers, []
        for task in writers:
            self.messages.settle(task, Said() if told is None else told)
            self._unseen(task, "completed")

    def _settle_inside(self, task: Task) -> None:
        for inner in self.spaces.inside(task):
            self._settle_writers(inner)

    def _leave(self, task: Task) -> None:
        """A task is done; one inside it without a RESULT has handed over to another graph."""
        for space in self.spaces.inside(task):
            self._settle_writers(space)
            for left in [task for tasks in space.open.values() for task in tasks]:
                self.spaces.finish(left)
                self._unseen(left, "completed")
                if space.box["status"] == "running":
                    self.conversation.set_namespace(space.box, note="handoff")

    def _unseen(self, task: Task, status: str) -> None:
        """The quiet row of a task that showed nothing."""
        if not task.shown:
            self.rows.update(task.space, task.name, task.order, status, task.result)
        task.shown, task.result = True, None

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
                    self._read(space, tasks[0] if tasks else None, update, node)

    def _cached(self, task: Task, update: Any) -> None:
        """A task that does not run again; there will be no RESULT."""
        if task.shown:  # it ran before the interrupt that is answered now
            for message in messages_in(update):
                if message.id is not None:
                    self.messages.speeches.give(message.id)
        else:
            self._read(task.space, task, update)
            self.messages.wrote(task, update)
            task.result = update
            task.space.writers.append(task)
        self.spaces.finish(task)

    def _told_by_update(self, space: Space, node: str, update: Any) -> None:
        """Without `tasks` an update is all that tells of a node."""
        before = len(self.conversation.records)
        self._read(space, None, update, node)
        known = any(True for _ in messages_in(update))
        boxed = any(child.segment.partition(":")[0] == node for child in space.children)
        if len(self.conversation.records) == before and not known and not boxed:
            self.rows.update(space, node, space.order, "completed", update)

    def _read(self, space: Space, task: Task | None, update: Any, node: str | None = None) -> None:
        for message in messages_in(update):
            named = message.id is not None or message.type == "tool"
            if named or message.tool_calls or task is None:
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
        messages, told = list(messages_in(data)), Said()
        new = [message for message in messages if self.messages.speeches.is_new(message)]
        for message in (*new, *beyond(space, messages)):
            writer = claimed(space.writers, message)
            if writer is None:
                writer = _writer(space.writers, message)
                told[said(message)] += 1
            self.messages.whole(space, message, writer, writer.name if writer else None)
        self._settle_writers(space, told)
        if self._early and not ns:
            self._catch_up(everything=True)

    # --- the rest -------------------------------------------------------------------------

    def _interrupts(self, ns: Ns, interrupts: Any) -> None:
        self.interrupts.raised(ns, interrupts, self.rows.whoever)

    def _nothing(self, ns: Ns, data: Any) -> None:
        """Checkpoints and debug events repeat what the others say."""


def _writer(writers: list[Task], message: Message) -> Task | None:
    """Which of the tasks that just ended wrote a message that only `values` shows."""
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
