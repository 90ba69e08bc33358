"""Agents that work side by side: a plan, one worker for each part of it, a summary."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from langchain.agents import create_agent
from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Send
from typing_extensions import TypedDict

from nestling.demo.chat_model import Reply, ScriptedChatModel, call
from nestling.demo.parts import Graph, slow_tool

#: What a worker looks at, and what it writes about it.
ANGLES = {
    "costs": (
        "Nearly all of the money for {topic} is spent before the first day of use. After that "
        "the yearly costs are small and easy to foresee, so the interest rate matters more "
        "than the price of the parts."
    ),
    "demand": (
        "Demand for {topic} does not come evenly. It peaks on few days of the year, and whoever "
        "can shift use by some hours gets along with much less. Three buyers out of four say "
        "that a steady bill counts more for them than a low one."
    ),
    "risks": (
        "The risks of {topic} are seldom the ones that people name first. Late permits and "
        "missing staff delay more projects than broken parts do."
    ),
    "policy": (
        "Rules for {topic} change about every four years. Projects that pay off without any "
        "support are the only ones that such a change does not touch."
    ),
    "suppliers": (
        "Five suppliers share most of the market for {topic}. Two of them make what the other "
        "three put their names on, so a second source is often none."
    ),
    "research": (
        "Research on {topic} now asks how things last, not how much they yield. Ten years of "
        "field data are open to everyone, and they are better than their name."
    ),
}


class State(TypedDict, total=False):
    """What the nodes share: a topic comes in, reports and messages go out."""

    topic: str
    plan: list[str]
    reports: Annotated[list[str], operator.add]
    messages: Annotated[list[AnyMessage], add_messages]


class Task(TypedDict):
    """What one worker is sent."""

    topic: str
    angle: str


def parallel_team(workers: int = 3, delay: float = 0.035) -> Graph:
    """A team whose workers all stream at the same time.

    Takes `{"topic": "solar power"}`, whatever the topic, and returns `plan`, `reports`
    (one per worker, in the order of the plan) and `messages`.

    Args:
        workers: How many agents share the work.
        delay: Seconds between two tokens of one agent.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    names = list(ANGLES)
    angles = [
        names[i % len(names)] + (f", part {i // len(names) + 1}" if i >= len(names) else "")
        for i in range(workers)
    ]

    def plan(state: State) -> dict[str, Any]:
        return {"plan": angles}

    def assign(state: State) -> list[Send]:
        return [Send("worker", Task(topic=state["topic"], angle=angle)) for angle in state["plan"]]

    builder = StateGraph(State)
    builder.add_node("plan", plan)
    builder.add_node("worker", _work(delay))
    builder.add_node("write", _write(delay))
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", assign, ["worker"])
    builder.add_edge("worker", "write")
    builder.add_edge("write", END)
    return builder.compile(name="parallel_team")


def _work(delay: float) -> RunnableLambda[Any, Any]:
    """The node of a worker: asks an agent, keeps its report."""

    def request(task: Task) -> dict[str, Any]:
        question = f"Look at the {task['angle']} of {task['topic']}."
        return {"messages": [{"role": "user", "content": question}]}

    def report(state: dict[str, Any]) -> dict[str, Any]:
        return {"reports": [state["messages"][-1].text]}

    def run(task: Task) -> dict[str, Any]:
        return report(_worker(task, delay).invoke(request(task)))

    async def arun(task: Task) -> dict[str, Any]:
        return report(await _worker(task, delay).ainvoke(request(task)))

    return RunnableLambda(run, arun)


def _worker(task: Task, delay: float) -> Graph:
    """The agent for one angle."""
    topic, angle = task["topic"], task["angle"]

    def search(query: str) -> str:
        """Searches the library."""
        return f"{5 + len(query) % 7} sources about {query}"

    model = ScriptedChatModel(
        script=[
            Reply(f"I search the library for {angle}.", [call("search", query=f"{topic} {angle}")]),
            ANGLES[angle.partition(",")[0]].format(topic=topic),
        ],
        delay=delay,
    )
    return create_agent(model, [slow_tool(search, 15 * delay)], name="worker")


def _write(delay: float) -> RunnableLambda[Any, Any]:
    """The node that sums the reports up."""

    def model(state: State) -> ScriptedChatModel:
        points = "\n".join(
            f"- **{angle}**: {report.partition('. ')[0].rstrip('.')}."
            for angle, report in zip(state["plan"], state["reports"], strict=True)
        )
        text = f"What to know about {state['topic']}:\n\n{points}"
        return ScriptedChatModel(script=[text], delay=delay)

    def run(state: State) -> dict[str, Any]:
        return {"messages": [model(state).invoke("\n".join(state["reports"]))]}

    async def arun(state: State) -> dict[str, Any]:
        return {"messages": [await model(state).ainvoke("\n".join(state["reports"]))]}

    return RunnableLambda(run, arun)
