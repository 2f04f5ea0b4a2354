"""A stop under way: what is accepted, what ends by itself, and what is cut off with a word."""

import asyncio
import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientResponse, ClientSession, TCPConnector

from tests.e2e import versions
from tests.e2e.gateway import PATIENCE, GatewayProcess, serving
from tests.e2e.held_upstream import held_upstream, is_whole
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES, body

JSON = {"content-type": "application/json"}
PATHS = {
    MESSAGES: "/v1/messages",
    CHAT: "/v1/chat/completions",
    RESPONSES: "/v1/responses",
}


async def until_draining(session: ClientSession, gateway: GatewayProcess) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            async with session.get(gateway.admin + "/health/ready") as probe:
                if probe.status == 503:
                    assert (await probe.json())["status"] == "draining"
                    return


async def ended(gateway: GatewayProcess) -> int:
    return await asyncio.to_thread(gateway.process.wait, PATIENCE)


async def test_a_stop_accepts_for_a_while_and_ends_connections(tmp_path: Path) -> None:
    async with held_upstream() as upstream:
        made = versions.write(tmp_path, 1, upstream.url)
        # Long enough for a slow machine: the test ends it by its second signal.
        with serving(made, tmp_path / "log", ["--stop-delay", "600"]) as gateway:
            async with ClientSession() as session:
                gateway.process.send_signal(signal.SIGTERM)
                await until_draining(session, gateway)
                upstream.let_go.set()
                for stream in (False, True):
                    async with session.post(
                        gateway.url + "/v1/messages", data=body(stream=stream), headers=JSON
                    ) as answer:
                        content = await answer.read()
                        assert answer.status == 200
                        assert answer.headers["connection"] == "close"
                        assert not stream or is_whole(content, 1)
                async with session.get(gateway.url + "/v1/models") as answer:
                    assert answer.headers["connection"] == "close"
                gateway.process.send_signal(signal.SIGHUP)
                async with asyncio.timeout(PATIENCE):
                    while not [line for line in gateway.lines if line["event"] == "reload"]:
                        await asyncio.sleep(0.01)
                (line,) = [line for line in gateway.lines if line["event"] == "reload"]
                assert line["reason"] == "the gateway is stopping"
                gateway.process.send_signal(signal.SIGTERM)
                assert await ended(gateway) != 0


async def test_what_runs_ends_by_itself(tmp_path: Path) -> None:
    usage = tmp_path / "usage.jsonl"
    async with held_upstream() as upstream:
        made = versions.write(tmp_path, 1, upstream.url)
        with serving(made, tmp_path / "log", ["--usage-log", str(usage)]) as gateway:
            async with ClientSession(connector=TCPConnector(limit=0)) as session:

                async def ask(stream: bool) -> bytes:
                    async with session.post(
                        gateway.url + "/v1/messages", data=body(stream=stream), headers=JSON
                    ) as answer:
                        assert answer.status == 200
                        return await answer.read()

                asked = [asyncio.create_task(ask(bool(n % 2))) for n in range(20)]
                await upstream.wait_for_held(20)
                gateway.process.send_signal(signal.SIGTERM)
                await until_draining(session, gateway)
                upstream.let_go.set()
                contents = await asyncio.gather(*asked)
                assert all(is_whole(content, 1) for content in contents[1::2])
            assert await ended(gateway) == 0
            assert [line["class"] for line in gateway.requests] == ["served"] * 20
    assert usage.read_text().count('"kind":"request"') == 20


def _error_of(dialect: str, content: bytes) -> None:
    """Assert that a stream ends with its dialect's error and not as if it were whole."""
    if dialect == MESSAGES:
        assert b"event: error" in content and b"message_stop" not in content
        assert b"overloaded_error" in content
    elif dialect == CHAT:
        assert b'"error"' in content and b"[DONE]" not in content
    else:
        assert b"response.failed" in content and b"response.completed" not in content
    assert b"the gateway is stopping" in content


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT, RESPONSES])
async def test_what_does_not_end_is_cut_off_with_a_word(tmp_path: Path, dialect: str) -> None:
    async with held_upstream() as upstream:
        made = versions.write(tmp_path, 1, upstream.url)
        with serving(made, tmp_path / "log", ["--drain", "0.5"]) as gateway:
            async with ClientSession() as session:

                def post(stream: bool) -> Any:
                    return session.post(
                        gateway.url + PATHS[dialect],
                        data=body(dialect, stream=stream),
                        headers=JSON,
                    )

                async def whole() -> tuple[ClientResponse, bytes]:
                    async with post(stream=False) as answer:
                        return answer, await answer.read()

                waiting = asyncio.create_task(whole())
                async with post(stream=True) as answer:
                    assert await answer.content.readany()
                    await upstream.wait_for_held(2)
                    gateway.process.send_signal(signal.SIGTERM)
                    _error_of(dialect, await answer.read())
                refused, content = await waiting
                assert refused.status == (529 if dialect == MESSAGES else 503)
                assert refused.headers["x-should-retry"] == "true"
                wait = "5" if dialect == RESPONSES else "2"
                assert refused.headers["retry-after"] == wait
                assert b"the gateway is stopping" in content
            assert await ended(gateway) == 0
            assert sorted(line["class"] for line in gateway.requests) == ["broken", "transient"]
            assert [line["requests"] for line in gateway.lines if line["event"] == "cut-off"] == [2]


async def test_a_body_that_does_not_come_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    made = versions.write(tmp_path, 1, "http://127.0.0.1:1")
    with serving(made, tmp_path / "log", ["--drain", "0.1"]) as gateway:
        place = urlsplit(gateway.url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(
            b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: 9\r\nexpect: 100-continue\r\n\r\n"
        )
        # It is under way before the stop.
        await asyncio.wait_for(reader.readuntil(b"100 Continue\r\n\r\n"), PATIENCE)
        gateway.process.send_signal(signal.SIGTERM)
        heard = await asyncio.wait_for(reader.read(), PATIENCE)
        assert heard.startswith(b"HTTP/1.1 529") and b"the gateway is stopping" in heard
        writer.close()
        assert await ended(gateway) == 0
        assert [line["requests"] for line in gateway.lines if line["event"] == "cut-off"] == [1]
