"""Embeddings by the official client, through the gateway, from servers of every form."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import openai
import pytest
from aiohttp import web

from tests.providers.embeddings_server import EmbeddingsServer
from tests.providers.ollama_server import OllamaServer, vector
from tests.providers.provider_lab import Lab, lab, serving

TARGET = "context: 8k, max_output: 1k, capabilities: [], price: free"
SPEC = f"""
version: 1
name: embeddings
providers:
  gpt: {{kind: openai, base_url: http://upstream.test/v1, api_key: "${{KEY}}", trust: cloud, retry: {{times: 1, backoff: 1ms}}}}
  house: {{kind: ollama, base_url: http://upstream.test/v1, trust: local, retry: {{times: 0}}}}
  google: {{kind: gemini, base_url: http://upstream.test/v1beta, api_key: "${{KEY}}", trust: cloud, retry: {{times: 0}}}}
  claude: {{kind: anthropic, base_url: http://upstream.test, api_key: "${{KEY}}", trust: cloud}}
targets:
  small: {{provider: gpt, model: text-embedding-3-small, {TARGET}}}
  nomic: {{provider: house, model: nomic-embed-text, {TARGET}}}
  gem: {{provider: google, model: gemini-embedding-001, {TARGET}}}
  talker: {{provider: claude, model: claude-haiku-5-5}}
  home: {{provider: house, model: "qwen3:8b", context: 200k, max_output: 8k, capabilities: [tools, vision, documents, json_schema, thinking], price: free}}
tiers:
  - {{name: ONLY, chain: [talker, home]}}
rules:
  - {{name: banned, when: 'header("x-team") == "banned"', deny: {{status: 403, message: "not for you"}}}}
  - {{name: no-vectors, when: 'surface == embeddings and header("x-team") == "chat"', deny: {{status: 403, message: "no vectors"}}}}
  - {{name: at-home, when: 'header("x-data") == "confidential"', require: "target.trust == local"}}
  - {{name: titles, when: 'header("x-team") == "titles"', respond: "A title"}}
embeddings:
  text-embedding-*: {{target: small}}
  nomic: {{target: nomic}}
  gemini-embedding-001: {{target: gem}}
  claude: {{target: talker}}
"""  # noqa: E501  # a spec's rows are one line each


@dataclass(frozen=True)
class Served:
    lab: Lab
    cloud: EmbeddingsServer
    house: OllamaServer


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    cloud, house = EmbeddingsServer(), OllamaServer()
    app = web.Application()
    for one in (cloud.app(), house.app()):
        app.router.add_routes(
            web.route(route.method, route.resource.canonical, route.handler)
            for route in one.router.routes()
            if route.resource is not None
        )
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(serving(app))
        yield Served(
            lab=await stack.enter_async_context(lab(SPEC, upstream)),
            cloud=cloud,
            house=house,
        )


NAMES = {"text-embedding-3-small": "small", "nomic": "nomic", "gemini-embedding-001": "gem"}
TEXTS = ["Hello there", "Grüße — 晨"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", [None, "float", "base64"])
async def test_the_official_client_gets_its_vectors(name: str, encoding: Any) -> None:
    asked: dict[str, Any] = {} if encoding is None else {"encoding_format": encoding}
    async with served() as it:
        raw = await it.lab.openai.embeddings.with_raw_response.create(
            model=name, input=TEXTS, **asked
        )
        answer = raw.parse()
    vectors = [one.embedding for one in answer.data]
    if encoding == "base64":
        assert all(isinstance(one, str) for one in vectors)
    else:
        assert vectors == [vector(text) for text in TEXTS]
    model = next(
        one.target.model for one in it.lab.gateway.routes if one.target.name == NAMES[name]
    )
    assert answer.model == raw.headers["x-lynkr-model"] == model
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0
    assert raw.headers["x-lynkr-rule"] == "embeddings"
    assert raw.headers["x-lynkr-attempts"] == "1"
    assert raw.headers["x-lynkr-fallback"] == "false"
    line = it.lab.said.request
    assert (line["surface"], line["target"], line["class"]) == ("embeddings", NAMES[name], "served")
    assert line["usage"]["input"] == answer.usage.prompt_tokens
    assert line["usage"]["reported"] is (name != "gemini-embedding-001")


@pytest.mark.parametrize("name", NAMES)
async def test_a_length_is_asked_for(name: str) -> None:
    async with served() as it:
        answer = await it.lab.openai.embeddings.create(model=name, input="Hi", dimensions=2)
    assert [one.embedding for one in answer.data] == [vector("Hi")[:2]]


async def test_tokens_go_where_they_are_understood() -> None:
    async with served() as it:
        client = it.lab.openai.embeddings
        answer = await client.create(model="text-embedding-3-small", input=[[1, 2], [3]], user="u")
        assert len(answer.data) == 2
        assert it.cloud.seen[-1]["input"] == [[1, 2], [3]]
        assert it.cloud.seen[-1]["user"] == "u"
        with pytest.raises(openai.BadRequestError, match="takes texts") as refused:
            await client.create(model="nomic", input=[1, 2])
    assert refused.value.param == "input"
    assert it.house.seen == []


async def test_no_client_key_travels() -> None:
    async with served() as it:
        await it.lab.openai.embeddings.create(model="text-embedding-x", input="Hi")
    [headers] = it.cloud.headers
    assert "client-key" not in str(headers)


async def test_a_failure_is_retried_and_never_another_model_asked() -> None:
    async with served() as it:
        it.cloud.failures = [500]
        raw = await it.lab.openai.embeddings.with_raw_response.create(
            model="text-embedding-3-small", input="Hi"
        )
        assert raw.headers["x-lynkr-attempts"] == "2"
        it.cloud.failures = [500, 500]
        with pytest.raises(openai.InternalServerError) as failed:
            await it.lab.openai.embeddings.create(model="text-embedding-3-small", input="Hi")
        assert failed.value.status_code == 503
        it.cloud.failures = [429]
        with pytest.raises(openai.RateLimitError):
            await it.lab.openai.embeddings.create(model="text-embedding-3-small", input="Hi")
        it.cloud.failures = [401]
        with pytest.raises(openai.APIStatusError, match="misconfigured") as ours:
            await it.lab.openai.embeddings.create(model="text-embedding-3-small", input="Hi")
        assert ours.value.status_code == 424
        it.house.busy = 1
        with pytest.raises(openai.InternalServerError, match="nomic: server busy"):
            await it.lab.openai.embeddings.create(model="nomic", input="Hi")
    assert len(it.cloud.seen) == 6 and len(it.house.seen) == 1
    ended = [line["class"] for line in it.lab.said.lines if line["event"] == "request"]
    assert ended == ["served", "transient", "throttled", "ours", "transient"]


async def test_a_text_beyond_the_context_is_refused_not_cut() -> None:
    async with served() as it:
        with pytest.raises(openai.BadRequestError) as refused:
            await it.lab.openai.embeddings.create(model="nomic", input="a " * 5000)
    assert refused.value.code == "context_length_exceeded"


async def test_the_policy_holds_for_vectors_too() -> None:
    async with served() as it:
        client = it.lab.openai.embeddings

        async def create(model: str, **headers: str) -> Any:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.create(model=model, input="Hi", extra_headers=named)

        with pytest.raises(openai.PermissionDeniedError, match="not for you"):
            await create("nomic", x_team="banned")
        with pytest.raises(openai.PermissionDeniedError, match="no vectors"):
            await create("nomic", x_team="chat")
        with pytest.raises(openai.PermissionDeniedError, match="answers in words"):
            await create("nomic", x_team="titles")
        with pytest.raises(openai.BadRequestError, match="small"):
            await create("text-embedding-3-small", x_data="confidential")
        assert it.cloud.seen == [] and it.house.seen == []
        assert len((await create("nomic", x_data="confidential")).data) == 1
    ended = [line["class"] for line in it.lab.said.lines if line["event"] == "request"]
    assert ended == ["denied", "denied", "denied", "refused", "served"]


async def test_names_nobody_declared() -> None:
    async with served() as it:
        with pytest.raises(openai.NotFoundError, match="in the section `embeddings`") as unknown:
            await it.lab.openai.embeddings.create(model="lynkr/small", input="Hi")
        with pytest.raises(openai.BadRequestError, match="anthropic makes no embeddings"):
            await it.lab.openai.embeddings.create(model="claude", input="Hi")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")


async def test_names_are_listed_where_they_can_be_used() -> None:
    async with served() as it:
        listed = [model.id async for model in it.lab.openai.models.list()]
        assert listed[-3:] == ["claude", "gemini-embedding-001", "nomic"]
        assert (await it.lab.openai.models.retrieve("nomic")).id == "nomic"
        offered = [model.id async for model in it.lab.anthropic.models.list()]
    assert offered == listed[:-3]


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/v1/embeddings", "/embeddings"])
async def test_malformed_bodies_and_other_spellings_of_the_path(path: str) -> None:
    async with served() as it, aiohttp.ClientSession() as session:
        url = it.lab.url + path
        async with session.post(url, json={"model": "nomic", "input": "Hi"}) as answer:
            assert answer.status == 200
        async with session.post(url, json={"model": "nomic", "input": []}) as answer:
            error = (await answer.json())["error"]
    assert (answer.status, error["type"], error["param"]) == (400, "invalid_request_error", "input")
