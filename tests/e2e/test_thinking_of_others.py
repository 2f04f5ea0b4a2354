"""Reasoning in the history that its new reader refuses is left out, once, and said so."""

import json
from typing import Any

import pytest

from tests.e2e.claude_code_turn import HEADERS, second_turn
from tests.e2e.scripted_answers import Said, refusal
from tests.e2e.socket_lab import Answer, Lab

MESSAGES = "anthropic-messages"
UNREADABLE = "messages.2.content.0: Invalid `signature` in `thinking` block"


def send(lab: Lab, body: dict[str, Any]) -> Answer:
    return lab.send("/v1/messages?beta=true", json.dumps(body).encode(), headers=HEADERS)


def kinds(body: Any) -> list[str]:
    return [
        block["type"]
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
    ]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("target", ["opus", "haiku", "veteran"])
def test_refused_reasoning_is_left_out_and_the_request_made_again(
    lab: Lab, target: str, stream: bool
) -> None:
    body = second_turn(model=f"lynkr/{target}") | {"stream": stream}
    if not stream:
        body["max_tokens"] = 64_000
    face = lab.face("claude")
    face.behaviours = [refusal(MESSAGES, UNREADABLE), Said(text="Renamed.")]
    answer = send(lab, body)
    assert answer.status == 200, answer.body
    assert (b"message_stop" if stream else b"Renamed.") in answer.body
    first, second = face.seen
    assert "thinking" in kinds(first.json)
    assert kinds(second.json) == [kind for kind in kinds(first.json) if kind != "thinking"]
    assert second.json["messages"][-1] == first.json["messages"][-1]
    assert answer.headers["x-lynkr-attempts"] == "2"
    assert answer.headers["x-lynkr-fallback"] == "false"
    assert "stripped=thinking" in answer.headers["x-lynkr-transforms"]
    # A model that thinks by a budget refuses a tool turn without its reasoning: it stops thinking.
    assert ("thinking" in second.json) == (target != "veteran")
    assert ("context_management" in second.json) == (target != "veteran")
    records = lab.gateway.request(answer.request_id)["attempts"]
    assert [record["result"] for record in records] == ["failed", "served"]


def test_it_is_left_out_once(lab: Lab) -> None:
    face = lab.face("claude")
    face.behaviours = [refusal(MESSAGES, UNREADABLE), refusal(MESSAGES, UNREADABLE)]
    answer = send(lab, second_turn(model="lynkr/opus"))
    assert answer.status == 400
    assert "signature" in json.loads(answer.body)["error"]["message"]
    assert len(face.seen) == 2


def test_another_refusal_is_the_callers(lab: Lab) -> None:
    face = lab.face("claude")
    face.behaviours = [refusal(MESSAGES, "tools.0.name: too long")]
    assert send(lab, second_turn(model="lynkr/opus")).status == 400
    assert len(face.seen) == 1


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_reasoning_goes_back_to_its_maker_and_to_nobody_else(lab: Lab, stream: bool) -> None:
    signature = f"bWFkZSBieSBvcHVz{'c3RyZWFt' if stream else 'd2hvbGUh'}"
    face = lab.face("claude")
    face.behaviours = [Said(text="Renamed.", thinking=("", signature))] + [Said(text="Yes.")] * 2
    first = second_turn(model="lynkr/opus") | {"stream": stream, "max_tokens": 64_000}
    assert send(lab, first).status == 200
    body = second_turn() | {"max_tokens": 64_000}
    body["messages"][2]["content"][0]["signature"] = signature
    answers = {
        target: send(lab, body | {"model": f"lynkr/{target}"}) for target in ("opus", "haiku")
    }
    _, own, other = face.seen
    assert own.json["messages"] == body["messages"]
    assert kinds(other.json) == [kind for kind in kinds(own.json) if kind != "thinking"]
    assert "x-lynkr-transforms" not in answers["opus"].headers
    assert answers["haiku"].headers["x-lynkr-transforms"] == "stripped=thinking"
    assert [answer.headers["x-lynkr-attempts"] for answer in answers.values()] == ["1", "1"]
