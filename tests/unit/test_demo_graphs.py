"""The demo graphs are what the README and the notebooks rely on."""

import threading
from itertools import pairwise

import pytest
from IPython.display import Markdown
from langchain_core.messages import AIMessage, ToolMessage
from matplotlib.figure import Figure

from nestling import demo
from nestling.demo import market

QUESTION = {"messages": [("user", "Analyze this data and create visualizations")]}


def plain(value):
    """Messages as what a reader sees of them; ids of messages differ from run to run."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, AIMessage):
        return (value.name, value.content, value.tool_calls, value.usage_metadata)
    return getattr(value, "content", value)


def speakers(stream):
    """Which namespace each token of text came from, in the order of arrival."""
    return [part["ns"] for part in stream if part["data"][0].text]


def switches(order):
    return sum(one != other for one, other in pairwise(order))


CASES = [
    (demo.research_team, QUESTION),
    (demo.parallel_team, {"topic": "solar power"}),
    (demo.nested_team, QUESTION),
    (demo.pipeline, {"question": "Where does a widget live?"}),
]


@pytest.mark.parametrize(("make", "question"), CASES)
async def test_every_way_to_run_gives_the_same(make, question):
    graph = make(delay=0)
    result = graph.invoke(question)
    assert plain(graph.invoke(question)) == plain(result)
    assert plain(await graph.ainvoke(question)) == plain(result)
    streamed = list(
        graph.stream(question, stream_mode=["messages", "values"], subgraphs=True, version="v2")
    )
    roots = [part["data"] for part in streamed if part["type"] == "values" and not part["ns"]]
    assert plain(roots[-1]) == plain(result)


def test_research_team_says_what_the_readme_shows():
    messages = demo.research_team(delay=0).invoke(QUESTION)["messages"]
    assert messages[1].text == "I'll coordinate the analysis and visualization for you..."
    assert messages[2].text.startswith("Analysis complete! Key findings:\n\n- A correlation coeff")
    assert "0.85" in messages[2].text
    assert "3 main clusters" in messages[2].text
    assert messages[3].text == "Excellent! Now creating visualizations..."
    assert messages[4].text == "All visualizations complete!"
    assert "| cluster |" in messages[-1].text


def test_research_team_hands_over_a_report_and_figures():
    tool_messages = [
        part["data"][0]
        for part in demo.research_team(delay=0).stream(
            QUESTION, stream_mode="messages", subgraphs=True, version="v2"
        )
        if isinstance(part["data"][0], ToolMessage)
    ]
    artifacts = {message.name: message.artifact for message in tool_messages}
    assert {m.name: m.text for m in tool_messages}["data_processor"] == "Found 3 key trends"
    assert artifacts["analysis_agent"]["title"] == "Analysis Report"
    assert isinstance(artifacts["analysis_agent"]["data"], Markdown)
    suite = artifacts["chart_generator"]
    assert suite["title"] == "Visualization Suite"
    assert [type(figure) for figure in suite["data"]] == [Figure, Figure]
    assert [len(figure.axes[0].collections) for figure in suite["data"]] == [1, 3]


def test_numbers_are_computed():
    assert round(market.coefficient(), 2) == 0.85
    assert [len(group) for group in market.clusters()] == [20, 20, 20]
    assert sorted(p for group in market.clusters() for p in group) == sorted(market.products())


def test_parallel_workers_stream_at_the_same_time_in_threads():
    stream = demo.parallel_team(workers=3, delay=0.002).stream(
        {"topic": "solar power"}, stream_mode="messages", subgraphs=True, version="v2"
    )
    order = [ns for ns in speakers(stream) if ns]
    assert len(set(order)) == 3
    assert switches(order) > 20


async def test_parallel_workers_stream_at_the_same_time_on_a_loop():
    stream = demo.parallel_team(workers=3, delay=0).astream(
        {"topic": "solar power"}, stream_mode="messages", subgraphs=True, version="v2"
    )
    order = [ns for ns in speakers([part async for part in stream]) if ns]
    assert len(set(order)) == 3
    assert switches(order) > 20


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_parallel_team_of_any_size_reports_in_the_order_of_its_plan(workers):
    result = demo.parallel_team(workers=workers, delay=0).invoke({"topic": "tea"})
    assert len(result["plan"]) == len(result["reports"]) == len(set(result["plan"])) == workers
    assert result["reports"][0].startswith("Nearly all of the money for tea")
    assert "**costs**" in result["messages"][-1].text


def test_parallel_team_refuses_no_workers():
    with pytest.raises(ValueError, match="at least 1"):
        demo.parallel_team(workers=0)


async def test_failing_team_fails_while_the_other_speaks():
    seen = []
    with pytest.raises(TimeoutError, match="no answer from the price service after 10 s"):
        async for part in demo.failing_team(delay=0).astream(
            QUESTION, stream_mode="messages", subgraphs=True, version="v2"
        ):
            seen.append(part)
    news = "".join(p["data"][0].text for p in seen if p["ns"][0].startswith("news_agent"))
    assert news.startswith("Four stories stand out")
    assert not news.rstrip().endswith("until the autumn.")


def test_failing_team_raises_in_threads_as_well():
    with pytest.raises(TimeoutError):
        demo.failing_team(delay=0).invoke(QUESTION)


def test_nested_team_is_three_boxes_deep():
    stream = demo.nested_team(delay=0).stream(
        QUESTION, stream_mode="messages", subgraphs=True, version="v2"
    )
    names = {tuple(segment.partition(":")[0] for segment in ns) for ns in speakers(stream)}
    assert ("analysis_team", "stats_team", "stats_agent") in names


def test_assistant_remembers_and_calls_tools_at_once():
    graph = demo.assistant(delay=0)
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"messages": [("user", "What changed in Q3?")]}, config)
    result = graph.invoke({"messages": [("user", "And only for the South region?")]}, config)
    calls = [m.tool_calls for m in result["messages"] if getattr(m, "tool_calls", None)]
    assert [[c["args"]["region"] for c in group] for group in calls] == [
        ["North", "South", "West"],
        ["South"],
    ]
    assert len({c["id"] for group in calls for c in group}) == 4
    assert result["messages"][-1].text == (
        "In the third quarter:\n\n- South: 388 in Q2, 341 in Q3 (-12.1%)"
    )
    assert (
        "Ask me what changed"
        in graph.invoke({"messages": [("user", "Hi")]}, config)["messages"][-1].text
    )


def test_pipeline_answers_from_its_documents():
    result = demo.pipeline(delay=0).invoke({"question": "Where does a widget live?"})
    assert result["answer"].startswith("A widget lives in the kernel")
    assert "messages" not in result


def test_one_graph_serves_many_threads():
    graph, results = demo.research_team(delay=0), []
    threads = [
        threading.Thread(target=lambda: results.append(plain(graph.invoke(QUESTION))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(result == results[0] for result in results)
