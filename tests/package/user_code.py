"""What ordinary users write. It has to run, and to pass `mypy --strict`."""

from __future__ import annotations

import asyncio
from typing import Any

import nestling
from nestling.demo import Reply, ScriptedChatModel, call, parallel_team, research_team

QUESTION = {"messages": [("user", "Analyze this data and create visualizations")]}


def watch_a_run() -> nestling.View:
    view = nestling.watch(research_team(delay=0), max_height=None)
    result: dict[str, Any] = view.invoke(QUESTION)
    assert result["messages"][-1].content
    assert view.status == "completed"
    assert [artifact.title for artifact in view.artifacts] == [
        "Analysis Report",
        "Visualization Suite",
    ]
    return view


async def watch_in_parallel() -> None:
    view = nestling.watch(parallel_team(workers=2, delay=0), name="team")
    result = await view.ainvoke({"topic": "solar power"})
    assert len(result["reports"]) == 2
    async for part in view.astream({"topic": "wind"}, stream_mode="updates"):
        assert part


def feed_by_hand() -> None:
    graph = research_team(delay=0)
    view = nestling.View()
    for part in view.tee(graph.stream(QUESTION, stream_mode="messages", subgraphs=True)):
        assert part
    for event in graph.stream(QUESTION, stream_mode=["messages", "updates"], version="v2"):
        view.process_event(event)
    view.finalize()
    speakers = {record["speaker"] for record in view.chat_history}
    assert "research_team" in speakers
    for key, namespace in view.namespaces.items():
        assert namespace["key"] == key


@nestling.renderer(type="tool_call", name="data_processor")
def draw(record: Any) -> str:
    return f"columns: {record['args']['columns']}"


def explore() -> None:
    nestling.options.prices = {"scripted": (1.0, 2.0)}
    view = watch_a_run()
    usage: nestling.Usage = view.usage
    assert usage.total_tokens > 0
    assert usage["total_tokens"] == sum(box.total_tokens for box in usage.namespaces.values())
    assert not usage.estimated
    assert len(view.transcript.to_frame()) == len(view.transcript)
    [call] = [r for r in view.transcript.find(type="tool_call") if r["name"] == "data_processor"]
    assert call["mime"]["text/markdown"].startswith("columns: ")
    nestling.renderer.remove(draw)
    nestling.emit_artifact("nobody watches", title="Nothing", id="nothing")
    nestling.progress(0.5, "nobody watches")


def script_a_model() -> None:
    model = ScriptedChatModel(
        script=[Reply("One moment.", [call("look_up", word="nest")]), "Done."]
    )
    message = model.invoke("Hello")
    assert message.tool_calls[0]["args"] == {"word": "nest"}


if __name__ == "__main__":
    asyncio.run(watch_in_parallel())
    feed_by_hand()
    script_a_model()
    explore()
    print(watch_a_run())
