"""What the official SDKs send, as recorded, and what the gateway sends to the same providers.

Recorded from anthropic 2.11.0 and openai 3.52.0: address, credentials, version and body.
"""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.providers.address import resolve, url_of
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.providers.ways import chosen, ways
from lynkrc_runtime.server.count_tokens import TokenCounter
from lynkrc_runtime.server.embeddings import embed
from lynkrc_runtime.server.exchange import Incoming
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.headers import upstream_headers
from lynkrc_runtime.server.serve import serve
from lynkrc_runtime.settings import Settings as Declared
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    RESPONSES,
    Recorder,
    Said,
    Script,
    Scripted,
    ask,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.virtual_time import run

TURN = [{"role": "user", "content": "x"}]
VERSION = {"anthropic-version": "2026-10-21"}
JSON = {"content-type": "application/json"}
ASKED: dict[str, Any] = {"max_tokens": 5, "messages": TURN}

RECORDED: list[tuple[str, str | None, str, str, str, dict[str, str], dict[str, Any]]] = [
    (
        "anthropic",
        None,
        MESSAGES,
        "claude-sonnet-5-5",
        "https://api.anthropic.com/v1/messages",
        VERSION,
        ASKED,
    ),
    (
        "azure-anthropic",
        "https://res.services.ai.azure.com/anthropic",
        MESSAGES,
        "my-deployment",
        "https://res.services.ai.azure.com/anthropic/v1/messages",
        VERSION | {"x-api-key": "KEY", "api-key": "KEY"},
        ASKED,
    ),
    (
        "openai",
        None,
        CHAT,
        "gpt-5.6-terra",
        "https://api.openai.com/v1/chat/completions",
        {"authorization": "Bearer KEY"},
        {"messages": TURN, "stream": True, "stream_options": {"include_usage": True}},
    ),
    (
        "azure-openai",
        "https://res.openai.azure.com",
        CHAT,
        "my-deployment",
        "https://res.openai.azure.com/openai/v1/chat/completions",
        {},
        {"messages": TURN},
    ),
]
"""Kind, base URL as configured, dialect, model, and as recorded: URL, headers, body."""


@pytest.mark.parametrize("asked_for", ["lynkr/auto", None], ids=["routed", "same"])
@pytest.mark.parametrize(
    ("kind", "base", "dialect", "model", "url", "headers", "body"),
    RECORDED,
    ids=[row[0] for row in RECORDED],
)
def test_a_passed_request_is_the_sdk_s_own(
    kind: str,
    base: str | None,
    dialect: str,
    model: str,
    url: str,
    headers: dict[str, str],
    body: dict[str, Any],
    asked_for: str | None,
) -> None:
    address = resolve(provider("p", kind, base_url=base, api_key="${KEY}"), {"KEY": "KEY"})
    endpoint = chosen(ways(KINDS[kind], model, None, None), dialect)
    assert endpoint.dialect == dialect
    assert url_of(address.base, endpoint.path, model, replaces=endpoint.replaces) == url
    spoken = TARGET_DIALECTS[dialect]
    given = json.dumps({"model": asked_for or model} | body).encode()
    came = VERSION | {"authorization": "Bearer CLIENT"} if dialect == MESSAGES else {}
    request = CLIENT_DIALECTS[dialect].read_request(given, came)
    facts = TargetFacts(model=model, max_output=100, capabilities=frozenset(), shape=RequestShape())
    assert spoken.pass_request is not None
    written = spoken.pass_request(request, facts, came)
    sent = upstream_headers(
        came,
        same_dialect=True,
        dialect=dialect,
        written=written,
        provider=address.headers,
        accept="application/json",
    )
    assert json.loads(written.body) == {"model": model} | body
    assert sent.items() >= (headers | JSON | {"accept": "application/json"}).items()
    assert "CLIENT" not in str(sent)


def _routed(
    kind: str, base: str | None, model: str, version: str = "", dialect: str | None = None
) -> tuple[Gateway, Scripted]:
    """A gateway whose only target is this one; nothing comes back, which does not matter."""
    table = dispatch(
        [
            provider(
                "p",
                kind,
                base_url=base,
                api_key="${KEY}",
                retries=0,
                rest=ProviderSettings(api_version=version or None),
            )
        ],
        [target("one", 0, model=model, dialect=dialect)],
        [0],
    )
    named = Declared(embeddings={model: "one"})
    upstream = Scripted({"one": [Script(status=500, headers={})]})
    made = policy(msgspec.structs.replace(table, settings=named))
    return gateway(made, Said(), http=upstream), upstream


AZURE = "https://res.openai.azure.com"


@pytest.mark.parametrize(
    ("kind", "base", "model", "version", "url", "headers"),
    [
        (
            "openai",
            None,
            "text-embedding-3-small",
            "",
            "https://api.openai.com/v1/embeddings",
            {"authorization": "Bearer secret-key"},
        ),
        (
            "azure-openai",
            AZURE,
            "my-deployment",
            "2024-10-21",
            f"{AZURE}/openai/deployments/my-deployment/embeddings?api-version=2024-10-21",
            {"api-key": "secret-key"},
        ),
    ],
)
def test_embeddings_are_asked_as_the_sdk_asks(
    kind: str, base: str | None, model: str, version: str, url: str, headers: dict[str, str]
) -> None:
    served, upstream = _routed(kind, base, model, version)
    asked: dict[str, Any] = {"model": model, "input": "x", "encoding_format": "base64"}

    async def main() -> None:
        incoming = Incoming(
            surface="embeddings",
            dialect=CHAT,
            headers={},
            repeated=frozenset(),
            body=json.dumps(asked).encode(),
            request_id="req_test",
            answer_id="a" * 24,
            created=1_700_000_000,
            arrived=asyncio.get_running_loop().time(),
        )
        await serve(served, incoming, Recorder(), embed)

    run(main())
    (request,) = upstream.requests
    assert request.url == url
    assert request.headers.items() >= (headers | JSON).items()
    assert json.loads(request.body) == asked


def test_tokens_are_counted_as_the_sdk_counts_them() -> None:
    served, upstream = _routed("anthropic", None, "claude-sonnet-5-5")
    asked = {"messages": TURN, "model": "claude-sonnet-5-5"}
    run(TokenCounter().count(served, VERSION, frozenset(), json.dumps(asked).encode()))
    (request,) = upstream.requests
    assert request.url == "https://api.anthropic.com/v1/messages/count_tokens"
    assert request.headers.items() >= (VERSION | JSON).items()
    assert json.loads(request.body) == asked


def test_betas_of_the_sdk_go_along() -> None:
    served, upstream = _routed("anthropic", None, "claude-sonnet-5-5")
    betas = {"anthropic-beta": "context-management-2025-06-27"}
    run(ask(served, json.dumps({"model": "auto"} | ASKED).encode(), headers=VERSION | betas))
    (request,) = upstream.requests
    assert request.url == "https://api.anthropic.com/v1/messages"
    assert request.headers.items() >= (VERSION | betas | JSON).items()
    assert json.loads(request.body) == {"model": "claude-sonnet-5-5"} | ASKED


@pytest.mark.parametrize("version", ["", "2024-10-21"])
def test_azure_s_responses_are_those_of_v1(version: str) -> None:
    """The SDK's dated address needs a later version than the one its Chat is asked with."""
    served, upstream = _routed("azure-openai", AZURE, "my-deployment", version, RESPONSES)
    asked = {"model": "my-deployment", "input": "x", "store": False}
    run(ask(served, json.dumps(asked).encode(), RESPONSES))
    (request,) = upstream.requests
    assert request.url == f"{AZURE}/openai/v1/responses"
    assert request.headers.items() >= ({"api-key": "secret-key"} | JSON).items()
    assert json.loads(request.body) == asked


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_either_version_of_messages_reaches_the_wire(version: str) -> None:
    served, upstream = _routed("anthropic", None, "claude-sonnet-5-5")
    came = {"anthropic-version": version}
    run(ask(served, json.dumps({"model": "auto"} | ASKED).encode(), headers=came))
    (request,) = upstream.requests
    assert request.headers["anthropic-version"] == version
    assert json.loads(request.body) == {"model": "claude-sonnet-5-5"} | ASKED


BESIDE = [
    ("deepseek", None, "https://api.deepseek.com/anthropic/v1/messages"),
    (
        "deepseek",
        "https://api.deepseek.com/v1",
        "https://api.deepseek.com/anthropic/v1/messages",
    ),
    ("moonshot", None, "https://api.moonshot.ai/anthropic/v1/messages"),
    ("moonshot", "https://api.moonshot.cn/v1/", "https://api.moonshot.cn/anthropic/v1/messages"),
    ("zai", None, "https://api.z.ai/api/anthropic/v1/messages"),
    (
        "zai",
        "https://api.z.ai/api/coding/paas/v4",
        "https://api.z.ai/api/anthropic/v1/messages",
    ),
    (
        "zai",
        "https://open.bigmodel.cn/api/paas/v4",
        "https://open.bigmodel.cn/api/anthropic/v1/messages",
    ),
    ("openrouter", None, "https://openrouter.ai/api/v1/messages"),
    ("openrouter", "https://eu.openrouter.ai/api/v1", "https://eu.openrouter.ai/api/v1/messages"),
    ("fireworks", None, "https://api.fireworks.ai/inference/v1/messages"),
    ("xai", None, "https://api.x.ai/v1/messages"),
    (
        "databricks",
        "https://w.test/serving-endpoints",
        "https://w.test/serving-endpoints/anthropic/v1/messages",
    ),
    ("databricks", "https://w.test", "https://w.test/serving-endpoints/anthropic/v1/messages"),
    ("vllm", "http://localhost:8000/v1", "http://localhost:8000/v1/messages"),
    ("llamacpp", None, "http://localhost:8080/v1/messages"),
    ("lmstudio", "http://localhost:1234/v1", "http://localhost:1234/v1/messages"),
]


@pytest.mark.parametrize(("kind", "base", "url"), BESIDE)
def test_a_messages_endpoint_stands_beside_the_chat_one(
    kind: str, base: str | None, url: str
) -> None:
    address = resolve(provider("p", kind, base_url=base, api_key="${KEY}"), {"KEY": "k"})
    [endpoint] = ways(KINDS[kind], "m", MESSAGES, None)
    assert url_of(address.base, endpoint.path, "m", replaces=endpoint.replaces) == url


def test_claude_at_databricks_is_called_in_its_own_dialect() -> None:
    kind = KINDS["databricks"]
    for client in (CHAT, MESSAGES):
        claude = chosen(ways(kind, "databricks-claude-sonnet-4-5", None, None), client)
        other = chosen(ways(kind, "databricks-llama-4", None, None), client)
        assert (claude.dialect, other.dialect) == (MESSAGES, CHAT)
