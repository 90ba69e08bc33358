import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from nestling.demo import Reply, ScriptedChatModel, call

ANSWER = Reply(
    "  Zwei  Wörter\n\n- and a list\n",
    [call("look_up", place="Zürich", near=[1, 2, {"deep": None}]), call("stop")],
    reasoning="Where was it? In the south.",
)


def same(one: AIMessage, other: AIMessage) -> bool:
    fields = ("content", "tool_calls", "usage_metadata", "response_metadata", "additional_kwargs")
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def total(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    return chunks[0] + chunks[1:]


def test_chunks_add_up_to_the_text():
    chunks = list(ScriptedChatModel(script=[ANSWER]).stream("hi"))
    assert "".join(chunk.text for chunk in chunks) == ANSWER.text
    assert len([chunk for chunk in chunks if chunk.text]) > 4
    assert [chunk.chunk_position for chunk in chunks].count("last") == 1
    assert chunks[-1].chunk_position == "last"
    assert len({chunk.id for chunk in chunks}) == 1


def test_stream_equals_invoke():
    model = ScriptedChatModel(script=[ANSWER])
    assert same(total(list(model.stream("hi"))), model.invoke("hi"))


async def test_astream_equals_ainvoke():
    model = ScriptedChatModel(script=[ANSWER])
    streamed = total([chunk async for chunk in model.astream("hi")])
    assert same(streamed, await model.ainvoke("hi"))
    assert same(streamed, model.invoke("hi"))


def test_tool_calls_arrive_name_first_then_fragments_of_json():
    chunks = list(ScriptedChatModel(script=[ANSWER]).stream("hi"))
    parts = [part for chunk in chunks for part in chunk.tool_call_chunks]
    for index, wanted in enumerate(ANSWER.calls):
        first, *rest = [part for part in parts if part["index"] == index]
        assert (first["name"], first["args"]) == (wanted["name"], "")
        assert first["id"]
        assert all(part["id"] is None and part["name"] is None for part in rest)
        assert json.loads("".join(part["args"] for part in rest)) == wanted["args"]


def test_reasoning_is_a_standard_content_block():
    blocks = ScriptedChatModel(script=[ANSWER]).invoke("hi").content_blocks
    assert blocks[0] == {"type": "reasoning", "reasoning": ANSWER.reasoning}


def test_usage_counts_chunks():
    chunks = list(ScriptedChatModel(script=["one two three"]).stream("hi"))
    assert total(chunks).usage_metadata == {
        "input_tokens": 2,
        "output_tokens": 3,
        "total_tokens": 5,
    }


@pytest.mark.parametrize("text", ["", " ", "word", "\n\n  both ends  \n"])
def test_any_text(text):
    model = ScriptedChatModel(script=[text])
    assert model.invoke("hi").content == text
    assert total(list(model.stream("hi"))).content == text


def test_sequence_is_counted_from_the_last_human_message():
    model = ScriptedChatModel(script=["first", "second"])
    talk = [HumanMessage("a"), AIMessage("x"), AIMessage("y"), HumanMessage("b")]
    assert model.invoke(talk).content == "first"
    assert model.invoke([*talk, AIMessage("x"), ToolMessage("z", tool_call_id="1")]).content == (
        "second"
    )


def test_a_script_that_is_too_short_says_so():
    with pytest.raises(ValueError, match="has 1 replies, this conversation asks for number 2"):
        ScriptedChatModel(script=["only"]).invoke([HumanMessage("a"), AIMessage("x")])


def test_function_sees_the_messages():
    model = ScriptedChatModel(script=lambda messages: messages[-1].text[::-1])
    assert model.invoke("abc").content == "cba"


def test_failure_before_and_in_the_middle():
    for after in (0, 2):
        error = TimeoutError("gone")
        model = ScriptedChatModel(script=[Reply("a b c d", error=error, error_after=after)])
        seen = []
        with pytest.raises(TimeoutError, match="gone"):
            seen.extend(chunk.text for chunk in model.stream("hi"))
        with pytest.raises(TimeoutError):
            model.invoke("hi")
        assert error.__traceback__ is None


async def test_failure_in_mid_stream_comes_after_the_tokens():
    model = ScriptedChatModel(script=[Reply("a b c d", error=TimeoutError("gone"), error_after=2)])
    chunks = []
    with pytest.raises(TimeoutError):
        async for chunk in model.astream("hi"):
            chunks.append(chunk)
    assert [chunk.text for chunk in chunks] == ["a ", "b "]
    assert not any(chunk.chunk_position for chunk in chunks)


def test_ids_of_calls_are_stable_and_follow_the_conversation():
    model = ScriptedChatModel(script=lambda _: Reply("", [call("f"), call("f")]), stable_ids=True)
    one, again, other = model.invoke("a"), model.invoke("a"), model.invoke("b")
    ids = [c["id"] for c in one.tool_calls]
    assert len(set(ids)) == len(ids)
    assert [c["id"] for c in again.tool_calls] == ids
    assert not {c["id"] for c in other.tool_calls} & set(ids)
    assert one.id == again.id != other.id


def test_message_ids_are_new_each_time_by_default():
    model = ScriptedChatModel(script=["hi"])
    assert model.invoke("a").id != model.invoke("a").id


def test_bound_tools_change_nothing():
    def look_up(place: str) -> str:
        """Looks up."""
        return place

    model = ScriptedChatModel(script=[ANSWER])
    assert same(model.bind_tools([look_up], tool_choice="any").invoke("hi"), model.invoke("hi"))


async def test_two_async_streams_take_turns():
    model = ScriptedChatModel(script=lambda messages: f"{messages[-1].text} " * 20)
    order = []

    async def read(name):
        async for chunk in model.astream(name):
            order.append(chunk.text.strip())

    await asyncio.gather(read("a"), read("b"))
    assert order[:4] in (["a", "b", "a", "b"], ["b", "a", "b", "a"])


def test_threads_share_one_model():
    model = ScriptedChatModel(script=lambda messages: f"{messages[-1].text} " * 50)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: model.invoke(str(n)).text, range(40)))
    assert answers == [f"{n} " * 50 for n in range(40)]
