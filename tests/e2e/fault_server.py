"""An upstream whose model name chooses how it fails: every fault of the matrix, on raw sockets.

A request for the model `stall` is answered with a stall, in whatever dialect its path is of;
`healthy` answers well. Every connection serves one request, so no fault spoils the next row.
"""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeAlias

from tests.e2e.scripted_answers import Said, refusal, render

SAID = Said(text="All of it came.")
MARK = b"All of"
"""What a stream has said when it breaks in the middle."""
EMPTY = Said(text="", fresh=120, cached=0, output=0)

ANTHROPIC, CHAT, EMBEDDINGS = "anthropic-messages", "openai-chat", "embeddings"
_DIALECTS = {"/v1/messages": ANTHROPIC, "/v1/chat/completions": CHAT, "/v1/embeddings": EMBEDDINGS}
_HUGE = 200_000
_TORN = b"400\r\nabc"
"""A chunk that ends long before its time."""


class End(Enum):
    """What follows the bytes of an answer."""

    CLOSE = "close"
    RESET = "reset"
    STAY = "stay"


@dataclass(frozen=True)
class Says:
    """The bytes of an answer, those sent once the client has read them, and what comes then.

    Without that pause a gateway may find the fault before it has passed on a word, and still has
    a choice.
    """

    data: bytes = b""
    end: End = End.CLOSE
    later: bytes | None = None


Fault: TypeAlias = Callable[[str, bool], Says]
"""(dialect, whether a stream is asked for) -> the answer."""


def answer(
    body: bytes, content_type: str, status: str = "200 OK", headers: Mapping[str, str] | None = None
) -> Says:
    """A whole answer."""
    sent = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
    return Says(_head(status, sent) + body)


def broken_off(body: bytes, content_type: str, end: End = End.CLOSE) -> Says:
    """The start of an answer in chunks."""
    head = _head("200 OK", {"content-type": content_type, "transfer-encoding": "chunked"})
    return Says(head + (_chunk(body) if body else b""), end)


def goes_on(begun: Says, rest: bytes, stream: bool) -> Says:
    """An answer and what follows it; of a stream the client has heard the beginning then."""
    if stream:
        return replace(begun, later=rest)
    return replace(begun, data=begun.data + rest)


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


def _head(status: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode()


def _type(stream: bool) -> str:
    return "text/event-stream" if stream else "application/json"


def _sound(dialect: str, stream: bool, said: Said = SAID) -> bytes:
    if dialect == EMBEDDINGS:
        vectors = [] if said is EMPTY else [_VECTOR]
        return json.dumps({"object": "list", "model": "m", "data": vectors}).encode()
    asked = {"model": "m", "stream": stream, "stream_options": {"include_usage": True}}
    return b"".join(render(said, dialect, asked).pieces)


_VECTOR = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}


def _half(dialect: str, stream: bool) -> bytes:
    whole = _sound(dialect, stream)
    if not stream:
        return whole[:40]
    return whole[: whole.index(b"\n\n", whole.index(MARK)) + 2]


def _opening(dialect: str) -> bytes:
    """A stream that has begun and said nothing."""
    whole = _sound(dialect, True)
    return whole[: whole.index(b"\n\n") + 2]


def _status(status: int, **headers: str) -> Fault:
    def fault(dialect: str, _: bool) -> Says:
        raw = refusal(dialect, "the scripted refusal", status)
        return answer(b"".join(raw.pieces), "application/json", f"{status} No", headers)

    return fault


def _after(seconds: int, status: int) -> Fault:
    return _status(status, **{"retry-after": str(seconds)})


def _redirect(_: str, __: bool) -> Says:
    return answer(b"", "text/plain", "307 Go", {"location": "http://127.0.0.1:1/v1/messages"})


def _huge_header(dialect: str, stream: bool) -> Says:
    return answer(_sound(dialect, stream), _type(stream), headers={"x-a": "a" * _HUGE})


FAULTS: Mapping[str, Fault] = {
    "healthy": lambda dialect, stream: answer(_sound(dialect, stream), _type(stream)),
    "reset-early": lambda _, __: Says(b"", End.RESET),
    "reset-headers": lambda _, stream: broken_off(b"", _type(stream), End.RESET),
    "e500": _status(500),
    "e500-after": _after(7, 500),
    "e429": _status(429),
    "e429-after": _after(9, 429),
    "e529": _status(529),
    "e529-after": _after(7, 529),
    "e401": _status(401),
    "e404": _status(404),
    "e400": _status(400),
    "slow": lambda _, __: Says(b"", End.STAY),
    "stall": lambda dialect, stream: broken_off(_half(dialect, stream), _type(stream), End.STAY),
    "torn": lambda dialect, stream: goes_on(
        broken_off(_half(dialect, stream), _type(stream)), _TORN, stream
    ),
    "torn-early": lambda dialect, stream: goes_on(
        broken_off(_opening(dialect) if stream else b"", _type(stream)), _TORN, False
    ),
    "html": lambda _, __: answer(b"<html><body>It works!</body></html>", "text/html"),
    "garbage": lambda _, __: answer(b"{]\xff", "application/json"),
    "bad-sse": lambda _, __: answer(b"data: {]\n\ndata: \xff\xfe\n\n", "text/event-stream"),
    "bad-sse-later": lambda dialect, stream: goes_on(
        broken_off(_half(dialect, stream), "text/event-stream"),
        _chunk(b"data: {]\n\n") + b"0\r\n\r\n",
        stream,
    ),
    "blank": lambda _, stream: answer(b"", _type(stream)),
    "empty": lambda dialect, stream: answer(_sound(dialect, stream, EMPTY), _type(stream)),
    "redirect": _redirect,
    "huge-header": _huge_header,
}
"""By the name of the model; a refused connection needs no server."""


@dataclass
class FaultServer:
    """`heard` are the rows (by the name at their prompt's end) whose client has read the beginning.

    `open` counts the connections nobody has closed.
    """

    url: str = ""
    heard: dict[str, asyncio.Event] = field(default_factory=dict)
    open: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request, one fault."""
        self.open += 1
        try:
            path, body = await _request(reader)
            says = FAULTS[body["model"]](_DIALECTS[path], body.get("stream") is True)
            writer.write(says.data)
            await writer.drain()
            if says.later is not None:
                await self.heard[name_of(body)].wait()
                writer.write(says.later)
            match says.end:
                case End.STAY:
                    await reader.read()
                case End.RESET:
                    # Nothing lingers: what closes the connection is a reset.
                    option = struct.pack("ii", 1, 0)
                    writer.get_extra_info("socket").setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, option
                    )
                case End.CLOSE:
                    pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.open -= 1


def name_of(body: Mapping[str, Any]) -> str:
    """The name of a row: the last of the words of the only message, in either dialect."""
    content = body["messages"][0]["content"]
    return str(content if isinstance(content, str) else content[0]["text"]).rsplit(" ", 1)[1]


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, Any]]:
    head = await reader.readuntil(b"\r\n\r\n")
    path = head.split(b" ", 2)[1].decode()
    size = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            size = int(line.partition(b":")[2])
    return path, json.loads(await reader.readexactly(size))


@asynccontextmanager
async def fault_server() -> AsyncIterator[FaultServer]:
    """The server, on a free port."""
    made = FaultServer()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, backlog=1024)
    host, port = server.sockets[0].getsockname()[:2]
    made.url = f"http://{host}:{port}"
    try:
        yield made
    finally:
        server.close()
