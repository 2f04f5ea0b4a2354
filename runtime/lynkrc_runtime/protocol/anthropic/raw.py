"""JSON bytes to members and items that are still raw, naming the place of whatever is wrong.

Raw members keep the client's order and spelling; of a name that occurs twice the last value wins.
"""

from typing import Any, TypeAlias

import msgspec

from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.outside import NOT_JSON, why_not_json

Members: TypeAlias = dict[str, msgspec.Raw]

_members = msgspec.json.Decoder(Members).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.encode

_HEADS = {
    name: _encode(name) + b":"
    for name in ("model", "max_tokens", "system", "messages", "tools", "stream", "metadata")
}
"""What stands before the values that most bodies have."""
_KINDS = {
    b"{"[0]: "an object",
    b"["[0]: "a list",
    b'"'[0]: "a string",
    b"t"[0]: "a boolean",
    b"f"[0]: "a boolean",
    b"n"[0]: "null",
}


def kind(raw: msgspec.Raw | bytes) -> str:
    """What the value is, in words for a message."""
    data = bytes(raw)
    return _KINDS.get(data[0], "a number") if data else "nothing"


def is_null(raw: msgspec.Raw | bytes | None) -> bool:
    """Whether an optional member was not given, or given as null, which means the same."""
    return raw is None or bytes(raw) == b"null"


def members(raw: msgspec.Raw | bytes, place: str | None) -> Members:
    """The members of an object; MalformedRequest where it is none."""
    try:
        return _members(raw)
    except NOT_JSON as error:
        raise _wrong(error, raw, place, "an object") from error


def items(raw: msgspec.Raw | bytes, place: str) -> list[msgspec.Raw]:
    """The items of a list; MalformedRequest where it is none."""
    try:
        return _items(raw)
    except NOT_JSON as error:
        raise _wrong(error, raw, place, "a list") from error


def value(raw: msgspec.Raw | bytes, place: str) -> Any:
    """The value in full."""
    try:
        return msgspec.json.decode(raw)
    except NOT_JSON as error:
        raise _wrong(error, raw, place, "valid JSON") from error


def string(raw: msgspec.Raw | bytes | None, place: str) -> str:
    """A string that must be there."""
    if raw is None:
        raise MalformedRequest(place, f"{place}: field required")
    found = value(raw, place)
    if not isinstance(found, str):
        raise MalformedRequest(place, f"{place}: must be a string, not {kind(raw)}")
    return found


def optional_string(raw: msgspec.Raw | bytes | None, place: str) -> str | None:
    """A string, or None where it is absent or null."""
    return None if raw is None or is_null(raw) else string(raw, place)


def optional_boolean(raw: msgspec.Raw | bytes | None, place: str) -> bool | None:
    """A boolean, or None where it is absent or null."""
    if raw is None or is_null(raw):
        return None
    found = value(raw, place)
    if not isinstance(found, bool):
        raise MalformedRequest(place, f"{place}: must be true or false, not {kind(raw)}")
    return found


def optional_integer(raw: msgspec.Raw | bytes | None, place: str) -> int | None:
    """A whole number of at least 0, or None where it is absent or null."""
    if raw is None or is_null(raw):
        return None
    found = value(raw, place)
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise MalformedRequest(place, f"{place}: must be a whole number of at least 0")
    return found


def optional_number(raw: msgspec.Raw | bytes | None, place: str) -> float | None:
    """A number, or None where it is absent or null."""
    if raw is None or is_null(raw):
        return None
    found = value(raw, place)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise MalformedRequest(place, f"{place}: must be a number, not {kind(raw)}")
    try:
        return float(found)
    except OverflowError as error:
        raise MalformedRequest(place, f"{place}: is out of range") from error


def extra(found: Members, known: frozenset[str], place: str) -> dict[str, Any]:
    """The members a reader has no name for, parsed; null ones mean nothing and are left out."""
    if len(found) <= len(known) and found.keys() <= known:
        return {}
    return {
        name: value(raw, f"{place}.{name}")
        for name, raw in found.items()
        if name not in known and not is_null(raw)
    }


def join(found: dict[str, msgspec.Raw] | dict[str, bytes]) -> bytes:
    """An object of raw values, in order, every value byte for byte."""
    if not found:
        return b"{}"
    pieces: list[bytes | msgspec.Raw] = [b"{"]
    for name, raw in found.items():
        pieces.append(_HEADS.get(name) or _encode(name) + b":")
        pieces.append(raw)
        pieces.append(b",")
    pieces[-1] = b"}"
    return b"".join(pieces)


def join_items(found: list[msgspec.Raw] | list[bytes]) -> bytes:
    """A list of raw values, every value byte for byte."""
    return b"[" + b",".join(bytes(raw) for raw in found) + b"]"


def _wrong(
    error: Exception, raw: msgspec.Raw | bytes, place: str | None, wanted: str
) -> MalformedRequest:
    where = place or "the body"
    if isinstance(error, RecursionError):
        return MalformedRequest(place, f"{where}: JSON is nested too deeply")
    if isinstance(error, msgspec.ValidationError):
        return MalformedRequest(place, f"{where}: must be {wanted}, not {kind(raw)}")
    return MalformedRequest(place, f"{where} is not valid JSON ({why_not_json(error, bytes(raw))})")
