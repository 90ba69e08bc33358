"""What a run used: as providers tell it, else estimated, and what it cost."""

import pytest
from builders import ai, fed, part, result, said, shown, start, tool, words
from graphs import ASK

import nestling
from nestling import View, demo, usage
from nestling.options import Options

USAGE = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


@pytest.fixture(autouse=True)
def _free():
    yield
    nestling.options.prices = None


def paced(*steps):
    """A view that was fed by hand: numbers are times, everything else an event."""
    view, now = View(), [100.0]
    view._conversation.clock = lambda: now[0]
    for step in steps:
        if isinstance(step, (int, float)):
            now[0] = 100.0 + step
        elif callable(step):
            step(view)
        else:
            view.process_event(step)
    return view


def finalize(view):
    view.finalize()


# --- tokens -------------------------------------------------------------------------------------


def test_what_providers_told_is_summed_by_namespace_and_in_all():
    view = shown(demo.research_team(delay=0), ASK)
    usage = view.usage
    assert usage.estimated is False
    assert usage.total_tokens == usage["input_tokens"] + usage["output_tokens"] > 0
    assert set(usage.namespaces) == set(view.namespaces)
    for name in ("input_tokens", "output_tokens", "total_tokens", "tools"):
        assert usage[name] == sum(each[name] for each in usage.namespaces.values())
    for key, box in view.namespaces.items():
        told = usage.namespaces[key]
        assert {name: told[name] for name in box["usage"]} == box["usage"]
    assert usage.tools == sum(
        record["type"] == "tool_call" and not record.get("spawned") for record in view.transcript
    )


def test_scripted_runs_use_the_same_each_time():
    def counts(usage):
        return {k: v for k, v in usage.items() if not k.endswith(("seconds", "_second"))}

    runs = [shown(demo.nested_team(delay=0), ASK).usage for _ in range(2)]
    first, second = [[counts(each) for each in run.pop("namespaces").values()] for run in runs]
    assert first == second
    assert counts(runs[0]) == counts(runs[1])


def test_without_a_provider_tokens_are_estimated_from_the_text():
    question = part("values", {"messages": [{"type": "human", "content": "x" * 40, "id": "q"}]})
    calls = [{"name": "look", "args": {}, "id": "c"}]
    view = fed(
        question,
        start("1", "talk"),
        said(ai("y" * 8, "a", tool_calls=calls)),
        part("updates", {"tools": {"messages": [tool("z" * 12, "c", "t")]}}),
        said(ai("é" * 2, "b")),
    )
    usage = view.usage
    assert usage.estimated is True
    assert usage.output_tokens == 2 + 2 + 1  # text, `look{}`, four bytes
    assert usage.input_tokens == 10 + (10 + 2 + 2 + 3)
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.namespaces[""].estimated is True


def test_an_estimate_is_replaced_by_what_the_provider_tells():
    view = fed(words("some words", "m", "talk"), end=False)
    assert view.usage.estimated is True
    assert view.usage.output_tokens == 3
    view.process_event(words("", "m", "talk", usage_metadata=USAGE, chunk_position="last"))
    assert view.usage.estimated is False
    assert view.usage.output_tokens == 5


def test_only_namespaces_without_a_count_are_estimated():
    view = fed(
        start("1", "a"), start("2", "b"),
        start("x", "model", ns=("a:1",)), start("y", "model", ns=("b:2",)),
        said(ai("told", "m1", usage_metadata=USAGE), "model", ("a:1",), "x"),
        said(ai("not told", "m2"), "model", ("b:2",), "y"),
    )  # fmt: skip
    usage = view.usage
    assert usage.estimated is True
    assert usage.output_tokens == 5 + 2
    assert [usage.namespaces[key].estimated for key in ("", "a:1", "b:2")] == [False, False, True]


def test_a_view_without_messages_used_nothing():
    usage = View().usage
    assert usage["total_tokens"] == usage["tools"] == usage["wall_seconds"] == 0
    assert usage.estimated is False
    assert usage.cost is usage.first_token_seconds is usage.tokens_per_second is None
    with pytest.raises(AttributeError, match="It has: input_tokens"):
        usage.tokens  # noqa: B018


# --- seconds ------------------------------------------------------------------------------------


def test_seconds_of_models_and_tools():
    call = {"name": "look", "args": {}, "id": "c"}
    view = paced(
        start("1", "talk"), 2, words("abcdefgh", "m", "talk"), 4,
        words("", "m", "talk", usage_metadata=USAGE, chunk_position="last"),
        said(ai("", "w", tool_calls=[call], usage_metadata=USAGE)), result("1", "talk"),
        5, start("2", "tools", [call]), 8,
        result("2", "tools", {"messages": [tool("found", "c", "t")]}),
        10, finalize, 50,
    )  # fmt: skip
    usage = view.usage
    assert usage.wall_seconds == 10
    assert usage.first_token_seconds == 2
    assert usage.model_seconds == 4
    assert usage.tokens_per_second == 2.5
    assert usage.tool_seconds == 3
    assert usage.waiting_seconds == 0
    assert usage.namespaces[""] == {k: v for k, v in usage.items() if k != "namespaces"}


def test_seconds_are_told_while_a_run_goes_on():
    view = paced(start("1", "talk"), 2, words("abcd", "m", "talk"), 6)
    assert view.usage.wall_seconds == 6
    assert view.usage.model_seconds == 6
    assert view.usage.tokens_per_second == 0.25


def test_time_that_a_person_takes_is_no_time_of_the_run():
    asked = result("1", "ask", interrupts=[{"id": "i", "value": "Go on?"}])
    inner = ("sub:0",)
    view = paced(
        start("0", "sub"), 1, start("1", "ask", ns=inner), 2,
        part("tasks", asked["data"], inner), 3, finalize,
        63, start("0", "sub"), start("1", "ask", ns=inner), 65,
        words("well", "m", "ask", inner), 66, result("1", "ask", ns=inner), result("0", "sub"),
        68, finalize, 99,
    )  # fmt: skip
    usage = view.usage
    assert usage.wall_seconds == 3 + 5
    assert usage.namespaces["sub:0"].wall_seconds == 2 + 3
    assert usage.model_seconds == 3  # not since its node began, which was before it asked
    assert usage.waiting_seconds == usage.namespaces["sub:0"].waiting_seconds == 60
    assert usage.first_token_seconds == 2
    assert usage.namespaces["sub:0"].first_token_seconds == 2 + 2


def test_what_is_dropped_stays_counted():
    def used(limit):
        view = shown(demo.research_team(delay=0), ASK, max_records=limit)
        usage = view.usage
        return view._conversation.left_out, {
            name: usage[name] for name in ("input_tokens", "output_tokens", "tools", "estimated")
        }

    assert used(None) == (0, used(2)[1])
    assert used(2)[0] > 10


def test_the_first_message_of_a_run_counts_also_once_its_box_was_dropped():
    view, now = View(), [100.0]
    view._conversation.clock = lambda: now[0]

    def run(turn, wait):
        inner = (f"sub:{turn}",)
        view.process_event(start(f"{turn}", "sub"))
        now[0] += wait
        view.process_event(words("first", f"i{turn}", "ask", ns=inner))
        now[0] += 50
        view.process_event(result(f"{turn}", "sub"))
        view.process_event(words("second", f"m{turn}", "talk"))
        view.finalize()
        view.max_records = 1
        view.max_records = None
        assert list(view.namespaces) == [""]

    run(1, wait=3)
    assert view.usage.first_token_seconds == 3
    now[0] += 100
    run(2, wait=5)
    assert view.usage.first_token_seconds == 5


@pytest.mark.parametrize(("seconds", "speed"), [(0.0001, None), (0.04, None), (0.5, 10.0)])
def test_what_came_in_one_burst_has_no_speed(seconds, speed):
    view, now = View(), [100.0]
    view._conversation.clock = lambda: now[0]
    view.process_event(words("word", "m", "talk", usage_metadata=USAGE))
    now[0] += seconds
    view.process_event(words("", "m", "talk", chunk_position="last"))
    view.finalize()
    assert view.usage.tokens_per_second == speed


# --- costs --------------------------------------------------------------------------------------


def test_cost_by_the_name_of_the_model():
    def spoke(model, message_id):
        message = ai("word", message_id, usage_metadata=USAGE)
        return said({**message, "response_metadata": {"model_name": model}})

    nestling.options.prices = {"small": (1, 2), "large": {"input": 10.0, "output": 20.0}}
    view = fed(spoke("small", "a"), spoke("large-2025-01-31", "b"))
    assert view.usage.cost == pytest.approx((10 * 1 + 5 * 2 + 10 * 10 + 5 * 20) / 1e6)
    assert view.usage.namespaces[""]["cost"] == view.usage.cost
    for others in (["unknown", "small-mini"], ["small", "unknown"]):
        spoken = [spoke(model, f"m{number}") for number, model in enumerate(others)]
        assert "cost" not in fed(*spoken).usage, "it would be a part of it only"
    nestling.options.prices = {}
    assert "cost" not in view.usage


@pytest.mark.parametrize(
    ("prices", "kind"),
    [
        ([("m", 1)], TypeError),
        ({1: (1, 2)}, TypeError),
        ({"m": 3}, TypeError),
        ({"m": (1,)}, TypeError),
        ({"m": ("1", 2)}, TypeError),
        ({"m": {"in": 1}}, TypeError),
        ({"m": (-1, 2)}, ValueError),
        ({"m": (float("nan"), 2)}, ValueError),
    ],
)
def test_wrong_prices_are_refused(prices, kind):
    options = Options()
    options.prices = {"kept": (1, 2)}
    with pytest.raises(kind, match=r"options\.prices"):
        options.prices = prices
    assert options.prices == {"kept": (1, 2)}


def test_options_say_what_there_is():
    options = Options()
    options.prices = {"m": (1, 2)}
    assert repr(options) == "nestling.options\n  prices = {'m': (1.0, 2.0)}"
    with pytest.raises(AttributeError, match="There are: prices"):
        options.price = {}
    with pytest.raises(TypeError):
        options.prices["m"] = (2, 3)


# --- added up as it goes ------------------------------------------------------------------------


def afresh(view):
    """As if nobody had looked before."""
    view._conversation._metering = type(view._conversation._metering)()
    return view.usage


@pytest.mark.parametrize("limit", [None, 3])
def test_looking_often_tells_the_same_as_looking_once(limit):
    view, now = View(max_records=limit), [100.0]
    view._conversation.clock = lambda: now[0]
    graphs = (demo.research_team(delay=0), demo.parallel_team(workers=2, delay=0))

    for graph in graphs:
        given = {"topic": "tides", **ASK}
        for event in graph.stream(
            given, stream_mode=["messages", "updates", "tasks", "tools", "values"], subgraphs=True
        ):
            now[0] += 0.25
            view.process_event(event)
            told = view.usage
            assert told == afresh(view)
            view.usage  # noqa: B018  # looked at, so that something is kept
        view.finalize()
        nestling.options.prices = {"scripted": (1, 2)}
        assert view.usage == afresh(view)
        assert view.usage.cost


def test_rows_that_have_ended_are_not_added_up_again(monkeypatch):
    view = shown(demo.research_team(delay=0), ASK)
    first, added = view.usage, []
    add = usage.Meter.add
    monkeypatch.setattr(usage.Meter, "add", lambda *args: added.append(args[1]) or add(*args))
    assert view.usage.total_tokens == first.total_tokens
    assert added == []
    record = view._conversation.history[0]
    with view._conversation.lock:
        view._conversation.set(record, content="Something else, and longer.")
    assert view.usage.total_tokens == first.total_tokens
    assert added


def test_a_cleared_view_has_used_nothing():
    view = shown(demo.research_team(delay=0), ASK)
    assert view.usage.total_tokens
    view.clear()
    assert view.usage.total_tokens == 0
