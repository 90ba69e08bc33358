"""Boxes and tasks, fed by hand: where they stand, what they are called, how they end."""

from builders import fed, lines, part, result, start, words

from nestling import View

# --- boxes and tasks ------------------------------------------------------------------------


def test_racing_branches_are_drawn_in_the_order_of_their_start():
    view = fed(
        start("a", "first"),
        start("b", "second"),
        words("two ", "m2", "second", task_id="b"),
        words("one ", "m1", "first", task_id="a"),
        words("again", "m2", "second", task_id="b"),
        words("again", "m1", "first", task_id="a"),
    )
    assert lines(view) == ["├─ first: one again", "└─ second: two again"]
    assert [r["id"] for r in view.transcript] == ["m2", "m1"]


def test_equal_boxes_are_numbered_in_the_order_of_their_start():
    tasks = "abc"
    events = [start(task, "worker") for task in tasks]
    events += [words(f"I am {t}", t, "talk", (f"worker:{t}",), f"t{t}") for t in reversed(tasks)]
    view = fed(*events)
    labels = [view.namespaces[f"worker:{task}"]["label"] for task in tasks]
    assert labels == ["worker", "worker 2", "worker 3"]
    assert lines(view)[0] == "├─ worker [completed]"
    assert lines(view)[1] == "│  └─ talk: I am a"


def test_a_box_that_speaks_before_its_owner_starts_finds_its_place():
    view = fed(
        start("x", "before"),
        words("inner", "m", "talk", ("team:a",), "t"),
        start("a", "team"),
        result("a", "team"),
    )
    assert view.namespaces["team:a"]["order"] == 2
    assert view.namespaces["team:a"]["status"] == "completed"


def test_a_counter_is_a_sibling_and_not_a_child():
    view = fed(
        start("a", "team"),
        words("one", "m1", "talk", ("team:a",), "t1"),
        words("two", "m2", "talk", ("team:a", "1"), "t2"),
        result("a", "team"),
    )
    assert [b["parent"] for b in view.namespaces.values()] == [None, "", ""]
    assert [b["label"] for b in view.namespaces.values()] == ["graph", "team", "team 2"]


def test_a_renamed_box_renames_who_speaks_in_it():
    view = View()
    view.process_event(start("a", "worker"))
    view.process_event(start("b", "worker"))
    name = {"metadata": {"lc_agent_name": "ann"}}
    for task in "ba":
        ns = (f"worker:{task}",)
        view.process_event(start(f"t{task}", "model", ns=ns, **name))
        view.process_event(words("hi", f"m{task}", "model", ns, f"t{task}"))
    view.finalize()
    assert lines(view) == [
        "├─ ann [completed]",
        "│  └─ ann: hi",
        "└─ ann 2 [completed]",
        "   └─ ann 2: hi",
    ]


def test_a_task_that_shows_nothing_leaves_a_quiet_row():
    view = fed(
        start("1", "grade", {"question": "?"}),
        part("updates", {"grade": {"score": 3, "words": ["a"] * 100}}),
        result("1", "grade", {"score": 3, "words": ["a"] * 100}),
        start("2", "write"),
        words("done", "m", "write", task_id="2"),
        result("2", "write"),
    )
    assert lines(view) == ["├─ · grade: score, words", "└─ write: done"]
    assert len(view.transcript[0]["content"]) < 100


def test_one_interrupt_is_one_card_at_the_deepest_box():
    interrupt = {"id": "i", "value": "Really?"}
    ns = ("team:a",)
    view = fed(
        start("a", "team"),
        start("t", "ask", ns=ns),
        result("t", "ask", ns=ns, interrupts=[interrupt]),
        part("updates", {"__interrupt__": [interrupt]}, ns),
        result("a", "team", interrupts=[interrupt]),
        part("updates", {"__interrupt__": [interrupt]}),
        part("values", {"messages": []}, interrupts=[interrupt]),
    )
    assert str(view).splitlines() == [
        "graph [interrupted]",
        "└─ team [interrupted]",
        "   └─ ? Really?",
    ]
    (row,) = view.transcript
    assert (row["id"], row["status"], row["namespace"]) == ("i", "pending", ["team:a"])


def test_a_failure_of_remote_kind_is_told_once():
    error = {"error": "ValueError", "message": "no"}
    view = fed(
        start("a", "team"),
        start("t", "talk", ns=("team:a",)),
        result("t", "talk", ns=("team:a",), error=error),
        result("a", "team", error=error),
    )
    assert [r["content"] for r in view.transcript.find(type="error")] == ["ValueError: no"]


def test_two_branches_that_fail_alike_are_told_each():
    error = {"error": "ValueError", "message": "no"}
    view = fed(
        start("a", "team"),
        start("b", "team"),
        *(start(f"t{t}", "talk", ns=(f"team:{t}",)) for t in "ab"),
        *(result(f"t{t}", "talk", ns=(f"team:{t}",), error=error) for t in "ab"),
        *(result(t, "team", error=error) for t in "ab"),
    )
    errors = view.transcript.find(type="error")
    assert [e["namespace"] for e in errors] == [["team:a"], ["team:b"]]
