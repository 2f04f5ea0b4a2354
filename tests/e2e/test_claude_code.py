"""Claude Code's turns through a live gateway, to two Claude generations and to OpenAI.

The judges stand for the upstreams: what they would refuse fails the test (see the `lab` fixture).
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession
from anthropic import AsyncAnthropic

from tests.e2e.claude_code_turn import (
    ASK,
    BETAS,
    HEADERS,
    TOOLS,
    count_tokens_bodies,
    first_turn,
    older_turn,
    retry_unstreamed,
    second_turn,
)
from tests.e2e.scripted_answers import Call, Said
from tests.e2e.socket_lab import Answer, Lab
from tests.e2e.strict_models import OLD_BETAS
from tests.e2e.upstream_server import COUNT, Seen
from tests.wire.anthropic_lint import fold_stream, lint_message, lint_stream

Raws = dict[str, msgspec.Raw]

READ = Call("toolu_01A0000000000000000001", "Read", {"path": "app/dates.py"})
GREP = Call("toolu_01A0000000000000000002", "Bash", {"path": "grep -rn helper app"})
# Another signature than the history's: that one nobody here has made, as far as is known.
SIGNED = ("", "c2lnbmVkIGFuZXcgaW4gdGhpcyBhbnN3ZXI=")
WORKING = Said(text="I look at both files.", calls=(READ, GREP), stop="tool_use")

PROVIDERS = {"opus": "claude", "haiku": "claude", "veteran": "claude", "mini": "gpt"}
SAME_MODEL = {
    "opus": "claude-opus-5-5",
    "haiku": "claude-haiku-5-5",
    "veteran": "claude-sonnet-4-5-20250929",
}
TARGETS = sorted(PROVIDERS)


TURNS: list[Callable[..., dict[str, Any]]] = [first_turn, second_turn, retry_unstreamed]


def send(lab: Lab, body: Mapping[str, Any], betas: str = BETAS) -> Answer:
    headers = HEADERS | {"anthropic-beta": betas}
    return lab.send("/v1/messages?beta=true", json.dumps(body).encode(), headers=headers)


def members(body: bytes) -> Raws:
    """Top-level members with their bytes."""
    return msgspec.json.decode(body, type=Raws)


def changed(sent: Mapping[str, Any], seen: Seen) -> set[str]:
    """Top-level members whose bytes differ between the client's body and the upstream's."""
    before, after = members(json.dumps(sent).encode()), members(seen.body)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def transforms(answer: Answer) -> list[str]:
    listed = answer.headers.get("x-lynkr-transforms", "")
    return [entry for entry in listed.split(", ") if entry]


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_refused(lab: Lab, target: str, turn: Callable[..., dict[str, Any]]) -> None:
    body = turn(model=f"lynkr/{target}")
    said = Said(**(vars(WORKING) | {"thinking": None if target == "mini" else SIGNED}))
    face = lab.face(PROVIDERS[target])
    face.behaviours = [said]
    answer = send(lab, body)
    assert answer.status == 200, answer.body
    message = fold_stream(lint_stream(answer.body)) if body["stream"] else lint_message(answer.body)
    assert message["stop_reason"] == "tool_use"
    blocks = [block for block in message["content"] if block["type"] != "thinking"]
    assert blocks == [
        {"type": "text", "text": WORKING.text},
        {"type": "tool_use", "id": READ.id, "name": "Read", "input": READ.arguments},
        {"type": "tool_use", "id": GREP.id, "name": "Bash", "input": GREP.arguments},
    ]
    if target != "mini":
        thought = {"type": "thinking", "thinking": SIGNED[0], "signature": SIGNED[1]}
        assert message["content"][0] == thought
    usage = message["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"]) == (said.fresh, said.cached)
    assert usage["output_tokens"] == said.output
    line = lab.gateway.request(answer.request_id)
    assert line["class"] == "served"
    assert line["target"] == target
    assert line["transforms"] == transforms(answer)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("target", sorted(SAME_MODEL))
def test_the_same_model_is_sent_the_same_bytes(
    lab: Lab, target: str, turn: Callable[..., dict[str, Any]]
) -> None:
    """What this client writes for one of its models is not for us to improve."""
    if target == "veteran":
        body, betas = older_turn(), ",".join(sorted(OLD_BETAS))
    else:
        body, betas = turn(model=SAME_MODEL[target]), BETAS
    answer = send(lab, body, betas)
    assert answer.status == 200, answer.body
    [seen] = lab.face("claude").seen
    assert changed(body, seen) == set()
    assert list(members(seen.body)) == list(body)
    assert transforms(answer) == []
    assert answer.headers["x-lynkr-model"] == SAME_MODEL[target]
    assert seen.headers["anthropic-version"] == HEADERS["anthropic-version"]
    assert seen.headers["anthropic-beta"].split(",") == betas.split(",")


NAMED_BY: Mapping[str, tuple[str, ...]] = {
    "max_tokens": ("max_tokens=",),
    "thinking": ("thinking=", "dropped=thinking", "thinking.budget_tokens="),
    "output_config": ("effort=", "dropped=effort"),
    "messages": ("folded=mid-system", "dropped=messages.", "stripped=thinking"),
    "context_management": ("dropped=context_management",),
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("target", ["haiku", "opus", "veteran"])
def test_every_edit_for_another_claude_is_listed(
    lab: Lab, target: str, turn: Callable[..., dict[str, Any]]
) -> None:
    body = turn(model=f"lynkr/{target}")
    answer = send(lab, body)
    [seen] = lab.face("claude").seen
    found = changed(body, seen)
    assert "model" in found
    for name in found - {"model"}:
        assert [t for t in transforms(answer) if t.startswith(NAMED_BY[name])], name
    for entry in transforms(answer):
        if not entry.startswith("dropped=beta:"):
            assert [name for name in found if entry.startswith(NAMED_BY.get(name, ()))], entry
    lost = set(BETAS.split(",")) - set(seen.headers["anthropic-beta"].split(","))
    assert {f"dropped=beta:{beta}" for beta in lost} == {
        entry for entry in transforms(answer) if entry.startswith("dropped=beta:")
    }
    if target != "veteran":
        assert found == {"model"}


def test_what_the_older_model_gets(lab: Lab) -> None:
    body = second_turn(model="lynkr/veteran")
    send(lab, body)
    [seen] = lab.face("claude").seen
    got = seen.json
    assert got["max_tokens"] == 64000
    assert got["thinking"]["type"] == "enabled"
    assert "output_config" not in got
    # The environment text stays where it stood, as a reminder; the rest of the turn is untouched.
    assert [message["role"] for message in got["messages"]].count("system") == 0
    text = json.dumps(got["messages"])
    assert text.index(ASK) < text.index("# Environment") < text.index("I look at both files.")
    assert got["messages"][-1] == body["messages"][-1]
    assert got["messages"][-2] == body["messages"][-2]
    assert got["system"] == body["system"]
    assert got["tools"] == body["tools"]


@pytest.mark.parametrize("turn", TURNS)
def test_what_openai_gets(lab: Lab, turn: Callable[..., dict[str, Any]]) -> None:
    body = turn(model="lynkr/mini")
    answer = send(lab, body)
    [seen] = lab.face("gpt").seen
    got = seen.json
    assert [tool["function"]["name"] for tool in got["tools"]] == list(TOOLS)
    assert got["tools"][0]["function"]["parameters"] == body["tools"][0]["input_schema"]
    text = json.dumps(got["messages"])
    for said in (ASK, "# Environment", "You are an agent in a terminal."):
        assert said in text
    # Nothing that identifies the user, and nothing meant for Anthropic alone, leaves for OpenAI.
    whole = seen.body.decode()
    for private in ("x-anthropic-billing-header", "d" * 64, "cache_control", "device_id"):
        assert private not in whole
    for lost in ("dropped=cache_control", "dropped=thinking", "dropped=billing-header"):
        assert lost in transforms(answer)
    if turn is second_turn:
        assert "stripped=thinking" in transforms(answer)
        results = [message for message in got["messages"] if message["role"] == "tool"]
        assert {message["tool_call_id"] for message in results} == {READ.id, GREP.id}


async def test_a_burst_of_counts(lab: Lab) -> None:
    """`/context` sends 26 at once; the target that would serve counts them."""
    headers = HEADERS | {"anthropic-beta": BETAS + ",token-counting-2024-11-01"}
    url = lab.gateway.url + "/v1/messages/count_tokens?beta=true"

    async with ClientSession() as session:

        async def count(body: Mapping[str, Any]) -> tuple[int, Any, str | None]:
            async with session.post(url, json=body, headers=headers) as answer:
                given = answer.headers.get("x-lynkr-transforms")
                return answer.status, await answer.json(), given

        bodies = count_tokens_bodies()
        answers = await asyncio.gather(*(count(body) for body in bodies))
        assert answers == [(200, {"input_tokens": COUNT}, None)] * 26
        counted = lab.face("claude").counted
        assert len(set(body.body for body in counted)) == len(TOOLS)
        assert len(counted) <= 26

        other = [body | {"model": "lynkr/mini"} for body in bodies]
        estimates = await asyncio.gather(*(count(body) for body in other))
    assert {status for status, _, _ in estimates} == {200}
    assert {given for _, _, given in estimates} == {"tokens-estimated"}
    numbers = [body["input_tokens"] for _, body, _ in estimates]
    first_dozen = numbers[: len(TOOLS)]
    assert first_dozen == sorted(first_dozen)
    assert first_dozen[0] > 0
    assert [face.seen for face in lab.faces if face.seen] == []


async def test_the_sdk_s_own_count(lab: Lab) -> None:
    client: AsyncAnthropic
    async with lab.async_anthropic() as client:
        words: list[Any] = [{"role": "user", "content": "foo"}]
        counted = await client.messages.count_tokens(model="claude-opus-5-5", messages=words)
        assert counted.input_tokens == COUNT
        lab.face("claude").counted.clear()
        estimated = await client.messages.count_tokens(model="lynkr/sonnet", messages=words)
        assert 0 < estimated.input_tokens < 100
    assert lab.face("claude").counted == []
