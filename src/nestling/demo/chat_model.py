"""A chat model that reads its answers from a script, and streams them as real ones do."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ToolCall,
    message_chunk_to_message,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

#: Characters of one fragment of streamed tool arguments.
FRAGMENT = 8


def call(name: str, /, **args: Any) -> ToolCall:
    """A tool call for a `Reply`. The model gives it an id of its own."""
    return ToolCall(name=name, args=args, id=None)


@dataclass(frozen=True)
class Reply:
    """One answer of the model.

    Attributes:
        text: What it says, Markdown.
        calls: The tools it calls, made by `call`.
        reasoning: What it thinks before it speaks.
        error: Raised instead of the end of the answer.
        error_after: How many chunks come before `error`.
        delay: Seconds before each chunk; the model's own `delay` when None.
    """

    text: str = ""
    calls: Sequence[ToolCall] = ()
    reasoning: str = ""
    error: BaseException | None = None
    error_after: int = 0
    delay: float | None = field(default=None, kw_only=True)


Script: TypeAlias = Sequence[Reply | str] | Callable[[list[BaseMessage]], Reply | str]


class ScriptedChatModel(BaseChatModel):
    """Answers from a script: tokens, tool calls, reasoning, usage, failures.

    It keeps no state, so one model may serve many runs and threads at a time. `invoke`
    returns what the chunks of `stream` add up to.

        >>> model = ScriptedChatModel(script=["Hello there."])
        >>> [chunk.content for chunk in model.stream("Hi")]
        ['Hello ', 'there.']
    """

    #: A sequence: the n-th reply answers the n-th question since the last human message.
    #: Or a function of the messages so far.
    script: Any
    #: Seconds before each chunk.
    delay: float = 0.0
    #: The name in `response_metadata`.
    model: str = "scripted"
    #: Derive message ids from the conversation, so that they are the same in every run.
    stable_ids: bool = False

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model": self.model}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return LangSmithParams(ls_provider="nestling", ls_model_name=self.model)

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Accept tools, as an agent hands them over; the script knows which to call."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _reply(self, messages: list[BaseMessage]) -> Reply:
        if callable(self.script):
            reply = self.script(messages)
        else:
            turn = 0
            for message in reversed(messages):
                if message.type == "human":
                    break
                turn += message.type == "ai"
            if turn >= len(self.script):
                raise ValueError(
                    f"The script has {len(self.script)} replies, this conversation asks for "
                    f"number {turn + 1}. Add one, or end with a reply that calls no tool."
                )
            reply = self.script[turn]
        return Reply(reply) if isinstance(reply, str) else reply

    def _chunks(self, messages: list[BaseMessage], reply: Reply) -> Iterator[AIMessageChunk]:
        key = hashlib.sha256(_transcript(messages).encode("utf-8", "replace")).hexdigest()
        message_id = f"msg_{key[:16]}" if self.stable_ids else None
        chunks: list[dict[str, Any]] = [
            {"content": "", "additional_kwargs": {"reasoning_content": token}}
            for token in _tokens(reply.reasoning)
        ]
        chunks += [{"content": token} for token in _tokens(reply.text)]
        for index, tool_call in enumerate(reply.calls):
            args = json.dumps(tool_call["args"], ensure_ascii=False)
            call_id = tool_call["id"] or f"call_{key[16:32]}_{index}"
            first = tool_call_chunk(name=tool_call["name"], args="", id=call_id, index=index)
            parts = [args[start : start + FRAGMENT] for start in range(0, len(args), FRAGMENT)]
            rest = [tool_call_chunk(args=part, index=index) for part in parts]
            chunks += [{"content": "", "tool_call_chunks": [part]} for part in [first, *rest]]
        if reply.error is not None:
            for chunk in chunks[: reply.error_after]:
                yield AIMessageChunk(id=message_id, **chunk)
            raise copy(reply.error)  # one object must not collect the tracebacks of many runs
        asked, spoken = len(_transcript(messages).split()), len(chunks)
        if reply.calls or not chunks:  # a last chunk that holds arguments as well loses them in v3
            chunks.append({"content": ""})
        chunks[-1] |= {
            "chunk_position": "last",
            "response_metadata": {
                "model_name": self.model,
                "finish_reason": "tool_calls" if reply.calls else "stop",
            },
            "usage_metadata": UsageMetadata(
                input_tokens=asked, output_tokens=spoken, total_tokens=asked + spoken
            ),
        }
        for chunk in chunks:
            yield AIMessageChunk(id=message_id, **chunk)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        reply = self._reply(messages)
        delay = self.delay if reply.delay is None else reply.delay
        for message in self._chunks(messages, reply):
            if delay:
                time.sleep(delay)
            chunk = ChatGenerationChunk(message=message)
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        reply = self._reply(messages)
        delay = self.delay if reply.delay is None else reply.delay
        for message in self._chunks(messages, reply):
            await asyncio.sleep(delay)  # 0 as well: siblings take turns
            chunk = ChatGenerationChunk(message=message)
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _whole([chunk.message for chunk in self._stream(messages)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return _whole([chunk.message async for chunk in self._astream(messages)])


def _whole(chunks: Sequence[BaseMessage]) -> ChatResult:
    first, *rest = (chunk for chunk in chunks if isinstance(chunk, AIMessageChunk))
    message = message_chunk_to_message(first + rest if rest else first)
    return ChatResult(generations=[ChatGeneration(message=message)])


def _tokens(text: str) -> list[str]:
    """Words, each with the space behind it; together they are the text."""
    return re.findall(r"\s*\S+\s*", text) or ([text] if text else [])


def _transcript(messages: Sequence[BaseMessage]) -> str:
    """The conversation as text: what ids and token counts are made of."""
    lines = []
    for message in messages:
        called = message.tool_calls if isinstance(message, AIMessage) else []
        lines.append(" ".join([message.type, message.text, *(c["name"] for c in called)]))
    return "\n".join(lines)
