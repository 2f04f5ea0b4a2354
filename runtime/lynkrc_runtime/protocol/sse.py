"""Server-sent events: bytes to (event, data) pairs, and values to bytes.

Lines end only at ``\\n``, ``\\r\\n`` or ``\\r`` and are split before decoding: U+2028 and a UTF-8
character cut in two by the network are harmless (wire reference A.0). Memory is bounded.
"""

import re
from collections.abc import Callable
from typing import Any, final

import msgspec

MAX_EVENT = 64 * 1024 * 1024
"""Bytes one event may take before the stream counts as broken."""

_LINE = 64
"""Bytes of memory a line takes beside its text, about."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_USUAL = re.compile(rb"(?:event: ?([^\r\n]*+)\r?\n)?data: ?([^\r\n]*+)\r?\n\r?\n")
"""A whole event as nearly every server spells it: a name, maybe, and one line of data."""
_SEPARATORS = re.compile("[\u0085\u2028\u2029]")
_encode = msgspec.json.Encoder().encode


@final
class EventTooLarge(Exception):
    """One event exceeded `MAX_EVENT`."""


@final
class SseParser:
    """Feed bytes at any split; take whole events.

    >>> parser = SseParser()
    >>> parser.feed(b"event: ping\\nda"), parser.feed(b"ta: {}\\n\\n")
    ([], [('ping', b'{}')])
    """

    __slots__ = ("_buffer", "_data", "_event", "_held", "_size")

    def __init__(self) -> None:
        self._buffer = b""
        """The line that has begun, but for `_held`: what came of it since without a line end."""
        self._held = bytearray()
        self._event = ""
        self._data: list[bytes] = []
        self._size = 0

    @property
    def is_between(self) -> bool:
        """Whether no event has begun that is not whole."""
        return not (self._buffer or self._data or self._event)

    def feed(self, chunk: bytes) -> list[tuple[str, bytes]]:
        """The events these bytes complete: event name ('' without one) and joined data lines."""
        events: list[tuple[str, bytes]] = []
        buffer = chunk
        if self._buffer:
            if self._holds(chunk):
                return events
            buffer = b"".join((self._buffer, self._held, chunk))
            self._held.clear()
        if not self._data and not self._event:
            buffer = self._read_usual(buffer, events)
            if not buffer:
                self._buffer = buffer
                return events
        if b"\r" not in buffer:
            *lines, self._buffer = buffer.split(b"\n")
            for line in lines:
                self._line(line, events)
        else:
            self._buffer = self._read_mixed(buffer, events)
        if len(self._buffer) + self._size > MAX_EVENT:
            raise EventTooLarge(f"an event exceeds {MAX_EVENT} bytes")
        return events

    def _holds(self, chunk: bytes) -> bool:
        """Keep more of a line without end for later: a long one costs no more than its length."""
        if b"\n" in chunk or b"\r" in chunk or self._buffer.endswith(b"\r"):
            return False
        self._held += chunk
        if len(self._buffer) + len(self._held) + self._size > MAX_EVENT:
            raise EventTooLarge(f"an event exceeds {MAX_EVENT} bytes")
        return True

    def _read_usual(self, buffer: bytes, events: list[tuple[str, bytes]]) -> bytes:
        """Read the events of the usual spelling at the head; returns what is left."""
        position = 0
        while position < len(buffer) and (event := _USUAL.match(buffer, position)):
            name, data = event.groups()
            events.append((name.decode("utf-8", "replace") if name else "", data))
            position = event.end()
        return buffer[position:]

    def _read_mixed(self, buffer: bytes, events: list[tuple[str, bytes]]) -> bytes:
        """Read the lines, whatever ends them; returns what is left."""
        position = 0
        for end in _LINE_END.finditer(buffer):
            # A trailing \r may be the first half of \r\n: wait for the next byte.
            if end.group() == b"\r" and end.end() == len(buffer):
                break
            self._line(buffer[position : end.start()], events)
            position = end.end()
        return buffer[position:]

    def _line(self, line: bytes, events: list[tuple[str, bytes]]) -> None:
        if not line:
            if self._data:
                events.append((self._event, b"\n".join(self._data)))
            self._event, self._data, self._size = "", [], 0
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            # The line counts too: empty ones without end would fill the memory all the same.
            self._size += len(value) + _LINE
        elif field == b"event":
            self._event = value.decode("utf-8", "replace")
        # Comments, id, retry: nothing we relay depends on them.


def to_json(value: Any) -> bytes:
    """Compact JSON; U+0085, U+2028 and U+2029 escaped, since some clients split lines at them."""
    data = _encode(value)
    if data.isascii():
        return data
    if has_separators(data):
        text = data.decode()
        data = _SEPARATORS.sub(lambda match: f"\\u{ord(match.group()):04x}", text).encode()
    return data


def has_separators(data: bytes) -> bool:
    """Whether there may be one of the characters `to_json` escapes."""
    return b"\xe2\x80" in data or b"\xc2\x85" in data


def around(event: bytes, member: str) -> tuple[bytes, bytes]:
    r"""What stands around the value of the last such member of an event, which is ''.

    >>> around(data_bytes({"say": ""}), "say")
    (b'data: {"say":', b'}\n\n')
    """
    before, name, behind = event.rpartition(f'"{member}":""'.encode())
    return before + name[:-2], behind


def pen(around: tuple[bytes, bytes]) -> Callable[[str], bytes]:
    r"""Writes events that are alike but for one text.

    >>> pen((b'data: {"say":', b'}\n\n'))("Hi")
    b'data: {"say":"Hi"}\n\n'
    """
    before, behind = around

    def write(text: str) -> bytes:
        # Most are ASCII, which `to_json` would look for behind a call.
        said = _encode(text) if text.isascii() else to_json(text)
        return before + said + behind

    return write


def event_bytes(name: str, value: Any) -> bytes:
    """A named event (Anthropic)."""
    return b"event: " + name.encode() + b"\ndata: " + to_json(value) + b"\n\n"


def data_bytes(value: Any) -> bytes:
    """An unnamed event (OpenAI Chat)."""
    return b"data: " + to_json(value) + b"\n\n"
