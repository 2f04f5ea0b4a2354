"""An answer's status, headers and body to the bytes of it, which are handed on in one piece.

aiohttp's `Response` finds out again what is known here: that nothing is compressed, that there are
no cookies, how long the body is.
"""

from collections.abc import Callable, Mapping
from typing import final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http_writer import _serialize_headers

TOGETHER = 64 * 1024
"""Bytes of a body that are copied behind its head rather than sent after it."""


@final
class Whole(web.StreamResponse):
    """An answer to a POST that is there already. `last_words` has the last say on its headers."""

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        last_words: Callable[[web.Request, web.StreamResponse], None],
    ) -> None:
        super().__init__(status=status, headers=headers)
        self._bytes = body
        self._last_words = last_words

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write it. What aiohttp does after that finds nothing left to do.

        Raises ConnectionError when the client has gone.
        """
        if self._eof_sent:
            return
        assert isinstance(request, web.Request)
        self._last_words(request, self)
        body, headers = self._bytes, self._headers
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        headers[hdrs.CONTENT_LENGTH] = str(len(body))
        headers[hdrs.DATE] = rfc822_formatted_time()
        if request.version >= HttpVersion11:
            line = f"HTTP/1.1 {self._status} {self._reason}"
            if not self._keep_alive:
                headers.setdefault(hdrs.CONNECTION, "close")
        else:
            line = f"HTTP/1.0 {self._status} {self._reason}"
            if self._keep_alive:
                headers.setdefault(hdrs.CONNECTION, "keep-alive")
        # Raises ValueError for a value that would end its line.
        head = _serialize_headers(line, headers)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        if len(body) <= TOGETHER:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        self._eof_sent = True
        self._body_length = len(body)
        protocol = request.protocol
        if protocol.writing_paused:
            await protocol._drain_helper()
