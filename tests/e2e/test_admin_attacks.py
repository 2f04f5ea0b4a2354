"""Operators' orders from pages, other names and other machines, to one process and to many."""

from collections.abc import Iterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.doors import PEER
from lynkrc_runtime.server.http import Site
from tests.e2e.doors_lab import written
from tests.e2e.gateway import GatewayProcess, serving
from tests.e2e.raw_client import speak
from tests.e2e.socket_lab import exchange
from tests.runtime.by_hand import Said, dispatch, gateway, policy, provider, target

JSON = {"content-type": "application/json"}
ORDERS = (
    "/v1/admin/reload",
    "/v1/admin/restart",
    "/metrics/circuit-breakers/reset",
    "/routing/analyze",
)
QUESTIONS = (
    "/metrics",
    "/metrics/prometheus",
    "/metrics/circuit-breakers",
    "/metrics/observability",
    "/routing/table",
    "/routing/trace/x",
    "/health/ready?deep=true",
)


@pytest.fixture(scope="module", params=[1, 2], ids=["one", "workers"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("admin")
    workers = ["--workers", str(request.param)]
    with serving(written(folder), folder / "log", workers) as process:
        yield process
        assert process.stop() == 0


FOREIGN: dict[str, dict[str, str]] = {
    "a page": {"origin": "https://evil.example"},
    "a page without a name": {"origin": "null"},
    "a page of this machine": {"origin": "http://localhost:3000"},
    "a name that leads here": {"host": "rebound.evil.example"},
    "a name that leads here, with its port": {"host": "127.0.0.1.evil.example:8788"},
    "no name": {"host": ""},
}


@pytest.mark.parametrize("who", FOREIGN)
@pytest.mark.parametrize("path", [*ORDERS, *QUESTIONS])
def test_a_page_gives_no_orders_and_reads_nothing(
    served: GatewayProcess, path: str, who: str
) -> None:
    order = path in ORDERS
    method, body = ("POST", b"{}") if order else ("GET", None)
    sent = FOREIGN[who] | (JSON if order else {})
    heard = exchange(served.admin, method, path, body, sent)
    assert heard.status == 403
    assert not any(name.startswith("access-control-") for name in heard.headers)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
@pytest.mark.parametrize("path", ORDERS)
def test_what_a_page_may_send_unasked_is_no_order(
    served: GatewayProcess, path: str, kind: str
) -> None:
    assert exchange(served.admin, "POST", path, b"{}", {"content-type": kind}).status == 415
    # No type at all is what a form or a beacon may leave out.
    line = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n"
    assert speak(served.admin, line.encode() + b"\r\n{}").statuses == [415]


def test_a_preflight_opens_nothing(served: GatewayProcess) -> None:
    asks = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for path in ORDERS:
        heard = exchange(served.admin, "OPTIONS", path, None, asks)
        assert heard.status == 403
        assert not any(name.startswith("access-control-") for name in heard.headers)


def test_this_machine_operates_whatever_it_says_of_itself(served: GatewayProcess) -> None:
    for said in ({}, {PEER: "203.0.113.9"}, {PEER.title(): "203.0.113.9"}):
        assert exchange(served.admin, "GET", "/metrics", None, said).status == 200
        assert exchange(served.admin, "POST", ORDERS[0], b"{}", JSON | said).status == 200


@pytest.mark.parametrize(
    ("supervised", "peer", "status"),
    [
        (True, "127.0.0.1", 200),
        (True, "::1", 200),
        (True, "203.0.113.9", 403),
        (True, "", 403),
        (True, None, 403),
        (True, "localhost.evil.example", 403),
        (False, "203.0.113.9", 200),  # it is what the connection says that counts
    ],
)
async def test_a_worker_believes_its_supervisor_and_nobody_else(
    supervised: bool, peer: str | None, status: int
) -> None:
    row = provider("one", "simulator", base_url=None, api_key=None)
    made = gateway(policy(dispatch([row], [target("t", 0)])), Said())
    site = Site(gateway=made, is_supervised=supervised)
    async with TestClient(TestServer(admin_app(site))) as client:
        headers = {} if peer is None else {PEER: peer}
        async with client.get("/metrics", headers=headers) as answer:
            assert answer.status == status
