"""Content in pieces: blocks of one index are one block, however they are cut."""

import pytest
from builders import ai, fed, part, said, words

SEARCH = {"type": "server_tool_use", "id": "s1", "name": "search", "input": {}, "index": 1}
WRITTEN = [{"type": "input_json_delta", "partial_json": piece} for piece in ('{"q', '": 1', "}")]


def streamed(*blocks, **fields):
    """The record of a message whose chunks hold one block each."""
    view = fed(*(words([block], "m", "talk", **fields) for block in blocks))
    [row] = view.transcript
    return row


def whole(*blocks):
    view = fed(said(ai(list(blocks), "m")))
    [row] = view.transcript
    return row


def test_a_block_that_arrives_in_pieces_is_one_block():
    pieces = [{**piece, "index": 1} for piece in WRITTEN]
    expected = {"type": "server_tool_use", "id": "s1", "name": "search", "input": {"q": 1}}
    assert streamed(SEARCH, *pieces)["blocks"] == [expected]
    merged = {**SEARCH, "partial_json": '{"q": 1}'}
    assert whole(merged)["blocks"] == [expected]


def test_a_block_in_pieces_shows_what_there_is_of_it():
    row = streamed(SEARCH, {**WRITTEN[0], "index": 1})
    assert row["blocks"][0]["input"] == '{"q'


def test_blocks_that_arrive_in_turns_are_put_together_by_index():
    other = {**SEARCH, "id": "s2", "index": 2}
    pieces = [{**piece, "index": index} for piece in WRITTEN for index in (2, 1)]
    row = streamed(SEARCH, other, *pieces)
    assert [(block["id"], block["input"]) for block in row["blocks"]] == [
        ("s1", {"q": 1}),
        ("s2", {"q": 1}),
    ]


def test_blocks_of_one_index_with_two_ids_are_two_blocks():
    row = streamed(SEARCH, {**SEARCH, "id": "s2"})
    assert [block["id"] for block in row["blocks"]] == ["s1", "s2"]


def test_a_call_of_the_callers_tools_is_no_block():
    call = {"type": "tool_use", "id": "c", "name": "look", "input": {}, "index": 1}
    assert "blocks" not in streamed(call, *({**piece, "index": 1} for piece in WRITTEN))


def test_a_server_call_of_langchains_standard_has_its_arguments_as_an_object():
    start = {"type": "server_tool_call_chunk", "id": "s1", "name": "search", "args": "", "index": 0}
    rest = {"type": "server_tool_call_chunk", "args": '{"q": 1}', "index": 0}
    assert streamed(start, rest)["blocks"] == [
        {"type": "server_tool_call", "id": "s1", "name": "search", "args": {"q": 1}}
    ]


@pytest.mark.parametrize("field", ["annotations", "citations"])
def test_sources_are_blocks_and_their_text_is_text(field):
    sources = [{"type": "url_citation", "url": f"https://example.org/{n}"} for n in (1, 2)]
    pieces = [
        {"type": "text", "text": "It is ", "index": 0},
        {"type": "text", field: sources[:1], "index": 0},
        {"type": "text", "text": "so.", "index": 0},
        {"type": "text", field: sources[1:], "index": 0},
    ]
    for row in (streamed(*pieces), whole({"type": "text", "text": "It is so.", field: sources})):
        assert row["content"] == "It is so."
        assert row["blocks"] == [{**source, "type": "citation"} for source in sources]


def test_parts_of_a_thought_are_paragraphs_however_they_are_cut():
    def summary(number, text, **more):
        part = {"type": "summary_text", "text": text, **more}
        return {"type": "reasoning", "index": number, "summary": [part]}

    pieces = [
        summary(0, "Fi", index=0),
        summary(0, "rst.", index=0),
        summary(0, "Second.", index=1),
        {"type": "thinking", "thinking": "Thi", "index": 3},
        {"type": "thinking", "thinking": "rd.", "index": 3},
    ]
    expected = "First.\n\nSecond.\n\nThird."
    assert streamed(*pieces)["reasoning"] == expected
    parts = [{"type": "summary_text", "text": text} for text in ("First.", "Second.")]
    message = [{"type": "reasoning", "summary": parts}, {"type": "thinking", "thinking": "Third."}]
    assert whole(*message)["reasoning"] == expected


def test_reasoning_that_is_told_twice_is_shown_once():
    thought = [{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Yes."}]
    view = fed(said(ai(thought, "m", additional_kwargs={"reasoning_content": "Hm."})))
    assert view.transcript[0]["reasoning"] == "Hm."


def test_usage_that_comes_after_the_last_words_still_counts():
    def usage(i, o):
        return {"usage_metadata": {"input_tokens": i, "output_tokens": o, "total_tokens": i + o}}

    view = fed(
        words("a", "m", "talk", chunk_position="last"),
        words("", "m", "talk", **usage(5, 3)),
        part("updates", {"talk": {"messages": [ai("a", "m", **usage(6, 3))]}}),
    )
    expected = {"input_tokens": 6, "output_tokens": 3, "total_tokens": 9}
    assert view.transcript[0]["usage"] == view.namespaces[""]["usage"] == expected
