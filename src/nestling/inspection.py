"""What a run did, step by step: what each changed in its graph's state, and what was heard of it.

A step is what LangGraph calls a superstep: tasks of one namespace, then the state they led to.
States are compared key by key as they arrive, lists item by item, by identity first: what a node
changes later, in place, cannot change what is told of an earlier step. Of steps and events only
the last are kept, encoded and within a number of bytes. Nothing is done for tokens.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nestling.conversation import Conversation
from nestling.differences import differences, fields_of
from nestling.encode import text
from nestling.held import hold, tell
from nestling.records import Record
from nestling.seen import Seen, seen

if TYPE_CHECKING:
    from nestling.langgraph.normalize import Ns
    from nestling.langgraph.spaces import Spaces, Task

log = logging.getLogger("nestling")

#: Steps and events that are kept, and about how many bytes all of each may be.
MAX_STEPS = 500
MAX_EVENTS = 1_000
MAX_BYTES = 4_000_000
#: Namespaces whose last state is held, to compare the next one with.
MAX_STATES = 256
#: Items and bytes of text of one value in an event, and the last items of a list in it.
_ITEMS = 60
_ROOM = 6_000
_LAST = 3
#: What LangGraph makes for each event of a task, and nobody changes.
_OURS = frozenset({"id", "name", "triggers"})

#: What is told of a task, a call or a namespace beside what states and records say.
KINDS = frozenset(
    {"tasks", "updates", "values", "tools", "link", "lifecycle", "interrupts", "error", "emitted"}
)


@dataclass(slots=True)
class Step:
    """What a superstep changed; `number` counts those of its namespace in a run, 0 is its input."""

    ns: Ns
    number: int
    at: float = 0.0
    #: Of its tasks, by their START, and ids of the calls that they ran.
    orders: set[int] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    #: `(node, keys)`
    wrote: list[tuple[str, list[str]]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0

    def told(self) -> dict[str, Any]:
        wrote = [{"node": node, "keys": keys} for node, keys in self.wrote]
        return {"step": self.number, "at": self.at, "wrote": wrote, "changes": tell(self.changes)}


@dataclass(slots=True)
class Heard:
    """One event, as it was when it came."""

    ns: Ns
    kind: str
    at: float
    data: Any
    size: int
    order: int | None
    #: Of calls and interrupts.
    ids: tuple[str, ...]


class Inspection:
    """Listens to an adapter. `note` is called under the conversation's lock."""

    def __init__(self, conversation: Conversation, spaces: Spaces) -> None:
        self.conversation = conversation
        self.spaces = spaces
        self.steps: deque[Step] = deque()
        self.events: deque[Heard] = deque()
        self._bytes = {"steps": 0, "events": 0}
        self._states: OrderedDict[Ns, dict[str, Seen]] = OrderedDict()
        #: The step that goes on in each namespace.
        self._now: dict[Ns, Step] = {}

    def begin(self, goes_on: bool) -> None:
        """A new run, or one that `goes_on` after an interrupt; its steps are counted anew."""
        self._now.clear()
        if not goes_on:
            self.let_go()

    def let_go(self) -> None:
        """Nothing goes on in any namespace: what stood in their states need not be held."""
        for ns in list(self._states):
            if ns:
                del self._states[ns]

    def note(self, kind: str, ns: Ns, data: Any) -> None:
        """An event that was folded. Never raises."""
        try:
            if kind == "values":
                self._state(ns, data)
            else:
                self._heard(kind, ns, data)
        except Exception:
            log.warning("A step could not be kept for inspection; the run goes on.", exc_info=True)
            self.conversation.problem()

    # --- keeping --------------------------------------------------------------------------

    def _state(self, ns: Ns, data: Any) -> None:
        step = self._step(ns)
        before, state = self._states.get(ns) or {}, seen(fields_of(data))
        step.changes, step.size = differences(before, state)
        step.at = self.conversation.clock()
        self._states[ns] = state
        self._states.move_to_end(ns)
        if len(self._states) > MAX_STATES:
            self._states.popitem(last=False)
        self._now[ns] = Step(ns, step.number + 1)
        if step.changes or step.wrote:
            self._keep("steps", self.steps, step, MAX_STEPS)

    def _step(self, ns: Ns) -> Step:
        step = self._now.get(ns)
        if step is None:
            step = self._now[ns] = Step(ns, 0)
            if len(self._now) > MAX_STATES:
                del self._now[next(iter(self._now))]
        elif len(step.wrote) > MAX_STEPS or len(step.orders) > MAX_STEPS:
            step = self._now[ns] = Step(ns, step.number)  # nobody tells what state they led to
        return step

    def _heard(self, kind: str, ns: Ns, data: Any) -> None:
        order: int | None = None
        ids: tuple[str, ...] = ()
        if kind == "tasks":
            order, ids = self._task(ns, data)
        elif kind == "updates":
            order, ids = self._update(ns, data)
        elif kind == "tools":
            if str(data.get("event")).endswith("delta"):
                return
            ids = (str(data.get("tool_call_id")),)
        elif kind == "link":
            ids = (str(data.get("tool_call_id")),)
        elif kind == "interrupts":
            ids = tuple(_interrupt_ids(data))
        held, size = _hold(kind, data)
        event = Heard(ns, kind, self.conversation.clock(), held, size, order, ids)
        self._keep("events", self.events, event, MAX_EVENTS)

    def _task(self, ns: Ns, data: Mapping[str, Any]) -> tuple[int | None, tuple[str, ...]]:
        task: Task | None = self.spaces.tasks.get(str(data["id"]))
        if task is None:
            return None, ()
        if "result" not in data and "error" not in data:
            step = self._step(ns)
            step.number = max(step.number, 1)
            step.orders.add(task.order)
            step.calls.update(task.calls)
        return task.order, (*task.calls, *_interrupt_ids(data.get("interrupts")))

    def _update(self, ns: Ns, data: Mapping[str, Any]) -> tuple[int | None, tuple[str, ...]]:
        ids: list[str] = []
        order = None
        for node, update in data.items():
            if node == "__interrupt__":
                ids += _interrupt_ids(update)
            elif not node.startswith("__"):
                keys = [text(str(key)) for key in update] if isinstance(update, Mapping) else []
                step = self._step(ns)
                step.number = max(step.number, 1)
                step.wrote.append((text(node), keys))
                tasks = self.spaces.get(ns).open.get(node, ())
                order = tasks[0].order if len(tasks) == 1 else None
        return order, tuple(ids)

    def _keep(self, name: str, kept: deque[Any], item: Any, limit: int) -> None:
        kept.append(item)
        self._bytes[name] += item.size
        while len(kept) > limit or (self._bytes[name] > MAX_BYTES and len(kept) > 1):
            self._bytes[name] -= kept.popleft().size

    # --- reading --------------------------------------------------------------------------

    def step_of(self, record: Record) -> Step | None:
        """The step to which a record belongs: of a call the one that ran it."""
        made_by = self.conversation.records.get(record.get("created_by", ""))
        if record["type"] == "artifact" and made_by is not None:
            record = made_by
        ns, kind = record["namespace"], record["type"]
        steps = [step for step in self.steps if list(step.ns) == ns]
        call = record.get("tool_call_id")
        for step in reversed(steps):
            if call is not None and call in step.calls:
                return step
        if kind not in ("user", "system", "tool_call"):
            for step in reversed(steps):
                if record["order"] in step.orders:
                    return step
        if kind in ("interrupt", "error"):
            return None
        since = record.get("ended_at", record["started_at"]) if call else record["started_at"]
        return next((step for step in steps if step.at >= since), None)

    def events_of(self, record: Record) -> list[Heard]:
        """The events of a record's call, or of its task."""
        name = record.get("tool_call_id") or record["id"]
        by_order = record["type"] not in ("user", "system", "tool_call", "artifact")
        own = {"|".join(record["namespace"]), *record.get("spawned", ())}
        found = []
        for event in self.events:
            if "|".join(event.ns) not in own:
                continue
            of_task = by_order and event.order is not None and event.order == record["order"]
            if of_task or name in event.ids:
                found.append(event)
        return found


def _hold(kind: str, data: Any) -> tuple[Any, int]:
    """An event; long lists by their end: a task is told the whole history of its graph."""
    if not isinstance(data, Mapping):
        return hold(data, _ITEMS, _ROOM)
    held: dict[str, Any] = {}
    size = 100
    for name, part in data.items():
        if kind == "tasks" and name in _OURS:
            held[name] = part
            continue
        values = part if part.__class__ is dict else {"": part}
        inner = {}
        for key, value in values.items():
            inner[key], bytes_held = hold(_end(value), _ITEMS, _ROOM)
            size += bytes_held
        held[name] = inner if values is part else inner[""]
    return held, size


def _end(value: Any) -> Any:
    if isinstance(value, list) and len(value) > _LAST + 1:
        return [f"… {len(value) - _LAST:,} earlier items", *value[-_LAST:]]
    return value


def _interrupt_ids(interrupts: Any) -> Iterator[str]:
    for interrupt in interrupts if isinstance(interrupts, (list, tuple)) else ():
        if isinstance(interrupt, Mapping):
            yield str(interrupt.get("id"))
        elif hasattr(interrupt, "id"):
            yield str(interrupt.id)
