"""What the HTTP server itself cannot read: refused, and logged without a word of it."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.serving import runner
from lynkrc_runtime.telemetry.log import Level, Log
from tests.runtime.by_hand import Said, dispatch, gateway, policy, provider, target

HEAD = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
async def port(said: Said) -> AsyncIterator[int]:
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    site = Site(gateway=gateway(policy(table), said))
    made = runner(client_app(site), Log(write=said.write), 1.0)
    await made.setup()
    await web.TCPSite(made, "127.0.0.1", 0).start()
    yield made.addresses[0][1]
    await made.cleanup()


async def talk(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "line",
    [b"x-api-key: sk-SECRET\x01x", b"x-api-key: sk-SECRET" + b"a" * 70_000],
    ids=["control character", "too long"],
)
async def test_a_header_that_cannot_be_read_is_not_logged(
    port: int, said: Said, line: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = await talk(port, HEAD + line + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 400 ")
    (line_said,) = said.lines
    assert line_said["event"] == "http" and line_said["type"]
    assert "SECRET" not in str(said.lines) + "".join(capfd.readouterr())


async def test_a_body_that_is_not_what_its_encoding_says_is_a_400_in_shape(
    port: int, said: Said, capfd: pytest.CaptureFixture[str]
) -> None:
    body = b"SECRET not gzip"
    head = HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body)
    answer = await talk(port, head + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"type":"invalid_request_error"' in answer
    assert "SECRET" not in str(said.lines) + "".join(capfd.readouterr())


class _Deaf(io.StringIO):
    def write(self, text: str, /) -> int:
        raise BrokenPipeError


def test_a_log_nobody_reads_any_more_fails_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", _Deaf())
    Log().line(Level.INFO, "event")


def test_a_line_is_ascii_whatever_a_client_calls_its_model() -> None:
    lines: list[str] = []
    Log(write=lines.append, clock=lambda: 0.0).line(Level.INFO, "event", model="a\x9b31m\u2028é")
    (line,) = lines
    assert line.isascii() and line.count("\n") == 1
    assert json.loads(line)["model"] == "a\x9b31m\u2028é"
