"""What a head to an upstream may hold: nothing in it becomes another header, or another line."""

import asyncio

import pytest
from msgspec.structs import replace

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.upstream import UpstreamFault
from lynkrc_runtime.upstream_http import AT_ONCE, HttpUpstream
from tests.runtime.upstream_lab import OK, read_request, request, server


@pytest.mark.parametrize("size", [2, AT_ONCE + 1])
@pytest.mark.parametrize("control", ["\r\nx-other: b", "\r", "\n", "\0", "\x0b", "\x7f"])
@pytest.mark.parametrize("place", ["name", "value"])
async def test_no_header_brings_another_with_it(place: str, control: str, size: int) -> None:
    talked = False

    async def talk(*_: object) -> None:
        nonlocal talked
        talked = True

    text = f"a{control}b"
    headers = {text: "1"} if place == "name" else {"x-thing": text}
    async with server(talk) as url, HttpUpstream() as upstream:
        with pytest.raises(UpstreamFault) as caught:
            await upstream.send(replace(request(url), headers=headers, body=b"x" * size))
        assert caught.value.fault is Fault.BROKEN
    assert not talked, "nothing is connected to for it"


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a: 1, b", "\u00e9", "a\t"])
async def test_what_is_no_name_of_a_header_is_not_sent(name: str) -> None:
    async with server(lambda _r, _w: asyncio.sleep(0)) as url, HttpUpstream() as upstream:
        with pytest.raises(UpstreamFault) as caught:
            await upstream.send(replace(request(url), headers={"x-a": "1", name: "1"}))
    assert caught.value.fault is Fault.BROKEN


async def test_a_tab_is_a_blank_like_another() -> None:
    """A client may send one; a call that failed for it would be held against the target."""
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(OK)
        await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        response = await upstream.send(replace(request(url), headers={"traceparent": "a\tb"}))
        response.close()
    assert b"\r\ntraceparent: a\tb\r\n" in seen[0]


async def test_no_address_brings_a_header_with_it() -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(OK)
        await writer.drain()

    async with server(talk) as url, HttpUpstream() as upstream:
        called = request(f"{url}/a%0d%0ax: 1\u00e9\x0b\x85")
        response = await upstream.send(called)
        response.close()
    line, *rest = seen[0].split(b"\r\n")
    assert line.startswith(b"POST /v1/chat/completions/a%0D%0Ax:%201%C3%A9")
    assert line.count(b" ") == 2
    assert not any(one.startswith(b"x") for one in rest)
