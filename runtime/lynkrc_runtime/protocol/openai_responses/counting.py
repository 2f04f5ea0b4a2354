"""Counting tokens in the Responses dialect (wire reference C.6).

>>> read_count(b'{"object":"response.input_tokens","input_tokens":7}')
7
"""

from collections.abc import Mapping
from typing import final

import msgspec
from msgspec.structs import replace

from lynkrc_runtime.protocol.conversation import BrokenAnswer, Request
from lynkrc_runtime.protocol.dialect import Counting, TargetFacts, Written
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.openai_responses.pass_request import pass_request
from lynkrc_runtime.protocol.openai_responses.read_items import DIALECT_NAME
from lynkrc_runtime.protocol.openai_responses.write_request import write_request
from lynkrc_runtime.protocol.outside import NOT_JSON

_COUNTED = (
    "model",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "text",
    "truncation",
)
"""Members `POST /v1/responses/input_tokens` takes, those that rely on a store left out."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@final
class _Counted(msgspec.Struct, frozen=True):
    input_tokens: int


def write_count(request: Request, facts: TargetFacts, headers: Mapping[str, str]) -> Written:
    """The request to the counting address. Raises CannotTranslate."""
    write = pass_request if request.dialect == DIALECT_NAME else write_request
    written = write(request, facts, headers)
    members = _members(written.body)
    body = {name: members[name] for name in _COUNTED if name in members}
    return replace(written, body=msgspec.json.encode(body))


def read_count(body: bytes) -> int:
    """The input tokens of the answer. Raises BrokenAnswer."""
    try:
        return msgspec.json.decode(body, type=_Counted).input_tokens
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream's count is malformed")) from error


COUNTING = Counting(write=write_count, read=read_count)
