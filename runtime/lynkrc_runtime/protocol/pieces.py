"""A stream's bytes to pieces of exactly one event each, every byte kept.

A pass-through relays these pieces as they are: what lies between two of them is a place where a
keep-alive or an error event may be put without breaking an event in two.

>>> splitter = EventSplitter()
>>> splitter.feed(b"data: 1\\n\\nda"), splitter.feed(b"ta: 2\\n\\n"), splitter.rest
([b'data: 1\\n\\n'], [b'data: 2\\n\\n'], b'')
"""

import re
from collections.abc import Iterator
from typing import final

from lynkrc_runtime.protocol.sse import MAX_EVENT, EventTooLarge

# A line end, then an empty line. A lone \r at the end of the bytes may be half of \r\n: wait.
_BOUNDARY = re.compile(rb"(?:\r\n|\n|\r(?!\n|\Z))(?:\r\n|\n|\r(?!\n|\Z))")


@final
class EventSplitter:
    """Feed bytes at any split; take whole events as the bytes that spelled them."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def rest(self) -> bytes:
        """Bytes of an event that is not whole yet."""
        return self._buffer

    def feed(self, chunk: bytes) -> list[bytes]:
        """The pieces these bytes complete. Raises EventTooLarge."""
        data = self._buffer + chunk if self._buffer else chunk
        pieces: list[bytes] = []
        start = 0
        for end in _ends(data):
            pieces.append(data[start:end])
            start = end
        self._buffer = data[start:]
        if len(self._buffer) > MAX_EVENT:
            raise EventTooLarge(f"an event exceeds {MAX_EVENT} bytes")
        return pieces


def _ends(data: bytes) -> Iterator[int]:
    """Where events end."""
    if b"\r" in data:
        for boundary in _BOUNDARY.finditer(data):
            yield boundary.end()
        return
    end = data.find(b"\n\n") + 2
    while end > 1:
        yield end
        end = data.find(b"\n\n", end) + 2
