"""What is quick folds as what is not: tokens that go on, and messages that a state repeats."""

import cProfile
import pstats
from typing import Any

from builders import check, part, said, start, words
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from test_random_graphs import told

from nestling import View
from nestling.conversation import Conversation
from nestling.langgraph.normalize import read_message

TEXTS = st.sampled_from(["", "word ", "wörd ", "\ud800", "\N{SNOWMAN}"])
CONTENTS = TEXTS | st.sampled_from(
    [
        [],
        ["a string "],
        [{"type": "text", "text": "block ", "index": 0}],
        [{"type": "reasoning", "reasoning": "hm ", "index": 1}],
        [{"type": "image", "url": "u"}],
    ]
)
CHUNKS = st.fixed_dictionaries(
    {
        "content": CONTENTS,
        "id": st.sampled_from(["m1", "m2", None]),
        "box": st.sampled_from([(), ("a:1",), ("b:2",), (["a:1"],), ("",)]),
    },
    optional={
        "chunk_position": st.just("last"),
        "usage_metadata": st.just({"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}),
        "additional_kwargs": st.just({"reasoning_content": "so "}),
        "tool_call_chunks": st.just([{"name": "f", "args": "{}", "id": "c", "index": 0}]),
        "as_dict": st.booleans(),
        "whole": st.booleans(),
    },
)


def event(chunk: dict[str, Any]) -> Any:
    fields = dict(chunk)
    ns, as_dict, whole = fields.pop("box"), fields.pop("as_dict", 0), fields.pop("whole", 0)
    if whole:
        message: Any = AIMessage(fields["content"], id=fields["id"])
    else:
        message = AIMessageChunk(**fields)
    place = "|".join((*map(str, ns), "model:x"))
    metadata = {"langgraph_node": "model", "langgraph_checkpoint_ns": place}
    return part("messages", (message.model_dump() if as_dict else message, metadata), ns)


def slow(view: View) -> View:
    """A view that knows no short way."""
    messages = view._adapter.messages
    item = messages._item
    view._adapter._handlers["messages"] = lambda ns, data: item(ns, data[0], data[1] or {})
    messages.speeches.is_old = lambda value: False
    view._adapter._is_token = lambda event: False
    return view


def fold(view: View, events: list[Any]) -> Any:
    seen: list[Any] = []
    view.on_event(lambda change: seen.append((change["op"], change["id"])))
    for each in events:
        view.process_event(each)
    view.finalize()
    check(view)
    assert view._conversation.problems == 0
    return told(view), str(view), seen


@settings(deadline=None, max_examples=200)
@given(st.lists(CHUNKS, max_size=12))
def test_tokens_that_go_on_fold_as_any_others(chunks):
    assert fold(View(), [*map(event, chunks)]) == fold(slow(View()), [*map(event, chunks)])


def test_what_came_before_a_field_is_set_is_not_appended_after():
    conversation = Conversation(lambda: 0.0)
    call = conversation.add("tool_call", "c", [], speaker="x", order=1, status="calling")
    conversation.append(call, '{"n": 1}', "args_text")
    conversation.set(call, args={"n": 1}, args_text=None)
    conversation.settle()
    assert call["args"] == {"n": 1}
    assert "args_text" not in call


# --- states -------------------------------------------------------------------------------------

POOL = ("h1", "a1", "a2", "t1", "m1")
STATES = st.lists(
    st.tuples(
        st.sampled_from(["values", "updates", "messages", "begin", "mutate"]),
        st.sampled_from([(), ("a:1",)]),
        st.lists(st.tuples(st.sampled_from(POOL), st.integers(0, 2)), max_size=5),
    ),
    max_size=8,
)


def histories(steps: Any) -> list[Any]:
    """Events of states whose messages come again: the same objects, edited ones, changed ones."""
    made: dict[Any, Any] = {}

    def message(name: str, number: int) -> Any:
        if (name, number) not in made:
            text = f"{name} says {number}"
            if name[0] == "h":
                made[name, number] = HumanMessage(text, id=name)
            elif name[0] == "t":
                made[name, number] = ToolMessage(text, id=name, tool_call_id="c1")
            else:
                made[name, number] = AIMessage(text, id=name if number < 2 else None)
        return made[name, number]

    events: list[Any] = [start("1", "a"), start("x", "model", ns=("a:1",))]
    for kind, ns, names in steps:
        messages = [message(*name) for name in names]
        if kind == "values":
            events.append(part("values", {"messages": messages, "scores": [0.5, 1, None]}, ns))
        elif kind == "updates":
            events.append(part("updates", {"model": {"messages": messages}}, ns))
        elif kind == "messages":
            events += [said(m, "model", ns, "x") for m in messages]
            events += [words("more ", name, "model", ns, "x") for name, _ in names if name == "m1"]
        elif kind == "begin":
            events.append(None)
        else:
            events += [lambda m=m: setattr(m, "content", f"{m.content}!") for m in messages]
    return events


def fold_states(view: View, steps: Any) -> Any:
    for each in histories(steps):
        if each is None:
            view.finalize()
        elif callable(each):
            each()
        else:
            view.process_event(each)
    view.finalize()
    assert view._conversation.problems == 0
    return told(view), str(view)


@settings(deadline=None, max_examples=200)
@given(STATES)
def test_messages_that_a_state_repeats_are_known_only_when_nothing_is_new(steps):
    assert fold_states(View(), steps) == fold_states(slow(View()), steps)


#: An answer of an earlier run that this one was not given to begin with.
AGAIN = [("a1", 0)]
BEFORE = [("values", (), AGAIN), ("begin", (), []), ("values", (), []), ("values", (), AGAIN)]


@settings(deadline=None, max_examples=200)
@example(BEFORE)
@given(STATES)
def test_an_old_message_is_never_new(steps):
    view, wrong = View(), []
    speeches = view._adapter.messages.speeches
    is_old = speeches.is_old

    def watched(value: Any) -> bool:
        old, message = is_old(value), read_message(value)
        if old and (message is None or speeches.is_new(message)):
            wrong.append(value)
        return old

    speeches.is_old = watched
    fold_states(view, steps)
    assert wrong == []


def test_a_message_costs_the_same_however_many_came_before():
    def calls(count):
        view = View()
        began = cProfile.Profile()
        for number in range(count):
            if number == count - 200:
                began.enable()
            message = {"type": "ai", "content": f"message {number}", "id": f"m{number}"}
            view.process_event(part("messages", (message, {"langgraph_node": "talk"})))
        began.disable()
        view.close()
        return pstats.Stats(began).total_calls

    assert calls(3000) < 1.2 * calls(300)
