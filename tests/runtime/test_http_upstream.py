"""The aiohttp client against servers that behave well and badly, over real sockets."""

import asyncio
import errno
import os
import socket

import pytest
from msgspec.structs import replace

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.protocol.conversation import FailureClass
from lynkrc_runtime.resilience.health import NO_VERDICT
from lynkrc_runtime.upstream import DIRECT, Link, UpstreamFault
from lynkrc_runtime.upstream_http import HttpUpstream
from tests.runtime.upstream_lab import OK, Talk, read_request, request, server


async def test_an_answer_and_its_headers() -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            seen.append(await read_request(reader))
            writer.write(OK)
            await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        for _ in range(2):
            response = await upstream.send(request(url))
            assert response.status == 200
            assert response.headers["x-thing"] == "1"
            assert await response.read() == b"hi"
            assert await response.read() == b""
            response.close()
    first, second = (head.lower() for head in seen)
    assert b"post /v1/chat/completions http/1.1" in first
    assert b"authorization: bearer k" in first
    assert b"accept-encoding: identity" in first
    assert b"cookie:" not in second, "cookies of an upstream are not kept"


@pytest.mark.parametrize("more", [b"", b"upgrade: x\r\nconnection: upgrade\r\n"])
async def test_what_has_left_http_takes_no_other_request(more: bytes) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(b"HTTP/1.1 101 Other\r\n" + more + b"\r\n")
        await writer.drain()
        await reader.read(1)

    async with server(talk) as url, HttpUpstream() as upstream:
        for _ in range(2):
            response = await upstream.send(request(url))
            assert response.status == 101
            assert await response.read() == b""
            response.close()
    assert connections == 2


async def test_a_redirect_is_an_answer_not_a_journey() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(
            b"HTTP/1.1 307 No\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
        )
        await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        assert response.status == 307
        response.close()


async def test_nobody_listens() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with HttpUpstream() as upstream:
            with pytest.raises(UpstreamFault) as caught:
                await upstream.send(request(f"http://127.0.0.1:{nobody.getsockname()[1]}"))
    assert caught.value.fault is Fault.CONNECT
    assert caught.value.failure.kind is FailureClass.TRANSIENT
    assert "127.0.0.1" not in caught.value.failure.message, "addresses are not for clients"


async def test_a_fresh_connection_is_a_new_one_and_takes_one_request() -> None:
    seen: list[tuple[int, bytes]] = []
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        number = connections
        while not reader.at_eof():
            seen.append((number, (await read_request(reader)).lower()))
            writer.write(OK)
            await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        for fresh in (False, True, False, True, True, False):
            response = await upstream.send(request(url, fresh=fresh))
            assert await response.read() == b"hi"
            response.close()
    assert [number for number, _ in seen] == [1, 2, 1, 3, 4, 1]
    assert [b"connection: close\r\n" in head for _, head in seen] == [
        number > 1 for number, _ in seen
    ]


async def test_a_connection_that_still_sends_a_request_takes_no_other() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await asyncio.Event().wait()

    async with server(talk) as url, HttpUpstream() as upstream:
        for body in (b"x" * 20_000_000, b"{}"):
            call = replace(request(url), body=body)
            response = await asyncio.wait_for(upstream.send(call), 60)
            assert await response.read() == b"hi"
            response.close()
    assert connections == 2


async def test_a_connection_is_kept_for_its_own_port_alone() -> None:
    def told(body: bytes) -> Talk:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while not reader.at_eof():
                await read_request(reader)
                writer.write(OK[:-2] + body)
                await writer.drain()

        return talk

    async with server(told(b"1.")) as one, server(told(b"2.")) as two, HttpUpstream() as upstream:
        for url, body in ((one, b"1."), (two, b"2."), (one, b"1."), (two, b"2.")):
            response = await upstream.send(request(url))
            assert await response.read() == body
            response.close()


async def test_a_kept_connection_that_dies_is_stale_and_a_fresh_one_works() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(OK)
        await writer.drain()
        if connections == 1:
            # Take the second request, then hang up: the idle time of the server has run out.
            await read_request(reader)

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        assert await response.read() == b"hi"
        await response.read()
        response.close()
        with pytest.raises(UpstreamFault) as caught:
            await upstream.send(request(url))
        assert caught.value.fault is Fault.STALE
        response = await upstream.send(request(url, fresh=True))
        assert response.status == 200
        response.close()
    assert connections == 2


@pytest.mark.parametrize(
    "begun",
    [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nx: 1", b"HTTP/1.1 103 Wait\r\n\r\n"],
)
async def test_a_kept_connection_that_dies_after_the_answer_began_is_not_stale(
    begun: bytes,
) -> None:
    """Somebody took the request: it is not made again for nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        writer.write(begun)
        await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        assert await response.read() == b"hi"
        response.close()
        with pytest.raises(UpstreamFault) as caught:
            await upstream.send(request(url))
    assert caught.value.fault is Fault.BROKEN


async def test_a_new_connection_that_dies_is_not_stale() -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with server(talk) as url, HttpUpstream() as upstream:
        with pytest.raises(UpstreamFault) as caught:
            await upstream.send(request(url))
    assert caught.value.fault is Fault.BROKEN


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n"],
    ids=["not http", "a header line over the limit"],
)
async def test_what_is_no_http_is_a_fault(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        with pytest.raises(UpstreamFault) as caught:
            await upstream.send(request(url))
    assert caught.value.fault is Fault.BROKEN


async def test_a_body_that_breaks_off_is_a_fault() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n5\r\nth")
        await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        with pytest.raises(UpstreamFault) as caught:
            while await response.read():
                pass
        response.close()
    assert caught.value.fault is Fault.BROKEN


async def test_a_cancelled_read_loses_nothing() -> None:
    go_on = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
        await writer.drain()
        await go_on.wait()
        writer.write(b"hi")
        await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await response.read()
        go_on.set()
        assert await response.read() == b"hi"
        response.close()


async def test_closing_early_hangs_up() -> None:
    hung_up = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhi")
        await writer.drain()
        assert await reader.read() == b""
        hung_up.set()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        assert await response.read() == b"hi"
        response.close()
        await asyncio.wait_for(hung_up.wait(), 60)


# aiohttp's, of what goes by a proxy.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
@pytest.mark.parametrize("by_proxy", [False, True])
@pytest.mark.parametrize("answers", [False, True])
async def test_what_an_upstream_does_not_read_is_not_kept_for_it(
    answers: bool, by_proxy: bool
) -> None:
    """It may never do: the connection would stay, with the body, as long as both of them run."""
    began, ended = asyncio.Event(), asyncio.Event()
    size, read = 30_000_000, 0
    whole_read: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal read
        await reader.readuntil(b"\r\n\r\n")
        if answers:
            writer.write(b"HTTP/1.1 413 Large\r\ncontent-length: 100\r\n\r\nno")
        began.set()
        await ended.wait()
        try:
            while piece := await reader.read(1 << 20):
                read += len(piece)
        except ConnectionError:
            pass
        whole_read.set_result(None)

    async with server(talk) as url, HttpUpstream() as upstream:
        link = Link(proxy=url) if by_proxy else DIRECT
        called = replace(request(url), body=b"x" * size, link=link)
        sending = asyncio.create_task(upstream.send(called))
        await began.wait()
        if answers:
            (await sending).close()
        else:
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
        await _turns()
        ended.set()
        await asyncio.wait_for(whole_read, 60)
    assert read < size


async def test_connecting_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    async with HttpUpstream() as upstream:
        with pytest.raises(UpstreamFault) as caught:
            await upstream.send(request("http://127.0.0.1:9/", connect=0.01))
    assert caught.value.fault is Fault.CONNECT
    assert "within" in str(caught.value)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL])
async def test_what_this_machine_lacks_is_not_held_against_a_target(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_socket(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", no_socket)
    async with HttpUpstream() as upstream:
        with pytest.raises(UpstreamFault) as caught:
            await upstream.send(request("http://127.0.0.1:9/v1"))
    assert caught.value.fault is Fault.UNSENT
    assert caught.value.fault in NO_VERDICT


async def test_an_answer_that_comes_before_the_body_was_read() -> None:
    """As of an upstream that refuses by the head alone; the connection still serves."""
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Large\r\ncontent-length: 2\r\n\r\nno")
            await writer.drain()
            await reader.readexactly(2)

    async with server(talk) as url, HttpUpstream() as upstream:
        for _ in range(2):
            response = await upstream.send(request(url))
            assert response.status == 413
            assert await response.read() == b"no"
            response.close()
    assert connections == 1


async def test_an_upstream_that_answers_and_hangs_up_before_it_read_the_body() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno")
        await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        for _ in range(2):
            response = await upstream.send(request(url))
            assert response.status == 413
            assert await response.read() == b"no"
            response.close()


async def test_what_comes_before_the_answer_is_no_answer() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        await writer.drain()
        writer.write(OK)
        await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        assert response.status == 200
        assert await response.read() == b"hi"
        response.close()


@pytest.mark.parametrize("later", [True, False])
async def test_an_answer_to_nothing_is_not_taken_for_the_next_one(later: bool) -> None:
    """As the 408 of a balancer that has waited long enough, or of one that mixes answers up."""
    go_on, connections = asyncio.Event(), 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(OK)
        if connections == 1:
            if later:
                await go_on.wait()
            writer.write(OK.replace(b"hi", b"no"))
        await writer.drain()
        await reader.read()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        assert await response.read() == b"hi"
        response.close()
        go_on.set()
        await _turns()
        if later:
            with pytest.raises(UpstreamFault) as caught:
                await upstream.send(request(url))
            assert caught.value.fault is Fault.STALE
        response = await upstream.send(request(url))
        assert await response.read() == b"hi"
        response.close()
    assert connections == 2


async def _turns() -> None:
    """Until what has been sent on this machine has come."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_reader_hears_that_the_answer_was_closed() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhi")  # its end is that of the connection
        await writer.drain()
        await reader.read()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(request(url))
        assert await response.read() == b"hi"
        reading = asyncio.create_task(response.read())
        await asyncio.sleep(0)
        response.close()
        with pytest.raises(UpstreamFault) as caught:
            await reading
        assert caught.value.fault is Fault.BROKEN
