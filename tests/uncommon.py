"""Graphs of the packages around LangGraph, and of its less common ways: see `graphs.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepagents import create_deep_agent
from graphs import ASK, add, model, shout
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, AnyMessage, RemoveMessage
from langchain_core.tools import tool
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import CachePolicy
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm
from pydantic import BaseModel

from nestling.demo import Reply, ScriptedChatModel, call
from nestling.demo.parts import model_node


def remembering(graph: Any) -> Any:
    """A graph with a checkpointer, and a thread to run it on."""
    return graph.with_config({"configurable": {"thread_id": "1"}})


def asked(messages: list[AnyMessage]) -> str:
    """The question that an agent was asked last."""
    return next(m.text for m in reversed(messages) if m.type == "human")


def calls_so_far(messages: list[AnyMessage]) -> set[str]:
    return {c["name"] for m in messages for c in getattr(m, "tool_calls", ())}


# --- teams of other packages ----------------------------------------------------------------


def supervisor() -> Any:
    """A supervisor that hands over to two agents, one after the other, and gets back."""

    def lead(messages: list[AnyMessage]) -> Reply | str:
        for name in ("math", "research"):
            if f"transfer_to_{name}" not in calls_so_far(messages):
                return Reply(f"Now {name}.", [call(f"transfer_to_{name}")])
        return "Both have answered."

    def count(messages: list[AnyMessage]) -> Reply | str:
        return "It is 3." if "add" in calls_so_far(messages) else Reply("", [call("add", a=1, b=2)])

    agents = [
        create_agent(ScriptedChatModel(script=count), [add], name="math"),
        create_agent(ScriptedChatModel(script=lambda m: "I found it."), [], name="research"),
    ]
    return create_supervisor(agents, model=ScriptedChatModel(script=lead)).compile(name="office")


def swarm() -> Any:
    """An agent hands over to another one, which answers."""
    alice = create_agent(
        model(Reply("Bob knows.", [call("transfer_to_bob")])),
        [create_handoff_tool(agent_name="bob")],
        name="alice",
    )
    bob = create_agent(ScriptedChatModel(script=lambda m: "Bob here."), [], name="bob")
    return remembering(
        create_swarm([alice, bob], default_active_agent="alice").compile(
            name="swarm", checkpointer=InMemorySaver()
        )
    )


def deep_agent() -> Any:
    """Two subagents of one type at the same time, through the `task` tool."""
    calls = [
        call("task", description=f"Look at {name}.", subagent_type="researcher") for name in "AB"
    ]
    researcher = {
        "name": "researcher",
        "description": "Looks things up.",
        "system_prompt": "Look it up.",
        "model": ScriptedChatModel(script=lambda m: f"Done: {asked(m)}"),
        "tools": [],
    }
    return create_deep_agent(
        model=model(Reply("Two tasks.", calls), "Both are done."),
        subagents=[researcher],
        name="deep",
    )


# --- agents with a memory of their own ------------------------------------------------------


def _asking(agent: Any, config: Any = None, *questions: str) -> Any:
    def ask(question: str) -> str:
        """Asks the agent."""
        return str(agent.invoke({"messages": [("user", question)]}, config)["messages"][-1].text)

    calls = [call("ask", question=question) for question in questions or ("Who?",)]
    boss = create_agent(
        model(Reply("I ask.", calls), "Answered."),
        [ask],
        name="boss",
        checkpointer=InMemorySaver(),
    )
    return remembering(boss)


def agent_on_its_own_thread() -> Any:
    """Its events never reach the stream, but for its tokens."""
    script = model(Reply("I shout.", [call("shout", text="me")]), "I remember.")
    memo = create_agent(script, [shout], name="memo", checkpointer=InMemorySaver())
    return _asking(memo, {"configurable": {"thread_id": "memo"}})


def agents_that_remember_in_parallel() -> Any:
    """Two calls of one agent share its namespace in the stream."""
    script = ScriptedChatModel(script=lambda m: f"You asked {asked(m)}", delay=0.001)
    return _asking(create_agent(script, [], name="memo", checkpointer=True), None, "this", "that")


# --- inside a tool --------------------------------------------------------------------------


def model_in_a_tool() -> Any:
    inner = model("A thought.")

    def think(about: str) -> str:
        """Thinks."""
        return str(inner.invoke(about).text)

    calls = [call("think", about="life"), call("shout", text="hey")]
    return create_agent(model(Reply("I think.", calls), "Thought."), [think, shout], name="boss")


def agent_streamed_by_a_tool() -> Any:
    agent = create_agent(model("Step by step."), [], name="helper")

    def ask(question: str) -> str:
        """Asks the agent."""
        given = {"messages": [("user", question)]}
        *_, last = agent.stream(given, stream_mode="values")
        return str(last["messages"][-1].text)

    script = model(Reply("I ask.", [call("ask", question="Who?")]), "Answered.")
    return create_agent(script, [ask], name="boss")


def output_in_pieces() -> Any:
    @tool
    def count(to: int, runtime: ToolRuntime) -> str:
        """Counts, one number after the other."""
        numbers = [f"{number} " for number in range(to)]
        for number in numbers:
            runtime.emit_output_delta(number)
        return "".join(numbers)

    return create_agent(
        model(Reply("I count.", [call("count", to=3)]), "Counted."), [count], name="solo"
    )


def artifact_of_a_tool() -> Any:
    @tool(response_format="content_and_artifact")
    def draw(what: str) -> tuple[str, Any]:
        """Draws."""
        return f"drew {what}", {"title": "Drawing", "data": {"shape": what}}

    return create_agent(
        model(Reply("I draw.", [call("draw", what="a cat")]), "Drawn."), [draw], name="solo"
    )


# --- models and answers ---------------------------------------------------------------------


def model_that_is_not_streamed() -> Any:
    return create_agent(model("Quietly.", tags=["nostream"]), [], name="solo")


def model_that_does_not_stream() -> Any:
    return create_agent(model("At once.", disable_streaming=True), [], name="solo")


class Answer(BaseModel):
    """What is asked for."""

    number: int


def structured_answer() -> Any:
    script = model(Reply("", [call("Answer", number=3)]))
    return create_agent(script, [], name="solo", response_format=ToolStrategy(Answer))


# --- state ----------------------------------------------------------------------------------


def _sequence(*nodes: tuple[str, Any], **compiling: Any) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_sequence(list(nodes))
    builder.add_edge(START, nodes[0][0])
    return builder.compile(**compiling)


def edited_messages() -> Any:
    """A node says something else under an id that was said, and takes another one back."""
    said = [AIMessage("First.", id="m1"), AIMessage("Second.", id="m2")]
    edits = [AIMessage("First, edited.", id="m1"), RemoveMessage(id="m2")]
    return _sequence(
        ("say", lambda state: {"messages": said}),
        ("edit", lambda state: {"messages": edits}),
        name="editor",
    )


def cached_node() -> Any:
    """What a run before has left: the node does not run again."""
    builder = StateGraph(MessagesState)
    builder.add_node(
        "say",
        lambda state: {"messages": [AIMessage("From before.", id="cached")]},
        cache_policy=CachePolicy(key_func=lambda *_, **__: b"always"),
    )
    builder.add_edge(START, "say")
    graph = builder.compile(name="saver", cache=InMemoryCache())
    graph.invoke(ASK)
    return graph


def custom_events() -> Any:
    def work(state: Any) -> Any:
        write = get_stream_writer()
        write({"done": 0.5})
        write("half way")
        return {"messages": [("ai", "Worked.")]}

    return _sequence(("work", work), name="worker")


# --- the functional API ---------------------------------------------------------------------


def tasks_in_tasks() -> Any:
    agent = create_agent(model("Inside."), [], name="helper")

    @task
    def inner(text: str) -> str:
        return str(agent.invoke({"messages": [("user", text)]})["messages"][-1].text)

    @task
    def outer(text: str) -> str:
        return inner(text).result() + "?"

    @entrypoint()
    def flow(text: str) -> str:
        return outer(text).result() + "!"

    return flow


def graphs_of_one_task() -> Any:
    """A node that runs one graph after the other."""
    first, second = (
        _sequence(("talk", model_node(model(f"I am {name}."))), name=name) for name in "ab"
    )

    def both(state: Any) -> Any:
        return {"messages": [g.invoke(ASK)["messages"][-1] for g in (first, second, first)]}

    return _sequence(("both", both), name="pair")


SHAPES: dict[str, tuple[Callable[[], Any], Any]] = {
    made.__name__: (made, ASK)
    for made in (
        supervisor,
        swarm,
        deep_agent,
        agent_on_its_own_thread,
        agents_that_remember_in_parallel,
        model_in_a_tool,
        agent_streamed_by_a_tool,
        output_in_pieces,
        artifact_of_a_tool,
        model_that_is_not_streamed,
        model_that_does_not_stream,
        structured_answer,
        edited_messages,
        cached_node,
        custom_events,
        graphs_of_one_task,
    )
}
SHAPES["tasks_in_tasks"] = (tasks_in_tasks, "Go.")
