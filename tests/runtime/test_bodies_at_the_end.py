"""A body that still comes when its connection is told to end: it is taken, or refused with a word.

Both framings: one body with a length, which we wait for, and one in chunks, which goes by aiohttp.
"""

import asyncio

import pytest

from lynkrc_runtime.server import http as guards
from lynkrc_runtime.server.crowd import _send_away
from tests.runtime.connection_lab import (
    HEAD,
    NEXT,
    PATIENCE,
    Lending,
    answer,
    asked,
    lending,
    turns,
)

LARGE = b"[%b]" % (b" " * 1_000_000)
"""More than is read ahead."""


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lending:
    return lending(monkeypatch)


def halves(body: bytes, *, chunked: bool) -> tuple[bytes, bytes]:
    """A request up to the midst of its body, and the rest."""
    middle = len(body) // 2
    if not chunked:
        whole = asked(body)
        return whole[: middle - len(body)], whole[middle - len(body) :]
    first, second = (b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:middle], body[middle:]))
    return HEAD + b"transfer-encoding: chunked\r\n\r\n" + first, second + b"0\r\n\r\n"


framings = pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])


@framings
@pytest.mark.parametrize("body", [b"[12345678]", LARGE], ids=["small", "large"])
async def test_a_crowd_lets_a_body_come(lab: Lending, chunked: bool, body: bytes) -> None:
    async with lab() as one:
        begin, rest = halves(body, chunked=chunked)
        reader, writer = await one.connect()
        writer.write(begin)
        (protocol,) = await one.coming()
        _send_away(protocol)
        writer.write(rest)
        assert await answer(reader) == (b"200", body)
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b"", "no other request is taken"
        assert len(one.direct) == (not chunked)


@framings
async def test_nothing_is_taken_behind_the_body(lab: Lending, chunked: bool) -> None:
    async with lab() as one:
        begin, rest = halves(b"[12345678]", chunked=chunked)
        reader, writer = await one.connect()
        writer.write(begin)
        (protocol,) = await one.coming()
        _send_away(protocol)
        writer.write(rest + NEXT)
        heard = await asyncio.wait_for(reader.read(), PATIENCE)
        assert heard.endswith(b"[12345678]")
        assert heard.count(b"HTTP/1.1") == 1


@framings
async def test_a_body_comes_before_its_request_begins(lab: Lending, chunked: bool) -> None:
    async with lab() as one:
        begin, rest = halves(b"[12345678]", chunked=chunked)
        reader, writer = await one.connect()
        (protocol,) = one.connections()
        protocol.data_received(begin)
        _send_away(protocol)
        protocol.data_received(rest + NEXT)
        assert await answer(reader) == (b"200", b"[12345678]")
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b"", "no other request is taken"
        writer.close()


@framings
@pytest.mark.parametrize("body", [b"[12345678]", LARGE], ids=["small", "large"])
async def test_a_stop_lets_a_body_come(lab: Lending, chunked: bool, body: bytes) -> None:
    async with lab(patience=PATIENCE) as one:
        before = asyncio.all_tasks()
        begin, rest = halves(body, chunked=chunked)
        reader, writer = await one.connect()
        writer.write(begin)
        await one.coming()
        one.site.stopping.is_draining = True
        stopping = asyncio.create_task(one.server.cleanup())
        await turns()
        writer.write(rest)
        assert await answer(reader) == (b"200", body)
        await asyncio.wait_for(stopping, PATIENCE / 2)
        await turns()
        assert asyncio.all_tasks() == before


@framings
async def test_a_body_that_the_stop_does_not_wait_for_is_refused_with_a_word(
    lab: Lending, chunked: bool
) -> None:
    async with lab(patience=PATIENCE) as one:
        before = asyncio.all_tasks()
        begin, _ = halves(b"[12345678]", chunked=chunked)
        reader, writer = await one.connect()
        writer.write(begin)
        await one.coming()
        one.site.stopping.is_draining = True
        stopping = asyncio.create_task(one.server.cleanup())
        await turns()
        assert len(one.site.stopping) == 1
        assert one.site.stopping.cut() == 1
        heard = await asyncio.wait_for(reader.read(), PATIENCE)
        assert heard.startswith(b"HTTP/1.1 529")
        assert b"connection: close" in heard.lower()
        assert b"the gateway is stopping" in heard
        await asyncio.wait_for(stopping, PATIENCE / 2)
        await turns()
        assert asyncio.all_tasks() == before
        assert len(one.site.stopping) == one.site.shedding.active == 0


@framings
async def test_who_leaves_while_the_stop_cuts_it_off_leaves_nothing(
    lab: Lending, chunked: bool
) -> None:
    async with lab() as one:
        begin, _ = halves(b"[12345678]", chunked=chunked)
        _, writer = await one.connect()
        writer.write(begin)
        (protocol,) = await one.coming()
        one.site.stopping.cut()
        writer.transport.abort()
        protocol.connection_lost(None)
        async with asyncio.timeout(PATIENCE):
            while one.site.shedding.active:
                await turns()
        await turns()
        assert [line["event"] for line in one.said.lines if line["event"] != "refused"] == []
        assert len(one.site.stopping) == 0


async def test_a_mistake_of_the_guard_is_answered(
    lab: Lending, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise ValueError("secret")

    async with lab() as one:
        reader, writer = await one.connect()
        writer.write(asked(b"[1]"))
        assert await answer(reader) == (b"200", b"[1]")
        with monkeypatch.context() as patched:
            patched.setattr(guards, "_caller", mistaken)
            writer.write(asked(b"[2]", b"x-other: 1"))
            heard = await asyncio.wait_for(reader.read(), PATIENCE)
        assert heard.startswith(b"HTTP/1.1 500")
        assert b"secret" not in heard
        assert {line["type"] for line in one.said.lines if line["event"] == "http"} == {
            "ValueError"
        }
        assert await one.says(asked(b"[3]"), NEXT), "others are served"
