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
_LONGEST_END = 4
"""Bytes an end has at most."""


@final
class EventSplitter:
    """Feed bytes at any split; take whole events as the bytes that spelled them."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def rest(self) -> bytes:
        """Bytes of an event that is not whole yet."""
        return bytes(self._held)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The pieces these bytes complete. Raises EventTooLarge."""
        pieces: list[bytes] = []
        held = self._held
        if held:
            # An event in many pieces is put together once: one without an end costs its size only.
            begin = max(0, len(held) - _LONGEST_END)
            held += chunk
            if _BOUNDARY.search(held, begin) is None:
                self._check()
                return pieces
            chunk = bytes(held)
            held.clear()
        start = 0
        for end in _ends(chunk):
            pieces.append(chunk[start:end])
            start = end
        held += chunk[start:]
        self._check()
        return pieces

    def _check(self) -> None:
        if len(self._held) > MAX_EVENT:
            raise EventTooLarge(f"an event exceeds {MAX_EVENT} bytes")


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
