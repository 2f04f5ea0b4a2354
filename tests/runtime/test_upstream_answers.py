"""Answers of one connection, one after the other, by one parser: none is part of another."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.server.answers import read_all
from lynkrc_runtime.upstream import UpstreamFault
from lynkrc_runtime.upstream_answer import HttpResponse, LineProtocol
from lynkrc_runtime.upstream_http import HttpUpstream
from tests.runtime.upstream_lab import OK, read_request, request, server

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"


async def _whole(response: HttpResponse) -> bytes:
    pieces = []
    while piece := await response.read():
        pieces.append(piece)
    return b"".join(pieces)


async def _answers(*said: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """What is heard of these, said one after the other on one connection."""
    connections, heard = 0, []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for one in said:
            await read_request(reader)
            writer.write(one)
            await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        for _ in said:
            response = await upstream.send(request(url))
            heard.append((response.status, dict(response.headers), await _whole(response)))
            response.close()
    assert connections == 1
    return heard


async def test_what_stands_behind_a_chunked_body_is_no_header_of_the_next_answer() -> None:
    first = CHUNKED + b"x-first: 1\r\n\r\n2\r\nhi\r\n0\r\nx-trailer: 1\r\nx-other: 2\r\n\r\n"
    heard = await _answers(first, OK, first, first, OK)
    for (_, headers, body), is_first in zip(heard, (True, False, True, True, False), strict=True):
        assert body == b"hi"
        assert ("x-first" in headers) is is_first
        assert ("x-thing" in headers) is not is_first
        assert not {"x-trailer", "x-other"} & set(headers)


async def test_answers_of_every_kind_follow_each_other() -> None:
    none = b"HTTP/1.1 204 No\r\n\r\n"
    nothing = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    hint = b"HTTP/1.1 103 Wait\r\nx-hint: 1\r\n\r\n"
    same = b"HTTP/1.1 304 Same\r\n\r\n"
    chunks = CHUNKED + b"\r\n2\r\nhi\r\n0\r\n\r\n"
    stray = b"\r\n\r\n"  # which a parser passes over, and always has
    heard = await _answers(OK, none, OK + stray, nothing, hint + OK, same, chunks, OK, none, OK)
    told = [(status, body) for status, _, body in heard]
    ok = (200, b"hi")
    assert told == [ok, (204, b""), ok, (200, b""), ok, (304, b""), ok, ok, (204, b""), ok]
    assert all("x-hint" not in headers for _, headers, _ in heard)


@pytest.mark.parametrize("later", [True, False])
@pytest.mark.parametrize("length", [b"content-length: 2\r\n\r\nhi", b"\r\n"])
@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 200 OK\r\ncontent-", b"HTTP/1.1 200 OK\r\nx"])
async def test_the_beginning_of_an_answer_nobody_asked_for_is_none_of_the_next(
    begun: bytes, length: bytes, later: bool
) -> None:
    """The rest of it would be taken for the end of a head that was asked for."""
    go_on, connections = asyncio.Event(), 0
    first = OK if length != b"\r\n" else CHUNKED + b"\r\n2\r\nhi\r\n0\r\n\r\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        if connections > 1:
            writer.write(OK)
        elif later:
            writer.write(first)
            await go_on.wait()
            writer.write(begun)
        else:
            writer.write(first + begun)
        await writer.drain()
        await reader.read()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        assert await _whole(response) == b"hi"
        response.close()
        go_on.set()
        for _ in range(20):
            await asyncio.sleep(0)
        with pytest.raises(UpstreamFault) as caught:
            await asyncio.wait_for(upstream.send(request(url)), 60)
        assert caught.value.fault is Fault.STALE
        response = await upstream.send(request(url))
        assert await _whole(response) == b"hi"
        response.close()
    assert connections == 2


async def test_a_body_that_stops_being_one_is_a_fault_at_once() -> None:
    """aiohttp ends the connection, and would leave the reader to wait for ever."""
    go_on = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED + b"\r\n2\r\nhi\r\n")
        await go_on.wait()
        writer.write(b"zz\r\n")
        await reader.read()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        assert await response.read() == b"hi"
        reading = asyncio.create_task(response.read())
        go_on.set()
        with pytest.raises(UpstreamFault) as caught:
            await asyncio.wait_for(reading, 60)
        assert caught.value.fault is Fault.BROKEN
        with pytest.raises(UpstreamFault):
            await response.read()
        response.close()


async def test_long_bodies_follow_each_other() -> None:
    size = 3_000_000
    long = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size
    parts = b"".join(b"%x\r\n" % 100_000 + b"y" * 100_000 + b"\r\n" for _ in range(30))
    chunks = CHUNKED + b"\r\n" + parts + b"0\r\n\r\n"
    heard = await _answers(long, chunks, long, OK, long)
    assert [len(body) for _, _, body in heard] == [size, size, size, 2, size]


@pytest.mark.parametrize("count", [4096, 4097, 4098])
async def test_no_part_stays_held_back_of_an_answer_in_many_small_chunks(count: int) -> None:
    """Its parser pauses with the chunk after so many; a reader that had taken all waited on."""
    protocol = LineProtocol(asyncio.get_running_loop())
    protocol.connection_made(_Transport())
    told = protocol.ask()
    protocol.data_received(CHUNKED + b"\r\n")
    message, content = await told
    response = HttpResponse(message.code, message.headers, content, _Nobody())
    protocol.data_received(b"1\r\nx\r\n" * count)
    while count:
        count -= len(await response.read())
    protocol.data_received(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
    assert await asyncio.wait_for(_whole(response), 60) == b"ab"


class _Transport(asyncio.Transport):
    """Counts what is held back."""

    def __init__(self) -> None:
        super().__init__()
        self.is_closed = self.is_paused = False

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


@pytest.mark.parametrize(
    "begun",
    [b"content-length: %d\r\n\r\n" % 1_000_000, b"transfer-encoding: chunked\r\n\r\n", b"\r\n"],
)
async def test_long_bodies_are_held_back_until_they_are_read(begun: bytes) -> None:
    """At the socket: what is not read stays with the upstream, also of the second answer."""
    protocol, transport = LineProtocol(asyncio.get_running_loop()), _Transport()
    protocol.connection_made(transport)
    is_chunked = b"chunked" in begun
    piece = b"x" * 50_000
    said = b"c350\r\n" + piece + b"\r\n" if is_chunked else piece
    for _ in range(1 if begun == b"\r\n" else 3):
        told = protocol.ask()
        protocol.data_received(b"HTTP/1.1 200 OK\r\n" + begun)
        message, content = await told
        response = HttpResponse(message.code, message.headers, content, _Nobody())
        left = 20
        while left:
            sent = 0
            while left and not transport.is_paused:
                protocol.data_received(said)
                sent, left = sent + 1, left - 1
            assert sent <= 3
            assert await response.read()
            assert not transport.is_paused
        if is_chunked:
            protocol.data_received(b"0\r\n\r\n")
        elif begun == b"\r\n":
            protocol.connection_lost(None)
        await _whole(response)
        assert content.total_bytes == 1_000_000
        assert not transport.is_paused


class _Nobody:
    def __init__(self) -> None:
        self.is_free = self.is_ended = False

    def answered(self) -> None:
        self.is_free = True

    def close(self) -> None:
        self.is_ended = True


ANSWERS = (
    OK,
    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 204 No\r\nx: 1\r\n\r\n",
    b"HTTP/1.1 500 Bad\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nsorry",
    CHUNKED + b"\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
    CHUNKED + b"\r\n2\r\nhi\r\n0\r\nx-end: 1\r\n\r\n",
    b"HTTP/1.1 103 Wait\r\nx: 1\r\n\r\n" + OK,
)


@given(st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=4), st.data())
@settings(max_examples=60)
def test_however_an_answer_is_cut_a_kept_parser_tells_what_a_new_one_does(
    said: Sequence[bytes], data: st.DataObject
) -> None:
    async def heard(protocol: LineProtocol, pieces: Sequence[bytes]) -> object:
        told = protocol.ask()
        protocol.data_received(pieces[0])
        for piece in pieces[1:]:
            protocol.data_received(piece)
        message, content = await told
        while message.code == 103:
            message, content = await protocol.read()
        nobody = _Nobody()
        response = HttpResponse(message.code, message.headers, content, nobody)
        body = await _whole(response)
        response.close()
        assert nobody.is_free and not nobody.is_ended
        return response.status, response.headers, body, protocol.should_close

    async def run() -> None:
        loop = asyncio.get_running_loop()
        kept = LineProtocol(loop)
        kept.connection_made(_Transport())
        for answer in said:
            cuts = data.draw(st.sets(st.integers(1, len(answer) - 1), max_size=4))
            places = [0, *sorted(cuts), len(answer)]
            pieces = [answer[at:to] for at, to in pairwise(places)]
            new = LineProtocol(loop)
            new.connection_made(_Transport())
            assert await heard(kept, pieces) == await heard(new, [answer])

    asyncio.run(run())


async def test_a_parser_serves_one_answer_after_the_other_unless_it_may_hold_trailers() -> None:
    protocol = LineProtocol(asyncio.get_running_loop())
    protocol.connection_made(_Transport())
    parsers = []
    for answer in (OK, OK, ANSWERS[-2], OK, OK):
        told = protocol.ask()
        parsers.append(protocol._parser)
        protocol.data_received(answer)
        await told
    first, second, third, fourth, fifth = parsers
    assert first is second is third
    assert third is not fourth
    assert fourth is fifth


@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_connection_remembers_nothing_of_what_was_said_on_it(answer: bytes) -> None:
    protocol = LineProtocol(asyncio.get_running_loop())
    protocol.connection_made(_Transport())
    told = protocol.ask()
    protocol.data_received(answer)
    message, content = await told
    if message.code == 103:
        message, content = await protocol.read()
    response = HttpResponse(message.code, message.headers, content, _Nobody())
    await _whole(response)
    left = protocol._payload
    assert left is None or left is aiohttp.EMPTY_PAYLOAD or not left._buffer


async def test_what_is_used_of_aiohttp_is_there() -> None:
    """These are not for everybody: a version without them is not served with."""
    protocol = ResponseHandler(asyncio.get_running_loop())
    for name in ("_parser", "_payload", "_should_close", "_upgraded"):
        assert hasattr(protocol, name), "what is set under another name is set for nobody"
    members = {"_buffer", "_eof", "_exception", "_loop", "_protocol", "_waiter"}
    assert members <= set(aiohttp.StreamReader.__slots__)
    assert callable(aiohttp.StreamReader._read_nowait_chunk)


async def _one(answer: bytes) -> HttpResponse:
    protocol = LineProtocol(asyncio.get_running_loop())
    protocol.connection_made(_Transport())
    told = protocol.ask()
    protocol.data_received(answer)
    message, content = await told
    return HttpResponse(message.code, message.headers, content, _Nobody())


async def test_a_body_that_came_with_its_head_is_given_once() -> None:
    response = await _one(OK)
    assert response.at_once() == b"hi"
    assert await response.read() == b"" == response.at_once()
    assert (await _one(ANSWERS[1])).at_once() == b""
    begun = await _one(OK[:-1])
    assert begun.at_once() is None
    assert await begun.read() == b"h"
    begun.close()


@pytest.mark.parametrize("answer", [OK, ANSWERS[4]])
async def test_a_whole_answer_is_read_within_its_limit(answer: bytes) -> None:
    for limit in (3, 2):
        if limit >= len(await _whole(await _one(answer))):
            assert await read_all(await _one(answer), limit)
    with pytest.raises(UpstreamFault) as caught:
        await read_all(await _one(answer), 1)
    assert caught.value.fault is Fault.BROKEN


async def test_what_broke_off_is_no_answer_although_a_part_is_there() -> None:
    protocol = LineProtocol(asyncio.get_running_loop())
    protocol.connection_made(_Transport())
    told = protocol.ask()
    protocol.data_received(OK[:-1])
    message, content = await told
    response = HttpResponse(message.code, message.headers, content, _Nobody())
    protocol.connection_lost(None)
    for _ in range(2):
        with pytest.raises(UpstreamFault) as caught:
            await response.read()
        assert caught.value.fault is Fault.BROKEN


async def test_headers_asked_for_by_name_are_those_of_all_the_headers() -> None:
    head = b"HTTP/1.1 200 OK\r\nRequest-ID: 1\r\nx-a: 2\r\nX-A: 3\r\nContent-Length: 0\r\n\r\n"
    response = await _one(head)
    asked = ("x-a", "request-id", "x-none")
    named = response.named(asked)
    assert named == {name: response.headers[name] for name in asked if name in response.headers}
    assert named == {"x-a": "3", "request-id": "1"}
