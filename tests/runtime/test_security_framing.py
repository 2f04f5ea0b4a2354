"""Framing, doors and origins without sockets: what the guards ask."""

import pytest

from lynkrc_runtime.server.doors import Doors, UnusableDoor, doors_of
from lynkrc_runtime.server.security import HEADERS_LIMIT, misframed, objection
from lynkrc_runtime.settings import Admin, Server

TOKEN = "a-token-that-is-long-enough"


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/v1/messages", {}, None),
        ("/v1/messages", {"transfer-encoding": "Chunked"}, None),
        ("/v1/messages", {"transfer-encoding": "gzip, chunked"}, 501),
        ("http://localhost:1/x", {"host": "LOCALHOST:1"}, None),
        ("http://localhost:1/x", {"host": "localhost:2"}, 400),
        ("http://localhost/x", {}, 400),
        ("*", {"host": "localhost"}, 400),
        ("localhost:22", {"host": "localhost:22"}, 400),
        ("ftp://localhost/x", {"host": "localhost"}, 400),
        ("/", {"a": "x" * HEADERS_LIMIT}, None),
        ("/", {"a": "x" * HEADERS_LIMIT, "b": "x"}, 431),
    ],
)
def test_framing(target: str, headers: dict[str, str], status: int | None) -> None:
    found = misframed(target, headers)
    assert (None if found is None else found[0]) == status


def test_a_declared_origin_does_not_excuse_a_foreign_host() -> None:
    page = {"origin": "https://a.example", "host": "evil.example"}
    assert "Host" in (objection(page, any_host=False, origins={"https://a.example"}) or "")
    assert objection(page, any_host=True, origins={"https://a.example"}) is None


def test_a_token_lets_in_from_anywhere_and_nothing_else_does() -> None:
    doors = doors_of(Server(admin=Admin(token="${T}")), {"T": TOKEN})
    assert TOKEN not in repr(doors)
    assert doors.lets_in({"authorization": f"Bearer {TOKEN}"}, "10.1.2.3")
    assert not doors.lets_in({}, "127.0.0.1")
    assert not doors.lets_in({"x-api-key": TOKEN}, "127.0.0.1")


@pytest.mark.parametrize(
    ("peer", "expected"),
    [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("", False), (None, False)],
)
def test_without_a_token_only_this_machine(peer: str | None, expected: bool) -> None:
    assert Doors().lets_in({"authorization": f"Bearer {TOKEN}"}, peer) is expected


@pytest.mark.parametrize("token", ["short", f" {TOKEN}", f"{TOKEN}\n"])
def test_a_token_that_would_not_do(token: str) -> None:
    with pytest.raises(UnusableDoor) as fault:
        doors_of(Server(admin=Admin(token="${T}")), {"T": token})
    assert token.strip() not in str(fault.value)
