"""An upstream whose answer could be read in two ways, or would say more than its answer."""

import asyncio
import itertools
import json
from collections.abc import Iterable

import pytest

from lynkrc_runtime.upstream import UpstreamRequest
from lynkrc_runtime.upstream_http import HttpUpstream
from tests.clients.said import SPEAK
from tests.clients.script import Plan
from tests.e2e.hostile_lab import hostile_lab
from tests.e2e.hostile_server import Reply
from tests.runtime.by_hand import CHAT, MESSAGES

BODY = json.dumps(SPEAK[CHAT].whole(Plan(text="Yes."), "m")).encode()
EVIL = json.dumps(SPEAK[CHAT].whole(Plan(text="evil"), "m")).encode()
KIND = b"content-type: application/json\r\n"
LENGTH = b"content-length: %d\r\n" % len(BODY)
CHUNKED = b"transfer-encoding: chunked\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + KIND
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
SECOND = b"HTTP/1.1 200 OK\r\nx-evil: 1\r\ncontent-length: %d\r\n\r\n%s" % (len(EVIL), EVIL)


def with_header(line: bytes) -> tuple[bytes, bytes]:
    return OK + LENGTH + line + b"\r\n\r\n", BODY


REFUSED: dict[str, tuple[bytes, bytes]] = {
    "length and chunked": (OK + LENGTH + CHUNKED + b"\r\n", CHUNKS),
    "two lengths": (OK + LENGTH + b"content-length: 5\r\n\r\n", BODY),
    "an unknown coding": (OK + b"transfer-encoding: xchunked\r\n\r\n", CHUNKS),
    "a negative chunk": (OK + CHUNKED + b"\r\n", b"-1\r\n" + CHUNKS),
    "a carriage return in a value": with_header(b"x-request-id: a\rx-evil: 1"),
    "NUL in a value": with_header(b"x-request-id: a\x00b"),
    "another protocol": (
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        BODY,
    ),
    "HTTP/2": (OK.replace(b"HTTP/1.1", b"HTTP/2"), BODY),
    "HTTP/0.9": (b"", BODY),
    "a status nobody knows": (OK.replace(b"200", b"999") + LENGTH + b"\r\n", BODY),
    "status zero": (OK.replace(b"200", b"000") + LENGTH + b"\r\n", BODY),
    "no content": (OK.replace(b"200", b"204") + LENGTH + b"\r\n", BODY),
    "a body shorter than it says": (OK + b"content-length: 9999\r\n\r\n", BODY),
}


@pytest.mark.parametrize("client", [CHAT, MESSAGES])
@pytest.mark.parametrize("name", REFUSED)
async def test_what_can_be_read_in_two_ways_is_the_upstream_s_failure(
    name: str, client: str
) -> None:
    head, body = REFUSED[name]
    async with hostile_lab(CHAT) as lab:
        lab.upstream.says = Reply(head=head, pieces=[body])
        heard = await lab.ask(client)
        assert heard.status in (503, 529), heard
        assert b"Yes." not in heard.body and "x-evil" not in heard.headers
        assert lab.settled()["class"] == "transient"


SERVED: dict[str, tuple[bytes, bytes]] = {
    "a second answer behind it": (OK + LENGTH + b"\r\n", BODY + SECOND),
    "a trailer": (OK + CHUNKED + b"\r\n", CHUNKS.replace(b"0\r\n\r\n", b"0\r\nx-evil: 1\r\n\r\n")),
    "a header behind a line feed": with_header(b"x-request-id: a\nx-evil: 1"),
    "control characters in an id": with_header(b"x-request-id: a\x1b[31m\x7f\xc3\xa9b"),
    "an endless id": with_header(b"x-request-id: " + b"a" * 50_000),
    "headers of ours": with_header(
        b"x-lynkr-tier: EVIL\r\nx-lynkr-cost-usd: -1\r\nset-cookie: evil=1\r\n"
        b"location: http://evil.example\r\naccess-control-allow-origin: *\r\n"
        b"x-should-retry: false\r\nconnection: close, x-evil\r\nx-evil: 1"
    ),
    "a hint before it": (
        b"HTTP/1.1 103 Early Hints\r\nx-evil: 1\r\n\r\n" + OK + LENGTH + b"\r\n",
        BODY,
    ),
    "20,000 hints before it": (
        b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 20_000 + OK + LENGTH + b"\r\n",
        BODY,
    ),
}


@pytest.mark.parametrize("client", [CHAT, MESSAGES])
@pytest.mark.parametrize("name", SERVED)
async def test_what_is_served_has_headers_of_ours_alone(name: str, client: str) -> None:
    head, body = SERVED[name]
    async with hostile_lab(CHAT) as lab:
        lab.upstream.says = Reply(head=head, pieces=[body])
        heard = await lab.ask(client)
        assert heard.status in (200, 503, 529)
        assert b"evil" not in heard.body.lower()
        told = " ".join((*heard.headers, *heard.headers.values()))
        assert "evil" not in told.lower() and told.isprintable() and told.isascii()
        assert "access-control-allow-origin" not in heard.headers
        assert all(len(value) < 2_000 for value in heard.headers.values())
        assert lab.settled()["class"] in ("served", "transient")


@pytest.mark.parametrize(
    "told",
    [
        b"nan",
        b"inf",
        b"-5",
        b"1e308",
        b"5, x-evil: 1",
        b"\xc3\xa9",
        b"9" * 4_000,
        b"0x10",
        b"1_000",
    ],
)
@pytest.mark.parametrize("status", [b"429", b"503"])
async def test_a_wait_that_is_passed_on_is_a_number(told: bytes, status: bytes) -> None:
    head = b"HTTP/1.1 " + status + b" Evil: 1\r\n" + KIND + b"retry-after: " + told
    async with hostile_lab(CHAT) as lab:
        lab.upstream.says = Reply(head=head + b"\r\ncontent-length: 2\r\n\r\n", pieces=[b"{}"])
        heard = await lab.ask(CHAT)
        assert heard.status in (429, 503)
        wait = heard.headers.get("retry-after")
        assert wait is None or (wait.isdecimal() and len(wait) < 20)
        assert lab.settled()["event"] == "request"


async def test_hints_without_end_are_waited_for_as_long_as_any_answer() -> None:
    def hints() -> Iterable[bytes]:
        return itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 100)

    async with hostile_lab(CHAT, total=0.5) as lab:
        lab.upstream.says = Reply(head=b"", pieces=hints())
        async with asyncio.timeout(60):
            heard = await lab.ask(CHAT)
            await lab.upstream.all_closed()
        assert heard.status in (503, 504)
        assert lab.settled()["class"] == "transient"


async def test_an_answer_nobody_asked_for_is_no_answer_to_the_next_request() -> None:
    """The connection is kept, and what lies in it already was said to nobody."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(len(head) and 2)
                writer.write(OK + LENGTH + b"\r\n" + BODY + SECOND)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, HttpUpstream() as upstream:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        for _ in range(4):
            heard = await upstream.send(
                UpstreamRequest(
                    url=url,
                    headers={},
                    body=b"{}",
                    connect=5.0,
                    fresh=False,
                    target="t",
                    dialect=CHAT,
                )
            )
            body = b""
            while piece := await heard.read():
                body += piece
            heard.close()
            assert body == BODY and "x-evil" not in heard.headers
    assert connections == 4, "such a connection is not used again"
