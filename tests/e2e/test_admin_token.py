"""Operators by token, pages by origin: against gateways as processes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lynkrc_runtime.settings import Admin, Server
from tests.e2e.doors_lab import KEY, written
from tests.e2e.gateway import GatewayProcess, serving
from tests.e2e.socket_lab import Answer, exchange
from tests.e2e.test_tls_sockets import refused

TOKEN = "operators-token-of-the-tests"
PAGE, STRANGER = "https://tools.acme.example", "https://evil.example"
BODY = json.dumps(
    {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
).encode()
ADMIN = [
    ("GET", "/metrics"),
    ("GET", "/metrics/prometheus"),
    ("GET", "/routing/table"),
    ("POST", "/routing/analyze"),
    ("GET", "/routing/trace/x"),
    ("GET", "/nothing"),
    ("POST", "/v1/admin/reload"),
    ("GET", "/health/live/../../metrics"),
    ("GET", "//metrics"),
]


@pytest.fixture(scope="module", params=[False, True], ids=["open", "keys"])
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("doors")
    server = Server(admin=Admin(token="${ADMIN_TOKEN}"), allowed_origins=[f"{PAGE}:443", "${PAGE}"])
    bundle = written(folder, keys=request.param, server=server)
    environ = {"ADMIN_TOKEN": TOKEN, "PAGE": "http://localhost:3000"}
    with serving(bundle, folder / "log", environ=environ) as process:
        yield process
        assert process.stop() == 0
    assert TOKEN not in (folder / "log").read_text()


def operate(gateway: GatewayProcess, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    body = BODY if method == "POST" else None
    sent = {"content-type": "application/json"} if body else {}
    return exchange(gateway.admin, method, path, body, sent | dict(headers))


@pytest.mark.parametrize(("method", "path"), ADMIN)
@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}, Bearer x",
    ],
)
def test_without_the_token_nothing(
    gateway: GatewayProcess, method: str, path: str, shown: str
) -> None:
    heard = operate(gateway, method, path, {"authorization": shown} if shown else {})
    assert heard.status == 401
    assert heard.headers["www-authenticate"] == "Bearer"
    assert "Bearer" in heard.json["error"]["message"]


def test_with_the_token_everything(gateway: GatewayProcess) -> None:
    for method, path in ADMIN[:4]:
        for shown in (f"Bearer {TOKEN}", f"bearer  {TOKEN}"):
            assert operate(gateway, method, path, {"authorization": shown}).status == 200
    # A token is a key: the Host may be any, a page is turned away all the same.
    shown = {"authorization": f"Bearer {TOKEN}"}
    assert operate(gateway, "GET", "/metrics", shown | {"host": "ops.acme.example"}).status == 200
    assert operate(gateway, "GET", "/metrics", shown | {"origin": PAGE}).status == 403


def test_probes_need_none(gateway: GatewayProcess) -> None:
    assert operate(gateway, "GET", "/health/live", {}).status == 200
    assert operate(gateway, "GET", "/health/ready", {}).status == 200


def test_the_operators_token_is_no_client_s_key(gateway: GatewayProcess) -> None:
    heard = call(gateway, {"authorization": f"Bearer {TOKEN}"}, known=False)
    assert heard.status == (401 if keyed(gateway) else 200)
    assert operate(gateway, "GET", "/metrics", {"authorization": f"Bearer {KEY}"}).status == 401


def keyed(gateway: GatewayProcess) -> bool:
    return call(gateway, {}, known=False).status == 401


def call(gateway: GatewayProcess, headers: Mapping[str, str], *, known: bool = True) -> Answer:
    sent = {"content-type": "application/json"} | ({"x-lynkr-key": KEY} if known else {})
    return exchange(gateway.url, "POST", "/v1/messages", BODY, sent | dict(headers))


def asked(gateway: GatewayProcess, origin: str) -> Answer:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type, x-api-key",
    }
    return exchange(gateway.url, "OPTIONS", "/v1/messages", None, headers)


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000"])
def test_a_declared_page_is_served(gateway: GatewayProcess, origin: str) -> None:
    allowed = asked(gateway, origin)
    assert (allowed.status, allowed.body) == (204, b"")
    assert allowed.headers["access-control-allow-origin"] == origin
    assert allowed.headers["access-control-allow-headers"] == "content-type, x-api-key"
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in allowed.headers
    heard = call(gateway, {"origin": origin})
    assert heard.status == 200
    assert heard.headers["access-control-allow-origin"] == origin
    assert heard.headers["vary"] == "origin"
    assert "x-lynkr-bundle" in heard.headers["access-control-expose-headers"]
    wrong = exchange(
        gateway.url, "POST", "/v1/messages", b"{oops", call_headers() | {"origin": origin}
    )
    assert wrong.status == 400
    assert wrong.headers["access-control-allow-origin"] == origin


def call_headers() -> dict[str, str]:
    return {"content-type": "application/json", "x-lynkr-key": KEY}


def test_a_stream_may_be_read_by_the_page(gateway: GatewayProcess) -> None:
    body = json.dumps(json.loads(BODY) | {"stream": True}).encode()
    sent = call_headers() | {"origin": PAGE}
    heard = exchange(gateway.url, "POST", "/v1/messages", body, sent)
    assert heard.headers["content-type"].startswith("text/event-stream")
    assert heard.headers["access-control-allow-origin"] == PAGE


@pytest.mark.parametrize(
    "origin",
    [
        STRANGER,
        "null",
        "*",
        "",
        f"{PAGE}.evil.example",
        f"{PAGE}:8443",
        f"{PAGE}/",
        "http://tools.acme.example",
        "https://TOOLS.acme.example",
        f"{PAGE}, {STRANGER}",
        "http://localhost:3001",
    ],
)
def test_another_page_cannot_read_and_without_keys_not_call(
    gateway: GatewayProcess, origin: str
) -> None:
    # With keys a page must be told one by its user: the key is what it is let in by.
    assert asked(gateway, origin).status == (401 if keyed(gateway) else 403)
    heard = call(gateway, {"origin": origin})
    assert heard.status == (200 if keyed(gateway) else 403)
    for answer in (asked(gateway, origin), heard):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_header_names_a_page_asks_for_are_not_told_back_unless_they_are_names(
    gateway: GatewayProcess,
) -> None:
    for wanted in ("x-a\tb", "<script>", "a" * 5000, "a,,b"):
        headers = {"origin": PAGE, "access-control-request-method": "POST"}
        headers["access-control-request-headers"] = wanted
        heard = exchange(gateway.url, "OPTIONS", "/v1/messages", None, headers)
        assert heard.status == 204
        assert "access-control-allow-headers" not in heard.headers


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (Server(admin=Admin(token="${NOWHERE}")), "server.admin.token: environment variable"),
        (Server(admin=Admin(token="short")), "at least 16 characters"),
        (Server(allowed_origins=["https://*.example"]), "is no origin"),
        (Server(allowed_origins=["https://a.example/path"]), "is no origin"),
        (Server(allowed_origins=["${NOWHERE}"]), "NOWHERE is not set"),
    ],
)
def test_what_is_declared_and_cannot_be_had(tmp_path: Path, server: Server, words: str) -> None:
    assert words in refused(written(tmp_path, server=server))
