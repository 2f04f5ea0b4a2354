"""Counting tokens in the Messages dialect (wire reference A.1.7)."""

from typing import final

import msgspec

from lynkrc_runtime.protocol.anthropic.pass_request import pass_request
from lynkrc_runtime.protocol.conversation import BrokenAnswer
from lynkrc_runtime.protocol.dialect import Counting
from lynkrc_runtime.protocol.failures import broken


@final
class _Counted(msgspec.Struct, frozen=True):
    input_tokens: int


def read_count(body: bytes) -> int:
    """The input tokens of the answer. Raises BrokenAnswer."""
    try:
        return msgspec.json.decode(body, type=_Counted).input_tokens
    except msgspec.DecodeError as error:
        raise BrokenAnswer(broken("upstream's count is malformed")) from error


COUNTING = Counting(write=pass_request, read=read_count)
