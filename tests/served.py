"""What the test server serves: every graph of the unit tests, and some that wait or dawdle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphs import FAILING, SHAPES, model
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt

from nestling import demo
from nestling.demo import Reply, call


@tool
def refund(order: str) -> str:
    """Pays back, if somebody agrees."""
    return f"{order}: {interrupt({'refund': order})}"


def desk(checkpointer: Any = None) -> Any:
    """An agent in a node, whose tool asks a person."""
    script = model(Reply("I ask.", [call("refund", order="A-7")]), "It is settled.")
    builder = StateGraph(MessagesState)
    builder.add_node("clerk", create_agent(script, [refund], name="clerk"))
    builder.add_edge(START, "clerk")
    return builder.compile(name="desk", checkpointer=checkpointer)


def slow() -> Any:
    """Takes some three seconds."""
    return demo.nested_team(delay=0.1)


def _maker(make: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: make()  # without arguments: a server would hand over its config


SERVED = {
    **{name: _maker(make) for name, (make, _) in {**SHAPES, **FAILING}.items()},
    "desk": _maker(desk),
    "slow": slow,
}
# a server makes a graph for each run, by calling what stands under its name
globals().update({f"make_{name}": make for name, make in SERVED.items()})
