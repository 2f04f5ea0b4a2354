"""The client application over real sockets: paths, guard, limits, small answers."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from lynkrc_runtime.server import http
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.settings import Server
from lynkrc_runtime.settings import Settings as Declared
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    RESPONSES,
    Said,
    body,
    dispatch,
    gateway,
    policy,
    provider,
)
from tests.runtime.by_hand import target as make_target

JSON = {"content-type": "application/json"}
ANTHROPIC = {"anthropic-version": "2023-06-01"}
Client = TestClient[Any, Any]


def site(said: Said, settings: Settings | None = None) -> Site:
    table = dispatch([provider("sim", "simulator")], [make_target("one", 0)])
    return Site(gateway=gateway(policy(table), said, settings=settings), started=1_700_000_000)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
async def client(said: Said) -> AsyncIterator[Client]:
    async with TestClient(TestServer(client_app(site(said)))) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/messages", MESSAGES),
        ("/v1/messages?beta=true", MESSAGES),
        ("/v1/v1/messages", MESSAGES),
        ("/messages", MESSAGES),
        ("/v1/chat/completions", CHAT),
        ("/chat/completions", CHAT),
        ("/v1/v1/chat/completions", CHAT),
        ("/v1/responses", RESPONSES),
        ("/responses", RESPONSES),
        ("/v1/v1/responses", RESPONSES),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_surfaces_and_their_aliases(
    client: Client, path: str, dialect: str, stream: bool
) -> None:
    async with client.post(path, data=body(dialect, stream=stream), headers=JSON) as answer:
        content = await answer.read()
    assert answer.status == 200
    assert b"simulated" in content
    assert answer.headers["x-lynkr-simulated"] == "1"
    assert answer.headers["x-lynkr-tier"] == "ONLY"
    kind = "text/event-stream" if stream else "application/json"
    assert answer.headers["content-type"].startswith(kind)


async def test_an_alias_is_warned_about_once(client: Client, said: Said) -> None:
    for _ in range(2):
        async with client.post("/v1/v1/messages", data=body(), headers=JSON) as answer:
            assert answer.status == 200
    (warning,) = [line for line in said.lines if line["event"] == "alias"]
    assert warning["path"] == "/v1/v1/messages"
    assert "/v1/messages" in warning["hint"]


async def test_an_id_is_no_alias_of_its_own(client: Client, said: Said) -> None:
    for path in ("/responses/resp_1", "/responses/resp_2", "/v1/responses/resp_3"):
        async with client.get(path) as answer:
            assert answer.status == 404
    (warning,) = [line for line in said.lines if line["event"] == "alias"]
    assert (warning["path"], warning["hint"]) == ("/responses", "clients should call /v1/responses")


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
async def test_a_body_over_the_limit_is_a_413_in_shape(
    client: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "BODY_LIMIT", 10)
    async with client.post(path, data=body(), headers=JSON) as answer:
        assert answer.status == 413
        error = (await answer.json())["error"]
    assert "larger than 10 bytes" in error["message"]
    if path == "/v1/messages":
        assert error["type"] == "request_too_large"


async def test_a_bundle_may_set_the_limit(said: Said) -> None:
    table = dispatch([provider("sim", "simulator")], [make_target("one", 0)])
    small = Declared(server=Server(body_limit=20))
    served = gateway(policy(msgspec.structs.replace(table, settings=small)), said)
    async with (
        TestClient(TestServer(client_app(Site(gateway=served)))) as made,
        made.post("/v1/messages", data=body(), headers=JSON) as answer,
    ):
        assert answer.status == 413
        assert "larger than 20 bytes" in (await answer.json())["error"]["message"]


async def test_a_chunked_body_over_the_limit_is_cut_off_too(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "BODY_LIMIT", 10)
    app = client_app(site(said))

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * 10

    async with (
        TestClient(TestServer(app)) as client,
        client.post("/v1/messages", data=pieces(), headers=JSON) as answer,
    ):
        assert answer.status == 413


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_posts_must_be_json(client: Client, content_type: str) -> None:
    headers = {"content-type": content_type}
    async with client.post("/v1/messages", data=body(), headers=headers) as answer:
        assert answer.status == 415
        assert (await answer.json())["type"] == "error"


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"origin": "null"}]
)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
async def test_the_guard_answers_in_shape(
    client: Client, said: Said, path: str, headers: dict[str, str]
) -> None:
    async with client.post(path, data=body(), headers=JSON | headers) as answer:
        assert answer.status == 403
        error = await answer.json()
    assert ("request_id" in error) == (path == "/v1/messages")
    assert [(line["event"], line["reason"]) for line in said.lines] == [("refused", "permission")]


async def test_an_opened_gateway_serves_any_host(said: Said) -> None:
    app = client_app(site(said, Settings(any_host=True)))
    async with (
        TestClient(TestServer(app)) as client,
        client.post("/v1/messages", data=body(), headers=JSON | {"host": "gw.lan"}) as answer,
    ):
        assert answer.status == 200


async def test_request_ids_are_the_clients_if_harmless(client: Client) -> None:
    for given, kept in (("my-id", True), ("<my id>", False)):
        headers = JSON | {"x-request-id": given}
        async with client.post("/v1/messages", data=body(), headers=headers) as answer:
            ids = {answer.headers[f"{prefix}request-id"] for prefix in ("", "x-", "x-lynkr-")}
        assert len(ids) == 1
        assert (ids == {given}) is kept


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/files"),
        ("POST", "/v1/messages/batches"),
        ("GET", "/metrics"),
        ("GET", "/routing/table"),
    ],
)
async def test_unknown_paths_are_a_404_in_shape(client: Client, method: str, path: str) -> None:
    async with client.request(method, path, headers=JSON) as answer:
        assert answer.status == 404
        error = await answer.json()
    assert path in error["error"]["message"]
    assert (error.get("type") == "error") == ("/messages" in path)
    async with client.request(method, path, headers=JSON | ANTHROPIC) as answer:
        assert (await answer.json())["error"]["type"] == "not_found_error"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/messages", "POST"),
        ("GET", "/v1/messages/count_tokens", "POST"),
        ("GET", "/v1/chat/completions", "POST"),
        ("GET", "/v1/responses", "POST"),
        ("DELETE", "/v1/responses", "GET, POST"),
        ("GET", "/v1/embeddings", "POST"),
        ("POST", "/v1/models", "GET"),
        ("DELETE", "/", "GET, HEAD"),
    ],
)
async def test_another_method_is_a_405_that_says_which(
    client: Client, method: str, path: str, allowed: str
) -> None:
    async with client.request(method, path, headers=JSON) as answer:
        assert (answer.status, answer.headers["allow"]) == (405, allowed)
        error = await answer.json()
    assert error["error"]["message"] == f"{path} takes {allowed}, not {method}"
    assert error["error"]["type"] == "invalid_request_error"


async def test_a_path_with_a_line_break_is_a_404_in_shape(client: Client) -> None:
    async with client.get(URL("/v1/%0d%0ax", encoded=True)) as answer:
        assert answer.status == 404
        assert "there is no GET /v1/" in (await answer.json())["error"]["message"]


async def test_models_in_both_shapes(client: Client) -> None:
    async with client.get("/v1/models") as answer:
        listing = await answer.json()
    names = [model["id"] for model in listing["data"]]
    assert names == [
        "auto",
        "lynkr/ONLY",
        "lynkr/one",
        "claude-lynkr-ONLY",
        "claude-lynkr-one",
        "house",
    ]
    assert set(listing["data"][0]) == {"id", "object", "created", "owned_by"}
    async with client.get("/v1/models?limit=1000", headers=ANTHROPIC) as answer:
        listing = await answer.json()
    assert [model["id"] for model in listing["data"]] == names
    assert (listing["has_more"], listing["first_id"], listing["last_id"]) == (
        False,
        "auto",
        "house",
    )
    assert listing["data"][0]["created_at"] == "2023-11-14T22:13:20Z"


async def test_models_in_pages(client: Client) -> None:
    async def page(query: str) -> tuple[list[str], bool]:
        async with client.get(f"/v1/models?{query}", headers=ANTHROPIC) as answer:
            listing = await answer.json()
        return [model["id"] for model in listing["data"]], listing["has_more"]

    assert await page("limit=2") == (["auto", "lynkr/ONLY"], True)
    assert await page("limit=2&after_id=claude-lynkr-ONLY") == (
        ["claude-lynkr-one", "house"],
        False,
    )
    assert await page("limit=1&before_id=lynkr/one") == (["lynkr/ONLY"], True)
    async with client.get("/v1/models?limit=0", headers=ANTHROPIC) as answer:
        assert answer.status == 400


async def test_one_model(client: Client) -> None:
    async with client.get("/v1/models/lynkr/one") as answer:
        assert (await answer.json())["id"] == "lynkr/one"
    async with client.get("/v1/models/gpt-x", headers=ANTHROPIC) as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["message"] == "model: gpt-x"
    async with client.get("/v1/models/gpt-x") as answer:
        assert answer.status == 404
        error = (await answer.json())["error"]
    assert (error["param"], error["code"]) == ("model", "model_not_found")
    assert "gpt-x" in error["message"]


async def test_every_answer_of_our_own_has_an_id(client: Client) -> None:
    count = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}
    for answering in (
        client.get("/v1/models"),
        client.get("/v1/models", headers=ANTHROPIC),
        client.get("/v1/models/auto"),
        client.post("/v1/messages/count_tokens", json=count),
        client.get("/v1/responses/resp_1"),
    ):
        async with answering as answer:
            ids = {answer.headers[f"{prefix}request-id"] for prefix in ("", "x-", "x-lynkr-")}
        assert len(ids) == 1


async def test_the_root_says_what_this_is(client: Client) -> None:
    async with client.get("/") as answer:
        assert (await answer.json())["name"] == "lynkrc-runtime"
    async with client.head("/") as answer:
        assert answer.status == 200


@pytest.mark.parametrize("more", [{}, ANTHROPIC])
async def test_a_websocket_is_sent_to_http(client: Client, more: dict[str, str]) -> None:
    headers = more | {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-version": "13",
    }
    async with client.get("/v1/responses", headers=headers) as answer:
        assert answer.status == 426
        assert answer.headers["upgrade"] == "HTTP/1.1"
        assert answer.headers["connection"].lower() == "upgrade, close"
    async with client.get("/v1/responses") as answer:
        assert answer.status == 405


async def test_health(client: Client) -> None:
    async with client.get("/health/live") as answer:
        assert answer.status == 200
    async with client.get("/health/ready") as answer:
        assert (await answer.json())["bundle"] == "d" * 64
    client.app[http.SITE].stopping.is_draining = True
    async with client.get("/health/ready") as answer:
        assert answer.status == 503
    async with client.get("/health/live") as answer:
        assert answer.status == 200


async def test_tokens_are_estimated_without_a_counting_target(client: Client) -> None:
    content = msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": "foo"}]})
    path = "/v1/messages/count_tokens?beta=true"
    async with client.post(path, data=content, headers=JSON) as answer:
        assert answer.status == 200
        assert (await answer.json())["input_tokens"] > 0
        assert answer.headers["x-lynkr-transforms"] == "tokens-estimated"
    async with client.post(path, data=b"{}", headers=JSON) as answer:
        assert answer.status == 400
        assert "model" in (await answer.json())["error"]["message"]


async def test_no_cookie_and_no_cors_header_is_ever_sent(client: Client) -> None:
    async with ClientSession() as session:
        url = client.make_url("/v1/messages")
        async with session.post(url, data=body(), headers=JSON) as answer:
            names = {name.lower() for name in answer.headers}
    assert not names & {"set-cookie", "access-control-allow-origin"}
