"""Each surface answers each kind of error in its own envelope, with nothing else in it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from lynkrc_runtime.server import http
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.settings import Settings as Declared
from tests.runtime.by_hand import (
    Said,
    Script,
    Scripted,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)

JSON = {"content-type": "application/json"}
TURN = [{"role": "user", "content": "Hi"}]
ASKED: dict[str, dict[str, Any]] = {
    "/v1/messages": {"model": "auto", "max_tokens": 9, "messages": TURN},
    "/v1/chat/completions": {"model": "auto", "messages": TURN},
    "/v1/responses": {"model": "auto", "input": "Hi"},
    "/v1/embeddings": {"model": "e", "input": "Hi"},
}
STREAMING = ("/v1/messages", "/v1/chat/completions", "/v1/responses")
COUNTING = "/v1/messages/count_tokens"
FROM_UPSTREAM = {
    400: (400, "invalid_request_error", 400, "invalid_request_error"),
    401: (424, "api_error", 424, "server_error"),
    403: (424, "api_error", 424, "server_error"),
    404: (424, "api_error", 424, "server_error"),
    413: (413, "request_too_large", 413, "invalid_request_error"),
    429: (429, "rate_limit_error", 429, "rate_limit_error"),
    500: (529, "overloaded_error", 503, "service_unavailable_error"),
    503: (529, "overloaded_error", 503, "service_unavailable_error"),
    529: (529, "overloaded_error", 503, "service_unavailable_error"),
}
"""Status of the upstream, to status and type in Anthropic's envelope and in OpenAI's."""


@asynccontextmanager
async def served(script: Script | None = None) -> AsyncIterator[TestClient[Any, Any]]:
    table = dispatch([provider("p", "openai", retries=0)], [target("one", 0)], [0])
    declared = msgspec.structs.replace(table, settings=Declared(embeddings={"e": "one"}))
    upstream = Scripted({"one": [script or Script(status=500)]})
    made = gateway(policy(declared), Said(), http=upstream)
    async with TestClient(TestServer(client_app(Site(gateway=made)))) as client:
        yield client


def check_envelope(path: str, text: str, kind: str) -> None:
    found = json.loads(text)
    error = found["error"]
    assert error["type"] == kind and isinstance(error["message"], str) and error["message"]
    if "/messages" in path:
        assert found.keys() == {"type", "error", "request_id"}
        assert found["type"] == "error" and error.keys() == {"type", "message"}
    else:
        assert found.keys() == {"error"}
        assert error.keys() == {"message", "type", "param", "code"}


@pytest.mark.parametrize("status", FROM_UPSTREAM)
@pytest.mark.parametrize(
    ("path", "stream"),
    [*((path, False) for path in ASKED), *((path, True) for path in STREAMING)],
)
async def test_an_upstream_s_error(path: str, stream: bool, status: int) -> None:
    said = {"error": {"message": "no", "type": "t", "param": None, "code": None}}
    script = Script(steps=[json.dumps(said).encode()], status=status, headers=JSON)
    asked = ASKED[path] | ({"stream": True} if stream else {})
    first, first_kind, second, second_kind = FROM_UPSTREAM[status]
    is_messages = "/messages" in path
    async with served(script) as client, client.post(path, json=asked) as answer:
        assert answer.status == (first if is_messages else second)
        assert answer.headers["content-type"].startswith("application/json")
        check_envelope(path, await answer.text(), first_kind if is_messages else second_kind)


@pytest.mark.parametrize("path", [*ASKED, COUNTING])
async def test_our_own_errors(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    is_messages = "/messages" in path
    async with served() as client:
        async with client.post(path, json={"model": 7}) as answer:
            assert answer.status == 400
            check_envelope(path, await answer.text(), "invalid_request_error")
        async with client.post(path, data=b"x", headers=JSON | {"host": "evil.test"}) as answer:
            assert answer.status == 403
            check_envelope(path, await answer.text(), "permission_error")
        async with client.put(f"{path}/x", json={}) as answer:
            assert answer.status == 404
            kind = "not_found_error" if is_messages else "invalid_request_error"
            check_envelope(path, await answer.text(), kind)
        monkeypatch.setattr(http, "BODY_LIMIT", 10)
        async with client.post(path, data=b"x" * 11, headers=JSON) as answer:
            assert answer.status == 413
            kind = "request_too_large" if is_messages else "invalid_request_error"
            check_envelope(path, await answer.text(), kind)


async def test_an_unknown_model_in_both_shapes() -> None:
    async with served() as client:
        async with client.get("/v1/models/nobody") as answer:
            assert answer.status == 404
            check_envelope("/v1/models", await answer.text(), "invalid_request_error")
        version = {"anthropic-version": "2026-10-21"}
        async with client.get("/v1/models/nobody", headers=version) as answer:
            assert answer.status == 404
            check_envelope("/v1/messages", await answer.text(), "not_found_error")
