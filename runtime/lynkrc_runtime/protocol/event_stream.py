"""The bytes of AWS's binary event stream, to messages: headers and payload (wire reference B.5).

botocore takes frames apart; here the bytes are cut into frames, so that memory stays bounded and no
split costs more than another. Most frames have the headers of the one before: those are not taken
apart again (20 us each), only both checksums are looked at. botocore is an extra: it is imported
when the first reader is made.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, final

from msgspec import Struct

MAX_FRAME = 25 * 1024 * 1024
"""Bytes; AWS says 16 MB, its own client takes 24 MB of payload."""

CONTENT_TYPES = ("application/vnd.amazon.eventstream",)

_PRELUDE = 12
_CRC = 4
_SMALL = 1024 * 1024
"""Bytes of a frame that is far from every limit of botocore's."""
_sizes = struct.Struct("!III").unpack_from
"""Of a prelude: bytes of the frame, bytes of its headers, checksum of these two."""
_sum = struct.Struct("!I").unpack_from


@final
class Frame(Struct, frozen=True, gc=False):
    """One message. `kind` is event, exception or error; `name` its type or its error code."""

    kind: str
    name: str
    payload: bytes
    message: str = ""
    """Of an `error`, whose payload is empty."""


@final
class BrokenFrames(Exception):
    """The bytes are no event stream: a wrong checksum, length or header."""


@final
class FrameReader:
    """Feed bytes at any split; take whole frames."""

    __slots__ = ("_buffer", "_error", "_headers", "_known", "_make", "_total")

    def __init__(self) -> None:
        from botocore.eventstream import EventStreamBuffer, ParserError

        self._make: Any = EventStreamBuffer
        self._error: Any = ParserError
        self._buffer = bytearray()
        self._headers = b""
        """Those of the last frame, as they came; b'': none are known."""
        self._known = Frame(kind="", name="", payload=b"")
        """What they say."""
        self._total = 0
        """Bytes of the frame that has begun, 0 before its head is whole."""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames these bytes complete, one by one: what stands before a broken one counts.

        Raises BrokenFrames; nothing may be fed after that.
        """
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= _PRELUDE:
            total = self._total or _length(buffer, start)
            if len(buffer) - start < total:
                if not self._total:
                    # A false length must not make us wait for what never comes.
                    self._next(bytes(buffer[start : start + _PRELUDE]))
                    self._total = total
                break
            yield self._read(bytes(buffer[start : start + total]))
            start += total
            self._total = 0
        del buffer[:start]

    def _read(self, frame: bytes) -> Frame:
        _, size, crc = _sizes(frame)
        end = _PRELUDE + size
        headers, known = frame[_PRELUDE:end], self._known
        if headers != self._headers or not headers or not _is_sound(frame, crc):
            known = self._take_apart(frame)
            self._headers, self._known = headers, known
        payload = frame[end:-_CRC]
        return Frame(kind=known.kind, name=known.name, payload=payload, message=known.message)

    def _take_apart(self, frame: bytes) -> Frame:
        """What the headers of a frame say. Raises BrokenFrames."""
        message = self._next(frame)
        if message is None:
            raise BrokenFrames("half a frame")
        headers = {
            name: value if isinstance(value, str) else "" for name, value in message.headers.items()
        }
        kind = headers.get(":message-type", "event")
        name_of = {"exception": ":exception-type", "error": ":error-code"}
        return Frame(
            kind=kind,
            name=headers.get(name_of.get(kind, ":event-type"), ""),
            payload=b"",
            message=headers.get(":error-message", ""),
        )

    def _next(self, data: bytes) -> Any:
        """What botocore makes of it: a message, or None of a sound head alone."""
        buffer = self._make()
        buffer.add_data(data)
        try:
            return next(buffer, None)
        except self._error as error:
            raise BrokenFrames(str(error)) from error
        except (KeyError, IndexError, ValueError, struct.error) as error:
            raise BrokenFrames("a frame with malformed headers") from error


def _is_sound(frame: bytes, crc: int) -> bool:
    """Whether a frame's checksums are right, and its length is one that botocore takes."""
    return (
        len(frame) <= _SMALL
        and zlib.crc32(frame[: _PRELUDE - _CRC]) == crc
        and zlib.crc32(frame[:-_CRC]) == _sum(frame, len(frame) - _CRC)[0]
    )


def _length(buffer: bytearray, start: int) -> int:
    """Bytes of the frame that begins at `start`, as its head says. Raises BrokenFrames."""
    total, headers = struct.unpack_from("!II", buffer, start)
    if not headers + _PRELUDE + _CRC <= total <= MAX_FRAME:
        raise BrokenFrames("a frame of an impossible length")
    return int(total)
