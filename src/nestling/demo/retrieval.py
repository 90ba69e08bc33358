"""A graph without messages: retrieve, grade, write."""

from __future__ import annotations

import re
import time
from typing import Any

from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from nestling.demo.parts import Graph

DOCUMENTS = (
    "A notebook cell shows the last value of its code.",
    "A widget lives in the kernel and is drawn in the page.",
    "A kernel runs one cell at a time.",
    "Bread rises faster in a warm kitchen.",
    "A page that is reloaded asks the kernel for the state of its widgets.",
)
_SHORT = 3


class State(TypedDict, total=False):
    """A question comes in, an answer goes out."""

    question: str
    documents: list[str]
    relevant: list[str]
    answer: str


def pipeline(delay: float = 0.035) -> Graph:
    """A pipeline that answers from five sentences, by counting the words they share.

    Takes `{"question": "Where does a widget live?"}` and returns `answer` beside the
    `documents` and the `relevant` ones. No model, no messages.

    Args:
        delay: A twentieth of the seconds that a node takes.
    """

    def retrieve(state: State) -> dict[str, Any]:
        time.sleep(20 * delay)
        found = [text for text in DOCUMENTS if _shared(state["question"], text)]
        return {"documents": found}

    def grade(state: State) -> dict[str, Any]:
        time.sleep(20 * delay)
        ranked = sorted(state["documents"], key=lambda text: -_shared(state["question"], text))
        return {"relevant": ranked[:2]}

    def write(state: State) -> dict[str, Any]:
        time.sleep(20 * delay)
        return {"answer": " ".join(state["relevant"]) or "Nothing is known about that."}

    builder = StateGraph(State)
    builder.add_sequence([("retrieve", retrieve), ("grade", grade), ("write", write)])
    builder.add_edge(START, "retrieve")
    return builder.compile(name="pipeline")


def _words(text: str) -> set[str]:
    words = re.findall(r"[a-z]+", text.lower())
    return {word.rstrip("s") for word in words if len(word) > _SHORT}


def _shared(question: str, text: str) -> int:
    return len(_words(question) & _words(text))
