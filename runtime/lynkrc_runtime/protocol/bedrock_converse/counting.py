"""Counting tokens at Bedrock: a Converse request without options, and the number (B.5)."""

from collections.abc import Mapping
from typing import final

import msgspec

from lynkrc_runtime.protocol.bedrock_converse.write_request import converse_body
from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import BrokenAnswer, Request
from lynkrc_runtime.protocol.dialect import Counting, TargetFacts, Written
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.outside import NOT_JSON

_COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")


@final
class _Counted(msgspec.Struct, frozen=True):
    tokens: int = msgspec.field(name="inputTokens")


def write_count(request: Request, facts: TargetFacts, headers: Mapping[str, str]) -> Written:
    """The request to the counting address. Raises CannotTranslate."""
    changes: Changes = {}
    body = converse_body(request, facts, headers, changes)
    counted = {name: body[name] for name in _COUNTED if name in body}
    return Written(
        body=msgspec.json.encode({"input": {"converse": counted}}),
        headers={},
        transforms=tuple(changes),
    )


def read_count(body: bytes) -> int:
    """The input tokens of the answer. Raises BrokenAnswer."""
    try:
        return msgspec.json.decode(body, type=_Counted).tokens
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream's count is malformed")) from error


COUNTING = Counting(write=write_count, read=read_count)
