"""Connections whose usual requests we serve ourselves do in all else what aiohttp's do.

Each test of both ways runs them with the same serving behind.
"""

import asyncio
from dataclasses import replace

import pytest
from aiohttp import StreamReader, web, web_protocol
from aiohttp.http_parser import HttpRequestParserPy

from lynkrc_runtime.access.keyring import KeyRing
from lynkrc_runtime.server.exchange import Client, Incoming
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.settings import Key
from tests.runtime.connection_lab import (
    HEAD,
    NEXT,
    PATH,
    PATIENCE,
    Lending,
    answer,
    asked,
    both_ways,
    echo,
    lending,
)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lending:
    return lending(monkeypatch)


async def test_the_usual_request_is_served_directly_and_no_other(lab: Lending) -> None:
    async with lab() as one:
        heard = await one.says(asked(), asked(b"[1]"), NEXT)
        assert heard.count(b"HTTP/1.1 200") == 3
        assert one.direct == [PATH, PATH]
        for request in (
            asked(b"{}", b"origin: http://a.example"),
            asked(b"{}", b"upgrade: h2c"),
            asked(b"{}", b"expect: 100-continue"),
            asked(b"{}", b"content-encoding: gzip"),
            asked().replace(b"localhost", b"evil.example"),
            asked().replace(b"application/json", b"text/plain"),
            asked().replace(b"HTTP/1.1", b"HTTP/1.0"),
            asked(b"{}", b"connection: close"),
            asked().replace(b"POST", b"PUT"),
            asked().replace(b"/v1/", b"/v1/v1/"),
            HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        ):
            await one.says(request, NEXT)
        assert one.direct == [PATH, PATH]
        await one.says(asked().replace(b"messages ", b"messages?beta=true "), NEXT)
        assert len(one.direct) == 3


async def test_behind_the_parser_in_python_all_is_served_by_aiohttp(
    lab: Lending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there where aiohttp has no wheel; what it says of a request is no record of C."""
    monkeypatch.setattr(web_protocol, "HttpRequestParser", HttpRequestParserPy)
    body = b"x" * 600_000
    async with lab() as one:
        heard = await one.says(asked(b"[1]"), asked(body), asked(b"[2]") + asked(b"[3]"), NEXT)
        assert heard.count(b"HTTP/1.1 200") == 5
        assert heard.count(body) == 1
        assert one.direct == []


@both_ways
async def test_a_request_may_come_in_any_two_pieces(lab: Lending, direct: bool) -> None:
    request = asked(b'{"a":1}')
    async with lab(direct=direct) as one:
        heard = {await one.says(request[:at], request[at:], NEXT) for at in range(1, len(request))}
        (ends,) = {answers.count(b"HTTP/1.1 200") for answers in heard}
        assert ends == 2
        assert all(b'\r\n\r\n{"a":1}HTTP' in answers for answers in heard)


@both_ways
@pytest.mark.parametrize("size", [65_536, 262_143, 262_144, 262_145, 600_000, 3_000_000])
async def test_a_long_body_stops_and_goes_on(lab: Lending, direct: bool, size: int) -> None:
    body = b"x" * size
    async with lab(direct=direct) as one:
        heard = await one.says(asked(body), asked(body), NEXT)
        assert heard.count(body) == 2
        assert heard.count(b"HTTP/1.1 200") == 3


@both_ways
@pytest.mark.parametrize("length", [b"content-length: 6", b"transfer-encoding: chunked"])
async def test_a_pause_at_the_end_of_a_body_does_not_hold_the_next_one(
    lab: Lending, direct: bool, length: bytes
) -> None:
    # So many that the buffer of the last one pauses the parser, and then the body has ended.
    count = (1 << 18) // 16 + 1
    next_one = b"[1234]" if length.endswith(b"6") else b"6\r\n[1234]\r\n0\r\n\r\n"
    async with lab(direct=direct) as one:
        reader, writer = await one.connect()
        await one.sends(writer, HEAD + b"transfer-encoding: chunked\r\n\r\n")
        (protocol,) = one.connections()
        protocol.data_received(b"1\r\nx\r\n" * count + b"0\r\n\r\n")
        assert (await answer(reader))[1] == b"x" * count
        await one.sends(writer, HEAD + length + b"\r\n\r\n")
        writer.write(next_one)
        assert await answer(reader) == (b"200", b"[1234]")
        assert len(one.direct) == (direct and next_one == b"[1234]")


@both_ways
async def test_pipelined_requests_wait_and_are_answered_in_order(
    lab: Lending, direct: bool
) -> None:
    running: list[bytes] = []
    go = asyncio.Event()

    async def serving(_: Gateway, incoming: Incoming, client: Client) -> None:
        running.append(incoming.body)
        await go.wait()
        await client.answer(200, {}, incoming.body)

    async with lab(serving, direct=direct) as one:
        reader, writer = await one.connect()
        requests = b"".join(asked(b"[%d]" % number) for number in range(40))
        await one.sends(writer, requests + NEXT)
        assert running == [b"[0]"]
        go.set()
        heard = await asyncio.wait_for(reader.read(), PATIENCE)
        assert running == [b"[%d]" % number for number in range(40)]
        places = [heard.index(b"\r\n\r\n[%d]" % number) for number in range(40)]
        assert places == sorted(places)
        assert heard.count(b"HTTP/1.1 200") == 41


@both_ways
@pytest.mark.parametrize("status", [199, 204, 304, None])
async def test_answers_without_a_body_are_so_in_both_ways(
    lab: Lending, direct: bool, status: int | None
) -> None:
    async def serving(_: Gateway, __: Incoming, client: Client) -> None:
        if status is not None:
            await client.answer(status, {"x-a": "1"}, b"")

    async with lab(serving, direct=direct) as one:
        heard = await one.says(asked(), NEXT)
        assert heard.startswith(b"HTTP/1.1 %d" % (status or 499))
        assert heard.count(b"HTTP/1.1") == 2
        first, _, _ = heard.partition(b"\r\n\r\n")
        assert (b"Content-Length: 0" in first) == (status is None)
        assert b"Server: lynkrc" in first


@both_ways
async def test_a_stream_waits_for_its_reader(lab: Lending, direct: bool) -> None:
    piece, count = b"x" * 65_536, 200
    written: list[int] = []

    async def serving(_: Gateway, __: Incoming, client: Client) -> None:
        await client.start({"content-type": "text/event-stream"})
        for number in range(count):
            await client.write(piece)
            written.append(number)

    async with lab(serving, direct=direct) as one:
        reader, writer = await one.connect()
        await one.sends(writer, asked())
        seen = -1
        while seen != len(written):  # until it stops
            seen = len(written)
            await asyncio.sleep(0.05)
        assert 0 < seen < count
        writer.write(NEXT)
        heard = await asyncio.wait_for(reader.read(), PATIENCE)
        assert heard.count(b"\r\n10000\r\n" + piece) == count
        assert heard.count(b"HTTP/1.1 200") == 2


@both_ways
async def test_a_key_counts_for_the_request_it_comes_with(lab: Lending, direct: bool) -> None:
    callers: list[str | None] = []

    async def serving(gateway: Gateway, incoming: Incoming, client: Client) -> None:
        callers.append(None if incoming.caller is None else incoming.caller.name)
        await echo(gateway, incoming, client)

    keys = {name: Key(secret=f"sesame-{name}") for name in ("one", "two")}

    def shows(key: str) -> bytes:
        return asked(b"{}", b"x-api-key: sesame-" + key.encode())

    async with lab(serving, direct=direct) as one:
        plain = one.site.gateway
        one.site.gateway = replace(plain, keys=KeyRing(keys, {}))
        reader, writer = await one.connect()

        async def status(request: bytes) -> bytes:
            writer.write(request)
            return (await answer(reader))[0]

        said = [await status(shows(key)) for key in ("one", "one", "six", "two", "one", "")]
        assert said == [b"200", b"200", b"401", b"200", b"200", b"401"]
        assert callers == ["one", "one", "two", "one"]
        # It is revoked while the connection waits.
        one.site.gateway = replace(plain, keys=KeyRing({"two": keys["two"]}, {}))
        assert [await status(shows(key)) for key in ("one", "two")] == [b"401", b"200"]
        one.site.gateway = plain
        assert await status(shows("one")) == b"200"
        assert callers[-2:] == ["two", None]


def test_what_is_aiohttps_own_is_where_we_look_for_it() -> None:
    """Of a connection: what `connection` reads and sets, beside its methods."""
    slots = {name for kind in web.RequestHandler.__mro__ for name in getattr(kind, "__slots__", ())}
    assert slots >= {
        "_close",
        "_current_request",
        "_force_close",
        "_handler_waiter",
        "_keepalive",
        "_keepalive_handle",
        "_keepalive_timeout",
        "_lingering_time",
        "_loop",
        "_manager",
        "_messages",
        "_next_keepalive_close_time",
        "_parser",
        "_read_bufsize",
        "_reading_paused",
        "_request_factory",
        "_request_handler",
        "_request_in_progress",
        "_task_handler",
        "_waiter",
    }
    assert {"_handle_request", "_process_keepalive", "_drain_helper"} <= set(
        dir(web.RequestHandler)
    )
    assert callable(web.BaseRequest._cancel)
    assert "_buffer" in StreamReader.__slots__
