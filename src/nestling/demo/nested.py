"""Graphs within graphs: three boxes deep, with an agent at the bottom."""

from __future__ import annotations

from langchain.agents import create_agent
from langchain_core.messages import BaseMessage
from langgraph.graph import START, MessagesState, StateGraph

from nestling.demo.chat_model import Reply, ScriptedChatModel, call
from nestling.demo.market import products
from nestling.demo.parts import Graph, model_node, slow_tool


def nested_team(delay: float = 0.035) -> Graph:
    """A graph that holds a team, which holds a team, which holds `stats_agent`.

    Say anything to it. Every level is a compiled graph used as a node.

    Args:
        delay: Seconds between two tokens.
    """
    stats_team = _graph("stats_team", "stats_agent", _stats_agent(delay), delay)
    analysis_team = _graph("analysis_team", "stats_team", stats_team, delay)
    return _graph("nested_team", "analysis_team", analysis_team, delay)


def _graph(name: str, inner_name: str, inner: Graph, delay: float) -> Graph:
    """A graph that announces `inner`, runs it as a node, and closes with a word about it."""

    def speaker(text: str) -> ScriptedChatModel:
        return ScriptedChatModel(script=lambda _: text, delay=delay)

    builder = StateGraph(MessagesState)
    builder.add_node("open", model_node(speaker(f"I hand this to {inner_name}.")))
    builder.add_node(inner_name, inner)
    builder.add_node("close", model_node(speaker(f"{inner_name} has answered, {name} is done.")))
    builder.add_edge(START, "open")
    builder.add_edge("open", inner_name)
    builder.add_edge(inner_name, "close")
    return builder.compile(name=name)


def _stats_agent(delay: float) -> Graph:
    def outlier_checker(column: str, limit: float) -> str:
        """Counts the values of a column beyond a limit."""
        values = [pair[("price", "demand").index(column)] for pair in products()]
        beyond = sum(value > limit for value in values)
        return f"{beyond} of {len(values)} values of {column} are above {limit:g}"

    def answer(messages: list[BaseMessage]) -> Reply | str:
        if messages[-1].type == "tool":
            return f"I looked for outliers: {messages[-1].text}."
        return Reply("First the outliers.", [call("outlier_checker", column="demand", limit=80.0)])

    model = ScriptedChatModel(script=answer, delay=delay)
    return create_agent(model, [slow_tool(outlier_checker, 15 * delay)], name="stats_agent")
