"""A run as lines of JSON: the normalised events, told again later to any view.

Line 1 says what it is, each further line is one event: `{"t", "type", "ns", "data"}`. Messages are
kept as the plain dicts that the adapter reads anyway, so folding needs neither langgraph nor
langchain. Run config and metadata stay out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nestling.encode import encode, text
from nestling.langgraph.normalize import Event, read_message, read_pair
from nestling.view import View

_METADATA = ("langgraph_checkpoint_ns", "langgraph_node", "lc_agent_name", "call")
_PACKAGES = ("nestling", "langgraph", "langchain-core")


class Recorder:
    """Takes down every event of a view from now on."""

    def __init__(self, view: View) -> None:
        self.lines: list[dict[str, Any]] = []
        self._name = view.namespaces[""]["label"]
        self._artifacts = view.artifacts
        #: Artifacts that are written already: LangGraph repeats them in every state.
        self._seen: dict[tuple[str, int], Any] = {}
        #: Exceptions, by their address: those who tell of one mean the same.
        self._errors: dict[int, tuple[int, BaseException]] = {}
        #: Calls of models, numbered, by the metadata object that all their messages come with.
        self._calls: dict[int, tuple[int, Any]] = {}
        view._adapter.tap = self._take

    def _take(self, t: float, event: Event) -> None:
        try:
            emitted = event.type == "emitted"
            data: Any = _emitted(event.data) if emitted else self._plain(event.data)
            if event.type == "messages":
                self._number(data[1], *event.data)
        except Exception:  # noqa: BLE001  # cycles, objects that raise when they are read
            data = encode(event.data)
        line = {"t": round(t, 3), "type": event.type, "ns": list(event.ns), "data": data}
        self.lines.append(line)

    def write(self, path: Path) -> None:
        header = {"nestling": 1, "name": self._name, "versions": dict(_versions())}
        lines = [header, *self.lines]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        path.write_text(text, encoding="utf-8")

    def _number(self, plain: dict[str, Any], message: Any, metadata: Any) -> None:
        """Says which call of a model a message is of, as its metadata does by being one object."""
        if metadata and not isinstance(message, Mapping):
            fresh = len(self._calls) + 1, metadata
            plain["call"], _ = self._calls.setdefault(id(metadata), fresh)

    def _plain(self, value: Any) -> Any:
        """Events as JSON: messages, errors, commands and interrupts as dicts, the rest encoded."""
        message = read_message(value)
        if message is not None:
            return self._message(value)
        if isinstance(value, Mapping):
            if "langgraph_checkpoint_ns" in value or "lc_agent_name" in value:
                return {name: value[name] for name in _METADATA if name in value}
            return {text(str(key)): self._plain(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            pair = read_pair(value)
            if pair is not None:  # JSON has no tuples to know it by
                return {"type": pair.type, "content": text(pair.content)}
            return [self._plain(part) for part in value]
        if isinstance(value, BaseException):
            number = self._errors.setdefault(id(value), (len(self._errors), value))[0]
            told = {"error": type(value).__name__, "message": text(str(value))}
            return {**told, "object": number}
        if hasattr(value, "goto") and hasattr(value, "update"):
            return {"messages": self._plain((value.update or {}).get("messages", []))}
        if hasattr(value, "value") and hasattr(value, "id"):
            return {"id": value.id, "value": encode(value.value)}
        return encode(value)

    def _message(self, value: Any) -> dict[str, Any]:
        def read(name: str) -> Any:
            return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)

        names = ("type", "content", "id", "name", "tool_calls", "tool_call_chunks", "tool_call_id")
        more = ["status", "usage_metadata", "additional_kwargs", "chunk_position"]
        if not str(read("type")).endswith("Chunk"):  # in a chunk every fragment is one
            more.append("invalid_tool_calls")
        plain = {name: encode(read(name)) for name in (*names, *more) if read(name)}
        content = read("content")
        plain["content"] = text(content) if isinstance(content, str) else encode(content)
        model = (read("response_metadata") or {}).get("model_name")
        if model:
            plain["response_metadata"] = {"model_name": model}
        artifact = read("artifact")
        key = (str(read("tool_call_id")), id(artifact))
        if artifact is None or key in self._seen:
            return plain
        self._seen[key] = artifact
        if isinstance(artifact, Mapping) and "title" in artifact and "data" in artifact:
            title = str(artifact["title"])
            plain["artifact"] = {
                "title": title,
                "data": self._artifacts.describe(artifact["data"], title),
            }
        else:
            plain["artifact"] = self._artifacts.describe(artifact, str(read("name") or ""))
        return plain


def read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """`(header, events)` of a recording."""
    lines = path.read_text(encoding="utf-8").split("\n")  # not at U+2028, as splitlines does
    header, *events = [json.loads(line) for line in lines if line]
    if header.get("nestling") != 1:
        raise ValueError(f"{path.name} is not a recording of nestling: its first line says so.")
    return header, events


def fold(view: View, events: Iterable[Mapping[str, Any]]) -> None:
    """Feeds recorded events, at the times at which they were recorded."""
    for event in events:
        feed(view, event)


def feed(view: View, event: Mapping[str, Any]) -> None:
    """Feeds one recorded event."""
    conversation, adapter = view._conversation, view._adapter
    data = event["data"]
    with conversation.lock:
        conversation.clock = lambda: float(event["t"])
        if event["type"] == "begin":
            view._begin(**data)
        elif event["type"] == "end":
            view._fold_end(data["status"], data["error"])
        else:
            adapter.feed(event["type"], tuple(event["ns"]), data)
    conversation.tell()
    if event["type"] in ("begin", "end"):
        view._sync_status()


# --- inside -------------------------------------------------------------------------------


def _emitted(data: Mapping[str, Any]) -> dict[str, Any]:
    """An artifact as it was drawn, without the object."""
    return {**data, "object": None}


def _versions() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
