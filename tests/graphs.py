"""Small graphs of every shape, played by scripted models: what the tests run and watch.

Each entry of `SHAPES` is `name -> (make, input)`; `make()` compiles a fresh graph.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.tools import ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, RetryPolicy, Send
from typing_extensions import TypedDict

from nestling import demo, watch
from nestling.demo import Reply, ScriptedChatModel, call
from nestling.demo.parts import agent_tool, model_node, slow_tool

ASK = {"messages": [("user", "Go.")]}
#: What raising tools and nodes of these graphs raise.
BOOM = "the well is dry"


def model(*script: Any, **fields: Any) -> ScriptedChatModel:
    return ScriptedChatModel(script=list(script), **fields)


@tool
def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


@tool
def shout(text: str) -> str:
    """Says it loudly."""
    return text.upper()


def _break(text: str) -> str:
    """Raises what nobody handles."""
    raise ValueError(BOOM)


#: Takes its time, so that tools beside it are done.
broken = slow_tool(_break, 0.05)
broken.name = "broken"


@tool
def refused(text: str) -> str:
    """Raises what its own setting turns into a result."""
    raise ToolException(f"not {text}")


refused.handle_tool_error = True


# --- one agent ----------------------------------------------------------------------------


def single_agent() -> Any:
    """Two tools at once, then an answer."""
    calls = [call("add", a=1, b=2), call("shout", text="hey")]
    return create_agent(model(Reply("Both.", calls), "Done."), [add, shout], name="solo")


def unnamed_agent() -> Any:
    return create_agent(model("Just me."), [])


def handled_tool_error() -> Any:
    script = model(Reply("Trying.", [call("refused", text="now")]), "It said no.")
    return create_agent(script, [refused], name="solo")


def unknown_tool() -> Any:
    script = model(Reply("Trying.", [call("missing", text="now")]), "There is none.")
    return create_agent(script, [shout], name="solo")


def raising_tool() -> Any:
    calls = [call("broken", text="x"), call("shout", text="hey")]
    return create_agent(model(Reply("Both.", calls), "Never."), [broken, shout], name="solo")


def remembering_agent() -> Any:
    script = model(Reply("Let me see.", [call("add", a=2, b=2)]), "Four.")
    return create_agent(script, [add], name="solo", checkpointer=InMemorySaver())


# --- agents as tools ----------------------------------------------------------------------


def helper(name: str | None = "helper") -> Any:
    script = model(Reply("I shout.", [call("shout", text="yes")]), "Helped.")
    return create_agent(script, [shout], name=name)


def agents_in_parallel() -> Any:
    """The same agent twice and another one, called in one message."""
    other = create_agent(model("Other helped."), [], name="other")
    calls = [
        call("helper", request="one"),
        call("other", request="two"),
        call("helper", request="three"),
    ]
    tools = [agent_tool(helper(), "Helps."), agent_tool(other, "Helps too.")]
    return create_agent(model(Reply("All at once.", calls), "All done."), tools, name="boss")


def plain_graph_in_tool() -> Any:
    """An agent's tool calls an unnamed graph that is no agent."""
    inner = StateGraph(MessagesState)
    inner.add_node("talk", model_node(model("Plain words.")))
    inner.add_edge(START, "talk")
    return _called_in_tool(inner.compile())


def unnamed_agent_in_tool() -> Any:
    return _called_in_tool(create_agent(model("Unnamed words."), []))


def agent_named_like_its_parent() -> Any:
    return _called_in_tool(create_agent(model("Namesake's words."), [], name="boss"))


def failing_agent_in_tool() -> Any:
    script = model(Reply("I break.", [call("broken", text="x")]), "Never.")
    return _called_in_tool(create_agent(script, [broken], name="weak"))


def rescued_agent_in_tool() -> Any:
    """The tool catches the failure of the agent that it calls."""
    script = model(Reply("I break.", [call("broken", text="x")]), "Never.")
    return _called_in_tool(create_agent(script, [broken], name="weak"), rescue=True)


def _called_in_tool(graph: Any, *, rescue: bool = False) -> Any:
    def ask(request: str) -> str:
        """Asks the graph."""
        try:
            state = graph.invoke({"messages": [("user", request)]})
        except ValueError:
            if not rescue:
                raise
            return "It broke, never mind."
        return str(state["messages"][-1].text)

    script = model(Reply("I ask.", [call("ask", request="Who?")]), "Answered.")
    return create_agent(script, [ask], name="boss")


# --- graphs of nodes ----------------------------------------------------------------------


def classic_tool_node() -> Any:
    """One task runs all the calls of a message, one of which is an agent."""
    calls = [call("add", a=1, b=2), call("helper", request="please"), call("shout", text="hey")]
    builder = StateGraph(MessagesState)
    builder.add_node("talk", model_node(model(Reply("Three.", calls), "Done.")))
    builder.add_node("tools", ToolNode([add, shout, agent_tool(helper(), "Helps.")]))
    builder.add_edge(START, "talk")
    builder.add_conditional_edges("talk", tools_condition)
    builder.add_edge("tools", "talk")
    return builder.compile(name="classic")


def two_speakers() -> Any:
    """Two nodes of one superstep that both stream."""
    builder = StateGraph(MessagesState)
    words = {name: f"{name} has a good many words to say about it" for name in ("one", "two")}
    for name, text in words.items():
        builder.add_node(name, model_node(model(text, delay=0.001)))
        builder.add_edge(START, name)
    return builder.compile(name="duet")


class Sum(TypedDict, total=False):
    parts: Annotated[list[str], operator.add]
    done: Annotated[list[str], operator.add]
    messages: Annotated[list[AnyMessage], add_messages]


def fan_out(width: int = 3) -> Any:
    """One subgraph, sent to N times; its workers are nodes."""
    inner = StateGraph(Sum)
    inner.add_node("count", lambda state: {"done": [state["parts"][0].upper()]})
    inner.add_node("talk", model_node(ScriptedChatModel(script=lambda m: "counted")))
    inner.add_edge(START, "count")
    inner.add_edge("count", "talk")
    builder = StateGraph(Sum)
    builder.add_node("split", lambda state: {"parts": [f"p{i}" for i in range(width)]})
    builder.add_node("worker", inner.compile(name="worker"))
    builder.add_edge(START, "split")
    builder.add_conditional_edges(
        "split",
        lambda s: [Send("worker", {"parts": [p], "messages": [("user", p)]}) for p in s["parts"]],
        ["worker"],
    )
    return builder.compile(name="fan")


def raising_node() -> Any:
    """A node raises two graphs deep."""

    def fall(state: Any) -> Any:
        raise ValueError(BOOM)

    inner = StateGraph(MessagesState)
    inner.add_node("talk", model_node(model("Before.")))
    inner.add_node("fall", fall)
    inner.add_edge(START, "talk")
    inner.add_edge("talk", "fall")
    builder = StateGraph(MessagesState)
    builder.add_node("team", inner.compile(name="team"))
    builder.add_edge(START, "team")
    return builder.compile(name="house")


def retried_node() -> Any:
    """The first attempt of a node breaks off in mid-sentence."""
    attempts: list[int] = []

    def script(messages: list[Any]) -> Reply:
        attempts.append(1)
        if len(attempts) % 2:
            return Reply(
                "This sentence will not be finished", error=OSError("flaky"), error_after=3
            )
        return Reply("Better now.")

    builder = StateGraph(MessagesState)
    policy = RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False, retry_on=OSError)
    talk = model_node(ScriptedChatModel(script=script))
    builder.add_node("talk", talk, retry_policy=policy)
    builder.add_edge(START, "talk")
    return builder.compile(name="patient")


def retried_tool() -> Any:
    """The node of a tool is tried again."""
    attempts: list[int] = []

    @tool
    def shaky(text: str) -> str:
        """Raises every other time."""
        attempts.append(1)
        if len(attempts) % 2:
            raise OSError("flaky")
        return text.upper()

    policy = RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False, retry_on=OSError)
    builder = StateGraph(MessagesState)
    script = model(Reply("Once more.", [call("shaky", text="ok")]), "Done.")
    builder.add_node("talk", model_node(script))
    builder.add_node("tools", ToolNode([shaky], handle_tool_errors=False), retry_policy=policy)
    builder.add_edge(START, "talk")
    builder.add_conditional_edges("talk", tools_condition)
    builder.add_edge("tools", "talk")
    return builder.compile(name="patient")


def command_tool() -> Any:
    """A tool answers with a Command that updates the state."""

    @tool
    def note(text: str, runtime: ToolRuntime) -> Command[Any]:
        """Writes a note."""
        answer = ToolMessage(f"noted {text}", tool_call_id=runtime.tool_call_id)
        return Command(update={"messages": [answer]})

    script = model(Reply("I note it.", [call("note", text="this")]), "Noted.")
    return create_agent(script, [note], name="solo")


def handoff() -> Any:
    """A subgraph's node hands over to a node of the parent."""

    def pass_on(state: Any) -> Command[Any]:
        return Command(
            goto="closer", graph=Command.PARENT, update={"messages": [("ai", "Your turn.")]}
        )

    inner = StateGraph(MessagesState)
    inner.add_node("opener", model_node(model("I open.")))
    inner.add_node("pass_on", pass_on)
    inner.add_edge(START, "opener")
    inner.add_edge("opener", "pass_on")
    builder = StateGraph(MessagesState)
    builder.add_node("first", inner.compile(name="first"), destinations=("closer",))
    builder.add_node("closer", model_node(ScriptedChatModel(script=lambda m: "I close.")))
    builder.add_edge(START, "first")
    builder.add_edge("closer", END)
    return builder.compile(name="relay")


def retried_subgraph() -> Any:
    """A node that is a graph raises at its first attempt, after some words."""
    attempts: list[int] = []

    def shake(state: Any) -> Any:
        attempts.append(1)
        if len(attempts) % 2:
            raise OSError("flaky")
        return {"messages": [AIMessage("steady", id="steady")]}

    inner = StateGraph(MessagesState)
    inner.add_node("talk", model_node(model("Careful now.")))
    inner.add_node("shake", shake)
    inner.add_edge(START, "talk")
    inner.add_edge("talk", "shake")
    policy = RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False, retry_on=OSError)
    builder = StateGraph(MessagesState)
    builder.add_node("team", inner.compile(name="team"), retry_policy=policy)
    builder.add_edge(START, "team")
    return builder.compile(name="patient")


def plain_nodes_sent_to() -> Any:
    """Three tasks of one node that return messages which nobody streamed."""

    def say(state: Any) -> Any:
        time.sleep(0.03 * (3 - state["number"]))
        return {"messages": [AIMessage(f"number {state['number']}")]}

    builder = StateGraph(MessagesState)
    builder.add_node("say", say)
    builder.add_conditional_edges(
        START, lambda state: [Send("say", {"number": n}) for n in range(3)], ["say"]
    )
    return builder.compile(name="roll")


def remembering_subgraph() -> Any:
    """A node whose graph keeps a memory of its own between turns."""
    script = model(Reply("Let me see.", [call("add", a=2, b=2)]), "Four.")
    builder = StateGraph(MessagesState)
    builder.add_node("team", create_agent(script, [add], name="helper", checkpointer=True))
    builder.add_edge(START, "team")
    return builder.compile(name="outer", checkpointer=InMemorySaver())


def unstreamed_messages() -> Any:
    """Nodes that return messages nobody streamed: a tuple, a dict, one object, one without id."""
    builder = StateGraph(MessagesState)
    returned = {
        "tuple": [("ai", "as a tuple")],
        "dict": {"role": "assistant", "content": "as a dict"},
        "single": AIMessage("as an object"),
        "same": AIMessage("as an object"),
        "tail": [AIMessage("with an id", id="mine")],
    }
    builder.add_sequence(
        [(name, lambda state, value=value: {"messages": value}) for name, value in returned.items()]
    )
    builder.add_edge(START, "tuple")
    return builder.compile(name="literal")


def tool_outside_an_agent() -> Any:
    """A node calls a tool by itself."""

    def work(state: Any) -> Any:
        return {"messages": [AIMessage(shout.invoke({"text": "direct"}))]}

    builder = StateGraph(MessagesState)
    builder.add_node("work", work)
    builder.add_edge(START, "work")
    return builder.compile(name="direct")


def functional() -> Any:
    """The functional API: a task that runs an agent."""
    agent = helper()

    @task
    def run_agent(text: str) -> str:
        return str(agent.invoke({"messages": [("user", text)]})["messages"][-1].text)

    @entrypoint()
    def flow(text: str) -> str:
        return run_agent(text).result() + "!"

    return flow


SHAPES: dict[str, tuple[Callable[[], Any], Any]] = {
    "research_team": (lambda: demo.research_team(delay=0), ASK),
    "parallel_team": (lambda: demo.parallel_team(workers=3, delay=0), {"topic": "tea"}),
    "nested_team": (lambda: demo.nested_team(delay=0), ASK),
    "pipeline": (lambda: demo.pipeline(delay=0), {"question": "Where does a widget live?"}),
    "single_agent": (single_agent, ASK),
    "unnamed_agent": (unnamed_agent, ASK),
    "handled_tool_error": (handled_tool_error, ASK),
    "unknown_tool": (unknown_tool, ASK),
    "agents_in_parallel": (agents_in_parallel, ASK),
    "plain_graph_in_tool": (plain_graph_in_tool, ASK),
    "unnamed_agent_in_tool": (unnamed_agent_in_tool, ASK),
    "agent_named_like_its_parent": (agent_named_like_its_parent, ASK),
    "rescued_agent_in_tool": (rescued_agent_in_tool, ASK),
    "classic_tool_node": (classic_tool_node, ASK),
    "two_speakers": (two_speakers, ASK),
    "fan_out": (fan_out, {"messages": []}),
    "retried_node": (retried_node, ASK),
    "retried_tool": (retried_tool, ASK),
    "retried_subgraph": (retried_subgraph, ASK),
    "plain_nodes_sent_to": (plain_nodes_sent_to, ASK),
    "command_tool": (command_tool, ASK),
    "handoff": (handoff, ASK),
    "unstreamed_messages": (unstreamed_messages, ASK),
    "tool_outside_an_agent": (tool_outside_an_agent, ASK),
    "functional": (functional, "Go."),
}
#: Those that raise: `ValueError(BOOM)`, but for the failing team.
FAILING: dict[str, tuple[Callable[[], Any], Any]] = {
    "failing_team": (lambda: demo.failing_team(delay=0.002), ASK),
    "raising_tool": (raising_tool, ASK),
    "failing_agent_in_tool": (failing_agent_in_tool, ASK),
    "raising_node": (raising_node, ASK),
}


def golden(name: str) -> Path:
    """The file that holds the text tree of a shape."""
    return Path(__file__).parent / "golden" / f"{name}.txt"


if __name__ == "__main__":  # write the trees again; `git diff` says what changed
    import uncommon

    for name, (make, value) in {**SHAPES, **FAILING, **uncommon.SHAPES}.items():
        view = watch(make())
        with suppress(Exception):
            view.invoke(value)
        golden(name).write_text(f"{view}\n")
