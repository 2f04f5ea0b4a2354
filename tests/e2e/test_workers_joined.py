"""What operators and clients are told by two workers: the same as by one."""

import http.client
import json
import os
import queue
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from lynkrc_runtime.settings import Admin, Limit, Observability, Rotate, Server, State
from lynkrc_runtime.settings import Log as LogSettings
from tests.e2e.doors_lab import KEY, written
from tests.e2e.gateway import PATIENCE, GatewayProcess, serving
from tests.e2e.raw_client import speak
from tests.e2e.socket_lab import Answer, exchange
from tests.e2e.test_workers_process import children
from tests.runtime.by_hand import body, provider

TOKEN = "operators-token-of-the-tests"
BEARER = {"authorization": f"Bearer {TOKEN}"}
JSON = {"content-type": "application/json"}
SHOWN = JSON | {"x-api-key": KEY}
LIMIT = 25
REQUESTS = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("joined")


@pytest.fixture(scope="module")
def trust(folder: Path) -> ssl.SSLContext:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    (folder / "cert.pem").write_bytes(b"".join(one.bytes() for one in issued.cert_chain_pems))
    (folder / "key.pem").write_bytes(issued.private_key_pem.bytes())
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def gateway(folder: Path, trust: ssl.SSLContext) -> Iterator[GatewayProcess]:
    """Two workers with all that is shared: TLS, keys, a limit, a token, a log and a usage log."""
    rotate = Rotate(size=4_000, keep=100)
    made = written(
        folder,
        keys=True,
        server=Server(admin=Admin(host="0.0.0.0", token="${TOKEN}")),
        limits=[Limit(name="rate", requests=LIMIT, within=3600.0)],
        state=State(store="sqlite", path="${FOLDER}/state.db"),
        observability=Observability(log=LogSettings(file=str(folder / "log"), rotate=rotate)),
    )
    arguments = ["--workers", "2", "--usage-log", str(folder / "usage.jsonl")]
    arguments += ["--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem")]
    environ = {"TOKEN": TOKEN, "FOLDER": str(folder)}
    with serving(made, folder / "errors", arguments, environ) as process:
        yield process
        assert process.stop() == 0
    assert (folder / "errors").read_text() == ""


@pytest.fixture(scope="module")
def answers(gateway: GatewayProcess, trust: ssl.SSLContext) -> list[tuple[int, Mapping[str, str]]]:
    """More requests at once than the limit lets in, each on a connection of its own."""

    def ask(_: int) -> tuple[int, Mapping[str, str]]:
        return secured(gateway, trust, "POST", "/v1/messages", body())[:2]

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(ask, range(REQUESTS)))


def secured(
    gateway: GatewayProcess,
    trust: ssl.SSLContext,
    method: str,
    path: str,
    data: bytes | None = None,
) -> tuple[int, Mapping[str, str], bytes]:
    address = urlsplit(gateway.url)
    connection = http.client.HTTPSConnection(
        "127.0.0.1", address.port, context=trust, timeout=PATIENCE
    )
    try:
        connection.request(method, path, data, SHOWN)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def asked(
    gateway: GatewayProcess,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] = BEARER,
    data: bytes | None = None,
) -> Answer:
    sent = dict(headers) | (JSON if method == "POST" else {})
    content = b"" if method == "POST" and data is None else data
    address = gateway.admin.replace("0.0.0.0", "127.0.0.1")
    return exchange(address, method, path, content, sent)


def lines(folder: Path, is_all: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The log, all of its files, once it has what is waited for: a worker writes when it likes."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError):  # it was rotated between the look and the reading
            texts = [one.read_text() for one in folder.glob("log*") if one.suffix != ".lock"]
            wholes = [text.rpartition("\n")[0] for text in texts]
            # Or between two readings, and then it was read twice.
            each = dict.fromkeys(line for text in wholes for line in text.splitlines())
            found = [json.loads(line) for line in each]
            if is_all(found):
                return found
        time.sleep(0.02)
    pytest.fail("the log never had what is waited for")


def served_of(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in found if line.get("class") == "served"]


def heard(folder: Path, count: int) -> list[dict[str, Any]]:
    """The lines of so many requests."""

    def requests_of(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [line for line in found if line["event"] == "request"]

    return requests_of(lines(folder, lambda found: len(requests_of(found)) >= count))


def reset_by(found: list[dict[str, Any]]) -> set[int]:
    return {line["worker"] for line in found if line["event"] == "breakers-reset"}


def test_a_limit_is_one_for_all_workers(
    answers: list[tuple[int, Mapping[str, str]]],
    gateway: GatewayProcess,
    folder: Path,
    trust: ssl.SSLContext,
) -> None:
    statuses = [status for status, _ in answers]
    assert (statuses.count(200), statuses.count(429)) == (LIMIT, REQUESTS - LIMIT)
    count = REQUESTS
    # One that was asked for nothing yet knows as well that no more are let in.
    while {line["worker"] for line in heard(folder, count)} != {1, 2}:
        assert secured(gateway, trust, "POST", "/v1/messages", body())[0] == 429
        count += 1
        assert count < 5 * REQUESTS, "a worker serves none"
    assert len(served_of(heard(folder, count))) == LIMIT


def test_any_worker_tells_what_a_request_used(
    answers: list[tuple[int, Mapping[str, str]]], gateway: GatewayProcess, trust: ssl.SSLContext
) -> None:
    ids = [headers["request-id"] for status, headers in answers if status == 200]
    for identity in ids:
        status, _, content = secured(gateway, trust, "GET", f"/v1/usage/{identity}")
        assert status == 200, identity
        assert json.loads(content)["request_id"] == identity
    assert secured(gateway, trust, "GET", "/v1/usage/nobodys")[0] == 404


def test_any_worker_takes_what_is_said_of_a_request(
    answers: list[tuple[int, Mapping[str, str]]], gateway: GatewayProcess, trust: ssl.SSLContext
) -> None:
    ids = [headers["request-id"] for status, headers in answers if status == 200]
    for identity in (*ids, "nobodys"):
        said = json.dumps({"request_id": identity, "score": 0.5}).encode()
        status, _, content = secured(gateway, trust, "POST", "/v1/feedback", said)
        assert status == (404 if identity == "nobodys" else 200), content


def test_logs_are_whole_and_name_their_worker(
    answers: list[tuple[int, Mapping[str, str]]], gateway: GatewayProcess, folder: Path
) -> None:
    found = lines(folder, lambda found: len(served_of(found)) >= LIMIT)
    assert list(folder.glob("log.[0-9]*")), "it was rotated"
    for line in found:
        if line["event"] == "request":
            assert line["worker"] in (1, 2)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        whole, _, _ = (folder / "usage.jsonl").read_text().rpartition("\n")
        records = [json.loads(one) for one in whole.splitlines()]
        if sum(one.get("ending") == "served" for one in records) == LIMIT:
            break
        time.sleep(0.02)
    else:
        pytest.fail("not every request has its record")


def test_operators_show_their_token(gateway: GatewayProcess) -> None:
    for path in ("/metrics", "/metrics/circuit-breakers", "/metrics/observability", "/nothing"):
        assert asked(gateway, path, headers={}).status == 401
    for path in ("/v1/admin/reload", "/v1/admin/restart", "/metrics/circuit-breakers/reset"):
        assert asked(gateway, path, "POST", headers={}).status == 401
    assert asked(gateway, "/health/ready", headers={}).status == 200
    assert asked(gateway, "/nothing").status == 404


def test_no_body_is_read_for_a_stranger(gateway: GatewayProcess) -> None:
    huge = b" " * (8 * 1024 * 1024)
    try:
        answer = asked(gateway, "/routing/analyze", "POST", headers={}, data=huge)
    except ConnectionError:
        return  # refused, and the connection ended, before all of it was sent
    assert answer.status == 401


def test_a_server_header_tells_no_versions(gateway: GatewayProcess) -> None:
    for path in ("/health/live", "/health/ready", "/nothing"):
        assert asked(gateway, path).headers["server"] == "lynkrc"


def test_what_is_for_another_server_is_turned_away(gateway: GatewayProcess) -> None:
    address = gateway.admin.replace("0.0.0.0", "127.0.0.1")
    for head in (b"GET http://evil.example/metrics HTTP/1.1", b"OPTIONS * HTTP/1.1"):
        said = speak(address, head + b"\r\nHost: localhost\r\n\r\n")
        assert said.statuses == [400]


def test_an_operator_cannot_say_where_it_comes_from(gateway: GatewayProcess) -> None:
    assert asked(gateway, "/metrics", headers={"x-lynkr-peer": "127.0.0.1"}).status == 401


def test_the_summary_is_of_all(
    answers: list[tuple[int, Mapping[str, str]]], gateway: GatewayProcess
) -> None:
    told = asked(gateway, "/metrics/observability").json
    assert told["requests"]["by_class"]["served"] == LIMIT
    assert told["workers"] == {"wanted": 2, "ready": 2}
    assert (told["store"], told["degraded"]) == ("sqlite", [])
    (states,) = told["breakers"].values()
    assert states["state"] == "closed" and len(states["workers"]) == 2
    latency = told["latency_seconds"]
    assert 0 < latency["p50"] <= latency["p95"]


def test_breakers_are_told_by_target_and_reset_everywhere(gateway: GatewayProcess) -> None:
    for told in (
        asked(gateway, "/metrics/circuit-breakers"),
        asked(gateway, "/metrics/circuit-breakers/reset", "POST"),
    ):
        (one,) = told.json["targets"]
        assert (one["target"], one["state"]) == ("at-one", "closed")
        assert len(one["workers"]) == 2


def test_resets_reach_all(
    gateway: GatewayProcess, answers: list[tuple[int, Mapping[str, str]]], folder: Path
) -> None:
    assert asked(gateway, "/metrics/circuit-breakers/reset", "POST").status == 200
    assert asked(gateway, "/metrics/circuit-breakers/reset?target=none", "POST").status == 404
    assert reset_by(lines(folder, lambda found: {1, 2} <= reset_by(found))) == {1, 2}


def test_targets_are_probed_once(tmp_path: Path) -> None:
    callers: queue.Queue[object] = queue.Queue()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, address = listener.accept()
                except OSError:
                    return
                callers.put(address)
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        made = written(tmp_path, providers=[provider("one", "anthropic-compatible", base_url=url)])
        with serving(made, tmp_path / "log", ["--workers", "2"]) as gateway:
            told = asked(gateway, "/health/ready?deep=true", headers={}).json
            assert told["targets"] == {"at-one": "reached"}
            assert (told["status"], told["degraded"]) == ("ready", [])
            # A connection is made before it is accepted; ours comes after theirs.
            with socket.create_connection(listener.getsockname()) as ours:
                last = ours.getsockname()
                came = list(iter(lambda: callers.get(timeout=PATIENCE), last))
            assert len(came) == 1
            # One that hangs is told of soon, and the other is asked.
            hung = children(gateway.process.pid)[0]
            os.kill(hung, signal.SIGSTOP)
            try:
                told = asked(gateway, "/health/ready", headers={}).json
                assert (told["status"], told["degraded"]) == ("degraded", ["workers"])
                assert told["reason"] == "1 of 2 workers are ready"
            finally:
                os.kill(hung, signal.SIGCONT)
            os.kill(gateway.process.pid, signal.SIGTERM)
            assert gateway.process.wait(PATIENCE) == 0
