"""Whole answers, as they come over a socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

import pytest
from aiohttp import web
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lynkrc_runtime.scan.engines import native_lines
from lynkrc_runtime.server.client_routes import HttpClient
from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.http import before_answer
from lynkrc_runtime.server.whole_answer import head, lines, stream_head


@asynccontextmanager
async def connected(
    body: bytes, *, closes: bool = False
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        client = HttpClient(request, Stopping())
        await client.answer(200, {"x-thing": "1"}, body)
        assert client.response is not None
        if closes:
            client.response.force_close()
        return client.response

    app = web.Application()
    app.on_response_prepare.append(before_answer)
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
    try:
        yield reader, writer
    finally:
        writer.close()
        await runner.cleanup()


async def ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begin: bytes
) -> tuple[bytes, dict[bytes, bytes], bytes]:
    writer.write(begin + b"\r\nhost: h\r\ncontent-length: 0\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    line, *rest = head.rstrip().split(b"\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(b": ") for one in rest)}
    return line, headers, await reader.readexactly(int(headers[b"content-length"]))


@pytest.mark.parametrize("size", [0, 2, 65_536, 65_537, 1_000_000])
async def test_a_connection_takes_one_answer_after_another(size: int) -> None:
    async with connected(b"x" * size) as (reader, writer):
        for _ in range(2):
            line, headers, body = await ask(reader, writer, b"POST / HTTP/1.1")
            assert line == b"HTTP/1.1 200 OK"
            assert (headers[b"x-thing"], headers[b"server"]) == (b"1", b"lynkrc")
            assert b"date" in headers
            assert b"connection" not in headers
            assert body == b"x" * size


@pytest.mark.parametrize(
    ("begin", "line"),
    [
        (b"POST / HTTP/1.0", b"HTTP/1.0 200 OK"),
        (b"POST / HTTP/1.1\r\nconnection: close", b"HTTP/1.1 200 OK"),
    ],
)
async def test_a_connection_that_is_not_kept_ends_with_the_answer(
    begin: bytes, line: bytes
) -> None:
    async with connected(b"hi") as (reader, writer):
        found, headers, body = await ask(reader, writer, begin)
        assert (found, body) == (line, b"hi")
        assert headers.get(b"connection", b"close") == b"close"
        assert await reader.read() == b""


async def test_a_kept_connection_of_an_old_client_is_told_so() -> None:
    async with connected(b"hi") as (reader, writer):
        for _ in range(2):
            _, headers, _ = await ask(reader, writer, b"POST / HTTP/1.0\r\nconnection: keep-alive")
            assert headers[b"connection"] == b"keep-alive"


async def test_an_answer_that_is_to_end_its_connection_does() -> None:
    async with connected(b"hi", closes=True) as (reader, writer):
        _, headers, _ = await ask(reader, writer, b"POST / HTTP/1.1")
        assert headers[b"connection"] == b"close"
        assert await reader.read() == b""


@settings(max_examples=200, deadline=None)
@example({"x-a": "\ud800"}, True)
@example({"x-a": "caf\u00e9\ud800\n"}, True)
@given(
    st.dictionaries(st.sampled_from(["x-a", "x-b", "content-type"]), st.text(max_size=40)),
    st.booleans(),
)
def test_the_kernel_writes_the_lines_that_python_writes(
    fields: dict[str, str], goes_on: bool
) -> None:
    def said(given: Mapping[str, str]) -> bytes | type[ValueError]:
        try:
            whole = head(200, given, 3, "now", goes_on=goes_on)
            stream = stream_head(given, "now", goes_on=goes_on)
        except ValueError:
            return ValueError
        return whole + stream

    # What is no dict is not for the kernel.
    assert said(fields) == said(MappingProxyType(fields))
    if native_lines is not None and isinstance(said(fields), bytes):
        assert native_lines(b"", fields, b"") == lines(fields)


@pytest.mark.parametrize("control", ["\r\nx-other: b", "\r", "\n", "\0", "\x7f"])
def test_no_header_of_an_answer_brings_another_with_it(control: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        head(200, {"x-thing": f"a{control}b"}, 0, "now")


def test_the_head_has_what_every_answer_has_and_a_tab_may_stand_in_it() -> None:
    fields = {"content-type": "application/json", "x-thing": "a\tb"}
    assert head(529, fields, 2, "now") == (
        b"HTTP/1.1 529 \r\nServer: lynkrc\r\ncontent-type: application/json\r\nx-thing: a\tb\r\n"
        b"Content-Length: 2\r\nDate: now\r\n\r\n"
    )
