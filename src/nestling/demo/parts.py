"""Parts of the demo graphs: a tool that takes its time, an agent as a tool, a model as a node."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import StructuredTool
from langgraph.graph.state import CompiledStateGraph

#: A graph ready to run, whatever its state looks like.
Graph: TypeAlias = CompiledStateGraph[Any, Any, Any, Any]


def slow_tool(
    work: Callable[..., Any],
    seconds: float,
    response_format: Literal["content", "content_and_artifact"] = "content",
) -> StructuredTool:
    """`work` as a tool that takes `seconds`, blocking no one else when it is awaited."""

    @functools.wraps(work)
    def run(**args: Any) -> Any:
        time.sleep(seconds)
        return work(**args)

    @functools.wraps(work)
    async def arun(**args: Any) -> Any:
        await asyncio.sleep(seconds)
        return work(**args)

    return StructuredTool.from_function(
        func=run, coroutine=arun, description=work.__doc__, response_format=response_format
    )


def agent_tool(
    agent: Graph, description: str, artifact: Callable[[str], Any] | None = None
) -> StructuredTool:
    """`agent` as a tool of its own name that takes a request and returns its last words.

    Args:
        agent: A graph with `messages` in its state.
        description: What the calling model is told about it.
        artifact: Makes the artifact of the tool message out of the last words.
    """

    def answer(state: dict[str, Any]) -> tuple[str, Any]:
        text = state["messages"][-1].text
        return text, artifact(text) if artifact else None

    def ask(request: str) -> tuple[str, Any]:
        return answer(agent.invoke({"messages": [{"role": "user", "content": request}]}))

    async def aask(request: str) -> tuple[str, Any]:
        return answer(await agent.ainvoke({"messages": [{"role": "user", "content": request}]}))

    return StructuredTool.from_function(
        func=ask,
        coroutine=aask,
        name=agent.name,
        description=description,
        response_format="content_and_artifact",
    )


def model_node(model: BaseChatModel) -> RunnableLambda[Any, Any]:
    """A node that adds what `model` says to the messages so far."""

    def run(state: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    async def arun(state: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    return RunnableLambda(run, arun)
