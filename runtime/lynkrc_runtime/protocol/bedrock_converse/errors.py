"""Bedrock's error answers and exception frames, to a classified `Failure` (wire reference B.5, D).

>>> read_failure(429, {"x-amzn-errortype": "ModelNotReadyException"}, b'{"message":"wait"}').status
503
"""

from collections.abc import Mapping
from types import MappingProxyType

from lynkrc_runtime.protocol.conversation import Failure
from lynkrc_runtime.protocol.event_stream import Frame
from lynkrc_runtime.protocol.failures import dig_message, failure_of, status_phrase

_STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "validation": 400,
        "accessdenied": 403,
        "resourcenotfound": 404,
        "modeltimeout": 408,
        "modelerror": 424,
        "modelstreamerror": 424,
        "throttling": 429,
        "servicequotaexceeded": 429,
        "internalserver": 500,
        "serviceunavailable": 503,
        # A model that is being loaded: 429 on the wire, but waiting is all it takes.
        "modelnotready": 503,
    }
)
"""Exception types, in small letters and without their ending, and the status each stands for."""


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> Failure:
    """An error answer. The type stands in a header, sometimes with an address behind it."""
    name = headers.get("x-amzn-errortype", "").partition(":")[0]
    message, code, kind, param = dig_message(body)
    return failure_of(
        status_of(name, status),
        message or status_phrase(status),
        code,
        name or kind,
        param,
        headers,
    )


def frame_failure(frame: Frame) -> Failure:
    """An exception or error frame inside a stream."""
    message, code, kind, param = (
        dig_message(frame.payload) if frame.payload else ("",) + (None,) * 3
    )
    text = message or frame.message or "upstream error"
    return failure_of(status_of(frame.name, 502), text, code, frame.name or kind, param)


def status_of(name: str, otherwise: int) -> int:
    """The HTTP status of an exception type.

    >>> status_of("throttlingException", 500), status_of("", 500)
    (429, 500)
    """
    return _STATUSES.get(name.lower().removesuffix("exception"), otherwise)
