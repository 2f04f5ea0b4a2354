"""A whole answer to the bytes that are sent, head and body in one piece, for clients of HTTP/1.1.

aiohttp's own `Response` gets the same ends by ways that fit every answer; nearly all of ours are of
this one kind. What it offers beyond is left to it: see `is_usual`.

>>> head(200, {"content-type": "application/json"}, 2, "Sun, 01 Nov 2026 10:00:00 GMT")[:17]
b'HTTP/1.1 200 OK\\r\\n'
"""

import re
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final, final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter

from lynkrc_runtime.scan.engines import native_lines

SERVER: Final = "lynkrc"
"""The header `Server`; aiohttp's own tells its version and Python's."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ANY = "application/octet-stream"


def is_usual(request: web.BaseRequest, status: int) -> bool:
    """Whether an answer of this status to the request can be a `WholeAnswer`."""
    headers = request.headers
    return (
        request.version == HttpVersion11
        and has_body(status)
        and request.method != hdrs.METH_HEAD
        and hdrs.ORIGIN not in headers
        and hdrs.UPGRADE not in headers
    )


def has_body(status: int) -> bool:
    """Whether an answer of this status ends with its body, as nearly all do."""
    return status >= 200 and status not in (204, 304)


@final
class WholeAnswer(web.StreamResponse):
    """An answer whose headers are settled, but for whether its connection goes on."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status=status)
        self._asked: web.BaseRequest | None = None
        self._fields = headers
        self._content = body
        self._goes_on = True

    @property
    def keep_alive(self) -> bool:
        """Whether the connection takes another request."""
        return self._goes_on

    def force_close(self) -> None:
        """End the connection after it."""
        self._goes_on = False

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Know who asked; nothing goes out before the body does."""
        self._asked = request
        if not request.keep_alive:
            self._goes_on = False
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Send it. Raises ConnectionResetError where the client has gone."""
        assert not data, "the body is known"
        request, self._asked = self._asked, None
        if request is None:
            return
        protocol = request.protocol
        transport = protocol.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        body, date = self._content, date_of(int(time.time()))
        said = head(self.status, self._fields, len(body), date, goes_on=self._goes_on)
        transport.write(said + body)
        if protocol.writing_paused:
            await request.writer.drain()


def head(
    status: int, fields: Mapping[str, str], length: int, date: str, *, goes_on: bool = True
) -> bytes:
    """The head of an answer. Raises ValueError for what would be read as another line."""
    kind = "" if "content-type" in fields else f"content-type: {_ANY}\r\n"
    close = "" if goes_on else "connection: close\r\n"
    behind = f"{kind}{close}Content-Length: {length}\r\nDate: {date}\r\n\r\n"
    return _written(_first(status), fields, behind.encode())


def stream_head(fields: Mapping[str, str], date: str, *, goes_on: bool) -> bytes:
    """The head of a streamed answer, whose pieces follow as chunks. Raises ValueError as `head`."""
    close = "" if goes_on else "Connection: close\r\n"
    behind = f"{close}Transfer-Encoding: chunked\r\nDate: {date}\r\n\r\n"
    return _written(_first(200), fields, behind.encode())


def _written(before: bytes, fields: Mapping[str, str], behind: bytes) -> bytes:
    if native_lines is not None and type(fields) is dict:
        written = native_lines(before, fields, behind)
        if written is not None:
            return written
    return before + lines(fields) + behind


def lines(fields: Mapping[str, str]) -> bytes:
    """A line for each header, as the native kernel writes them. Raises ValueError as `head`."""
    values = "".join(fields.values())
    if not values.isprintable() and _CONTROL.search(values) is not None:
        raise ValueError("a header holds a control character")
    return "".join([f"{name}: {value}\r\n" for name, value in fields.items()]).encode()


@lru_cache(maxsize=64)
def _first(status: int) -> bytes:
    """The first line, and the header that is always the same."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = ""
    return f"HTTP/1.1 {status} {reason}\r\nServer: {SERVER}\r\n".encode()


@lru_cache(maxsize=1)
def date_of(second: int) -> str:
    """A moment (Unix seconds) as HTTP writes it."""
    return formatdate(second, usegmt=True)
