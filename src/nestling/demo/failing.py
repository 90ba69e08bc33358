"""A run that goes wrong: one of two agents gets no answer while the other still writes."""

from __future__ import annotations

from langchain.agents import create_agent
from langgraph.graph import END, START, MessagesState, StateGraph

from nestling.demo.chat_model import Reply, ScriptedChatModel, call
from nestling.demo.parts import Graph, model_node, slow_tool

# Not much longer than until the other fails: without asyncio nobody can interrupt a thread, and
# LangGraph waits for it, though nothing of what it says is passed on any more.
NEWS = (
    "Four stories stand out this week. The harbour opens a second terminal, which shortens the "
    "way of every crate by two days. The largest grower reports a dry spring and promises no "
    "volumes before June. Two shops have changed to weekly deliveries, and say that they will "
    "not go back. The ministry has put off the new labels until the autumn."
)


def failing_team(delay: float = 0.035) -> Graph:
    """A team of two agents at work side by side, of whom one fails.

    Say anything to it. `prices_agent` calls a tool that raises `TimeoutError`; `news_agent` is
    in the middle of a sentence then, and is cancelled.

    Args:
        delay: Seconds between two tokens; the tool gives up after 20 times that.
    """

    def fetch_prices(products: list[str]) -> str:
        """Asks the price service."""
        raise TimeoutError("no answer from the price service after 10 s")

    prices = ScriptedChatModel(
        script=[
            Reply("I ask the price service.", [call("fetch_prices", products=["apples", "pears"])]),
            "Prices are stable.",
        ],
        delay=delay,
    )
    tool = slow_tool(fetch_prices, 20 * delay)
    builder = StateGraph(MessagesState)
    builder.add_node(
        "news_agent", create_agent(ScriptedChatModel(script=[NEWS], delay=delay), name="news_agent")
    )
    builder.add_node("prices_agent", create_agent(prices, [tool], name="prices_agent"))
    builder.add_node(
        "write", model_node(ScriptedChatModel(script=lambda _: "All is in.", delay=delay))
    )
    builder.add_edge(START, "news_agent")
    builder.add_edge(START, "prices_agent")
    builder.add_edge(["news_agent", "prices_agent"], "write")
    builder.add_edge("write", END)
    return builder.compile(name="failing_team")
