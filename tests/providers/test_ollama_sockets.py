"""Ollama behind the gateway: what both official clients see, and that the fake is like the real."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import openai
import pytest
from ollama import AsyncClient, ResponseError

from tests.providers.ollama_server import PLAIN, OllamaServer, vector
from tests.providers.provider_lab import Lab, lab, serving

SPEC = f"""
version: 1
name: house
providers:
  house: {{kind: ollama, base_url: http://upstream.test, trust: local, retry: {{times: 0}}}}
targets:
  qwen: {{provider: house, model: "qwen3:8b", context: 32k, max_output: 8k, capabilities: [tools, vision, thinking], price: free}}
  plain: {{provider: house, model: "{PLAIN}", context: 8k, max_output: 2k, capabilities: [tools, thinking], price: free}}
  gone: {{provider: house, model: "nope", context: 8k, max_output: 2k, capabilities: [tools], price: free}}
tiers:
  - {{name: ONLY, chain: [gone, plain, qwen]}}
"""  # noqa: E501  # a spec's rows are one line each
TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": TOOL}}]
TOOLS: Any = [{"name": "get_weather", "input_schema": TOOL}]
HELLO: Any = [{"role": "user", "content": "Hello there"}]


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Lab, OllamaServer]]:
    house = OllamaServer()
    async with serving(house.app()) as upstream, lab(SPEC, upstream) as made:
        yield made, house


async def test_the_fake_answers_the_official_client() -> None:
    house = OllamaServer()
    async with serving(house.app()) as url:
        client = AsyncClient(host=url)
        whole = await client.chat(model="qwen3:8b", messages=HELLO, think=True)
        assert (whole.message.thinking, whole.message.content) == ("Hm.", "You said: Hello there")
        assert (whole.done_reason, whole.prompt_eval_count) == ("stop", 2)
        pieces = [
            piece.message
            async for piece in await client.chat(
                model="qwen3:8b", messages=HELLO, tools=CHAT_TOOLS, stream=True
            )
        ]
        assert [c.function.name for p in pieces for c in p.tool_calls or ()] == ["get_weather"]
        embedded = await client.embed(model="nomic-embed-text", input=["Hi", "a b"])
        assert embedded.embeddings == [vector("Hi"), vector("a b")]
        with pytest.raises(ResponseError, match="not found") as unknown:
            await client.chat(model="nope", messages=HELLO)
        assert unknown.value.status_code == 404
        with pytest.raises(ResponseError, match="does not support thinking"):
            await client.chat(model=PLAIN, messages=HELLO, think=True)
        house.breaks = True
        with pytest.raises(ResponseError, match="an error was encountered"):
            async for _ in await client.chat(model="qwen3:8b", messages=HELLO, stream=True):
                pass
        await client._client.aclose()


@pytest.mark.parametrize("stream", [False, True])
async def test_messages_with_thinking_and_a_tool(stream: bool) -> None:
    asked: dict[str, Any] = {
        "model": "lynkr/qwen",
        "max_tokens": 2000,
        "messages": HELLO,
        "tools": TOOLS,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }
    async with served() as (made, house):
        client = made.anthropic.messages
        if stream:
            async with client.stream(**asked) as opened:
                message = await opened.get_final_message()
        else:
            message = await client.create(**asked)
        thought, call = message.content
        assert (thought.type, call.type) == ("thinking", "tool_use")
        assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 5)
        assert message.usage.input_tokens == 2
        assert call.type == "tool_use" and call.input == {"city": "Oslo"}
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "12C"}
        turns = [
            *HELLO,
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": [result]},
        ]
        answer = await client.create(**asked | {"messages": turns})
    assert [block.type for block in answer.content] == ["thinking", "text"]
    path, body = house.seen[-1]
    assert path == "/api/chat"
    assert body["messages"][1]["thinking"] == "Hm."
    assert body["messages"][2]["tool_name"] == "get_weather"
    assert body["options"] == {"num_ctx": 32000, "num_predict": 2000}
    assert house.seen[0][1]["stream"] is stream


@pytest.mark.parametrize("stream", [False, True])
async def test_chat_with_a_tool(stream: bool) -> None:
    async with served() as (made, _):
        client = made.openai.chat.completions
        if stream:
            calls = [
                call
                async for chunk in await client.create(
                    model="lynkr/qwen", messages=HELLO, tools=CHAT_TOOLS, stream=True
                )
                for choice in chunk.choices
                for call in choice.delta.tool_calls or ()
            ]
            assert "".join(c.function.arguments or "" for c in calls if c.function) == (
                '{"city": "Oslo"}'
            )
        else:
            answer = await client.create(model="lynkr/qwen", messages=HELLO, tools=CHAT_TOOLS)
            assert answer.choices[0].finish_reason == "tool_calls"
            assert answer.usage is not None and answer.usage.completion_tokens == 5


async def test_a_model_that_cannot_think_is_asked_without_it() -> None:
    async with served() as (made, house):
        raw = await made.anthropic.messages.with_raw_response.create(
            model="lynkr/plain",
            max_tokens=2000,
            messages=HELLO,
            thinking={"type": "enabled", "budget_tokens": 1024},
        )
    assert [body.get("think") for _, body in house.seen] == [True, None]
    assert "dropped=thinking" in raw.headers["x-lynkr-transforms"]


async def test_a_chain_goes_on_where_a_model_is_missing_or_cannot() -> None:
    async with served() as (made, house):
        raw = await made.openai.chat.completions.with_raw_response.create(
            model="auto", messages=HELLO, tools=CHAT_TOOLS
        )
    assert [body["model"] for _, body in house.seen] == ["nope", PLAIN, "qwen3:8b"]
    assert raw.headers["x-lynkr-model"] == "qwen3:8b"


async def test_a_prompt_beyond_the_context_is_told_in_both_dialects() -> None:
    long: Any = [{"role": "user", "content": "a " * 8000}]
    async with served() as (made, house):
        with pytest.raises(anthropic.BadRequestError):
            await made.anthropic.messages.create(
                model="lynkr/plain", max_tokens=100, messages=long * 3
            )
        # Within our estimate, beyond what the server counts: it says so instead of cutting.
        with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
            await made.anthropic.messages.create(
                model="lynkr/plain",
                max_tokens=100,
                messages=[{"role": "user", "content": "a " * 8100}],
            )
        with pytest.raises(openai.BadRequestError) as refused:
            await made.openai.chat.completions.create(
                model="lynkr/plain", messages=[{"role": "user", "content": "a " * 8100}]
            )
    assert refused.value.code == "context_length_exceeded"
    assert [body["truncate"] for _, body in house.seen] == [False, False]


async def test_a_stream_that_breaks_ends_with_an_error() -> None:
    async with served() as (made, house):
        house.breaks = True
        with pytest.raises(anthropic.APIStatusError, match="an error was encountered"):
            async with made.anthropic.messages.stream(
                model="lynkr/qwen", max_tokens=100, messages=HELLO
            ) as opened:
                await opened.get_final_message()


async def test_a_cached_prompt_is_estimated() -> None:
    async with served() as (made, house):
        house.cached = True
        message = await made.anthropic.messages.create(
            model="lynkr/qwen", max_tokens=100, messages=HELLO
        )
    assert message.usage.input_tokens > 0
    assert made.said.request["usage"]["reported"] is False
