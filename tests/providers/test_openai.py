"""OpenAI's client on a replaying server: chat completions and the Responses API."""

import openai
import pytest
from builders import ainvoked, astreamed, check, folded, invoked
from builders import streamed as streamed_by
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableParallel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import RetryPolicy

from nestling import recording, watch
from nestling.demo.parts import agent_tool
from tests.providers import chat_completions as cc
from tests.providers import responses as rs
from tests.providers.agents import (
    ASK,
    agent,
    answers,
    asked,
    calls,
    chat,
    eventually,
    look,
    node,
    responses,
    says,
    shown,
    streamed,
    texts,
    told,
)
from tests.providers.replay import CUT

BOTH = [cc.call("look", "c1", n=1), cc.call("shout", "c2", text="hey there")]
CHAT = [cc.completion("Let me look.", BOTH), cc.completion("All done here.", usage=(20, 5))]

SOURCE = rs.cites("https://example.org", "Example")
ITEMS = [
    rs.thinks("First I look.", "Then I say it."),
    rs.searches("news of today"),
    rs.says("Here it is.", [SOURCE]),
    rs.calls("look", "c1", n=1),
    rs.calls("shout", "c2", text="hey there"),
]
RESPONSES = [
    rs.response(*ITEMS),
    rs.response(rs.says("Done now.", item_id="msg_2"), response_id="resp_2", usage=(20, 5)),
]

USAGE = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}
SECOND = {"input_tokens": 20, "output_tokens": 5, "total_tokens": 25}
SUM = {"input_tokens": 29, "output_tokens": 9, "total_tokens": 38}

EITHER = pytest.mark.parametrize(
    ("client", "scripts"), [(chat, CHAT), (responses, RESPONSES)], ids=["chat", "responses"]
)


def answer(number):
    said = rs.says(f"Answer {number}.", item_id=f"msg_{number}")
    return rs.response(said, response_id=f"resp_{number}")


# --- either API -----------------------------------------------------------------------------


@EITHER
@pytest.mark.parametrize("how", [invoked, ainvoked, streamed_by, astreamed])
def test_an_agent_speaks_and_calls_two_tools_at_once(replay, client, scripts, how):
    view = watch(agent(client(replay(*scripts))))
    how(view, ASK)
    check(view)
    assert view._conversation.problems == 0
    first, second = answers(view)
    assert (first["status"], second["status"]) == ("completed", "completed")
    assert first["usage"] == USAGE
    assert second["usage"] == SECOND
    assert view.namespaces[""]["usage"] == SUM
    assert first["model"] in (cc.MODEL, rs.MODEL)
    look_call, shout_call = calls(view)
    assert (look_call["id"], look_call["name"], look_call["args"]) == ("c1", "look", {"n": 1})
    assert (shout_call["id"], shout_call["args"]) == ("c2", {"text": "hey there"})
    assert [c["content"] for c in calls(view)] == ["saw 1", "HEY THERE"]
    assert all(c["status"] == "completed" and "args_text" not in c for c in calls(view))


@EITHER
def test_whole_messages_leave_the_same_records_as_streamed_ones(replay, client, scripts):
    live = shown(agent(client(replay(*scripts))))
    server = replay(*scripts)
    whole = shown(agent(client(server)), stream_tokens=False)
    assert not any(request.get("stream") for request in server.requests)
    assert told(whole) == told(live)


@EITHER
def test_the_result_is_that_of_the_graph_asked_to_stream(replay, client, scripts):
    result = watch(agent(client(replay(*scripts)))).invoke(ASK)
    bare = streamed(agent(client(replay(*scripts))))
    assert says(result["messages"]) == says(bare["messages"])


@EITHER
def test_a_recorded_run_folds_into_the_same_records(replay, client, scripts, tmp_path):
    view = watch(agent(client(replay(*scripts))))
    recorder = recording.Recorder(view)
    view.invoke(ASK)
    recorder.write(tmp_path / "run.jsonl")
    again = folded(*recording.read(tmp_path / "run.jsonl"))
    assert told(again) == told(view)
    assert [r["id"] for r in again.transcript] == [r["id"] for r in view.transcript]


@EITHER
def test_text_is_there_while_it_is_streamed_and_never_twice(replay, client, scripts):
    seen = []

    def read():
        return [(r["status"], r["content"]) for r in view.live_chat if r["type"] == "ai"]

    last = scripts[-1]
    start = texts(shown(asked(client(replay(last)))))[0][:6]
    held = last.paused(
        start.encode(), lambda: seen.append(eventually(read, [("streaming", start)]))
    )
    view = watch(asked(client(replay(held))))
    view.invoke(ASK)
    assert seen == [[("streaming", start)]]
    assert texts(view) == [view.value["messages"][-1].text]


@EITHER
def test_arguments_are_text_until_they_are_complete(replay, client, scripts):
    seen = []

    def read():
        return [(c["name"], c["status"], c.get("args_text")) for c in calls(view)]

    wanted = [("look", "calling", '{"n": '), ("shout", "calling", None)]
    if client is responses:
        wanted = wanted[:1]
    held = scripts[0].paused(rb"{\"n\": ", lambda: seen.append(eventually(read, wanted)))
    view = watch(agent(client(replay(held, scripts[1]))))
    view.invoke(ASK)
    assert seen == [wanted]


@EITHER
@pytest.mark.parametrize("how", [invoked, ainvoked])
@pytest.mark.parametrize("end", ["error", "cut"])
def test_a_stream_that_breaks_leaves_true_statuses(replay, client, scripts, how, end):
    failure = CUT if end == "cut" else cc.ERROR if client is chat else rs.ERROR
    view = watch(agent(client(replay(scripts[0].stopped(rb"{\"n\": ", failure)))))
    # the Responses API tells of its own errors in the stream, which the client raises plainly
    kind = ValueError if failure is rs.ERROR else openai.APIError
    with pytest.raises(kind) as caught:
        how(view, ASK)
    check(view)
    assert view.error is caught.value
    assert view.status == "failed"
    [said] = answers(view)
    assert said["status"] == "aborted"
    assert said["content"]
    assert {call["status"] for call in calls(view)} == {"cancelled"}
    assert calls(view)[0]["args_text"] == '{"n": '
    [error] = view.transcript.find(type="error")
    assert error["error_type"] == type(caught.value).__name__
    assert error["message"] == str(caught.value)


# --- chat completions -----------------------------------------------------------------------


def test_without_usage_in_the_stream_nothing_is_counted(replay):
    script = cc.completion("Hi.")
    script.events = [event for event in script.events if b'"total_tokens"' not in event]
    view = shown(asked(chat(replay(script), stream_usage=False)))
    assert "usage" not in answers(view)[0]
    assert "usage" not in view.namespaces[""]


def test_an_empty_answer_is_one_empty_record(replay):
    view = shown(asked(chat(replay(cc.completion("")))))
    assert told(view)[1:] == [
        {"type": "ai", "status": "completed", "content": "", "usage": USAGE, "model": cc.MODEL}
    ]


def test_an_answer_that_no_state_holds_has_its_model_and_usage(replay):
    model = chat(replay(cc.completion("Only a thought.")))
    view = shown(node(lambda messages: [model.invoke(messages).text.upper()]))
    [thought] = [r for r in answers(view) if r["content"] == "Only a thought."]
    assert (thought["model"], thought["usage"]) == (cc.MODEL, USAGE)


def test_a_call_whose_arguments_are_no_json_is_shown_either_way(replay):
    broken = cc.call("look", "c1")
    broken["function"]["arguments"] = '{"n": oops'
    for stream_tokens in (True, False):
        model = chat(replay(cc.completion("Hm.", [broken]))).bind_tools([look])
        view = shown(asked(model), stream_tokens=stream_tokens)
        [called] = calls(view)
        assert (called["id"], called["name"], called["status"]) == ("c1", "look", "cancelled")


def test_an_error_before_the_first_word_is_the_clients_own(replay):
    view = watch(asked(chat(replay())))
    with pytest.raises(openai.BadRequestError) as caught:
        view.invoke(ASK)
    assert view.error is caught.value
    assert answers(view) == []


# --- the Responses API ----------------------------------------------------------------------


def test_an_id_that_changes_in_mid_stream_stays_one_record(replay):
    items = list(agent(responses(replay(*RESPONSES))).stream(ASK, stream_mode="messages"))
    ids = {chunk.id for chunk, _ in items if chunk.type == "AIMessageChunk"}
    assert {"resp_1", "resp_2"} < ids  # the premise: chunks go by LangChain's ids as well
    assert len(ids) == 4
    view = shown(agent(responses(replay(*RESPONSES))))
    assert [(r["id"], r["content"]) for r in answers(view)] == [
        ("resp_1", "Here it is."),
        ("resp_2", "Done now."),
    ]


def test_reasoning_is_told_in_paragraphs(replay):
    [first, _] = answers(shown(agent(responses(replay(*RESPONSES)))))
    assert first["reasoning"] == "First I look.\n\nThen I say it."


def test_searches_sources_and_images_are_blocks(replay):
    script = rs.response(*ITEMS[:3], rs.draws("aW1hZ2U="))
    [said] = answers(shown(asked(responses(replay(script)))))
    search, source, image = said["blocks"]
    assert search["type"] == "web_search_call"
    assert search["action"] == {"type": "search", "query": "news of today"}
    assert source == {**SOURCE, "type": "citation"}
    assert (image["type"], image["result"]) == ("image_generation_call", "aW1hZ2U=")
    assert "encrypted" not in str(said)


def test_standard_blocks_of_langchain_read_alike(replay):
    script = rs.response(*ITEMS[:3], rs.draws("aW1hZ2U="))
    [said] = answers(shown(asked(responses(replay(script), output_version="v1"))))
    assert said["content"] == "Here it is."
    assert said["reasoning"] == "First I look.\n\nThen I say it."
    kinds = [block["type"] for block in said["blocks"]]
    assert kinds == ["server_tool_call", "server_tool_result", "citation", "image"]
    assert said["blocks"][0]["args"]["query"] == "news of today"
    assert said["blocks"][-1]["base64"] == "aW1hZ2U="


def test_the_older_format_of_messages_is_one_record_too(replay):
    script = rs.response(*ITEMS[:3])
    [said] = answers(shown(asked(responses(replay(script), output_version="v0"))))
    assert said["content"] == "Here it is."
    assert said["reasoning"] == "First I look.\n\nThen I say it."


def test_a_refusal_can_be_read(replay):
    for stream_tokens in (True, False):
        model = responses(replay(rs.response(rs.refuses("I will not."))))
        assert texts(shown(asked(model), stream_tokens=stream_tokens)) == ["I will not."]


@pytest.mark.parametrize("how", [invoked, ainvoked, streamed_by, astreamed])
def test_an_agent_inside_another_speaks_once_in_its_own_box(replay, how):
    helper = create_agent(responses(replay(answer(3))), [], name="helper")
    script = rs.response(rs.says("I ask."), rs.calls("helper", "c1", request="Help."))
    boss = create_agent(responses(replay(script, answer(2))), [agent_tool(helper, "Helps.")])
    view = watch(boss)
    how(view, ASK)
    check(view)
    assert [(r["id"], r["content"], len(r["namespace"])) for r in answers(view)] == [
        ("resp_1", "I ask.", 0),
        ("resp_3", "Answer 3.", 1),
        ("resp_2", "Answer 2.", 0),
    ]


def test_the_next_turn_of_a_thread_does_not_repeat_the_last_one(replay):
    model = responses(replay(answer(1), answer(2)))
    view = watch(create_agent(model, [], checkpointer=InMemorySaver()))
    for _ in range(2):
        view.invoke(ASK, {"configurable": {"thread_id": "1"}})
    check(view)
    assert texts(view) == ["Answer 1.", "Answer 2."]


# --- several calls in one node --------------------------------------------------------------


def test_answers_in_sequence_are_two_records(replay):
    model = responses(replay(answer(1), answer(2)))
    view = shown(node(lambda messages: [model.invoke(messages), model.invoke(messages)]))
    assert [(r["id"], r["content"]) for r in answers(view)] == [
        ("resp_1", "Answer 1."),
        ("resp_2", "Answer 2."),
    ]
    assert view.namespaces[""]["usage"]["total_tokens"] == 26


@pytest.mark.parametrize("stored", [True, False])
def test_answers_at_the_same_time_are_two_records(replay, stored, tmp_path):
    """Both have begun under their providers' ids before either goes on under another one."""

    def wait():
        return eventually(lambda: len(answers(view)), 2)

    held = [answer(n).paused(b"response.created", wait) for n in (1, 2)]
    models = RunnableParallel({str(n): responses(replay(held[n])) for n in (0, 1)})

    def say(messages):
        said = list(models.invoke("Go.").values())
        return said if stored else []

    view = watch(node(say))
    recorder = recording.Recorder(view)
    view.invoke(ASK)
    recorder.write(tmp_path / "run.jsonl")
    for one in (view, folded(*recording.read(tmp_path / "run.jsonl"))):
        said = {(r["id"], r["content"], r["status"]) for r in answers(one)}
        assert said == {
            ("resp_1", "Answer 1.", "completed"),
            ("resp_2", "Answer 2.", "completed"),
        }


def test_an_answer_that_the_node_tells_in_its_own_message_is_one_record(replay):
    model = responses(replay(answer(1)))

    def retell(messages):
        return [AIMessage("".join(chunk.text for chunk in model.stream(messages)))]

    assert texts(shown(node(retell))) == ["Answer 1."]


def test_a_node_that_is_tried_again_aborts_what_it_said_before(replay):
    cut = RESPONSES[0].stopped(rb"{\"n\": ", CUT)
    model = responses(replay(cut, answer(2)))
    policy = RetryPolicy(initial_interval=0.01, retry_on=openai.APIError)
    graph = node(lambda messages: [model.invoke(messages)], retry_policy=policy)
    view = shown(graph)
    assert [(r["content"], r["status"]) for r in answers(view)] == [
        ("Here it is.", "aborted"),
        ("Answer 2.", "completed"),
    ]
    [called] = calls(view)
    assert called["status"] == "cancelled"
