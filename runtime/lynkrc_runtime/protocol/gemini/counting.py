"""Counting tokens with `:countTokens` (wire reference C.6)."""

from collections.abc import Mapping
from typing import final

import msgspec

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import BrokenAnswer, Request
from lynkrc_runtime.protocol.dialect import Counting, TargetFacts, Written
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.gemini.write_request import encoded, write_body
from lynkrc_runtime.protocol.gemini.write_tools import Json
from lynkrc_runtime.protocol.outside import NOT_JSON

_COUNTED = ("systemInstruction", "contents", "tools", "toolConfig")
"""Members of a request that are part of its prompt."""


@final
class _Counted(msgspec.Struct, frozen=True, rename="camel"):
    total_tokens: int


def write_count(request: Request, facts: TargetFacts, _: Mapping[str, str]) -> Written:
    """The request whose tokens are counted: the whole prompt, not its contents alone."""
    changes: Changes = {}

    def counted() -> Json:
        body = write_body(request, facts, changes)
        prompt = {name: body[name] for name in _COUNTED if name in body}
        return {"generateContentRequest": {"model": f"models/{facts.model}", **prompt}}

    return Written(body=encoded(counted), headers={}, transforms=tuple(changes))


def read_count(body: bytes) -> int:
    """The input tokens of the answer. Raises BrokenAnswer."""
    try:
        return msgspec.json.decode(body, type=_Counted).total_tokens
    except NOT_JSON as error:
        raise BrokenAnswer(broken("upstream's count is malformed")) from error


COUNTING = Counting(write=write_count, read=read_count)
