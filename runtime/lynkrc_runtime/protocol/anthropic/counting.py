"""Counting tokens in the Messages dialect (wire reference A.1.7)."""

from collections.abc import Mapping
from typing import final

import msgspec

from lynkrc_runtime.protocol.anthropic import raw
from lynkrc_runtime.protocol.anthropic.pass_request import pass_request
from lynkrc_runtime.protocol.anthropic.read_blocks import NAME
from lynkrc_runtime.protocol.anthropic.write_request import write_request
from lynkrc_runtime.protocol.conversation import BrokenAnswer, Request
from lynkrc_runtime.protocol.dialect import Counting, TargetFacts, Written
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.outside import NOT_JSON

_COUNTED = frozenset(
    ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config")
)
"""Members of a translated request that the counting address takes (SDK: count tokens params)."""


@final
class _Counted(msgspec.Struct, frozen=True):
    input_tokens: int


def write_count(request: Request, facts: TargetFacts, headers: Mapping[str, str]) -> Written:
    """The request to count: a client's own as it came, another dialect's translated."""
    if request.dialect == NAME:
        return pass_request(request, facts, headers)
    written = write_request(request, facts, headers)
    members = raw.members(written.body, None)
    body = raw.join({name: bytes(value) for name, value in members.items() if name in _COUNTED})
    return msgspec.structs.replace(written, body=body)


def read_count(body: bytes) -> int:
    """The input tokens of the answer. Raises BrokenAnswer."""
    try:
        return msgspec.json.decode(body, type=_Counted).input_tokens
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream's count is malformed")) from error


COUNTING = Counting(write=write_count, read=read_count)
