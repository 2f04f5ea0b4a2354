"""OpenAI's form, ``POST /embeddings``: the client's members pass as they came (A.2.5)."""

from typing import Any, final

import msgspec

from lynkrc_runtime.protocol.conversation import BrokenAnswer, CannotTranslate, Usage
from lynkrc_runtime.protocol.dialect import Written
from lynkrc_runtime.protocol.embeddings.answer import Vectors
from lynkrc_runtime.protocol.embeddings.request import EmbeddingRequest
from lynkrc_runtime.protocol.embeddings.takes import Takes
from lynkrc_runtime.protocol.failures import broken, dig_message, failure_of
from lynkrc_runtime.protocol.outside import NOT_JSON, count

_OURS = frozenset(("object", "data", "model", "usage"))


@final
class _Entry(msgspec.Struct, frozen=True):
    embedding: msgspec.Raw
    index: int | None = None


@final
class _Counts(msgspec.Struct, frozen=True):
    prompt_tokens: int | None = None


@final
class _Body(msgspec.Struct, frozen=True):
    data: list[_Entry] | None = None
    usage: _Counts | None = None
    error: Any = None


def write_request(request: EmbeddingRequest, model: str, takes: Takes) -> Written:
    """The body with its model replaced, and without what the provider does not take.

    What form vectors come in is no loss: they are turned into what the client asked for.
    CannotTranslate where the length of the vectors cannot be asked for.
    """
    changes: dict[str, None] = {}
    body: dict[str, Any] = {}
    for name, value in request.members.items():
        if name == "model":
            body[name] = model
        elif name == "input" or (name == "encoding_format" and takes.base64):
            body[name] = msgspec.Raw(value)
        elif value == b"null" or name == "encoding_format":
            continue
        elif takes.members is None or name in takes.members:
            body[name if takes.members is None else takes.members[name]] = msgspec.Raw(value)
        elif name == "dimensions":
            raise CannotTranslate(name, "the target's vectors have one length")
        else:
            changes[f"dropped={name}"] = None
    return Written(body=msgspec.json.encode(body), headers={}, transforms=tuple(changes))


def read_answer(body: bytes) -> Vectors:
    """The vectors by their index. BrokenAnswer for anything else."""
    try:
        value = msgspec.json.decode(body, type=_Body)
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream sent something else than embeddings")) from error
    if value.error:
        message, code, kind, param = dig_message(body)
        raise BrokenAnswer(failure_of(200, message or "upstream error", code, kind, param))
    if value.data is None:
        raise BrokenAnswer(broken("upstream sent something else than embeddings"))
    places = [
        place if entry.index is None else entry.index for place, entry in enumerate(value.data)
    ]
    if sorted(places) != list(range(len(places))):
        raise BrokenAnswer(broken("upstream sent vectors whose indices contradict"))
    ordered = sorted(zip(places, value.data, strict=True), key=lambda one: one[0])
    tokens = None if value.usage is None else count(value.usage.prompt_tokens)
    return Vectors(
        vectors=tuple(entry.embedding for _, entry in ordered),
        usage=None if tokens is None else Usage(input=tokens),
        members={name: member for name, member in members.items() if name not in _OURS},
    )
