"""Random graphs: plans that Hypothesis can shrink and print, and the graphs built of them.

Every unit of a plan has a name, `u1`, `u2`, ..., which is in all that it says. So each word tells
in which box it belongs.
"""

from dataclasses import dataclass, field

import graphs
from hypothesis import note
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import RetryPolicy, Send, interrupt

from nestling.demo import Reply, ScriptedChatModel, call
from nestling.demo.parts import agent_tool, model_node

RETRY = RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False, retry_on=OSError)
#: What ends the run; where it happens is drawn.
FATAL = {"node": ["raises"], "talk": ["breaks off"], "agent": ["breaks off", "tool raises"]}
#: What a run gets over.
BENIGN = {"node": ["asks", "is retried"], "talk": ["is retried"], "agent": ["tool asks"]}


@dataclass
class Unit:
    """A node, an agent, or a graph of units."""

    kind: str
    parts: list["Unit"] = field(default_factory=list)
    #: An agent's tools; how often a fan is sent to.
    tools: tuple[str, ...] = ()
    width: int = 0
    #: Its parts are called in one message; a graph is called by a function of the node.
    at_once: bool = True
    fault: str | None = None
    #: What a fault that nobody handles raises.
    error: type[BaseException] = ValueError
    name: str = ""

    def below(self):
        yield self
        for part in self.parts:
            yield from part.below()


def _leaves():
    tools = st.lists(st.sampled_from(["add", "shout", "refused"]), max_size=2).map(tuple)
    return st.one_of(
        st.builds(Unit, kind=st.just("node")),
        st.builds(Unit, kind=st.just("talk")),
        st.builds(Unit, kind=st.just("agent"), tools=tools),
    )


def _larger(inner):
    parts = st.lists(inner, min_size=1, max_size=3)
    kinds = st.sampled_from(["line", "side by side", "boss"])
    return st.one_of(
        st.builds(Unit, kind=kinds, parts=parts, at_once=st.booleans()),
        st.builds(
            Unit, kind=st.just("fan"), parts=inner.map(lambda p: [p]), width=st.integers(1, 3)
        ),
    )


@st.composite
def plans(draw, error=None, asks=True, max_leaves=5):
    """A tree of units, some of which have their faults; one of them raises `error`."""
    root = draw(st.recursive(_leaves(), _larger, max_leaves=max_leaves))
    if root.kind in ("node", "talk"):
        root = Unit("line", [root])
    units = list(root.below())
    for number, unit in enumerate(units, 1):
        unit.name = f"u{number}"
        benign = [f for f in BENIGN.get(unit.kind, ()) if asks or "ask" not in f]
        unit.fault = draw(st.sampled_from([None, None, *benign]))
    for unit in units:  # a tool calls graphs, not nodes
        if unit.kind == "boss":
            unit.parts = [_graph_of(part, units) for part in unit.parts]
    if error is not None:
        unlucky = draw(st.sampled_from([unit for unit in units if unit.kind in FATAL]))
        unlucky.fault, unlucky.error = draw(st.sampled_from(FATAL[unlucky.kind])), error
    note(f"the plan with its faults: {root}")
    return root


def _graph_of(unit, units):
    if unit.kind not in ("node", "talk"):
        return unit
    graph = Unit("line", [unit], name=f"u{len(units) + 1}")
    units.append(graph)
    return graph


def homes(root):
    """`(boxes, words)`: the box around each box, and the box in which each unit speaks."""
    boxes, words = {}, {root.name: ""}

    def walk(unit, box):
        for part in unit.parts:
            if part.kind in ("node", "talk"):
                words[part.name] = box
            else:
                words[part.name] = part.name
                boxes[part.name] = box
                walk(part, part.name)

    walk(root, "")
    return boxes, words


# --- building -------------------------------------------------------------------------------


def build(root):
    return _build(root, checkpointer=InMemorySaver())


def _build(unit, **compiling):
    if unit.kind == "agent":
        return _agent(unit, **compiling)
    if unit.kind == "boss":
        tools = [agent_tool(_build(part), "Helps.") for part in unit.parts]
        calls = [call(tool.name, request=f"{unit.name} needs help.") for tool in tools]
        return _worker(unit, calls, tools, **compiling)
    builder = StateGraph(MessagesState)
    opening = ScriptedChatModel(script=lambda _: f"{unit.name} opens.")
    builder.add_node("open", model_node(opening))
    builder.add_edge(START, "open")
    before = "open"
    for part in unit.parts:
        retry = RETRY if part.fault == "is retried" else None
        builder.add_node(part.name, _node(part, unit), retry_policy=retry)
        if unit.kind == "fan":
            sends = [
                Send(part.name, {"messages": [("user", f"{unit.name} sends {n}.")]})
                for n in range(unit.width)
            ]
            builder.add_conditional_edges("open", lambda _, sends=sends: sends, [part.name])
        else:
            builder.add_edge(before, part.name)
        if unit.kind == "line":
            before = part.name
    return builder.compile(name=unit.name, **compiling)


def _node(unit, around):
    if unit.kind == "node":
        return _plain(unit)
    if unit.kind == "talk":
        return _talk(unit)
    graph = _build(unit)
    if around.at_once:
        return graph
    question = {"messages": [("user", f"{around.name} asks.")]}
    heard = {"messages": [("ai", f"{around.name} heard it.")]}

    def ask(state):
        graph.invoke(question)
        return heard

    async def aask(state):
        await graph.ainvoke(question)
        return heard

    return RunnableLambda(ask, aask)


def _first(seen):
    """Whether this task runs for the first time."""
    place = get_config()["configurable"]["checkpoint_ns"]
    if place in seen:
        return False
    seen.add(place)
    return True


def _plain(unit):
    seen = set()

    def run(state):
        if unit.fault == "is retried" and _first(seen):
            raise OSError("flaky")
        if unit.fault == "raises":
            raise unit.error(f"{unit.name} fell")
        if unit.fault == "asks":
            return {"messages": [AIMessage(f"{unit.name} heard {interrupt(f'{unit.name} asks?')}")]}
        return {"messages": [AIMessage(f"{unit.name} says.")]}

    async def arun(state):
        return run(state)

    return RunnableLambda(run, arun)


def _talk(unit):
    seen = set()

    def script(messages):
        if unit.fault == "is retried" and _first(seen):
            return Reply(f"{unit.name} never ends", error=OSError("flaky"), error_after=2)
        return _said(unit, f"{unit.name} talks on.")

    return model_node(ScriptedChatModel(script=script))


def _said(unit, text, calls=()):
    if unit.fault == "breaks off":
        return Reply(text, error=unit.error(f"{unit.name} fell"), error_after=1)
    return Reply(text, calls)


def _agent(unit, **compiling):
    args = {"add": {"a": 1, "b": 2}}
    calls = [call(name, **args.get(name, {"text": "hey"})) for name in unit.tools]
    tools = [graphs.add, graphs.shout, graphs.refused]
    if unit.fault in ("tool raises", "tool asks"):
        tools.append(_special(unit))
        calls.append(call(f"{unit.name}_tool", text="hey"))
    return _worker(unit, calls, tools, **compiling)


def _special(unit):
    def run(text: str) -> str:
        """Raises, or asks a person."""
        if unit.fault == "tool raises":
            raise unit.error(f"{unit.name} fell")
        return f"{unit.name} heard {interrupt(f'{unit.name} asks?')}"

    async def arun(text: str) -> str:
        return run(text)

    return StructuredTool.from_function(run, arun, name=f"{unit.name}_tool", description="Special.")


def _worker(unit, calls, tools, **compiling):
    """An agent that makes its calls, all at once or one after the other, and then is done."""
    rounds = [calls] if unit.at_once or not calls else [[c] for c in calls]

    def script(messages):
        made = 0
        for message in reversed(messages):
            mine = message.type == "ai" and message.text.startswith(f"{unit.name} ")
            if mine and message.tool_calls:
                made += 1
            elif message.type != "tool":
                break
        if made < len(rounds) and rounds[made]:
            return _said(unit, f"{unit.name} works.", rounds[made])
        return _said(unit, f"{unit.name} is done.")

    return create_agent(ScriptedChatModel(script=script), tools, name=unit.name, **compiling)
