"""Anthropic's client on a replaying server."""

import anthropic
import pytest
from builders import ainvoked, astreamed, check, folded, invoked
from builders import streamed as streamed_by

from nestling import recording, watch
from tests.providers import anthropic_messages as am
from tests.providers import chat_completions as cc
from tests.providers.agents import (
    ASK,
    agent,
    answers,
    asked,
    calls,
    chat,
    claude,
    eventually,
    look,
    says,
    shown,
    streamed,
    texts,
    told,
)
from tests.providers.replay import CUT

SOURCE = am.cites("https://example.org", "Example", "the news is good")
FIRST = am.message(
    am.thinks("I should look it up."),
    am.says("Let me see. "),
    am.searches("news of today"),
    am.finds(("https://example.org", "Example"), ("https://example.com", "Another")),
    am.says("It says: "),
    am.says("good news.", [SOURCE]),
    am.calls("look", "toolu_1", n=1),
    am.calls("shout", "toolu_2", text="hey there"),
)
SCRIPTS = [FIRST, am.message(am.says("Done now."), usage=(20, 5), message_id="msg_02")]

USAGE = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}
SECOND = {"input_tokens": 20, "output_tokens": 5, "total_tokens": 25}
SUM = {"input_tokens": 29, "output_tokens": 9, "total_tokens": 38}


@pytest.mark.parametrize("how", [invoked, ainvoked, streamed_by, astreamed])
def test_an_agent_thinks_speaks_and_calls_two_tools_at_once(replay, how):
    view = watch(agent(claude(replay(*SCRIPTS))))
    how(view, ASK)
    check(view)
    assert view._conversation.problems == 0
    assert [r["type"] for r in view.transcript] == ["user", "ai", "tool_call", "tool_call", "ai"]
    first, second = answers(view)
    assert first["content"] == "Let me see. It says: good news."
    assert first["reasoning"] == "I should look it up."
    assert first["model"] == second["model"] == am.MODEL
    assert (first["usage"], second["usage"]) == (USAGE, SECOND)
    assert view.namespaces[""]["usage"] == SUM
    look_call, shout_call = calls(view)
    assert (look_call["id"], look_call["name"], look_call["args"]) == ("toolu_1", "look", {"n": 1})
    assert (shout_call["id"], shout_call["args"]) == ("toolu_2", {"text": "hey there"})
    assert [c["content"] for c in calls(view)] == ["saw 1", "HEY THERE"]
    assert all(c["status"] == "completed" and "args_text" not in c for c in calls(view))


def test_a_search_of_the_provider_its_result_and_the_source_are_one_block_each(replay):
    first, _ = answers(shown(agent(claude(replay(*SCRIPTS)))))
    search, found, source = first["blocks"]
    assert search == {
        "type": "server_tool_use",
        "id": "srvtoolu_1",
        "name": "web_search",
        "input": {"query": "news of today"},
    }
    assert found["tool_use_id"] == "srvtoolu_1"
    assert [page["title"] for page in found["content"]] == ["Example", "Another"]
    assert source == {
        "type": "citation",
        "url": "https://example.org",
        "title": "Example",
        "cited_text": "the news is good",
    }


def test_what_only_the_provider_can_read_is_left_out(replay):
    first, _ = answers(shown(agent(claude(replay(*SCRIPTS)))))
    assert "encrypted" not in str(first)
    assert "signature" not in str(first)


def test_thinking_that_is_hidden_is_a_block(replay):
    script = am.message(am.thinks("One thing."), am.hides("c2VjcmV0"), am.says("So it is."))
    model = claude(replay(script), thinking={"type": "enabled", "budget_tokens": 1024})
    [said] = answers(shown(asked(model)))
    assert (said["reasoning"], said["content"]) == ("One thing.", "So it is.")
    assert [block["type"] for block in said["blocks"]] == ["redacted_thinking"]


def test_thoughts_between_calls_are_paragraphs(replay):
    script = am.message(
        am.thinks("First this."), am.calls("look", "toolu_1", n=1), am.thinks("Then that.")
    )
    for stream_tokens in (True, False):
        model = claude(replay(script)).bind_tools([look])
        [said] = answers(shown(asked(model), stream_tokens=stream_tokens))
        assert said["reasoning"] == "First this.\n\nThen that."


def test_whole_messages_leave_the_same_records_as_streamed_ones(replay):
    live = shown(agent(claude(replay(*SCRIPTS))))
    server = replay(*SCRIPTS)
    whole = shown(agent(claude(server)), stream_tokens=False)
    assert not any(request.get("stream") for request in server.requests)
    assert told(whole) == told(live)


def test_the_result_is_that_of_the_graph_asked_to_stream(replay):
    result = watch(agent(claude(replay(*SCRIPTS)))).invoke(ASK)
    bare = streamed(agent(claude(replay(*SCRIPTS))))
    assert says(result["messages"]) == says(bare["messages"])


def test_a_recorded_run_folds_into_the_same_records(replay, tmp_path):
    view = watch(agent(claude(replay(*SCRIPTS))))
    recorder = recording.Recorder(view)
    view.invoke(ASK)
    recorder.write(tmp_path / "run.jsonl")
    again = folded(*recording.read(tmp_path / "run.jsonl"))
    assert told(again) == told(view)


def test_standard_blocks_of_langchain_read_alike(replay):
    first, _ = answers(shown(agent(claude(replay(*SCRIPTS), output_version="v1"))))
    assert first["content"] == "Let me see. It says: good news."
    assert first["reasoning"] == "I should look it up."
    search, found, source = first["blocks"]
    assert (search["type"], search["name"]) == ("server_tool_call", "web_search")
    assert search["args"] == {"query": "news of today"}
    assert (found["type"], found["tool_call_id"]) == ("server_tool_result", "srvtoolu_1")
    assert (source["type"], source["url"]) == ("citation", "https://example.org")


@pytest.mark.parametrize("tools", [True, False])
def test_text_is_there_while_it_is_streamed_and_never_twice(replay, tools):
    """With tools the text arrives in blocks, without them as a string."""
    seen = []

    def read():
        return [(r["status"], r["content"]) for r in view.live_chat if r["type"] == "ai"]

    wanted = [("streaming", "Done n")]
    held = SCRIPTS[1].paused(b"Done n", lambda: seen.append(eventually(read, wanted)))
    model = claude(replay(held))
    view = watch(agent(model) if tools else asked(model))
    view.invoke(ASK)
    assert seen == [wanted]
    assert texts(view) == ["Done now."]


def test_a_search_is_one_block_while_it_is_written(replay):
    seen = []

    def read():
        return [block.get("input") for r in answers(view) for block in r.get("blocks", ())]

    held = FIRST.paused(rb"{\"quer", lambda: seen.append(eventually(read, ['{"quer'])))
    view = watch(agent(claude(replay(held, SCRIPTS[1]))))
    view.invoke(ASK)
    assert seen == [['{"quer']]


@pytest.mark.parametrize("how", [invoked, ainvoked])
@pytest.mark.parametrize("end", ["error", "cut"])
def test_a_stream_that_breaks_leaves_true_statuses(replay, how, end):
    broken = FIRST.stopped(rb"{\"n\": ", am.ERROR if end == "error" else CUT)
    view = watch(agent(claude(replay(broken))))
    with pytest.raises(Exception, match=r"Overloaded|peer closed") as caught:
        how(view, ASK)
    check(view)
    assert isinstance(caught.value, anthropic.APIError) == (end == "error")
    assert view.error is caught.value
    assert view.status == "failed"
    [said] = answers(view)
    assert (said["status"], said["content"]) == ("aborted", "Let me see. It says: good news.")
    assert said["reasoning"] == "I should look it up."
    [called] = calls(view)
    assert (called["status"], called["args_text"]) == ("cancelled", '{"n": ')
    [error] = view.transcript.find(type="error")
    assert error["error_type"] == type(caught.value).__name__


def test_another_model_that_steps_in_leaves_the_first_one_aborted(replay):
    """A fallback of LangChain's, from one provider to the other, in one node."""
    cut = cc.completion("Let me look.", [cc.call("look", "c1", n=1)]).stopped(b"tool_calls", CUT)
    model = chat(replay(cut)).with_fallbacks([claude(replay(am.message(am.says("I can."))))])
    view = shown(asked(model))
    assert view.status == "completed"
    assert [(r["content"], r["status"]) for r in answers(view)] == [
        ("Let me look.", "aborted"),
        ("I can.", "completed"),
    ]
    assert [c["status"] for c in calls(view)] == ["cancelled"]
