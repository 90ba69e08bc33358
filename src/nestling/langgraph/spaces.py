"""Namespaces and tasks: which box stands where, what it is called, and who owns it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nestling.conversation import Conversation
from nestling.langgraph import gone
from nestling.langgraph.normalize import Message, Ns
from nestling.records import Namespace, NamespaceStatus, Record


@dataclass(slots=True, eq=False)
class Task:
    """One execution of a node, between its START and its RESULT."""

    id: str
    space: Space
    name: str
    order: int
    #: Ids of the tool calls in its input.
    calls: tuple[str, ...] = ()
    #: Boxes that it runs.
    boxes: list[Space] = field(default_factory=list)
    #: Messages without an id that it wrote, until the state says under which they stand.
    nameless: list[Message] = field(default_factory=list)
    #: It led to a message, a call or a box.
    shown: bool = False
    #: What it wrote, until its quiet row is drawn or needless.
    result: Any = None


@dataclass(slots=True, eq=False)
class Space:
    """What the adapter remembers of a namespace, beside its record."""

    ns: Ns
    box: Namespace
    parent: Space | None
    #: Segment that names its owner: `node:task_id`, or only `node`.
    segment: str
    owner: Task | None = None
    #: The agent's name; as its events carry it, also that of an agent outside of it.
    agent: str | None = None
    told_agent: str | None = None
    #: The graph's name.
    graph: str | None = None
    #: Latest START in this namespace; what belongs to no task is placed by it.
    order: int = 0
    #: Its first state and first START of this run have been read.
    saw_values: bool = False
    saw_start: bool = False
    #: Its first START of this run.
    began: int = 0
    #: How often each message without an id was shown here.
    nameless: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: The latest record of each tool_call_id that was called here.
    calls: dict[str, Record] = field(default_factory=dict)
    #: Tasks that ended since the last `values`: the writers of the messages new in it.
    writers: list[Task] = field(default_factory=list)
    children: list[Space] = field(default_factory=list)
    #: Errors of its tasks in this run.
    errors: list[Any] = field(default_factory=list)
    #: What its graph raised at last, until it is known whether a task has told of it.
    raised: Any = None
    #: Tasks without a RESULT, by the name of their node.
    open: dict[str, list[Task]] = field(default_factory=dict)
    #: The boxes inside by label, in the order in which they are numbered.
    families: dict[str, list[Space]] = field(default_factory=dict)
    #: How many of each label were forgotten: the first ones.
    gone: Counter[str] = field(default_factory=Counter)
    #: The label by which it is numbered at present.
    family: str = ""

    @property
    def segments(self) -> list[str]:
        return self.box["namespace"]

    @property
    def node(self) -> str:
        return self.owner.name if self.owner else self.segment.partition(":")[0]

    @property
    def label(self) -> str:
        """Its name before numbering."""
        if self.agent:
            return self.agent
        if self.graph and self.graph != "LangGraph":
            return self.graph
        return self.node

    def speaker(self, node: str | None) -> str:
        """Who speaks when `node` does."""
        label = self.box["label"]
        return label if self.box["is_agent"] or not node else node


class Spaces:
    """The namespace tree of one view."""

    def __init__(self, conversation: Conversation, named: bool) -> None:
        self.conversation = conversation
        #: The root has a name that no event may change.
        self.named = named
        self.root = Space((), conversation.namespaces[""], None, "")
        self.by_ns: dict[Ns, Space] = {(): self.root}
        #: Those of which this run told anything.
        self.active: set[Space] = set()
        self.tasks: dict[str, Task] = {}
        #: Those without a RESULT yet.
        self.open: dict[str, Task] = {}
        self._starts = 0
        self._known: set[Ns] = set()
        #: Boxes that spoke before their owner's START, by its task id.
        self._orphans: dict[str, list[Space]] = {}
        #: Boxes that wait for the record of the call that started them.
        self._callless: dict[str, list[Space]] = {}
        #: What a callback said of namespaces that have shown nothing yet.
        self._links: dict[Ns, Mapping[str, Any]] = {}

    def begin(self) -> None:
        """A new run: each graph in it is asked again."""
        for space in self.active:
            space.saw_values = space.saw_start = False
            space.began = 0
            space.errors.clear()
            space.raised = None
        self.active.clear()
        self.root.nameless.clear()
        self.stop()

    def stop(self) -> None:
        """No task goes on."""
        for task in self.open.values():
            task.space.open.clear()
        self.open.clear()

    def get(self, ns: Ns) -> Space:
        """The space of `ns`, made at its first event."""
        space = self.by_ns.get(ns)
        if space is None:
            space = self._make(ns)
        self.active.add(space)
        return space

    def knows(self, ns: Ns) -> bool:
        """Whether the tasks that `ns` stands in have STARTed."""
        if ns not in self._known:
            ids = (segment.partition(":")[2] for segment in ns)
            if not all(task_id in self.tasks for task_id in ids if task_id):
                return False
            self._known.add(ns)
        return True

    def start(self, ns: Ns, task_id: str, name: str, calls: tuple[str, ...]) -> Task:
        """A START: the same task after a resume keeps its place."""
        task = self.tasks.get(task_id)
        space = task.space if task is not None else self.get(ns)
        self.active.add(space)
        self.reopen(space)
        if task is None:
            if gone.is_due(self):
                gone.forget(self)
            self._starts += 1
            self.conversation.past.starts.append(self.conversation.clock())
            task = self.tasks[task_id] = Task(task_id, space, name, self._starts, calls)
            space.order = task.order
            for other in self._orphans.pop(task_id, ()):
                self._own(other, task)
            remembering = self.by_ns.get((*ns, name))
            if remembering is not None:  # it goes on where it stands
                remembering.owner, task.shown = task, True
                task.boxes.append(remembering)
        if task_id not in self.open:
            self.open[task_id] = task
            space.open.setdefault(name, []).append(task)
        return task

    def forgot(self) -> None:
        """Tasks and boxes were forgotten: so is what was known of their places."""
        self._known.intersection_update(self.by_ns)

    def reopen(self, space: Space) -> None:
        """A node that is tried again or resumed runs its boxes once more."""
        while space.parent is not None and space.box["status"] != "running":
            self.conversation.set_namespace(space.box, status="running", ended_at=None, note=None)
            space = space.parent

    def finish(self, task: Task) -> None:
        """A RESULT."""
        self.active.add(task.space)
        if self.open.pop(task.id, None) is not None:
            task.space.open[task.name].remove(task)

    def name(self, space: Space, metadata: Mapping[str, Any] | None) -> None:
        """Learns the agent's name from the metadata of a START or of a message."""
        agent = metadata.get("lc_agent_name") if isinstance(metadata, Mapping) else None
        if isinstance(agent, str) and agent and space.told_agent is None:
            space.told_agent = agent
            self._identify(space)

    def link(self, ns: Ns, link: Mapping[str, Any]) -> None:
        """What a callback knows: the graph's name, the tool call that started it."""
        space = self.by_ns.get(ns)
        if space is None:
            self._links[ns] = link
            return
        if ns and ":" not in space.segment:  # it remembers, and is asked something new
            space.saw_values = space.saw_start = False
            space.began = 0
        if space.graph is None and link.get("graph"):
            space.graph = str(link["graph"])
            agent = link.get("agent")
            space.told_agent = space.told_agent or (str(agent) if agent else None)
            self._identify(space)
        call_id = link.get("tool_call_id")
        if call_id and space.parent is not None:
            self._spawn(space, str(call_id))

    def spawned(self, call_id: str) -> None:
        """A call became known: boxes that it started hang beneath it."""
        for child in self._callless.pop(call_id, ()):
            if child.box["spawned_by"] is None:
                self._spawn(child, call_id)

    def inside(self, task: Task) -> Iterator[Space]:
        """The boxes of a task and those inside them."""
        return _with_inner(task.boxes)

    def below(self, space: Space) -> Iterator[Space]:
        """A box and those inside it."""
        return _with_inner([space])

    def close_owned(self, task: Task, status: NamespaceStatus) -> None:
        """The owner ended: so did what it ran."""
        for child in task.boxes:
            if child.box["status"] == "running":
                self.conversation.close_namespace(child.box, status)

    def close_spawned(self, record: Record, status: NamespaceStatus) -> None:
        """A call ended: so did the boxes beneath it."""
        for key in record.get("spawned", ()):
            box = self.conversation.namespaces.get(key)  # None: it was dropped
            if box is not None and box["status"] == "running":
                self.conversation.close_namespace(box, status)

    # --- inside ---------------------------------------------------------------------------

    def _make(self, ns: Ns) -> Space:
        end = len(ns) - 1
        while end > 0 and ns[end].isdigit():
            end -= 1
        segment = ns[end]
        node, _, task_id = segment.partition(":")
        owner = self.tasks.get(task_id)
        if not task_id:  # a graph with a memory of its own, whatever task runs it
            running = self.get(ns[:end]).open.get(node)
            owner = running[-1] if running else None
        # a functional-API task is a segment of the path, yet never a graph of its own
        parent = owner.space if owner is not None else self.get(ns[:end])
        order = owner.order if owner is not None else parent.order
        box = self.conversation.add_namespace(ns, label=node, parent=parent.box["key"], order=order)
        space = self.by_ns[ns] = Space(ns, box, parent, segment)
        parent.children.append(space)
        link = self._links.pop(ns, None)
        if owner is not None:
            self._own(space, owner)
        else:
            self._orphans.setdefault(task_id, []).append(space)
            self._relabel(space)
        if link is not None:
            self.link(ns, link)
        return space

    def _own(self, space: Space, owner: Task) -> None:
        space.owner, owner.shown = owner, True
        owner.boxes.append(space)
        if space.box["order"] != owner.order:
            self.conversation.set_namespace(space.box, order=owner.order)
        if len(owner.calls) == 1:
            self._spawn(space, owner.calls[0])
        self._relabel(space)

    def _spawn(self, space: Space, call_id: str) -> None:
        """Hangs the box beneath the tool call that started it."""
        parent: Space | None = space.parent
        record = None
        while parent is not None and record is None:
            record = parent.calls.get(call_id)
            parent = parent.parent
        if record is None:
            self._callless.setdefault(call_id, []).append(space)
            return
        before = self.conversation.records.get(space.box["spawned_by"] or "")
        if before is record:
            return
        if before is not None:  # another task of the node, or an earlier call
            left = [key for key in before.get("spawned", ()) if key != space.box["key"]]
            self.conversation.set(before, spawned=left or None)
        self.conversation.set_namespace(space.box, spawned_by=record["id"])
        spawned = [*record.get("spawned", ()), space.box["key"]]
        self.conversation.set(record, spawned=spawned)
        self._relabel(space)

    def _identify(self, space: Space) -> None:
        """Decides whose name its events carry: its own, or that of an agent around it."""
        agent, above = space.told_agent, space.parent
        if agent != space.graph:
            while above is not None and above.agent != agent:
                above = above.parent
            if above is not None:
                agent = None  # a plain graph called in an agent's tool
        space.agent = agent
        self._relabel(space)

    def _relabel(self, space: Space) -> None:
        """Gives a box its label and numbers those of one label under one parent."""
        is_agent = space.agent is not None
        if space.box["is_agent"] != is_agent:
            self.conversation.set_namespace(space.box, is_agent=is_agent)
        if space.parent is None:
            if space.label and not self.named:
                self._rename(space, space.label)
            return
        families, label = space.parent.families, space.label
        changed = []
        if space.family:
            family = families[space.family]
            changed.append((family, family.index(space)))
            family.remove(space)
        space.family = label
        family = families.setdefault(label, [])
        place = bisect_left(family, self._place(space), key=self._place)
        family.insert(place, space)
        for namesakes, first in (*changed, (family, place)):
            self._number(namesakes, first)

    def _number(self, family: list[Space], start: int) -> None:
        """Says which of its namesakes each box is, from number `start` on."""
        for at in range(start, len(family)):
            space, around = family[at], family[at].parent
            number = at + (around.gone[space.family] if around is not None else 0)
            self._rename(space, f"{space.family} {number + 1}" if number else space.family)

    def _place(self, space: Space) -> tuple[int, int, int]:
        box, caller = space.box, self.conversation.records.get(space.box["spawned_by"] or "")
        if caller is not None:  # by the position of the call, whichever task was faster
            return (caller["order"], caller["seq"], box["seq"])
        return (box["order"], 0, box["seq"])

    def _rename(self, space: Space, label: str) -> None:
        before = space.box["label"]
        if before == label:
            return
        self.conversation.set_namespace(space.box, label=label)
        rows_in = self.conversation.rows_in
        said = [r for r in rows_in(space.box["key"]) if r["type"] != "user"]
        for child in space.children:
            said += [r for r in rows_in(child.box["key"]) if r["type"] == "user"]
        for record in said:
            if record["speaker"] == before:
                self.conversation.set(record, speaker=label)


def _with_inner(outer: Iterable[Space]) -> Iterator[Space]:
    spaces = list(outer)
    while spaces:
        space = spaces.pop()
        yield space
        spaces += space.children
