"""The graphs that real clients speak in, and what the tests read off their views."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import BaseMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph

from nestling import View, watch
from tests.providers.replay import Replay

ASK = {"messages": [("user", "Go.")]}
CLIENT: dict[str, Any] = {"api_key": "none", "max_retries": 0}


@tool
def look(n: int) -> str:
    """Looks."""
    return f"saw {n}"


@tool
def shout(text: str) -> str:
    """Says it loudly."""
    return text.upper()


def chat(server: Replay, **options: Any) -> ChatOpenAI:
    """OpenAI's chat completions."""
    options = {"stream_usage": True, **options}
    return ChatOpenAI(model="gpt-4.1", base_url=server.url, **CLIENT, **options)


def responses(server: Replay, **options: Any) -> ChatOpenAI:
    """OpenAI's Responses API."""
    options = {"use_responses_api": True, **options}
    return ChatOpenAI(model="gpt-5", base_url=server.url, **CLIENT, **options)


def claude(server: Replay, **options: Any) -> ChatAnthropic:
    return ChatAnthropic(model="claude-test", base_url=server.url, **CLIENT, **options)


def agent(model: Any) -> Any:
    return create_agent(model, [look, shout], name="agent")


def node(say: Callable[[Any], Any], **options: Any) -> Any:
    """A graph of one node, which says what `say` returns."""
    builder = StateGraph(MessagesState)
    builder.add_node("talk", lambda state: {"messages": say(state["messages"])}, **options)
    builder.add_edge(START, "talk")
    return builder.compile(name="graph")


def asked(model: Any) -> Any:
    """A graph of one node, which hands the question on to `model`."""
    return node(lambda messages: [model.invoke(messages)])


def shown(graph: Any, **options: Any) -> View:
    view = watch(graph, **options)
    view.invoke(ASK)
    return view


# --- reading ------------------------------------------------------------------------------


def answers(view: View) -> list[Any]:
    return view.transcript.find(type="ai")


def calls(view: View) -> list[Any]:
    return view.transcript.find(type="tool_call")


def texts(view: View) -> list[str]:
    return [record["content"] for record in answers(view)]


def told(view: View) -> list[dict[str, Any]]:
    """What the records of a run say, however it was told: no ids of messages, no clocks."""
    names = ("type", "status", "content", "reasoning", "blocks", "usage", "model", "name", "args")
    names += ("tool_call_id", "error", "args_text")
    return [{name: r[name] for name in names if name in r} for r in view.transcript]


def says(messages: list[BaseMessage]) -> list[Any]:
    """What a graph returned, without the ids that LangChain makes up for each run."""
    return [message.model_copy(update={"id": None}) for message in messages]


def streamed(graph: Any) -> Any:
    """What the bare graph returns when it is asked to stream."""
    items = list(graph.stream(ASK, stream_mode=["messages", "values"]))
    return [value for mode, value in items if mode == "values"][-1]


def eventually(read: Callable[[], Any], wanted: Any, seconds: float = 5) -> Any:
    """What `read` returns once it is `wanted`, or when time is up."""
    end = time.monotonic() + seconds
    while (found := read()) != wanted and time.monotonic() < end:
        time.sleep(0.005)
    return found
