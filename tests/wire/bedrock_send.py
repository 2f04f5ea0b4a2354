"""Neutral requests, and what the Converse writer makes of them: judged by botocore every time."""

from itertools import pairwise
from typing import Any

from lynkrc_runtime.protocol.bedrock_converse import TARGET
from lynkrc_runtime.protocol.conversation import Message, Request
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.shapes import RequestShape
from tests.wire.anthropic_send import request
from tests.wire.bedrock_frames import CLAUDE, check_input


def facts(model: str = CLAUDE, **more: Any) -> TargetFacts:
    fields: dict[str, Any] = {
        "model": model,
        "max_output": 64000,
        "capabilities": frozenset(),
        "shape": RequestShape(),
        "maker": f"bedrock/{model}",
    }
    return TargetFacts(**(fields | more))


def send(
    given: Request, model: str = CLAUDE, headers: dict[str, str] | None = None, **more: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(body, transforms); botocore takes the body, and nothing is blank in it."""
    written = TARGET.write_request(given, facts(model, **more), headers or {})
    body = check_input(written.body)
    assert body["messages"][0]["role"] == "user"
    roles = [turn["role"] for turn in body["messages"]]
    assert all(one != two for one, two in pairwise(roles))
    for turn in body["messages"]:
        assert turn["content"]
        assert all(part["text"].strip() for part in turn["content"] if "text" in part)
    has_calls = any("toolUse" in part for turn in body["messages"] for part in turn["content"])
    assert not has_calls or "toolConfig" in body
    return body, written.transforms


def turns(*messages: Message, **more: Any) -> list[dict[str, Any]]:
    return list(send(request(*messages), **more)[0]["messages"])
