"""The content of messages: text, reasoning and other blocks, however they are cut into chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nestling.langgraph.normalize import Message


class Content(NamedTuple):
    """What a message, or one chunk of it, says."""

    text: str
    reasoning: str
    #: All blocks so far that are neither text nor reasoning; None when the chunk has none.
    blocks: list[Any] | None


#: Told by tool calls. As a delta it may go on with a block that is not.
_SILENT = frozenset(
    {
        "tool_use",
        "tool_call",
        "tool_call_chunk",
        "invalid_tool_call",
        "input_json_delta",
        "function_call",
        "custom_tool_call",
    }
)
#: Only the provider can read these.
_SEALED = frozenset({"signature", "encrypted_content", "encrypted_index"})
#: Where a text names its sources.
_SOURCES = ("annotations", "citations")
#: Fields that deltas repeat instead of continuing them.
_FIXED = frozenset({"type", "id", "index"})


class Parts:
    """Takes the chunks of one message, or all of it, and puts its blocks together."""

    __slots__ = ("_blocks", "_places", "_thought")

    def __init__(self) -> None:
        self._blocks: list[Mapping[str, Any]] = []
        #: Where the block of an index stands.
        self._places: dict[Any, int] = {}
        #: The part of the reasoning that was told last.
        self._thought: Any = None

    def take(self, message: Message) -> Content:
        """What is new in `message`."""
        content = message.content
        if isinstance(content, str):
            return Content(content, self._reasoning(_told_aside(message)), None)
        texts: list[str] = []
        thoughts: list[tuple[Any, str]] = []
        found = False
        for number, block in enumerate(content if isinstance(content, (list, tuple)) else ()):
            if isinstance(block, str):
                texts.append(block)
            elif isinstance(block, Mapping):
                kind = block.get("type")
                if kind in ("text", "text_delta", "refusal", None) and _is_text(block, kind):
                    texts.append(block.get("refusal" if kind == "refusal" else "text") or "")
                    found |= self._cite(block)
                elif kind in ("reasoning", "thinking"):
                    # chunks of one block share an index; blocks of a whole message need not
                    place = block.get("index") if message.chunk else number
                    thoughts += _thoughts(block, place)
                else:
                    found |= self._add(block, kind)
        reasoning = self._reasoning(thoughts or _told_aside(message))
        return Content("".join(texts), reasoning, self.blocks() if found else None)

    def blocks(self) -> list[Any]:
        """What a person may want to know of them: without indexes and sealed fields."""
        return [_finished(_open(block)) for block in self._blocks]

    def _reasoning(self, thoughts: list[tuple[Any, str]]) -> str:
        told = ""
        for place, thought in thoughts:
            if thought:
                if self._thought not in (None, place):
                    told += "\n\n"
                self._thought = place
                told += thought
        return told

    def _cite(self, block: Mapping[str, Any]) -> bool:
        """Each source that a text names is a block of its own."""
        before = len(self._blocks)
        for name in _SOURCES:
            for source in block.get(name) or ():
                if isinstance(source, Mapping):
                    self._blocks.append({**source, "type": "citation"})
        return len(self._blocks) > before

    def _add(self, block: Mapping[str, Any], kind: Any) -> bool:
        index = block.get("index")
        place = self._places.get(index) if index is not None else None
        if place is not None and _same(self._blocks[place], block):
            self._blocks[place] = _merged(self._blocks[place], block)
            return True
        if kind in _SILENT:
            return False
        if index is not None:
            self._places[index] = len(self._blocks)
        self._blocks.append(block)
        return True


def read_content(message: Message) -> Content:
    """The content of a whole message."""
    content = Parts().take(message)
    return content._replace(blocks=content.blocks or [])


def result_text(content: Any) -> str:
    """The content of a ToolMessage: text blocks joined by newline, others named `[image]`."""
    if isinstance(content, str):
        return content
    if not isinstance(content, (list, tuple)):
        return "" if content is None else str(content)
    parts = []
    for block in content:
        if isinstance(block, str):
            parts.append(block)
        elif isinstance(block, Mapping) and isinstance(block.get("text"), str):
            parts.append(block["text"])
        elif isinstance(block, Mapping):
            kind = str(block.get("type", "block")).removesuffix("_url")
            parts.append(f"[{kind}]")
        else:
            parts.append(str(block))
    return "\n".join(parts)


# --- inside -------------------------------------------------------------------------------


def _is_text(block: Mapping[str, Any], kind: Any) -> bool:
    """A block of text may also be a chunk that only names sources."""
    return kind is not None or isinstance(block.get("text"), str)


def _told_aside(message: Message) -> list[tuple[Any, str]]:
    """Reasoning that stands beside the content."""
    kwargs = message.kwargs
    if not kwargs:
        return []
    thought = kwargs.get("reasoning_content")
    if isinstance(thought, str):
        return [("aside", thought)]
    block = kwargs.get("reasoning")
    return list(_thoughts(block, "aside")) if isinstance(block, Mapping) else []


def _thoughts(block: Mapping[str, Any], place: Any) -> Iterator[tuple[Any, str]]:
    """`(where, text)`: a thought, or the parts of one that is told in parts."""
    for key in ("reasoning", "thinking", "text"):
        if isinstance(block.get(key), str):
            yield place, block[key]
            return
    for key in ("summary", "content"):
        parts = block.get(key)
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, Mapping) and isinstance(part.get("text"), str):
                yield (place, key, part.get("index", number)), part["text"]


def _same(block: Mapping[str, Any], delta: Mapping[str, Any]) -> bool:
    """Whether two of one index go together, as LangChain decides it."""
    ids = block.get("id"), delta.get("id")
    return not all(ids) or ids[0] == ids[1]


def _merged(old: Any, new: Any) -> Any:
    """Two pieces of one value, as LangChain puts them together: text grows, lists go on."""
    if old is None or new is None:
        return new if old is None else old
    if isinstance(old, str) and isinstance(new, str):
        return old + new
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        fresh = {
            key: value
            if key not in old
            else old[key]
            if key in _FIXED
            else _merged(old[key], value)
            for key, value in new.items()
        }
        return {**old, **fresh}
    if isinstance(old, list) and isinstance(new, list):
        return [*old, *new]
    return new


def _open(value: Any) -> Any:
    """`value` without what only the provider can read."""
    if isinstance(value, Mapping):
        kept = ((k, v) for k, v in value.items() if k not in _SEALED and v is not None)
        return {k: _open(v) for k, v in kept}
    return [_open(item) for item in value] if isinstance(value, list) else value


def _finished(block: dict[str, Any]) -> dict[str, Any]:
    """A block whose arguments are objects once their text is complete."""
    block.pop("index", None)
    text = block.pop("partial_json", None)
    if text:
        block["input"] = _object(text)
    if block.get("type") == "server_tool_call_chunk":
        block["args"] = _object(block.get("args") or "{}")
        block["type"] = "server_tool_call"
    return block


def _object(text: Any) -> Any:
    """The object that `text` is the JSON of, or as much of its text as there is."""
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text
