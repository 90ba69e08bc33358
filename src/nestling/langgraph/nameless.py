"""Messages without an id: told apart by their words, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import TypeAlias

from nestling.langgraph.content import read_content
from nestling.langgraph.normalize import Message
from nestling.langgraph.spaces import Space, Task
from nestling.langgraph.speeches import Speeches

#: From so many characters on the words themselves are not remembered.
_LONG = 100

#: How often something was said, by type and words.
Said: TypeAlias = Counter[tuple[str, str]]


def said(message: Message) -> tuple[str, str]:
    """What tells messages without an id apart: their words, of long ones a digest."""
    words = read_content(message).text
    if len(words) > _LONG:
        words = blake2b(words.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return message.type, words


def shown(space: Space, message: Message, speeches: Speeches) -> None:
    """A message without an id was shown."""
    words = said(message)
    space.nameless[words] += 1
    speeches.nameless.add(words)


def beyond(space: Space, listed: Iterable[Message]) -> list[Message]:
    """Those that stand in a state more often than they were shown."""
    counts: Said = Counter()
    new = []
    for message in listed:
        if message.id is None and message.type != "tool":
            counts[said(message)] += 1
            if counts[said(message)] > space.nameless[said(message)]:
                new.append(message)
    return new


def claimed(writers: Iterable[Task], message: Message) -> Task | None:
    """The task that wrote this without an id, which now stands in the state, and no other's.

    A state takes what tasks of one step wrote in the order of their START.
    """
    for task in sorted(writers, key=lambda task: task.order):
        for own in task.nameless:
            if said(own) == said(message):
                task.nameless.remove(own)
                return task
    return None


def written(task: Task, update: Iterable[Message], speeches: Speeches) -> list[Message]:
    """What a task wrote without an id and nobody has shown; its state may give it one."""
    found = [m for m in update if m.id is None and m.type != "tool"]
    found = [m for m in found if not m.tool_calls]  # which results may follow: shown at once
    if any(m.type == "human" and task.space.nameless[said(m)] for m in found):
        found = beyond(task.space, found)  # it returned what it was given as well
    new = []
    for message in found:
        speech = speeches.without_id(task, read_content(message).text)
        if speech is None:
            new.append(message)
        elif speech.whole is None:  # it was streamed
            speech.whole = message.content
            shown(task.space, message, speeches)
    return new
