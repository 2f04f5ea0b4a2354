"""A client over a real socket that stops reading for a while, and then reads on."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from aiohttp.test_utils import TestServer

from lynkrc_runtime.server import stream
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.times import Times
from lynkrc_runtime.upstream_http import HttpUpstream
from tests.e2e.hostile_lab import provider_of
from tests.e2e.hostile_server import Hostile, hostile, reply
from tests.e2e.scripted_answers import Said as Words
from tests.e2e.scripted_answers import render
from tests.runtime.by_hand import MESSAGES, Said, body, dispatch, gateway, policy, target

PATIENCE = 60.0
DELTAS, SIZE = 600, 60_000
"""More than the sockets between upstream and client can hold."""


def long_stream() -> Iterator[bytes]:
    asked = {"model": "m", "stream": True}
    whole = b"".join(render(Words(text="x"), MESSAGES, asked).pieces)
    events = [event + b"\n\n" for event in whole.split(b"\n\n")[:-1]]
    place = next(n for n, event in enumerate(events) if b"text_delta" in event)
    yield from events[:place]
    delta = {"type": "text_delta", "text": "y" * SIZE}
    data = {"type": "content_block_delta", "index": 0, "delta": delta}
    event = b"event: content_block_delta\ndata: " + json.dumps(data).encode() + b"\n\n"
    for _ in range(DELTAS):
        yield event
    yield from events[place + 1 :]


async def stands_still(upstream: Hostile, rounds: int) -> None:
    """Until the gateway has read no more for so many keep-alives of the gateway."""
    seen, still = -1, 0
    while still < rounds:
        still = still + 1 if upstream.sent == seen else 0
        seen = upstream.sent
        await asyncio.sleep(0.2)


async def test_a_client_that_stops_reading_gets_all_of_it_later() -> None:
    said = Said()
    settings = Settings(times=Times(keep_alive=0.1))
    async with hostile() as upstream, HttpUpstream() as http, asyncio.timeout(PATIENCE):
        upstream.says = reply("text/event-stream", long_stream())
        table = dispatch([provider_of(MESSAGES, upstream.url)], [target("t", 0, dialect=MESSAGES)])
        site = Site(gateway=gateway(policy(table), said, http=http, settings=settings))
        async with TestServer(client_app(site)) as served:
            reader, writer = await asyncio.open_connection(served.host, served.port, limit=1 << 20)
            sent = body(stream=True)
            head = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
            head += b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(sent)
            writer.write(head + sent)
            first = await reader.read(100)
            await stands_still(upstream, 5)
            assert upstream.sent < DELTAS * SIZE, "all of it is kept somewhere"
            assert said.lines == [], "a client that takes its time has not left"
            rest = await reader.read()
            writer.close()
    assert (first + rest).count(b"y" * 1000) >= DELTAS
    assert b"message_stop" in rest[-200:]
    assert said.request["class"] == "served"


async def test_a_client_given_up_on_does_not_find_a_clean_end_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "STALL_TIME", 0.3)
    said = Said()
    settings = Settings(times=Times(keep_alive=0.1))
    async with hostile() as upstream, HttpUpstream() as http, asyncio.timeout(PATIENCE):
        upstream.says = reply("text/event-stream", long_stream())
        table = dispatch([provider_of(MESSAGES, upstream.url)], [target("t", 0, dialect=MESSAGES)])
        site = Site(gateway=gateway(policy(table), said, http=http, settings=settings))
        async with TestServer(client_app(site)) as served:
            reader, writer = await asyncio.open_connection(served.host, served.port, limit=1 << 20)
            sent = body(stream=True)
            head = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n"
            head += b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(sent)
            writer.write(head + sent)
            await reader.read(100)
            while not said.lines:
                await asyncio.sleep(0.1)
            assert said.request["class"] == "aborted"
            got = b""
            with suppress(ConnectionError):
                while chunk := await asyncio.wait_for(reader.read(1 << 20), PATIENCE):
                    got = (got + chunk)[-100:]
            writer.close()
    assert not got.endswith(b"0\r\n\r\n"), "the answer ends as if it were whole"
