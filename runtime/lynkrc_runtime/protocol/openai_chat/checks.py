"""JSON of a client, to checked values: every mistake names its place (``messages.2.role``).

>>> as_text(7, "model")
Traceback (most recent call last):
lynkrc_runtime.protocol.conversation.MalformedRequest: model: must be a string, not a number
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.outside import why_not_json

_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_members(body: bytes) -> dict[str, bytes]:
    """The body's top-level members as raw JSON, in order; of repeated keys the last counts.

    Depth is bounded by the decoder, which stops at the interpreter's recursion limit.

    >>> read_members(b'{"model":"m", "seed":1, "seed":2e0}')
    {'model': b'"m"', 'seed': b'2e0'}
    """
    try:
        if not body.isascii():
            body.decode()
        members = _decode_members(body)
    except UnicodeDecodeError as error:
        raise MalformedRequest(None, f"the body is not UTF-8: {error.reason}") from error
    except msgspec.ValidationError as error:
        raise MalformedRequest(None, "the body must be a JSON object") from error
    except msgspec.DecodeError as error:
        why = why_not_json(error, body)
        raise MalformedRequest(None, f"the body is not JSON: {why}") from error
    except RecursionError as error:
        raise MalformedRequest(None, "the body is nested too deeply") from error
    return {name: bytes(raw) for name, raw in members.items()}


def decode_member(raw: bytes, name: str) -> Any:
    """One member as a value."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        # Strings of raw members are only looked at here: a lone surrogate, a number out of range.
        raise malformed(name, f"is not valid JSON ({why_not_json(error, raw)})") from error
    except RecursionError as error:
        raise malformed(name, "is nested too deeply") from error


def malformed(place: str, message: str) -> MalformedRequest:
    """The mistake at `place`, which the message names too."""
    return MalformedRequest(place, f"{place}: {message}")


def as_object(value: Any, place: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise _wrong(value, "an object", place)
    return value


def as_list(value: Any, place: str) -> list[Any]:
    """A JSON array."""
    if not isinstance(value, list):
        raise _wrong(value, "an array", place)
    return value


def as_text(value: Any, place: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise _wrong(value, "a string", place)
    return value


def as_flag(value: Any, place: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise _wrong(value, "true or false", place)
    return value


def as_number(value: Any, place: str) -> float:
    """A number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, "a number", place)
    return value


def as_integer(value: Any, place: str) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(value, "an integer", place)
    return value


def others(value: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The members that are not `known` and not null."""
    return {
        name: member for name, member in value.items() if name not in known and member is not None
    }


def _wrong(value: Any, wanted: str, place: str) -> MalformedRequest:
    return malformed(place, f"must be {wanted}, not {_kind(value)}")


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
