"""`%nest` and `%%nest`, in a real IPython shell."""

import asyncio
import subprocess
import sys

import graphs
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from langchain.agents import create_agent
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, MessagesState, StateGraph
from typing_extensions import TypedDict

from nestling import View, demo, watch
from nestling.demo import Reply, call


@pytest.fixture
def shell():
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "nestling")
    shell.user_ns["graph"] = demo.research_team(delay=0)
    yield shell
    InteractiveShell.clear_instance()


def nest(shell, line, cell=None):
    if cell is None:
        return shell.run_line_magic("nest", line)
    return shell.run_cell_magic("nest", line, cell)


def asked(view):
    return [record["content"] for record in view.transcript.find(type="user", speaker="You")]


def test_a_line(shell):
    view = nest(shell, 'graph "What\'s the trend?"')
    assert isinstance(view, View)
    assert view.status == "completed"
    assert asked(view) == ["What's the trend?"]
    assert asked(nest(shell, "graph What's new?")) == ["What's new?"]


def test_a_cell(shell):
    view = nest(shell, "graph --thread t1 --out result", "What changed?\nAnd why?\n")
    assert asked(view) == ["What changed?\nAnd why?"]
    assert shell.user_ns["result"] is view.value
    assert view._conversation.thread_id == "t1"


def test_it_runs_as_a_cell_does(shell):
    done = shell.run_cell('%nest graph "One"\n')
    assert asked(done.result) == ["One"]
    assert shell.run_cell("%%nest graph -o out -t 7\nTwo\n").success
    assert shell.user_ns["out"]["messages"][0].content == "Two"
    assert shell.run_cell('view = %nest graph "Three"').success
    assert asked(shell.user_ns["view"]) == ["Three"]


def test_in_a_running_loop(shell):
    async def main():
        cell = shell.transform_cell('%nest graph "One"')
        return await shell.run_cell_async(cell, transformed_cell=cell)

    assert asyncio.run(main()).result.status == "completed"


def test_options_may_stand_anywhere(shell):
    view = nest(shell, 'graph --name team --out result What "is it" -t t2')
    assert asked(view) == ["What is it"]
    assert repr(view) == "<nestling.View team completed>"
    assert "messages" in shell.user_ns["result"]


def test_threads_remember(shell):
    graph = create_agent(graphs.model("One."), [], checkpointer=InMemorySaver())
    shell.user_ns["agent"] = graph
    nest(shell, 'agent "First" --thread a')
    nest(shell, 'agent "Second" --thread a --out result')
    said = [message.content for message in shell.user_ns["result"]["messages"]]
    assert said == ["First", "One.", "Second", "One."]


def test_a_view_is_used_again(shell):
    shell.user_ns["view"] = view = watch(demo.research_team(delay=0))
    assert nest(shell, 'view "One"') is view
    assert nest(shell, 'view "Two"') is view
    assert asked(view) == ["One", "Two"]


def test_an_expression_and_a_variable_in_the_question(shell):
    shell.user_ns.update(graphs=[shell.user_ns["graph"]], word="bees")
    assert shell.run_cell('view = %nest graphs[0] "On {word}"').success
    assert asked(shell.user_ns["view"]) == ["On bees"]


def test_fields_of_the_state(shell):
    shell.user_ns["pipe"] = demo.pipeline(delay=0)
    assert nest(shell, 'pipe "What?"').value["question"] == "What?"
    shell.user_ns["team"] = demo.parallel_team(delay=0)
    assert nest(shell, 'team "bees" --key topic').value["topic"] == "bees"
    shell.user_ns["value"] = {"topic": "wind"}
    assert nest(shell, "team --input value").value["topic"] == "wind"


def test_an_entrypoint_gets_the_text(shell):
    @entrypoint()
    def flow(question: str) -> str:
        return question.upper()

    shell.user_ns["flow"] = flow
    assert nest(shell, 'flow "hey"').value == "HEY"


def test_nodes_and_tools_that_can_only_be_awaited(shell):
    async def node(state: MessagesState):
        await asyncio.sleep(0)
        return {"messages": [("ai", "Waited.")]}

    @tool
    async def slow(n: int) -> str:
        """Waits."""
        await asyncio.sleep(0)
        return "waited"

    plain = StateGraph(MessagesState).add_node(node).add_edge(START, "node").compile()
    outer = StateGraph(MessagesState).add_node("in", plain).add_edge(START, "in").compile()
    agent = create_agent(graphs.model(Reply("Now.", [call("slow", n=1)]), "Done."), [slow])
    shell.user_ns.update(outer=outer, agent=agent)
    assert nest(shell, 'outer "Go"').value["messages"][-1].content == "Waited."
    assert nest(shell, 'agent "Go"').value["messages"][-1].content == "Done."

    async def main():  # as in a notebook
        return nest(shell, 'agent "Go"')

    agent = create_agent(graphs.model(Reply("Now.", [call("slow", n=1)]), "Done."), [slow])
    shell.user_ns["agent"] = agent
    assert asyncio.run(main()).status == "completed"


def test_in_the_background(shell):
    view = nest(shell, 'graph "Go" --background --out run')
    assert shell.user_ns["run"].result(20)["messages"]
    assert view.status == "completed"


def test_what_the_graph_raises_is_raised(shell):
    shell.user_ns["graph"] = graphs.raising_node()
    with pytest.raises(ValueError, match=graphs.BOOM):
        nest(shell, 'graph "Go"')


class Pair(TypedDict):
    first: str
    second: str


BUILDER = StateGraph(Pair).add_node("n", lambda state: state).add_edge(START, "n")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "Which graph. There are: graph, pair."),
        ("graph", "What to ask"),
        ("graphh hello", "No graph 'graphh'.*There are: graph, pair"),
        ('builder "Go"', r"did you forget \.compile\(\)"),
        ("3 hello", "takes a compiled LangGraph graph, not int"),
        ("graph 'What is", "double quotes"),
        ("graph.( hello", "is no graph"),
        ("graph hello --wrong", "unrecognized arguments: --wrong"),
        ("graph hello --out 1x", "--out is the name of a variable"),
        ("graph hello --input x", "not both"),
        ("graph --input nothing", "--input is a variable"),
        ("graph hello --key nothing", "It has: messages"),
        ("graph hello --background", "needs --out"),
        ("pair hello", "--key: first, second"),
        ("empty hello", r"Make it with nestling\.watch"),
        ("named hello --name x", "leave --name out"),
    ],
)
def test_errors_say_what_to_do(shell, line, says):
    pair = BUILDER.compile()
    shell.user_ns.update(builder=BUILDER, pair=pair, empty=View(), named=watch(pair))
    with pytest.raises(UsageError, match=says):
        nest(shell, line)


def test_without_any_graph(shell):
    del shell.user_ns["graph"]
    with pytest.raises(UsageError, match="Make one first"):
        nest(shell, 'graph "Go"')


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("graph.foo hi", r"graph\.foo: AttributeError: .* There are: graph"),
        ("1/0 hi", "1/0: ZeroDivisionError: division by zero"),
        ("graph --input 1/0", "--input 1/0: ZeroDivisionError"),
        ("graph hi --out class", "--out is the name of a variable, not 'class'"),
    ],
)
def test_what_cannot_be_evaluated_is_told_in_a_line(shell, line, says):
    with pytest.raises(UsageError, match=says):
        nest(shell, line)


def test_help(shell):
    doc = shell.find_line_magic("nest").__doc__
    for text in ("--thread", "--out", "--background", "%%nest graph --thread t1 --out result"):
        assert text in doc


@pytest.mark.parametrize(
    ("line", "offers", "not_offered"),
    [
        ("%nest gr", ["graph"], ["graphs_module"]),
        ("%nest ", ["graph", "view"], ["number"]),
        ("%nest graph --th", ["--thread"], ["--out"]),
        ("%%nest graph --o", ["--out"], ["--thread"]),
        ("%nest graph --input num", ["number"], ["--out"]),
    ],
)
def test_completion(shell, line, offers, not_offered):
    shell.user_ns.update(view=watch(demo.pipeline(delay=0)), number=3, graphs_module=graphs)
    found = shell.complete(None, line=line, cursor_pos=len(line))[1]
    assert set(offers) <= set(found)
    assert set(not_offered).isdisjoint(found)


def test_it_can_be_taken_away(shell):
    shell.run_line_magic("unload_ext", "nestling")
    assert shell.find_line_magic("nest") is None


@pytest.mark.parametrize("name", ["langgraph", "langchain_core", "pandas", "nestling.magics"])
def test_importing_nestling_does_not_import(name):
    code = f"import sys, nestling; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603  # own code
