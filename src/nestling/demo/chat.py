"""One agent to talk to: it remembers, and calls several tools at once."""

from __future__ import annotations

from langchain.agents import create_agent
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.memory import InMemorySaver

from nestling.demo.chat_model import Reply, ScriptedChatModel, call
from nestling.demo.parts import Graph, slow_tool

#: Sales of two quarters, in thousands.
SALES = {
    "North": {"Q2": 412, "Q3": 455},
    "South": {"Q2": 388, "Q3": 341},
    "West": {"Q2": 290, "Q3": 302},
}


def assistant(delay: float = 0.035) -> Graph:
    """An assistant that knows the sales of three regions.

    Ask it "What changed in Q3?", then "And only for the South region?". It keeps the
    conversation of each `thread_id` in memory, as long as the graph lives.

    Args:
        delay: Seconds between two tokens.
    """

    def sales(region: str) -> str:
        """Sales of a region in the last two quarters."""
        figures = SALES[region]
        change = figures["Q3"] / figures["Q2"] - 1
        return f"{region}: {figures['Q2']} in Q2, {figures['Q3']} in Q3 ({change:+.1%})"

    return create_agent(
        ScriptedChatModel(script=_answer, delay=delay),
        [slow_tool(sales, 15 * delay)],
        name="assistant",
        checkpointer=InMemorySaver(),
    )


def _answer(messages: list[BaseMessage]) -> Reply | str:
    since = next(n for n in range(len(messages) - 1, -1, -1) if messages[n].type == "human")
    question = str(messages[since].text)
    results = [message.text for message in messages[since:] if message.type == "tool"]
    if results:
        return "In the third quarter:\n\n" + "\n".join(f"- {result}" for result in results)
    regions = [region for region in SALES if region in question]
    if not regions and "Q3" not in question:
        return f"I know the sales of {', '.join(SALES)}. Ask me what changed in Q3."
    return Reply("Let me look.", [call("sales", region=region) for region in regions or SALES])
