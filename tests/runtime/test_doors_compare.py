"""How the operators' token is compared: by digests, in constant time, whatever is shown."""

import hashlib
import hmac
from typing import Any

import pytest

from lynkrc_runtime.server import doors
from lynkrc_runtime.server.doors import doors_of
from lynkrc_runtime.settings import Admin, Server

TOKEN = "operators-token-of-the-tests"
WRONG = ("", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\udcff", "é", "x" * 100_000)


def test_every_token_is_hashed_and_compared_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    door = doors_of(Server(admin=Admin(token=TOKEN)), {})
    compared: list[tuple[bytes, bytes]] = []
    hashed: list[bytes] = []

    class Watched:
        @staticmethod
        def compare_digest(one: bytes, two: bytes) -> bool:
            compared.append((one, two))
            return hmac.compare_digest(one, two)

    class Hashes:
        @staticmethod
        def sha256(data: bytes) -> Any:
            hashed.append(data)
            return hashlib.sha256(data)

    monkeypatch.setattr(doors, "hmac", Watched)
    monkeypatch.setattr(doors, "hashlib", Hashes)
    assert door.lets_in({"authorization": f"Bearer {TOKEN}"}, None)
    for wrong in WRONG:
        assert not door.lets_in({"authorization": f"Bearer {wrong}"}, "127.0.0.1")
    assert not door.lets_in({}, "127.0.0.1")
    assert not door.lets_in({"authorization": f"Basic {TOKEN}"}, "127.0.0.1")
    # No way out before the comparison, and both sides as long as any digest.
    assert len(hashed) == len(compared) == len(WRONG) + 3
    assert {(len(one), len(two)) for one, two in compared} == {(32, 32)}
    # What it says is what counts.
    monkeypatch.setattr(Watched, "compare_digest", staticmethod(lambda *_: False))
    assert not door.lets_in({"authorization": f"Bearer {TOKEN}"}, "127.0.0.1")
