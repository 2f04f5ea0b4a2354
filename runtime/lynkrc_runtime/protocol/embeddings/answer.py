"""Vectors of any upstream, to OpenAI's answer: numbers, or base64 of little-endian float32.

Clients ask for either and must get what they asked for, whatever the upstream sent (wire reference
0.12). What needs no change keeps the upstream's spelling.

>>> as_base64(msgspec.Raw(b"[1.0,-0.5]"))
'AACAPwAAAL8='
>>> bytes(as_numbers(msgspec.Raw(b'"AACAPwAAAL8="')))
b'[1.0,-0.5]'
"""

import base64
import binascii
import struct
from collections.abc import Mapping
from typing import Any, final

import msgspec

from lynkrc_runtime.protocol.conversation import BrokenAnswer, Failure, FailureClass, Usage
from lynkrc_runtime.protocol.embeddings.request import EmbeddingRequest
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.outside import NOT_JSON

_NUMBERS = msgspec.json.Decoder(list[float])


@final
class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """Each vector as the upstream wrote it, in the order of the inputs.

    `usage` is None where the upstream told nothing; `members` are others of its answer that
    OpenAI's form has a place for, as raw JSON.
    """

    vectors: tuple[msgspec.Raw, ...]
    usage: Usage | None
    members: Mapping[str, msgspec.Raw] = {}


def write_answer(found: Vectors, request: EmbeddingRequest, model: str, usage: Usage) -> bytes:
    """The body for the client. BrokenAnswer for vectors that are none, or of another length."""
    _check(found, request)
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": as_base64(one) if request.wants_base64 else as_numbers(one),
        }
        for index, one in enumerate(found.vectors)
    ]
    counts = {"prompt_tokens": usage.input, "total_tokens": usage.input}
    return msgspec.json.encode(
        {"object": "list", "data": data, "model": model, "usage": counts} | dict(found.members)
    )


def as_base64(vector: msgspec.Raw) -> str:
    """Base64 of little-endian float32. BrokenAnswer for no vector."""
    text = _text(vector)
    if text is not None:
        return text
    numbers = _numbers(vector)
    try:
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    except OverflowError as error:
        raise BrokenAnswer(broken("upstream sent a number beyond float32")) from error


def as_numbers(vector: msgspec.Raw) -> msgspec.Raw:
    """A JSON list of numbers. BrokenAnswer for no vector."""
    text = _text(vector)
    if text is None:
        _numbers(vector)
        return vector
    return msgspec.Raw(msgspec.json.encode(_unpacked(text)))


def length_of(vector: msgspec.Raw) -> int:
    """Dimensions. BrokenAnswer for no vector."""
    text = _text(vector)
    return len(_numbers(vector)) if text is None else len(_unpacked(text))


def _check(found: Vectors, request: EmbeddingRequest) -> None:
    if len(found.vectors) != request.count:
        raise BrokenAnswer(
            broken(f"upstream sent {len(found.vectors)} vectors for {request.count} inputs")
        )
    if request.dimensions is None:
        return
    for vector in found.vectors:
        length = length_of(vector)
        if length != request.dimensions:
            # Servers that do not know the wish ignore it, and the vectors would not compare.
            text = f"the target made {length} dimensions, not the {request.dimensions} asked for"
            raise BrokenAnswer(
                Failure(kind=FailureClass.MISFIT, status=0, message=text, param="dimensions")
            )


def _text(vector: msgspec.Raw) -> str | None:
    """The base64 text of a vector written so, checked; None for a list."""
    if not bytes(vector).lstrip().startswith(b'"'):
        return None
    try:
        text: Any = msgspec.json.decode(vector)
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream sent a vector that is not base64")) from error
    _unpacked(text)
    return str(text)


def _unpacked(text: str) -> tuple[float, ...]:
    try:
        data = base64.b64decode(text, validate=True)
        return struct.unpack(f"<{len(data) // 4}f", data)
    except (binascii.Error, ValueError, struct.error) as error:
        raise BrokenAnswer(broken("upstream sent a vector that is not base64")) from error


def _numbers(vector: msgspec.Raw) -> list[float]:
    try:
        return _NUMBERS.decode(vector)
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream sent a vector that is no list of numbers")) from error
