"""Interrupts in, `interrupt` records out; and what becomes of them when they are answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from nestling.conversation import Conversation
from nestling.encode import encode, short
from nestling.langgraph.normalize import Ns
from nestling.langgraph.spaces import Space, Spaces, Task
from nestling.records import Record

_DECISIONS = ("approve", "edit", "reject", "respond")


@dataclass(slots=True, eq=False)
class Asked:
    """One interrupt that waits for an answer."""

    thread: str | None
    space: Space
    value: Any
    #: The tool calls to be decided on, `{name, args, allowed}`.
    actions: tuple[dict[str, Any], ...]
    #: One decision is its answer, not a list of them.
    per_call: bool
    #: The run that asked, with the config to go on with.
    run: Any = None
    #: Those that a person has given so far, by position.
    decisions: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def namespace(self) -> Ns:
        return tuple(self.space.segments)


class Interrupts:
    """The interrupts of one view."""

    def __init__(self, conversation: Conversation, spaces: Spaces) -> None:
        self.conversation = conversation
        self.spaces = spaces
        #: Those that this run raised, and those that waited when it began, by id.
        self.pending: dict[str, Asked] = {}
        self._asked: dict[str, Asked] = {}
        self._answered: dict[str, Asked] = {}
        #: The run stopped before or after a node, as it was told to, without asking anything.
        self.paused = False
        self._silent = False

    def begin(self, silent: bool) -> None:
        """A new run: what waits may be answered by it; `silent`: without a word of that."""
        self._asked, self.pending = {**self._asked, **self.pending}, {}
        self.paused, self._silent = False, silent

    def ended(self, completed: bool) -> None:
        """What still waits after a run can be answered by the next one."""
        if completed and self._silent:
            for key in self._of_this_thread():
                self._settle(key, status="answered")
        self.pending, self._asked = {**self._asked, **self.pending}, {}

    @property
    def asked(self) -> bool:
        """Whether something waits that this run may answer."""
        return bool(self._asked)

    @property
    def waiting(self) -> bool:
        """Whether the run ends without having come to its end."""
        return bool(self.pending) or self.paused

    def raised(self, ns: Ns, interrupts: Any, speaker: Callable[[Space], str]) -> None:
        """One record per id, at the deepest namespace: children report before parents."""
        if not interrupts and not ns:
            self.paused = True
        for interrupt in interrupts:
            key = str(_read(interrupt, "id") or "") or None
            known = self.conversation.records.get(key or "")
            if known is not None and known["type"] == "interrupt":
                self._again(known)
                continue
            space, value = self.spaces.get(ns), _read(interrupt, "value")
            schema = _read(interrupt, "response_schema")
            asked = Asked(self.conversation.thread_id, space, value, *_actions(value, schema))
            # all in one, so that together they are no larger than one value may be
            actions, schema, plain = cast("list[Any]", encode([asked.actions, schema, value]))
            record = self.conversation.add(
                "interrupt",
                key,
                space.segments,
                speaker=speaker(space),
                order=space.order,
                status="pending",
                content=plain if isinstance(plain, str) else short(plain, 400),
                value=plain,
                actions=actions or None,
                response_schema=schema,
            )
            self.pending[record["id"]] = asked

    def place(self, task: Task, interrupts: Any) -> None:
        """The task that raised them: it is told after the interrupts themselves."""
        for interrupt in interrupts:
            record = self.conversation.records.get(str(_read(interrupt, "id") or ""))
            if record is not None and record["namespace"] == task.space.segments:
                speaker = task.space.speaker(task.name)
                self.conversation.set(record, order=task.order, speaker=speaker)

    def _again(self, record: Record) -> None:
        """It asks again, or was not among those that were answered."""
        key = record["id"]
        asked = self._asked.pop(key, None) or self._answered.pop(key, None)
        if asked is None:  # it waits already
            return
        asked.thread, asked.run = self.conversation.thread_id, None
        self.pending[key] = asked
        self.conversation.set(record, status="pending", answer=None, ended_at=None)

    def answer(self, resume: Any) -> None:
        """The run resumes its thread with an answer, or with one for each interrupt id."""
        waiting = self._of_this_thread()
        by_id = bool(resume) and isinstance(resume, Mapping) and set(resume) <= set(waiting)
        for key in resume if by_id else waiting:
            given = resume[key] if by_id else resume
            self._decide(self._asked[key], given)
            self._settle(key, status="answered", answer=encode(given))

    def abandon(self) -> None:
        """The run asks its thread something new: what waited there is not answered any more."""
        for key in self._of_this_thread():
            self._settle(key, status="cancelled")

    def _of_this_thread(self) -> list[str]:
        thread = self.conversation.thread_id
        return [key for key, asked in self._asked.items() if asked.thread == thread]

    def _settle(self, key: str, **fields: Any) -> None:
        asked = self._answered[key] = self._asked.pop(key)
        asked.decisions.clear()
        asked.run = None  # with all that it returned
        self.conversation.set(self.conversation.records[key], **fields)

    def _decide(self, asked: Asked, given: Any) -> None:
        """Marks the calls that were rejected, and shows the arguments that were edited."""
        decisions = [given] if asked.per_call else _decisions(given)
        calls = _calls(asked)
        for call, decision in zip(calls, decisions, strict=False):
            kind = decision.get("type") if isinstance(decision, Mapping) else None
            if call is None or kind not in ("reject", "edit"):
                continue
            if kind == "reject":
                self.conversation.set(call, status="rejected")
            else:
                edited = decision.get("edited_action")
                args = edited.get("args") if isinstance(edited, Mapping) else None
                if isinstance(args, Mapping):
                    self.conversation.set(call, args=encode(args))


def _decisions(given: Any) -> list[Any]:
    found = given.get("decisions") if isinstance(given, Mapping) else None
    return found if isinstance(found, list) else []


def _calls(asked: Asked) -> list[Record | None]:
    """The calls that wait for each action: by their id, else by order, name and arguments."""
    if asked.per_call:
        return [asked.space.calls.get(str(asked.value.get("tool_call_id")))]
    waiting = [call for call in asked.space.calls.values() if call["status"] == "interrupted"]
    found: list[Record | None] = []
    for action in asked.actions:
        plain = encode(action["args"])
        like = (c for c in waiting if c.get("name") == action["name"] and c.get("args") == plain)
        call = next(like, None)
        if call is not None:
            waiting.remove(call)
        found.append(call)
    return found


def _actions(value: Any, schema: Any) -> tuple[tuple[dict[str, Any], ...], bool]:
    """`(actions, per_call)` of what a middleware for human decisions asks."""
    if not isinstance(value, Mapping):
        return (), False
    if value.get("type") == "tool_approval" and "name" in value:
        allowed = tuple(kind for kind in _DECISIONS if kind in set(_kinds(schema)))
        return (_action(value, allowed),), True
    requests, configs = value.get("action_requests"), value.get("review_configs")
    if not isinstance(requests, (list, tuple)):
        return (), False
    configs = configs if isinstance(configs, (list, tuple)) else ()
    allowed_for = {
        str(config.get("action_name")): tuple(config.get("allowed_decisions") or ())
        for config in configs
        if isinstance(config, Mapping)
    }
    named = [request for request in requests if isinstance(request, Mapping)]
    return tuple(_action(r, allowed_for.get(str(r.get("name")), ())) for r in named), False


def _action(request: Mapping[str, Any], allowed: tuple[str, ...]) -> dict[str, Any]:
    args = request.get("args")
    return {
        "name": str(request.get("name") or ""),
        "args": dict(args) if isinstance(args, Mapping) else {},
        "allowed": list(allowed),
    }


def _kinds(schema: Any) -> Iterator[str]:
    """The constants of `type` in the schema of a decision, or in those of its branches."""
    if not isinstance(schema, Mapping):
        return
    for branch in (schema, *(schema.get("$defs") or {}).values()):
        properties = branch.get("properties") if isinstance(branch, Mapping) else None
        kind = properties.get("type") if isinstance(properties, Mapping) else None
        if isinstance(kind, Mapping) and "const" in kind:
            yield str(kind["const"])


def _read(interrupt: Any, name: str) -> Any:
    """Of an object of LangGraph, or of its dict from a server."""
    return interrupt.get(name) if isinstance(interrupt, Mapping) else getattr(interrupt, name, None)
