"""What runs in the kernel: events at a given rate, graphs whose model keeps to a schedule."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.graph import START, MessagesState, StateGraph

MODES = ["messages", "updates", "tasks", "tools", "custom", "values"]
#: Tokens of one message.
LONG = 200
#: One token in so many carries a mark that is looked for in the page.
MARKED = 25

#: Mark -> milliseconds since the epoch at which it was made.
marks: dict[str, float] = {}


_numbers = itertools.count()


def mark() -> str:
    key = str(next(_numbers))
    marks[key] = time.time() * 1000
    return f"⟦m{key}⟧"


class Pacer:
    """Waits for the next of `rate` moments a second, on an absolute schedule; None: never."""

    def __init__(self, rate: float | None) -> None:
        self.rate, self.number, self.began = rate, 0, time.perf_counter()

    def wait(self) -> None:
        if self.rate is None:
            return
        self.number += 1
        left = self.began + self.number / self.rate - time.perf_counter()
        if left > 0:
            time.sleep(left)


def event(agent: int, number: int, text: str, last: bool = False) -> dict[str, Any]:
    """A token of an agent, as LangGraph's v2 stream gives it; `last` of its message."""
    ns = f"agent{agent}:task{agent}"
    metadata = {"langgraph_node": "model", "langgraph_checkpoint_ns": f"{ns}|model:x{agent}"}
    chunk = AIMessageChunk(
        content=text, id=f"m{agent}-{number // LONG}", chunk_position="last" if last else None
    )
    return {"type": "messages", "ns": (ns,), "data": (chunk, metadata)}


def feed(
    view: Any, tokens: int, rate: float | None = None, agents: int = 10, threads: int = 1
) -> dict[str, Any]:
    """Tokens of five bytes, dealt to the agents in turn. Says what a page has to show.

    With more threads than one, each has agents of its own.
    """
    marks.clear()
    pacer, sizes = Pacer(rate), []

    def part(thread: int) -> None:
        size = 0
        for i in range(tokens):
            if i % agents % threads != thread:
                continue
            pacer.wait()
            text = mark() if i % MARKED == 0 else "word "
            size += len(text.encode())
            view.process_event(event(i % agents, i // agents, text))
        sizes.append(size)

    if threads == 1:
        part(0)
    else:
        feeding = [threading.Thread(target=part, args=(i,)) for i in range(threads)]
        for thread in feeding:
            thread.start()
        for thread in feeding:
            thread.join()
    view.finalize()
    return {
        "bytes": sum(sizes),
        "marks": dict(marks),
        "texts": view.texts(),
        "sent": getattr(view, "sent", None),
        "busiest": view.busiest(),
    }


def save(name: str, result: Any) -> None:
    """Results leave as a file: the server may drop what a cell says after a burst."""
    path = Path(name)
    path.with_suffix(".part").write_text(json.dumps(result))
    path.with_suffix(".part").rename(path)


class Scripted(BaseChatModel):
    """Says `tokens` words, `rate` a second."""

    tokens: int
    rate: float | None = None
    #: Marks are made only where a page looks for them.
    marked: bool = False

    @property
    def _llm_type(self) -> str:
        return "bench"

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        pacer = Pacer(self.rate)
        for i in range(self.tokens):
            pacer.wait()
            marked = self.marked and (i % MARKED == 0 or i == self.tokens - 1)
            last = "last" if i == self.tokens - 1 else None
            message = AIMessageChunk(content=mark() if marked else "word ", chunk_position=last)
            chunk = ChatGenerationChunk(message=message)
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        text = "".join(str(chunk.message.content) for chunk in self._stream(messages))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])


def team(agents: int, tokens: int, rate: float | None = None, marked: bool = False) -> Any:
    """A graph of `agents` subgraphs side by side, of `tokens` tokens together.

    Each says messages of `LONG` tokens, one after the other; paced, it is all one message.
    """
    share = tokens // agents
    length = share if rate is not None else LONG
    model = Scripted(tokens=length, rate=rate and rate / agents, marked=marked)

    def speak(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke("go on")]}

    builder = StateGraph(MessagesState)
    for agent in range(agents):
        inner = StateGraph(MessagesState)
        inner.add_sequence([(f"speak_{i}", speak) for i in range(share // length)])
        inner.add_edge(START, "speak_0")
        builder.add_node(f"agent_{agent}", inner.compile(name=f"agent_{agent}"))
        builder.add_edge(START, f"agent_{agent}")
    return builder.compile(name="team")


QUESTION = {"messages": [("user", "Go on")]}


def drain(source: Any) -> int:
    """Runs a graph or a view to its end; returns the number of tokens that came."""
    stream = source.stream(QUESTION, stream_mode=MODES, subgraphs=True, version="v2")
    return sum(part["type"] == "messages" for part in stream)
