"""What is seen while a run goes on."""

import re

import pytest

from tests.browser.page import film, rows, start_film, until_status, widget

HELLO = {"messages": [("user", "Hello")]}

WATCH = """
import nestling
from nestling import demo
view = nestling.watch(demo.{graph}(), collapse="none")
"""

# Whatever agent A says, calls and hears is made of A001, A002, ..., and of B likewise.
TWO_AGENTS = """
import nestling
from langchain.agents import create_agent
from langgraph.graph import START, MessagesState, StateGraph
from nestling.demo import Reply, ScriptedChatModel, call
from nestling.demo.parts import slow_tool

def words(letter, first, last):
    return " ".join(f"{letter}{n:03}" for n in range(first, last))

def agent(letter):
    def note(text: str) -> str:
        '''Keeps a note.'''
        return words(letter, 300, 310)

    script = [
        Reply(words(letter, 1, 60), [call("note", text=words(letter, 100, 140))]),
        words(letter, 400, 460),
    ]
    model = ScriptedChatModel(script=script, delay=0.02)
    return create_agent(model, [slow_tool(note, 0.2)], name=f"agent_{letter}")

builder = StateGraph(MessagesState)
for letter in "AB":
    builder.add_node(f"agent_{letter}", agent(letter))
    builder.add_edge(START, f"agent_{letter}")
view = nestling.watch(builder.compile(name="two"), collapse="none")
"""

INVOKE = [
    pytest.param(f"result = view.invoke({HELLO})", id="in a sync cell"),
    pytest.param(f"result = await view.ainvoke({HELLO})", id="in an await cell"),
]


@pytest.mark.parametrize("invoke", INVOKE)
def test_tokens_appear_while_the_cell_runs(open_notebook, invoke):
    notebook = open_notebook(WATCH.format(graph="research_team"), invoke)
    notebook.run(0)
    start_film(notebook, 1)
    notebook.run(1)

    seen = [frame for frame in film(notebook) if frame["running"]]
    growing = {
        row["text"]
        for frame in seen
        for row in frame["rows"]
        if row["type"] == "ai" and row["status"] == "streaming"
    }
    assert len(growing) > 20, "text has to grow in small steps"
    until_status(widget(notebook), "completed")
    kernel = {r["id"]: r["content"] for r in notebook.python("list(view.chat_history)")}
    assert {row["id"] for row in rows(widget(notebook))} == set(kernel)


@pytest.mark.parametrize("invoke", INVOKE)
def test_two_agents_that_stream_at_once_never_mix(open_notebook, invoke):
    notebook = open_notebook(TWO_AGENTS, invoke)
    notebook.run(0)
    start_film(notebook, 1)
    notebook.run(1)
    until_status(widget(notebook), "completed")

    both_speak = both_call = 0
    for frame in film(notebook):
        live = [row for row in frame["rows"] if row["box"] in ("agent_A", "agent_B")]
        for row in live:
            letter = row["box"][-1]
            assert {token[0] for token in re.findall(r"[AB]\d", row["text"])} <= {letter}, row
            if row["type"] == "ai":
                numbers = [int(n) for n in re.findall(r"[AB](\d{3})", row["text"])]
                assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), row
        both_speak += {r["box"] for r in live if r["status"] == "streaming"} == {
            "agent_A", "agent_B",
        }  # fmt: skip
        both_call += {r["box"] for r in live if r["status"] == "calling"} == {
            "agent_A", "agent_B",
        }  # fmt: skip
    assert both_speak > 10
    assert both_call > 3


def test_boxes_nest_three_deep(open_notebook):
    notebook = open_notebook(WATCH.format(graph="nested_team"), f"view.invoke({HELLO});")
    notebook.run(0)
    notebook.run(1)
    until_status(widget(notebook), "completed")
    inner = widget(notebook)
    for label in ("analysis_team", "stats_team", "stats_agent"):
        inner = inner.locator(f'[data-label="{label}"]')
        assert inner.count() == 1
        assert inner.get_attribute("data-status") == "completed"
    assert inner.locator('[data-type="tool_call"]').is_visible()
    assert {row["box"] for row in rows(inner)} == {"stats_agent"}


def test_a_failing_branch_is_failed_its_sibling_cancelled_and_nothing_spins(open_notebook):
    notebook = open_notebook(WATCH.format(graph="failing_team"), f"view.invoke({HELLO})")
    notebook.run(0)
    notebook.start(1)
    notebook.wait(1)
    assert [o["ename"] for o in notebook.outputs(1) if o["output_type"] == "error"] == [
        "TimeoutError"
    ]
    until_status(widget(notebook), "failed")
    root = widget(notebook)
    assert root.locator('[data-label="prices_agent"]').get_attribute("data-status") == "failed"
    assert root.locator('[data-label="news_agent"]').get_attribute("data-status") == "cancelled"
    error = root.locator('[data-type="error"]')
    assert error.count() == 1
    assert "TimeoutError" in error.inner_text()
    open_rows = {"streaming", "calling", "executing", "running", "pending"}
    assert not {row["status"] for row in rows(root)} & open_rows
    assert root.locator('[data-status="running"]').count() == 0
    endless = """root => root.getAnimations({subtree: true})
        .filter(animation => animation.effect.getTiming().iterations === Infinity).length"""
    assert root.evaluate(endless) == 0


def test_stop_cancels_the_run_of_an_await_cell(open_notebook):
    slow = "view = nestling.watch(demo.research_team(delay=0.3), collapse='none')"
    notebook = open_notebook(
        "import nestling\nfrom nestling import demo\n" + slow, f"await view.ainvoke({HELLO})"
    )
    notebook.run(0)
    notebook.start(1)
    widget(notebook).locator('[data-type="ai"]').first.wait_for()
    widget(notebook).get_by_role("button", name="Stop").click()
    notebook.wait(1)
    ended = [o["ename"] for o in notebook.outputs(1) if o["output_type"] == "error"]
    assert ended in (["CancelledError"], ["KeyboardInterrupt"])
    until_status(widget(notebook), "cancelled")
    assert notebook.python("view.status") == "cancelled"
    assert widget(notebook).locator('[data-status="streaming"]').count() == 0
