"""The body of ``POST /v1/embeddings``, to what is asked (wire reference A.2.5).

>>> asked = read_request(b'{"model":"m","input":"Hi","encoding_format":"base64"}')
>>> asked.texts, asked.wants_base64
(('Hi',), True)
"""

from collections.abc import Mapping
from typing import Any, final

import msgspec

from lynkrc_runtime.protocol.conversation import CannotTranslate, MalformedRequest
from lynkrc_runtime.protocol.outside import NOT_JSON


@final
class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. One of `texts` and `tokens` has an entry for each vector, the other is empty.

    `members` are the body's members as raw JSON, in the client's order and spelling.
    """

    model: str
    texts: tuple[str, ...]
    tokens: tuple[tuple[int, ...], ...]
    dimensions: int | None
    wants_base64: bool
    members: Mapping[str, bytes]

    @property
    def count(self) -> int:
        """Vectors asked for."""
        return len(self.texts) + len(self.tokens)


def read_request(body: bytes) -> EmbeddingRequest:
    """Raises MalformedRequest, which names the member."""
    try:
        raw = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        value = msgspec.json.decode(body)
    except NOT_JSON as error:
        raise MalformedRequest(None, "the body must be a JSON object") from error
    model = value.get("model")
    if not isinstance(model, str) or not model:
        raise MalformedRequest("model", "model must be a string that is not empty")
    if value.get("stream"):
        raise MalformedRequest("stream", "embeddings are not streamed")
    encoding = value.get("encoding_format")
    if encoding not in (None, "float", "base64"):
        raise MalformedRequest("encoding_format", "encoding_format must be float or base64")
    dimensions = value.get("dimensions")
    if dimensions is not None and (not _is_int(dimensions) or dimensions < 1):
        raise MalformedRequest("dimensions", "dimensions must be a number from 1")
    if not isinstance(value.get("user"), str | None):
        raise MalformedRequest("user", "user must be a string")
    texts, tokens = _input(value.get("input"))
    return EmbeddingRequest(
        model=model,
        texts=texts,
        tokens=tokens,
        dimensions=dimensions,
        wants_base64=encoding == "base64",
        members={name: bytes(member) for name, member in raw.items()},
    )


def texts_alone(request: EmbeddingRequest) -> tuple[str, ...]:
    """The texts. CannotTranslate where tokens were sent, which only the asked model knows."""
    if request.tokens:
        raise CannotTranslate("input", "the target takes texts, no tokens")
    return request.texts


def unknown_members(request: EmbeddingRequest, known: tuple[str, ...]) -> tuple[str, ...]:
    """The losses of a form that has only the `known` members."""
    asked = ("model", "input", "encoding_format", *known)
    return tuple(
        f"dropped={name}"
        for name, value in request.members.items()
        if name not in asked and value != b"null"
    )


def _input(given: Any) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    if isinstance(given, str):
        return (given,), ()
    if isinstance(given, list) and given:
        if all(isinstance(one, str) for one in given):
            return tuple(given), ()
        if all(map(_is_int, given)):
            return (), (tuple(given),)
        if all(isinstance(one, list) and one and all(map(_is_int, one)) for one in given):
            return (), tuple(tuple(one) for one in given)
    raise MalformedRequest(
        "input", "input must be a text, a list of texts, a list of tokens, or a list of such lists"
    )


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
