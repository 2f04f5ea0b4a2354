"""Newline-delimited JSON: bytes at any split, to whole lines, in bounded memory.

>>> lines = LineSplitter()
>>> lines.feed(b'{"a":1}\\n{"b"'), lines.feed(b':2}\\r\\n\\n'), lines.rest()
([b'{"a":1}'], [b'{"b":2}'], b'')
"""

from typing import final

from lynkrc_runtime.protocol.sse import MAX_EVENT, EventTooLarge


@final
class LineSplitter:
    """Feed bytes; take lines without their ends. Blank lines are left out."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines these bytes complete. Raises EventTooLarge beyond `MAX_EVENT` bytes."""
        first, *others = data.split(b"\n")
        # A long line grows in place: it costs no more than its size.
        self._held += first
        if len(self._held) > MAX_EVENT:
            raise EventTooLarge(f"a line exceeds {MAX_EVENT} bytes")
        if not others:
            return []
        lines = [self.rest(), *others[:-1]]
        self._held += others[-1]
        return [line for line in map(bytes.strip, lines) if line]

    def rest(self) -> bytes:
        """What came after the last line end; it is forgotten."""
        line = bytes(self._held).strip()
        self._held.clear()
        return line
