"""A support desk: it looks an order up by itself, and asks a person before it refunds one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.checkpoint.memory import InMemorySaver

from nestling.demo.chat_model import Reply, ScriptedChatModel, call
from nestling.demo.parts import Graph, slow_tool

#: What was ordered, and for how many EUR.
ORDERS = {"A-1042": ("mug", 24.90), "A-7": ("lamp", 61.00)}


def support_desk(delay: float = 0.035) -> Graph:
    """An agent that refunds orders, once a person has approved it.

    Ask it "Refund order A-1042, the mug arrived broken." and answer with
    `view.pending[0].approve()`, `.edit(amount=19.90)` or `.reject("too much")`. Every
    `thread_id` is a ticket of its own, kept in memory as long as the graph lives.

    Args:
        delay: Seconds between two tokens.
    """

    def lookup_order(order: str) -> str:
        """What was ordered."""
        item, price = ORDERS.get(order, ("parcel", 10.00))
        return f"{order}: one {item}, {price:.2f} EUR"

    def issue_refund(order: str, amount: float) -> str:
        """Pays money back."""
        return f"{amount:.2f} EUR paid back for {order}"

    return create_agent(
        ScriptedChatModel(script=_answer, delay=delay),
        [slow_tool(lookup_order, 10 * delay), slow_tool(issue_refund, 10 * delay)],
        name="support_desk",
        middleware=[HumanInTheLoopMiddleware(interrupt_on={"issue_refund": True})],
        checkpointer=InMemorySaver(),
    )


def _answer(messages: Sequence[BaseMessage]) -> Reply | str:
    since = max(n for n, message in enumerate(messages) if message.type == "human")
    found = re.search(r"[A-Z]-\d+", str(messages[since].text))
    if found is None:
        return "Which order is it? Its number looks like A-1042."
    order = found.group()
    results = [message for message in messages[since:] if message.type == "tool"]
    if not results:
        return Reply("I look the order up.", [call("lookup_order", order=order)])
    if len(results) == 1:
        amount = ORDERS.get(order, ("parcel", 10.00))[1]
        refund = call("issue_refund", order=order, amount=amount)
        return Reply("I would refund the whole price.", [refund])
    asked = [m for m in messages[since:] if isinstance(m, AIMessage) and m.tool_calls][-1]
    paid = getattr(results[-1], "status", "success") == "success"
    if asked.tool_calls[0]["name"] == "issue_refund" and paid:
        said = re.search(r"[\d.]+ EUR paid back", str(results[-1].text))
        return f"Done: {said.group() if said else 'your money was paid back'} for order {order}."
    reason = str(results[-1].text).rpartition("reason: ")[2]
    return f"I am sorry, order {order} is not refunded: {reason}"
