"""Clients of each dialect served by a target that is called in Responses."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.server.exchange import Incoming
from lynkrc_runtime.server.response_store import ResponseStore
from lynkrc_runtime.server.responses import serve_responses
from lynkrc_runtime.state.memory import MemoryStore
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    RESPONSES,
    Recorder,
    Said,
    Script,
    Scripted,
    ask,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.virtual_time import run
from tests.wire.openai_responses_upstream import events_of, response, to_sse

SHAPE = RequestShape(dialects=["openai-responses", "openai-chat"])
ANSWER = response(
    {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Sums."}],
        "encrypted_content": "gA==",
    },
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "4", "annotations": [], "logprobs": []}],
    },
    store=False,
    previous_response_id=None,
)
WHOLE = Script(steps=[json.dumps(ANSWER).encode()], headers={"content-type": "application/json"})
STREAM = Script(steps=[to_sse(events_of(ANSWER))])


def made(*scripts: Script) -> tuple[Any, Scripted]:
    upstream = Scripted({"one": list(scripts)})
    table = dispatch([provider("up", "openai")], [target("one", 0, shape=SHAPE)])
    return gateway(policy(table), Said(), http=upstream), upstream


def sent(upstream: Scripted, number: int = 0) -> dict[str, Any]:
    return dict(json.loads(upstream.requests[number].body))


@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_comes_back_to_the_target_that_made_it(stream: bool) -> None:
    served, upstream = made(STREAM if stream else WHOLE, WHOLE)

    async def talk() -> str:
        first = await ask(served, body(MESSAGES, stream=stream))
        assert first.status == 200
        text = first.body.decode()
        start = text.index("gw1.")
        return text[start : text.index('"', start)]

    signature = run(talk())
    thinking = {"type": "thinking", "thinking": "Sums.", "signature": signature}
    turn = {"role": "assistant", "content": [thinking, {"type": "text", "text": "4"}]}
    user = {"role": "user", "content": "And?"}
    run(ask(served, body(MESSAGES, messages=[user, turn, user])))
    assert upstream.requests[0].url == "https://api.openai.com/v1/responses"
    assert sent(upstream)["store"] is False
    assert sent(upstream, 1)["input"][1] == {
        "type": "reasoning",
        "id": "rs_1",
        "encrypted_content": "gA==",
        "summary": [{"type": "summary_text", "text": "Sums."}],
    }


def test_chat_clients_keep_to_chat() -> None:
    served, upstream = made(Script(status=400, steps=[b"{}"]))
    run(ask(served, body(CHAT), CHAT))
    assert upstream.requests[0].url == "https://api.openai.com/v1/chat/completions"


def test_reasoning_the_target_cannot_read_is_left_out_and_asked_again() -> None:
    refused = {"error": {"message": "The encrypted content gA== could not be verified."}}
    served, upstream = made(Script(status=400, steps=[json.dumps(refused).encode()]), WHOLE)
    items = [
        {"role": "user", "content": "2+2"},
        {"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": "gB=="},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "And?"},
    ]
    client = run(ask(served, body(RESPONSES, input=items), RESPONSES))
    assert client.status == 200
    assert sent(upstream)["input"] == items
    assert sent(upstream, 1)["input"] == [items[0], *items[2:]]
    assert "stripped=thinking" in client.headers["x-lynkr-transforms"]


def test_a_passed_stream_is_kept_and_followed() -> None:
    served, upstream = made(STREAM, WHOLE)
    served = replace(served, responses=ResponseStore(MemoryStore(), ttl=60.0))
    client, following = Recorder(), Recorder()

    async def talk() -> None:
        for content, to in (
            (body(RESPONSES, stream=True), client),
            (body(RESPONSES, previous_response_id="resp_1", input="And?"), following),
        ):
            incoming = Incoming(
                surface="responses",
                dialect=RESPONSES,
                headers={},
                repeated=frozenset(),
                body=content,
                request_id="req_test",
                answer_id="a" * 24,
                created=1_700_000_000,
                arrived=asyncio.get_running_loop().time(),
            )
            await serve_responses(served, incoming, to)

    run(talk())
    plain = STREAM.steps[0]
    assert isinstance(plain, bytes)
    given = [json.loads(line[5:]) for line in client.body.split(b"\n") if line[:5] == b"data:"]
    whole = [json.loads(line[5:]) for line in plain.split(b"\n") if line[:5] == b"data:"]
    for event in whole:
        if "response" in event:
            event["response"] |= {"store": True, "previous_response_id": None}
    assert given == whole
    user = {"role": "user", "content": "Hello"}
    follow = {"type": "message", "role": "user", "content": "And?"}
    assert sent(upstream, 1)["input"] == [user, *ANSWER["output"], follow]
    assert "previous_response_id" not in sent(upstream, 1)
    assert following.json["previous_response_id"] == "resp_1"
    assert following.json["store"] is True
