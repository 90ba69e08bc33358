"""Scripted graphs to try nestling on: no key, no network, the same words every time.

    >>> from nestling.demo import research_team
    >>> graph = research_team()

They are ordinary compiled LangGraph graphs, played by `ScriptedChatModel`, which streams
like a real model does. Needs `pip install "nestling[demo]"`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nestling.demo.chat import assistant
    from nestling.demo.chat_model import Reply, ScriptedChatModel, call
    from nestling.demo.failing import failing_team
    from nestling.demo.nested import nested_team
    from nestling.demo.parallel import parallel_team
    from nestling.demo.research import research_team
    from nestling.demo.retrieval import pipeline
    from nestling.demo.server import serve
    from nestling.demo.support import support_desk

__all__ = [
    "Reply",
    "ScriptedChatModel",
    "assistant",
    "call",
    "failing_team",
    "nested_team",
    "parallel_team",
    "pipeline",
    "research_team",
    "serve",
    "support_desk",
]

#: Where each name lives. Imported when asked for: `import nestling` stays free of langchain.
_HOMES = {
    "Reply": "chat_model",
    "ScriptedChatModel": "chat_model",
    "assistant": "chat",
    "call": "chat_model",
    "failing_team": "failing",
    "nested_team": "nested",
    "parallel_team": "parallel",
    "pipeline": "retrieval",
    "research_team": "research",
    "serve": "server",
    "support_desk": "support",
}
_EXTRA = {"langchain", "langchain_core", "langgraph", "matplotlib"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
        raise ImportError(
            f'nestling.demo needs {missing}. Run: pip install "nestling[demo]"', name=missing
        ) from error
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
