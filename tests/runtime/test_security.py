"""The rules of an open gateway."""

import os
import re

import pytest

from lynkrc_runtime.server.security import is_json, is_loopback, objection, random_hex, request_id


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8081", "127.0.0.1", "127.0.0.1:1", "[::1]:8081", "a.localhost:80"],
)
def test_loopback_hosts_are_served(host: str) -> None:
    assert objection({"host": host}, any_host=False) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1:8081",
        "0.0.0.0",
        "[::1]evil:80",
        "localhost:x",
        "::1",
        "localhost, evil.example",
    ],
)
def test_other_hosts_are_not(host: str) -> None:
    assert "Host" in (objection({"host": host}, any_host=False) or "")


def test_a_missing_host_is_not_served() -> None:
    assert objection({}, any_host=False) is not None


@pytest.mark.parametrize("any_host", [False, True])
@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3000", "null"])
def test_pages_are_never_served(origin: str, any_host: bool) -> None:
    assert "Origin" in (objection({"host": "localhost", "origin": origin}, any_host=any_host) or "")


def test_an_opened_gateway_takes_any_host() -> None:
    assert objection({"host": "gateway.example"}, any_host=True) is None


@pytest.mark.parametrize("text", ["", "text/plain", "application/x-www-form-urlencoded", "json"])
def test_types_a_page_may_send_are_not_json(text: str) -> None:
    assert not is_json(text)


@pytest.mark.parametrize("text", ["application/json", "Application/JSON;charset=utf-8"])
def test_json_is_json(text: str) -> None:
    assert is_json(text)


def test_loopback_names() -> None:
    assert is_loopback("LOCALHOST.")
    assert not is_loopback("")


@pytest.mark.parametrize("given", ["", "a b", "x\r\ny", "ü", "a" * 129, "<script>"])
def test_a_harmful_request_id_is_replaced(given: str) -> None:
    made = request_id(given)
    assert made != given
    assert made.startswith("req_") and len(made) == 28


def test_a_harmless_request_id_is_kept() -> None:
    assert request_id("trace-1.2:3_A") == "trace-1.2:3_A"


def test_ids_are_new_each_time_and_a_child_has_others_than_its_parent() -> None:
    ids = {random_hex() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch("[0-9a-f]{24}", one) for one in ids)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, "".join(random_hex() for _ in range(100)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    said = os.read(reading, 2400).decode()
    os.close(reading)
    os.close(writing)
    ours = {random_hex() for _ in range(300)}
    theirs = {said[at : at + 24] for at in range(0, 2400, 24)}
    assert len(theirs) == 100
    assert not theirs & (ours | ids)
