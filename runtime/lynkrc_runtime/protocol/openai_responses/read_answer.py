"""A whole response of an upstream, to a neutral `Answer` (wire reference A.3.2, C.5.3).

>>> read_answer(b'{"id":"r","status":"completed","output":[{"type":"message",'
...             b'"content":[{"type":"output_text","text":"Hi"}]}]}').blocks
(Text(text='Hi', extra={}),)
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    BrokenAnswer,
    Failure,
    Refusal,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.dialect import ANY_TARGET, TargetFacts
from lynkrc_runtime.protocol.failures import broken, dig_value, failure_of
from lynkrc_runtime.protocol.openai_responses.read_output import list_of, read_item, text_of
from lynkrc_runtime.protocol.openai_responses.usage import read_stop, read_usage
from lynkrc_runtime.protocol.outside import NOT_JSON

ENDED = ("completed", "incomplete")
"""Statuses of a response that is an answer."""


def read_answer(body: bytes, facts: TargetFacts = ANY_TARGET) -> Answer:
    """The answer of an upstream's 200; BrokenAnswer where that is no answer."""
    try:
        value = msgspec.json.decode(body)
    except NOT_JSON as error:
        raise BrokenAnswer(broken(_no_json(body))) from error
    if not isinstance(value, dict):
        raise BrokenAnswer(broken("upstream answered with something else than an object"))
    failure = failure_in(value)
    if failure is not None:
        raise BrokenAnswer(failure)
    if not isinstance(value.get("output"), list):
        raise BrokenAnswer(broken("upstream answered without output"))
    blocks: list[Block] = []
    lost: dict[str, None] = {}
    for number, item in enumerate(list_of(value["output"])):
        if not isinstance(item, dict):
            raise BrokenAnswer(broken("upstream answered with an output item that is no object"))
        read = read_item(item, facts.maker, number)
        blocks += read.blocks
        lost |= dict.fromkeys(read.lost)
    stop = read_stop(
        value,
        has_calls=any(isinstance(block, ToolCall) for block in blocks),
        has_refusal=any(isinstance(block, Refusal) for block in blocks),
    )
    return Answer(
        id=text_of(value.get("id")),
        model=text_of(value.get("model")),
        blocks=tuple(blocks),
        stop=stop,
        stop_sequence=None,
        usage=read_usage(value.get("usage")) or Usage(reported=False),
        lost=tuple(lost),
    )


def failure_in(response: Mapping[str, Any]) -> Failure | None:
    """The failure a response or an error body tells of; None for an answer.

    >>> failure_in({"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow"}}
    ...            ).status
    429
    """
    status = text_of(response.get("status"))
    if response.get("error") or status == "failed":
        message, code, kind, param = dig_value(response)
        if message == "" and status == "failed":
            message = "the upstream's answer failed"
        return failure_of(200, message or "upstream error", code, kind, param)
    if status and status not in ENDED:
        return broken(f"upstream ended with status {status}")
    return None


def _no_json(body: bytes) -> str:
    start = body.lstrip()[:1]
    if not start:
        return "upstream answered with an empty body"
    kind = "a web page" if start == b"<" else "something else"
    return f"upstream answered with {kind}, not JSON"
