"""What a run asks of a person, and the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nestling.text import outline, records

if TYPE_CHECKING:
    from nestling.run import Run
    from nestling.runs import Runs

NOTHING = "No interrupt waits for an answer. view.pending lists those that do."


@dataclass(frozen=True, slots=True)
class Pending:
    """One interrupt that waits for an answer.

    Attributes:
        id: LangGraph's id of the interrupt.
        namespace: Where it was raised.
        value: What the graph said with it.
        actions: Tool calls that wait for a decision, each `{name, args, allowed}`; empty when
            the graph asks for anything else, which `resume` answers.

    A decision on each action starts the run again. Until then the methods return None; the
    `Run` that they return at last goes on in the background.
    """

    id: str
    namespace: tuple[str, ...]
    value: Any
    actions: tuple[dict[str, Any], ...]
    _runs: Runs = field(repr=False, compare=False)

    def approve(self, index: int = 0) -> Run | None:
        """Lets the action happen as it is."""
        return self._decide(index, {"type": "approve"})

    def edit(self, index: int = 0, **args: Any) -> Run | None:
        """Lets the action happen with these arguments changed."""
        action = self._action(index)
        edited = {"name": action["name"], "args": {**action["args"], **args}}
        return self._decide(index, {"type": "edit", "edited_action": edited})

    def reject(self, message: str | None = None, index: int = 0) -> Run | None:
        """Keeps the action from happening; the model is told why."""
        said = {} if message is None else {"message": message}
        return self._decide(index, {"type": "reject", **said})

    def respond(self, message: str, index: int = 0) -> Run | None:
        """Answers in place of the tool."""
        return self._decide(index, {"type": "respond", "message": message})

    def resume(self, value: Any) -> Run:
        """Answers with any value, as `Command(resume=...)` does."""
        self._waits()
        from nestling.langgraph.source import loop_of

        command, config, options = self._runs._answer({self.id: value})
        # a thread, so that `result()` may be called here; but not where the loop is needed
        thread = loop_of(self._runs._graph) is None
        return self._runs.start(command, config, thread=thread or None, **options)

    def _decide(self, index: int, decision: dict[str, Any]) -> Run | None:
        action, kind = self._action(index), decision["type"]
        if action["allowed"] and kind not in action["allowed"]:
            allowed = ", ".join(action["allowed"])
            raise ValueError(f"{action['name']} does not take {kind!r}. It takes: {allowed}.")
        self._waits()
        asked = self._runs._adapter.interrupts.pending[self.id]
        asked.decisions[index] = decision
        if len(asked.decisions) < len(self.actions):
            return None
        if asked.per_call:
            return self.resume(decision)
        return self.resume({"decisions": [asked.decisions[n] for n in range(len(self.actions))]})

    def _action(self, index: int) -> dict[str, Any]:
        if not self.actions:
            raise ValueError("This interrupt asks for no decision. Answer it with .resume(value).")
        if not 0 <= index < len(self.actions):
            raise IndexError(f"There is no action {index}: this interrupt has {len(self.actions)}.")
        return self.actions[index]

    def _waits(self) -> None:
        if self.id not in self._runs._adapter.interrupts.pending:
            raise RuntimeError("This interrupt has been answered already. See view.pending.")


def waiting(runs: Runs) -> tuple[Pending, ...]:
    """The interrupts of a view that wait for an answer, in the order of the tree."""
    with runs._conversation.lock:
        asked = runs._adapter.interrupts.pending
        if not asked:
            return ()
        tree = outline(runs._conversation.namespaces, runs._conversation.rows())
        return tuple(
            Pending(key, asked[key].namespace, asked[key].value, asked[key].actions, runs)
            for key in (record["id"] for record in records(tree))
            if key in asked
        )


def answer(runs: Runs, value: Any) -> Any:
    """The `Command` that answers what waits with `value`.

    With several that wait it is `{interrupt_id: answer}`, for as many as are answered.
    """
    from langgraph.types import Command

    asked = list(runs._adapter.interrupts.pending)
    if not asked:
        raise RuntimeError(NOTHING)
    if isinstance(value, Mapping) and value and set(value) <= set(asked):
        return Command(resume=dict(value))
    if len(asked) > 1:
        ids = ", ".join(map(repr, asked))
        raise ValueError(
            f"{len(asked)} interrupts wait for an answer: pass {{interrupt_id: answer}}. "
            f"Their ids are {ids}."
        )
    return Command(resume={asked[0]: value})
