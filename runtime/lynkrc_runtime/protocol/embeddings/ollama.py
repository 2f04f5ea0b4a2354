"""Ollama's form, ``POST /api/embed`` (wire reference B.10).

A text longer than the model's context is cut in silence unless `truncate` forbids it
(github.com/ollama/ollama/issues/14259); then it is refused, as OpenAI refuses it.
"""

from typing import Any, final

import msgspec

from lynkrc_runtime.protocol.conversation import BrokenAnswer, Usage
from lynkrc_runtime.protocol.dialect import Written
from lynkrc_runtime.protocol.embeddings.answer import Vectors
from lynkrc_runtime.protocol.embeddings.request import (
    EmbeddingRequest,
    texts_alone,
    unknown_members,
)
from lynkrc_runtime.protocol.embeddings.takes import Takes
from lynkrc_runtime.protocol.failures import broken, dig_message, failure_of
from lynkrc_runtime.protocol.outside import NOT_JSON, count


@final
class _Body(msgspec.Struct, frozen=True):
    embeddings: list[msgspec.Raw] | None = None
    prompt_eval_count: int | None = None
    error: Any = None


def write_request(request: EmbeddingRequest, model: str, _: Takes) -> Written:
    """The body; CannotTranslate for tokens."""
    body: dict[str, Any] = {"model": model, "input": texts_alone(request), "truncate": False}
    if request.dimensions is not None:
        # Older servers ignore it; the answer's length tells.
        body["dimensions"] = request.dimensions
    transforms = unknown_members(request, ("dimensions",))
    return Written(body=msgspec.json.encode(body), headers={}, transforms=transforms)


def read_answer(body: bytes) -> Vectors:
    """The vectors; BrokenAnswer for anything else."""
    try:
        value = msgspec.json.decode(body, type=_Body)
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream sent something else than embeddings")) from error
    if value.error:
        message, code, kind, param = dig_message(body)
        raise BrokenAnswer(failure_of(200, message or "upstream error", code, kind, param))
    if value.embeddings is None:
        raise BrokenAnswer(broken("upstream sent something else than embeddings"))
    tokens = count(value.prompt_eval_count)
    return Vectors(
        vectors=tuple(value.embeddings),
        usage=None if tokens is None else Usage(input=tokens),
    )
