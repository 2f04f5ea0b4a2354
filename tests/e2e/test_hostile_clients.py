"""Whatever a client sends is answered, never with a 500, and what is ours reaches no provider."""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol import carrier
from tests.clients.said import SPEAK
from tests.clients.script import Plan
from tests.e2e.hostile_lab import ASKS, CLIENT_KEY, KINDS, PATHS, HostileLab, hostile_lab
from tests.e2e.hostile_server import reply
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES

DEEP = b"[" * 50_000 + b"]" * 50_000
MAKER = "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
FORGED = tuple(
    made
    for kind in ("marker", "claude", "claude-redacted", "openai", "gemini", "details", "new", "")
    for maker in ("", MAKER, "openai/" + MAKER.partition("/")[2], "somebody/else")
    for data in ("", "gw1.e30", "EqSigned==", "[{]", '[{"type":"reasoning.text","text":"gw1.x"}]')
    if (made := carrier.seal(kind, data, maker)) is not None
)
"""Carriers that no gateway made: another's name, a wrong kind, data that is not what it says."""
BROKEN = ("gw1.", "gw1.====", "gw1.e30", "gw1." + "A" * 70_000, "gw1.\u0000", "gw1.W10")


def thoughts(client: str, signature: str) -> dict[str, Any]:
    """A conversation with reasoning in its history."""
    user: dict[str, Any] = {"role": "user", "content": "Hi"}
    if client == MESSAGES:
        blocks = [
            {"type": "thinking", "thinking": "Hm", "signature": signature},
            {"type": "redacted_thinking", "data": signature},
            {"type": "text", "text": "So"},
        ]
        return {"max_tokens": 9, "messages": [user, {"role": "assistant", "content": blocks}, user]}
    if client == CHAT:
        details = [
            {"type": "reasoning.encrypted", "data": signature, "index": 0},
            {"type": "reasoning.text", "text": "Hm", "signature": signature, "index": 1},
        ]
        said = {"role": "assistant", "content": "So", "reasoning_details": details}
        return {"messages": [user, said | {"reasoning_content": "Hm"}, user]}
    item = {"type": "reasoning", "id": "rs_1", "encrypted_content": signature}
    summary = [{"type": "summary_text", "text": "Hm"}]
    said = {"role": "assistant", "content": "So"}
    return {"input": [user, item | {"summary": summary}, said, user]}


def answers(lab: HostileLab, target: str) -> None:
    body = json.dumps(SPEAK[KINDS[target][2]].whole(Plan(text="Yes."), "m")).encode()
    lab.upstream.says = reply("application/json", [body])


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("target", KINDS)
async def test_a_carrier_reaches_no_provider(target: str, client: str) -> None:
    async with hostile_lab(target) as lab:
        for signature in (*FORGED, *BROKEN):
            answers(lab, target)
            body = json.dumps({"model": "m", **thoughts(client, signature)}).encode()
            heard = await lab.send(
                client, body, {"x-lynkr-tenant": "t", "x-lynkr-deadline-ms": "9999"}
            )
            assert heard.status in (200, 400), heard
            lab.settled()
        for asked in lab.upstream.asked:
            head, _, sent = asked.partition(b"\r\n\r\n")
            assert b"x-lynkr" not in head.lower()
            assert CLIENT_KEY.encode() not in asked
            assert b"gw1." not in sent, sent
            assert b"x-lynkr" not in sent


HOSTILE: dict[str, bytes] = {
    "deep": b'{"model":"m","x":' + DEEP + b"}",
    "deep metadata": b'{"model":"m","metadata":{"a":' + DEEP + b"}}",
    "deep messages": b'{"model":"m","max_tokens":9,"messages":' + DEEP + b',"input":' + DEEP + b"}",
    "invalid UTF-8": b'{"model":"\xff","max_tokens":9,"messages":[],"input":"\xc3"}',
    "invalid UTF-8 in a name": b'{"\xff":1}',
    "a lone surrogate": b'{"model":"\\ud800","max_tokens":9,"messages":[],"input":"\\udc00"}',
    "no JSON": b"{oops",
    "an array": b"[]",
    "nothing": b"",
    "NaN": b'{"model":"m","max_tokens":NaN}',
    "out of range": b'{"model":"m","temperature":1e999,"max_tokens":1e999}',
    "many digits": b'{"model":"m","max_tokens":' + b"9" * 5_000 + b"}",
    "zero bytes": b"\x00" * 1000,
}
VALUES = (
    *(2**31, 2**64, 2**80, -1, -(2**80), 0.5, 1e300, True, None, "", "x" * 70_000, [], {}),
    *([None], [[]], [{}], [{"type": "function"}], {"type": []}, ["a"] * 20_000),
)
MEMBERS = (
    *("model", "max_tokens", "max_completion_tokens", "max_output_tokens", "temperature", "top_k"),
    *("top_p", "stop", "stop_sequences", "seed", "tools", "tool_choice", "system", "instructions"),
    *("messages", "input", "metadata", "thinking", "reasoning", "reasoning_effort", "stream"),
    *("stream_options", "response_format", "output_config", "text", "n", "logit_bias", "include"),
    *("previous_response_id", "store", "user", "service_tier", "prompt_cache_key"),
)


@pytest.mark.parametrize("client", PATHS)
async def test_hostile_bodies_are_the_client_s_mistake(client: str) -> None:
    async with hostile_lab(CHAT) as lab:
        for name, body in HOSTILE.items():
            answers(lab, CHAT)
            heard = await lab.send(client, body)
            assert 400 <= heard.status < 500, (name, heard)
            assert json.loads(heard.body)["error"]["message"]
            assert lab.settled()["class"] == "malformed"
        assert lab.upstream.asked == []


@pytest.mark.parametrize("client", PATHS)
async def test_odd_members_are_never_our_mistake(client: str) -> None:
    # Each target is asked some of them; writers are fuzzed with all.
    pairs = [(member, value) for member in MEMBERS for value in VALUES]
    for place, target in enumerate(KINDS):
        async with hostile_lab(target) as lab:
            for member, value in pairs[place :: 2 * len(KINDS)]:
                answers(lab, target)
                body = json.dumps({"model": "m", **ASKS[client], member: value}).encode()
                heard = await lab.send(client, body)
                assert heard.status not in (500, 502), (member, value, heard)
                assert lab.settled()["class"] not in ("internal", "aborted"), (member, value)


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("target", KINDS)
async def test_many_tools_and_damaged_pictures(target: str, client: str) -> None:
    function = {
        "description": "d",
        "parameters": {"type": "object"},
        "input_schema": {"type": "object"},
    }
    async with hostile_lab(target) as lab:
        names = [f"tool_{number}" for number in range(1_000)] + ["tool_1", "", "ö" * 300]
        tools: list[Any] = [{"name": name, **function} for name in names]
        if client == CHAT:
            tools = [{"type": "function", "function": tool} for tool in tools]
        elif client == RESPONSES:
            tools = [{"type": "function", **tool} for tool in tools]
        bodies: list[dict[str, Any]] = [{**ASKS[client], "tools": tools}]
        for data in ("!!!", "AAA", "A" * 200_001, "\u0000", "gw1.e30"):
            for kind in ("image/png", "text/html", "", "image/png\r\nx: y"):
                url = f"data:{kind};base64,{data}"
                source = {"type": "base64", "media_type": kind, "data": data}
                part: dict[str, Any] = {"type": "image", "source": source}
                if client == CHAT:
                    part = {"type": "image_url", "image_url": {"url": url}}
                elif client == RESPONSES:
                    part = {"type": "input_image", "image_url": url}
                member = "input" if client == RESPONSES else "messages"
                bodies.append({**ASKS[client], member: [{"role": "user", "content": [part]}]})
        for body in bodies:
            answers(lab, target)
            heard = await lab.send(client, json.dumps({"model": "m", **body}).encode())
            assert heard.status not in (500, 502), heard
            assert lab.settled()["class"] not in ("internal", "aborted")


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_body_at_the_limit_and_one_beyond(client: str) -> None:
    async with hostile_lab(CHAT, total=30.0) as lab:
        answers(lab, CHAT)
        limit = 32 * 1024 * 1024
        start = json.dumps({"model": "m", **ASKS[client]}).encode()[:-1] + b',"metadata":{"a":"'
        body = start + b"x" * (limit - len(start) - 3) + b'"}}'
        assert len(body) == limit
        assert (await lab.send(client, body)).status in (200, 400)
        lab.settled()
        heard = await lab.send(client, body + b" ")
        assert heard.status == 413
        assert json.loads(heard.body)["error"]["message"]
