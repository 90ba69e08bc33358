"""The shapes that every room agrees on: records, namespaces, edits and the wire.

`js/src/protocol.ts` holds the same names for the page. Everything here is plain
JSON: no live Python objects, no secrets, no run config. A field that does not apply is
absent (never null), on both sides of the wire.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

RecordType: TypeAlias = Literal[
    "user", "ai", "tool_call", "artifact", "interrupt", "error", "system", "update", "custom"
]
RunStatus: TypeAlias = Literal["idle", "running", "interrupted", "completed", "failed", "cancelled"]
NamespaceStatus: TypeAlias = Literal["running", "completed", "failed", "interrupted", "cancelled"]
#: Fields of a record that grow by appending text while a run goes on.
TextField: TypeAlias = Literal["content", "reasoning", "args_text"]
#: Those that grow while a message streams.
TEXT_FIELDS: tuple[TextField, ...] = ("content", "reasoning", "args_text")

#: Statuses that a record or namespace leaves again. At the end of a run nothing has one.
OPEN = frozenset({"streaming", "calling", "executing", "running"})


class Usage(TypedDict, total=False):
    """Tokens as the provider counted them."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class Progress(TypedDict):
    """How far a call or a node has come, as it says itself."""

    #: From 0 to 1.
    fraction: float
    text: NotRequired[str]


class Record(TypedDict):
    """One row of the conversation: a message, a tool call, an artifact, an error..."""

    id: str
    type: RecordType
    #: LangGraph's segments, `[]` for the root.
    namespace: list[str]
    speaker: str
    #: Order of first appearance in the view, strictly increasing; the row's handle on the wire.
    seq: int
    #: START number of the task that it belongs to: siblings are drawn by `(order, seq)`, so
    #: that racing branches keep one order however their tokens arrive.
    order: int
    status: str
    content: str
    #: Seconds since the epoch.
    started_at: float
    ended_at: NotRequired[float]
    #: How a page can draw it, a size-capped mimebundle: of artifacts, and what a renderer made.
    mime: NotRequired[dict[str, Any]]
    # ai
    reasoning: NotRequired[str]
    blocks: NotRequired[list[Any]]
    usage: NotRequired[Usage]
    model: NotRequired[str]
    # tool_call
    tool_call_id: NotRequired[str]
    name: NotRequired[str]
    args: NotRequired[dict[str, Any]]
    #: The arguments as the model writes them; gone once `args` is complete.
    args_text: NotRequired[str]
    error: NotRequired[str]
    attempt: NotRequired[int]
    artifacts: NotRequired[list[str]]
    spawned: NotRequired[list[str]]
    #: While it runs.
    progress: NotRequired[Progress]
    # artifact
    title: NotRequired[str]
    kind: NotRequired[str]
    #: Id of the record, or key of the namespace; of an ai message the call in whose tool it was
    #: said.
    created_by: NotRequired[str]
    version: NotRequired[int]
    # interrupt
    value: NotRequired[Any]
    actions: NotRequired[list[Any]]
    response_schema: NotRequired[Any]
    answer: NotRequired[Any]
    # error
    error_type: NotRequired[str]
    message: NotRequired[str]
    traceback: NotRequired[str]
    # custom
    data: NotRequired[Any]


class Namespace(TypedDict):
    """One agent or subgraph: a box. The root stands under the key `""`."""

    #: Segments joined by `|`.
    key: str
    namespace: list[str]
    label: str
    #: Key of the enclosing namespace; None for the root only.
    parent: str | None
    #: Id of the tool_call record that called it, or None.
    spawned_by: str | None
    status: NamespaceStatus
    is_agent: bool
    #: Place among its siblings, as in `Record`; drawn from the same counters.
    seq: int
    order: int
    started_at: float
    ended_at: NotRequired[float]
    note: NotRequired[Literal["handoff", "cached"]]
    #: Of this namespace alone, without those inside it.
    usage: NotRequired[Usage]
    #: Of one of its nodes, while that runs.
    progress: NotRequired[Progress]


class RunState(TypedDict):
    """What the header of the page shows."""

    status: RunStatus
    #: Counts the runs of this view, from 1; 0 before the first.
    turn: int
    #: Kernel time when this was sent: the page corrects its clock by it.
    now: float
    started_at: NotRequired[float]
    ended_at: NotRequired[float]
    #: Seconds in which it was active before it waited, of a run that goes on after an interrupt.
    active_before: NotRequired[float]
    thread_id: NotRequired[str]
    #: Faults of the display itself so far ("1 display problem"); absent when there are none.
    problems: NotRequired[int]
    #: Records that `max_records` has dropped; absent when there are none.
    left_out: NotRequired[int]


class Change(TypedDict):
    """One edit of the conversation, as `view.on_event` callbacks get it."""

    op: Literal["add", "set", "append", "namespace", "status"]
    #: Record id, namespace key, or run status.
    id: str
    #: The record or namespace after the edit. Read-only.
    record: Any


# --- the wire, kernel to page -------------------------------------------------------------


class Patch(TypedDict):
    """Everything that changed in one frame, merged per record.

    To be applied in the order of the fields below; a part that does not apply is absent.
    A null inside `set` or `namespaces` removes the field, a null for a namespace the box.
    """

    type: Literal["patch"]
    epoch: str
    n: int
    run: NotRequired[RunState]
    #: `seq` of records that are no longer kept.
    #: By the key of their namespace, so that a page can count those that it has not.
    drop: NotRequired[dict[str, list[int]]]
    #: key -> whole namespace when new, else the changed fields; its `counts` beside them.
    namespaces: NotRequired[dict[str, dict[str, Any] | None]]
    add: NotRequired[list[Record]]
    #: `[seq, changed fields]`
    set: NotRequired[list[tuple[int, dict[str, Any]]]]
    #: `[seq, text]` grows `content`; `[seq, text, field]` another text field.
    append: NotRequired[list[tuple[int, str] | tuple[int, str, TextField]]]


class Missed(TypedDict):
    """The patches that a page said it lacks, in order."""

    type: Literal["missed"]
    patches: list[Patch]


class State(TypedDict):
    """What a page draws at first."""

    #: With the `counts` of each, see `counts.py`.
    namespaces: dict[str, dict[str, Any]]
    chat_history: list[Record]
    live_chat: list[Record]
    #: Every row from this `seq` on is here. Of those before only what the header of a closed
    #: box is drawn with: its call, what was said last in it.
    floor: int
    #: Namespace -> number of its older rows that are not here; ask for them with `rows`.
    earlier: dict[str, int]
    #: Namespace -> number of boxes right inside of it that are not here: `rows` brings them too.
    closed: dict[str, int]


class Snapshot(State):
    """All that a page needs to draw the present; patches with a higher `n` follow."""

    type: Literal["snapshot"]
    epoch: str
    n: int
    run: RunState


class Older(TypedDict):
    """Older rows, in order."""

    records: list[Record]
    #: Number of rows before these.
    earlier: int
    #: From this `seq` on all rows and boxes of the namespace have come, and `records` has what
    #: the headers of the boxes are drawn with; absent where `records` says where they begin.
    floor: NotRequired[int]


class Rows(Older):
    """Older rows as they are after patch `n`."""

    type: Literal["rows"]
    epoch: str
    n: int
    #: Whose rows they are; None: of all.
    namespace: str | None
    #: As it was asked for: all pages hear an answer, and take what ends where their rows begin.
    before: int


class Answer(TypedDict):
    """To one question of one page, which asked with the same `ask`; what else is in it depends."""

    type: Literal["answer"]
    ask: str


class Show(TypedDict):
    """What Python shows in all displays: boxes, all or those of a label, or one row."""

    type: Literal["show"]
    #: Whether boxes are opened or closed.
    open: NotRequired[bool]
    label: NotRequired[str]
    #: Of the row: its namespace and its `seq`.
    key: NotRequired[str]
    seq: NotRequired[int]


# --- the wire, page to kernel -------------------------------------------------------------


class Hello(TypedDict):
    """A page says what it has; the kernel sends what is missing, or the snapshot."""

    type: Literal["hello"]
    #: None when the page has nothing yet.
    epoch: str | None
    have: int


class RowsRequest(TypedDict):
    """Asks for up to `limit` rows right before `seq` = `before`, of one namespace or of all."""

    type: Literal["rows"]
    namespace: str | None
    before: int
    limit: int
    #: Number of boxes right inside of this namespace that the page has not: they count as rows.
    closed: NotRequired[int]


class Stop(TypedDict):
    """The Stop button: cancel cooperatively."""

    type: Literal["stop"]


class Ask(TypedDict):
    """A question of `questions.py`; what else is in it depends."""

    type: Literal["ask"]
    ask: str
    question: str


Command: TypeAlias = Hello | RowsRequest | Stop | Ask
