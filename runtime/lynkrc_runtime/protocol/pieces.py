"""A stream's bytes to pieces of exactly one event each, every byte kept.

A pass-through relays these pieces as they are: what lies between two of them is a place where a
keep-alive or an error event may be put without breaking an event in two.

>>> splitter = EventSplitter()
>>> splitter.feed(b"data: 1\\n\\nda"), splitter.feed(b"ta: 2\\n\\n"), splitter.rest
([b'data: 1\\n\\n'], [b'data: 2\\n\\n'], b'')
"""

import re
from typing import final

from lynkrc_runtime.protocol.sse import MAX_EVENT, EventTooLarge

# A line end, then an empty line. A lone \r at the end of the bytes may be half of \r\n: wait.
_BOUNDARY = re.compile(rb"(?:\r\n|\n|\r(?!\n|\Z))(?:\r\n|\n|\r(?!\n|\Z))")

_HALF = 3
"""Bytes of the longest end of an event that is not whole."""


@final
class EventSplitter:
    """Feed bytes at any split; take whole events as the bytes that spelled them."""

    __slots__ = ("_buffer", "_is_mixed")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_mixed = False
        """Whether lines may end in other ways than ``\\n``."""

    @property
    def is_between(self) -> bool:
        """Whether no event has begun that is not whole."""
        return not self._buffer

    @property
    def rest(self) -> bytes:
        """Bytes of an event that is not whole yet."""
        return bytes(self._buffer)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The pieces these bytes complete. Raises EventTooLarge."""
        self._is_mixed = self._is_mixed or b"\r" in chunk
        if not self._buffer:
            if not self._is_mixed and chunk.find(b"\n\n") == len(chunk) - 2 >= 0:
                return [chunk]
            pieces = self._cut(chunk, 0)
        else:
            # What was looked at before is not looked at again, but for half an end of an event.
            begin = max(0, len(self._buffer) - _HALF)
            buffer, self._buffer = self._buffer, bytearray()
            buffer += chunk
            pieces = self._cut(buffer, begin)
        if len(self._buffer) > MAX_EVENT:
            raise EventTooLarge(f"an event exceeds {MAX_EVENT} bytes")
        return pieces

    def _cut(self, data: bytes | bytearray, begin: int) -> list[bytes]:
        """The whole events, which end behind `begin`; the rest becomes the buffer."""
        pieces: list[bytes] = []
        start = 0
        if self._is_mixed:
            for boundary in _BOUNDARY.finditer(data, begin):
                pieces.append(bytes(data[start : boundary.end()]))
                start = boundary.end()
        else:
            while (end := data.find(b"\n\n", max(start, begin))) >= 0:
                pieces.append(bytes(data[start : end + 2]))
                start = end + 2
        if start < len(data):
            self._buffer = bytearray(data[start:]) if start or isinstance(data, bytes) else data
        return pieces
