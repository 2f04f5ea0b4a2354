"""Gemini's form, ``POST …:batchEmbedContents`` (wire reference B.1, B.8; google-genai's types)."""

from typing import Any, final

import msgspec

from lynkrc_runtime.protocol.conversation import BrokenAnswer
from lynkrc_runtime.protocol.dialect import Written
from lynkrc_runtime.protocol.embeddings.answer import Vectors
from lynkrc_runtime.protocol.embeddings.request import (
    EmbeddingRequest,
    texts_alone,
    unknown_members,
)
from lynkrc_runtime.protocol.embeddings.takes import Takes
from lynkrc_runtime.protocol.failures import broken, dig_message, failure_of
from lynkrc_runtime.protocol.outside import NOT_JSON


@final
class _Entry(msgspec.Struct, frozen=True):
    values: msgspec.Raw


@final
class _Body(msgspec.Struct, frozen=True):
    embeddings: list[_Entry] | None = None
    error: Any = None


def write_request(request: EmbeddingRequest, model: str, _: Takes) -> Written:
    """The body, one request a text; CannotTranslate for tokens."""
    name = model if model.startswith("models/") else f"models/{model}"
    entries: list[dict[str, Any]] = []
    for text in texts_alone(request):
        entry: dict[str, Any] = {"model": name, "content": {"parts": [{"text": text}]}}
        if request.dimensions is not None:
            entry["outputDimensionality"] = request.dimensions
        entries.append(entry)
    transforms = unknown_members(request, ("dimensions",))
    body = msgspec.json.encode({"requests": entries})
    return Written(body=body, headers={}, transforms=transforms)


def read_answer(body: bytes) -> Vectors:
    """The vectors; BrokenAnswer for anything else. No tokens are told."""
    try:
        value = msgspec.json.decode(body, type=_Body)
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream sent something else than embeddings")) from error
    if value.error:
        message, code, kind, param = dig_message(body)
        raise BrokenAnswer(failure_of(200, message or "upstream error", code, kind, param))
    if value.embeddings is None:
        raise BrokenAnswer(broken("upstream sent something else than embeddings"))
    return Vectors(vectors=tuple(entry.values for entry in value.embeddings), usage=None)
