"""What a long Markdown message costs in the page while it grows: see `bench.blank`.

    python -m bench.messages [--profile DIRECTORY]

prints the figures alone; with a directory, also which functions take the time. It holds a
bundle that was built without minifying, so that they have names.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessageChunk

from bench.blank import Kernel
from bench.plain import whole
from bench.profile import Pages, main

WORDS = ("the", "model", "reads", "a", "table", "and", "finds", "that", "demand", "falls", "when")
SIZES = {"7 kB": 7_000, "20 kB": 20_000, "200 kB": 200_000}
TOKENS = 60


def words(count: int, seed: int = 0) -> str:
    pick = random.Random(seed)  # noqa: S311  # the same text each time
    return " ".join(pick.choice(WORDS) for _ in range(count))


def _mixed() -> Iterator[str]:
    for number in range(10_000):
        yield f"## Part {number}\n\n{words(60, number)} **{words(3)}** and `{words(2)}`.\n\n"
        yield "".join(f"- {words(8, i)}\n" for i in range(6)) + "\n"
        yield f"```python\n{chr(10).join(f'x{i} = read({i})' for i in range(8))}\n```\n\n"
        yield "| a | b | c |\n|---|---|---|\n"
        yield "".join(f"| {i} | {words(2, i)} | {i * i} |\n" for i in range(5)) + "\n"


def _lines(begin: str, line: str) -> Iterator[str]:
    yield begin
    for number in range(100_000):
        yield line.format(number, words(8, number))


def text(kind: str, size: int) -> str:
    """A Markdown message that is not over yet."""
    parts = {
        "mixed": _mixed(),
        "one paragraph": (words(20, i) + " " for i in range(100_000)),
        "one code block": _lines("```python\n", "x{} = read('{}')\n"),
        "one list": _lines("", "- **{}** {}\n"),
        "one table": _lines("| a | b |\n|---|---|\n", "| {} | {} |\n"),
    }[kind]
    made = ""
    while len(made) < size:
        made += next(parts)
    return made[:size]


KINDS = ("mixed", "one paragraph", "one code block", "one list", "one table")


def say(view: Kernel, row: str, content: str, box: str = "", last: bool = False) -> None:
    """One token of a message, or the last one."""
    ns = (f"{box}:task-{box}",) if box else ()
    metadata = {"langgraph_node": "model", "langgraph_checkpoint_ns": "|".join((*ns, "model:x"))}
    position = "last" if last else None
    chunk = AIMessageChunk(content=content, id=row, chunk_position=position)
    view.process_event({"type": "messages", "ns": ns, "data": (chunk, metadata)})


def message(pages: Pages, kind: str, size: int) -> dict[str, Any]:
    """One more token at the end of a message, and the next time that all of it is read."""
    view = Kernel()
    blank = pages.blank(view)
    blank.open()
    content = text(kind, size)
    blank.play(lambda: say(view, "long", content), 1)
    blank.play(lambda: None, 6)  # the rest of a text too long for one message
    blank.play(lambda: say(view, "long", "word "), 5)
    found = pages.profile(
        blank,
        f"{kind}, {size // 1000} kB: {TOKENS} tokens",
        lambda: blank.play(lambda: say(view, "long", "word "), TOKENS),
    )
    many = "word " * (size // 25)
    found["worst"] = max(found["worst"], blank.play(lambda: say(view, "long", many), 1)["p50"])
    found["end"] = pages.profile(
        blank, f"{kind}, {size // 1000} kB: its end", lambda: blank.play(view.finalize, 1)
    )["p50"]
    blank.end()
    view.close()
    return found


def run(pages: Pages) -> dict[str, Any]:
    found: dict[str, Any] = {"message": {}, "naive_message": {}}
    for name, size in SIZES.items():
        for kind in KINDS:
            found["message"][f"{kind}, {name}"] = message(pages, kind, size)
        found["naive_message"][name] = whole(pages.chromium, text("mixed", size), 20)
    return found


if __name__ == "__main__":
    main(run, "bench.messages", __doc__)
