"""The binary stream of Bedrock's InvokeModel, to the server-sent events of Messages it carries.

Each `chunk` holds one event's data in base64 (wire reference B.5). What a Messages server would
have sent comes out: an exception becomes an `error` event, Bedrock's own member goes.
"""

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType
from typing import final

import msgspec

from lynkrc_runtime.protocol import sse
from lynkrc_runtime.protocol.anthropic import raw
from lynkrc_runtime.protocol.bedrock_converse.errors import frame_failure
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.event_stream import BrokenFrames, Frame, FrameReader
from lynkrc_runtime.protocol.outside import NOT_JSON

_METRICS = "amazon-bedrock-invocationMetrics"

_TYPES: Mapping[int, str] = MappingProxyType(
    {
        400: "invalid_request_error",
        403: "permission_error",
        404: "not_found_error",
        408: "timeout_error",
        429: "rate_limit_error",
        503: "overloaded_error",
    }
)
"""Statuses of exceptions and the error type a Messages server has for them; others: api_error."""


@final
class _Chunk(msgspec.Struct):
    bytes: str


@final
class _Typed(msgspec.Struct):
    type: str


@final
class InvokeUnwrapper:
    """Feed bytes at any split; take whole events as bytes."""

    __slots__ = ("_frames", "_is_broken")

    def __init__(self) -> None:
        self._frames = FrameReader()
        self._is_broken = False

    def feed(self, data: bytes) -> bytes:
        """The events these bytes complete; frames that are none end it with an error event."""
        events: list[bytes] = []
        if self._is_broken:
            return b""
        try:
            for frame in self._frames.feed(data):
                events.append(_event(frame))
        except BrokenFrames as error:
            self._is_broken = True
            events.append(_error("api_error", f"upstream sent a malformed stream: {error}"))
        return b"".join(events)


def _error(kind: str, message: str) -> bytes:
    error = {"type": kind, "message": message}
    return sse.event_bytes("error", {"type": "error", "error": error})


def _event(frame: Frame) -> bytes:
    if frame.kind != "event":
        failure = frame_failure(frame)
        return _error(_TYPES.get(failure.status, "api_error"), failure.message)
    if frame.name != "chunk":
        return b""
    try:
        chunk = msgspec.json.decode(frame.payload, type=_Chunk)
        # White space between JSON's tokens would end a line of the event.
        data = base64.b64decode(chunk.bytes).replace(b"\n", b"").replace(b"\r", b"")
        name = msgspec.json.decode(data, type=_Typed).type
        if _METRICS.encode() in data:
            members = raw.members(data, None)
            members.pop(_METRICS, None)
            data = raw.join(members)
    except (*NOT_JSON, binascii.Error, ValueError, MalformedRequest) as error:
        raise BrokenFrames("a chunk that holds no event") from error
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
