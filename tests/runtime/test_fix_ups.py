"""Fix-ups: the table of them, and a gateway that pays for a refusal once."""

import json
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.protocol.failures import read_failure
from lynkrc_runtime.server.fix_ups import FIX_UPS, LIMIT, TTL, FixUp, FixUpMemory, edited, fix_up_of
from lynkrc_runtime.server.gateway import Gateway
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
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

JSON = {"content-type": "application/json"}
ADDRESS = "https://api.test/v1/chat/completions"
TOOL = {"type": "function", "function": {"name": "go", "parameters": {}, "strict": True}}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}


def refusal(message: str, **members: Any) -> bytes:
    return json.dumps({"error": {"message": message, **members}}).encode()


def fixed(
    members: dict[str, Any], answer: bytes, *, url: str = ADDRESS, status: int = 400
) -> tuple[str, dict[str, Any], list[str]] | None:
    failure = read_failure(status, {}, answer)
    raw = json.dumps(members).encode()
    fix = fix_up_of(failure, url, raw, (), may_lose=True)
    if fix is None:
        return None
    sent = edited(url, raw, (fix,))
    return sent.url, json.loads(msgspec.json.encode(sent.body)), sent.changes


UNSUPPORTED = {"code": "unsupported_parameter"}


@pytest.mark.parametrize(
    ("members", "answer", "left", "changes"),
    [
        (
            {"max_tokens": 5},
            refusal(
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                param="max_tokens",
                **UNSUPPORTED,
            ),
            {"max_completion_tokens": 5},
            ["renamed=max_tokens:max_completion_tokens"],
        ),
        (
            {"max_completion_tokens": 5},
            refusal("Unrecognized request argument supplied: max_completion_tokens"),
            {"max_tokens": 5},
            ["renamed=max_completion_tokens:max_tokens"],
        ),
        (
            {"tools": [TOOL], "reasoning_effort": "low"},
            refusal(
                "Function tools with reasoning_effort are not supported; set it to 'none'",
                param="reasoning_effort",
            ),
            {"tools": [TOOL], "reasoning_effort": "none"},
            ["reasoning_effort=none"],
        ),
        (
            {"stream_options": {"include_usage": True}},
            refusal("stream_options: Extra inputs are not permitted"),
            {},
            ["dropped=stream_options"],
        ),
        (
            {"parallel_tool_calls": False, "top_p": 1},
            json.dumps({"message": "parallel_tool_calls is not supported"}).encode(),
            {"top_p": 1},
            ["dropped=parallel_tool_calls"],
        ),
        (
            {"thinking": {"type": "enabled"}},
            refusal("this model does not support thinking"),
            {},
            ["dropped=thinking"],
        ),
        (
            {"tools": [TOOL]},
            json.dumps(
                {
                    "detail": [
                        {
                            "type": "extra_forbidden",
                            "loc": ["body", "tools", 0, "function", "strict"],
                            "msg": "Extra inputs are not permitted",
                        }
                    ]
                }
            ).encode(),
            {"tools": [{"type": "function", "function": {"name": "go", "parameters": {}}}]},
            ["dropped=strict"],
        ),
        (
            {"temperature": 0.2, "top_p": 1},
            refusal(
                "Unsupported value: 'temperature' does not support 0.2 with this model.",
                param="temperature",
                code="unsupported_value",
            ),
            {"top_p": 1},
            ["dropped=temperature"],
        ),
        (
            {"reasoning_effort": "low"},
            refusal("unsupported", param="reasoning_effort", **UNSUPPORTED),
            {},
            ["dropped=effort"],
        ),
        (
            {"stop": ["END"]},
            refusal("Unsupported parameter: 'stop'", param="stop", **UNSUPPORTED),
            {},
            ["enforced=stop"],
        ),
    ],
    ids=[
        "limit",
        "old limit",
        "effort",
        "stream_options",
        "parallel",
        "thinking",
        "strict",
        "named",
        "named effort",
        "stop",
    ],
)
def test_a_sign_has_its_edit(
    members: dict[str, Any], answer: bytes, left: dict[str, Any], changes: list[str]
) -> None:
    done = fixed({"model": "m", "messages": []} | members, answer)
    assert done is not None
    assert done == (ADDRESS, {"model": "m", "messages": []} | left, changes)


@pytest.mark.parametrize(
    ("region", "prefix"),
    [
        ("us-east-1", "us."),
        ("us-gov-west-1", "us-gov."),
        ("eu-west-3", "eu."),
        ("ap-south-1", "apac."),
        ("ap-northeast-1", "jp."),
        ("ap-southeast-2", "au."),
        ("sa-east-1", "global."),
    ],
)
def test_bedrock_is_asked_by_the_profile_of_its_region(region: str, prefix: str) -> None:
    answer = json.dumps(
        {
            "message": "Invocation of model ID anthropic.claude-x with on-demand throughput "
            "isn\u2019t supported. Retry your request with the ID of an inference profile."
        }
    ).encode()
    host = f"https://bedrock-runtime.{region}.amazonaws.com"
    done = fixed({"messages": []}, answer, url=f"{host}/model/anthropic.claude-x/converse")
    assert done is not None
    assert done[0] == f"{host}/model/{prefix}anthropic.claude-x/converse"
    assert done[2] == [f"profile={prefix}"]
    done = fixed({"model": "anthropic.claude-x"}, answer, url=f"{host}/anthropic/v1/messages")
    assert done is not None and done[1] == {"model": f"{prefix}anthropic.claude-x"}
    assert fixed({}, answer, url=f"{host}/model/us.anthropic.claude-x/converse") is None


@pytest.mark.parametrize(
    ("members", "answer", "status"),
    [
        # The request itself is never left out, nor what no target may go without.
        ({"n": 2}, refusal("Unsupported parameter: 'n'", param="n", **UNSUPPORTED), 400),
        ({}, refusal("Unsupported value: 'messages'", param="messages[0]", **UNSUPPORTED), 400),
        ({"tools": []}, refusal("Unsupported: 'tools'", param="tools", **UNSUPPORTED), 400),
        # A word that only happens to be a member's name.
        ({"user": "ann"}, refusal("unexpected role after user in turn 2"), 400),
        # Not there to be left out, and not the request's fault.
        ({}, refusal("Unsupported parameter: 'top_k'", param="top_k", **UNSUPPORTED), 400),
        ({"top_k": 1}, refusal("'top_k' is not supported"), 500),
        ({"top_k": 1}, refusal("'top_k' is not supported: prompt is too long"), 400),
    ],
)
def test_what_is_not_fixed(members: dict[str, Any], answer: bytes, status: int) -> None:
    assert fixed({"model": "m", "messages": []} | members, answer, status=status) is None


def test_a_member_without_an_edit_keeps_its_bytes() -> None:
    raw = b'{"model":"m","messages":[ {"role":"user","content":"\\u0041"} ],"top_k":1}'
    failure = read_failure(400, {}, refusal("x", param="top_k", **UNSUPPORTED))
    fix = fix_up_of(failure, ADDRESS, raw, (), may_lose=True)
    assert fix is not None
    written = msgspec.json.encode(edited(ADDRESS, raw, (fix,)).body)
    assert written == b'{"model":"m","messages":[ {"role":"user","content":"\\u0041"} ]}'


def test_a_row_is_tried_once() -> None:
    failure = read_failure(400, {}, refusal("x", param="top_k", **UNSUPPORTED))
    raw = b'{"top_k":1}'
    fix = fix_up_of(failure, ADDRESS, raw, (), may_lose=True)
    assert fix is not None
    assert fix_up_of(failure, ADDRESS, raw, (fix,), may_lose=True) is None
    assert fix_up_of(failure, ADDRESS, raw, (), may_lose=False) is None


def test_what_helped_is_remembered_for_an_hour_and_no_more_of_it_than_fits() -> None:
    now = [0.0]
    memory = FixUpMemory(lambda: now[0])
    lasting = FixUp(row=FIX_UPS[-1], about="top_k")
    passing = FixUp(row=FIX_UPS[0], about="", lasts=False)
    memory.helped("t", CHAT, (passing, lasting))
    assert memory.of("t", CHAT) == (lasting,), "what one conversation needed is not the target's"
    assert memory.of("t", MESSAGES) == (), "another endpoint refuses other things"
    now[0] = TTL
    assert memory.of("t", CHAT) == ()
    for number in range(LIMIT + 1):
        memory.helped(f"t{number}", CHAT, (lasting,))
    assert memory.of("t0", CHAT) == () and memory.of(f"t{LIMIT}", CHAT) == (lasting,)


@pytest.mark.parametrize(
    ("members", "answer", "lasts"),
    [
        ({"top_k": 1}, refusal("x", param="top_k", **UNSUPPORTED), True),
        (
            {"temperature": 0.2},
            refusal(
                "Unsupported value: 'temperature' does not support 0.2 with this model. "
                "Only the default (1) value is supported.",
                param="temperature",
                code="unsupported_value",
            ),
            True,
        ),
        (
            {"reasoning_effort": "minimal"},
            refusal(
                "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. "
                "Supported values are: 'low', 'medium', and 'high'.",
                param="reasoning_effort",
                code="unsupported_value",
            ),
            False,
        ),
        (
            {"parallel_tool_calls": False},
            refusal(
                "'parallel_tool_calls' is only for requests with tools",
                param="parallel_tool_calls",
                code="invalid_value",
            ),
            False,
        ),
    ],
    ids=["member", "one value", "value", "place"],
)
def test_what_is_wrong_with_one_request_is_not_the_target_s(
    members: dict[str, Any], answer: bytes, lasts: bool
) -> None:
    """Others' requests would lose what the target takes from them."""
    fix = fix_up_of(
        read_failure(400, {}, answer), ADDRESS, json.dumps(members).encode(), (), may_lose=True
    )
    assert fix is not None and fix.lasts is lasts


# -- a gateway ---------------------------------------------------------------------------------

NO_TOP_K = Script(
    steps=[refusal("Unsupported parameter: 'seed'", param="seed", **UNSUPPORTED)],
    status=400,
    headers=JSON,
)
WHOLE = Script(steps=[json.dumps(COMPLETION).encode()], headers=JSON)
CHUNK = COMPLETION | {
    "object": "chat.completion.chunk",
    "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}],
}
STREAM = Script(steps=[f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n".encode()])


def served_by(scripts: list[Script], said: Said, on_loss: str = "warn") -> tuple[Gateway, Scripted]:
    table = dispatch([provider("gpt", "openai")], [target("gpt", 0, on_loss=on_loss)])
    upstream = Scripted({"gpt": scripts})
    return gateway(policy(table), said, http=upstream), upstream


@pytest.mark.parametrize("stream", [False, True])
def test_the_second_request_does_not_pay_again(stream: bool) -> None:
    good = STREAM if stream else WHOLE
    first, second = Said(), Said()
    served, upstream = served_by([NO_TOP_K, good, good], first)

    async def main() -> tuple[Recorder, Recorder]:
        asked = body(CHAT, seed=7, stream=stream)
        return await ask(served, asked, CHAT), await ask(served, asked, CHAT)

    one, two = run(main())
    assert (one.status, two.status) == (200, 200)
    assert [b'"seed"' in request.body for request in upstream.requests] == [True, False, False]
    assert (one.headers["x-lynkr-attempts"], two.headers["x-lynkr-attempts"]) == ("2", "1")
    for client in (one, two):
        assert "dropped=seed" in client.headers["x-lynkr-transforms"]
    lines = [line for line in first.lines if line["event"] == "request"]
    assert [[a["result"] for a in line["attempts"]] for line in lines] == [
        ["failed", "served"],
        ["served"],
    ]
    assert second.lines == []


def test_a_target_that_may_lose_nothing_is_not_asked_for_less() -> None:
    said = Said()
    served, upstream = served_by([NO_TOP_K], said, on_loss="deny")
    client = run(ask(served, body(CHAT, seed=7), CHAT))
    assert client.status == 400
    assert len(upstream.requests) == 1


def test_what_did_not_help_is_not_remembered() -> None:
    said = Said()
    served, upstream = served_by([NO_TOP_K, NO_TOP_K, WHOLE], said)

    async def main() -> tuple[Recorder, Recorder]:
        asked = body(CHAT, seed=7)
        return await ask(served, asked, CHAT), await ask(served, asked, CHAT)

    one, two = run(main())
    assert (one.status, two.status) == (400, 200)
    assert [b'"seed"' in request.body for request in upstream.requests] == [True, False, True]


def test_a_stop_that_was_refused_is_enforced() -> None:
    refused = Script(
        steps=[refusal("Unsupported parameter: 'stop'", param="stop", **UNSUPPORTED)],
        status=400,
        headers=JSON,
    )
    said = Said()
    answer = COMPLETION | {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "One END two"},
                "finish_reason": "stop",
            }
        ]
    }
    good = Script(steps=[json.dumps(answer).encode()], headers=JSON)
    served, _ = served_by([refused, good], said)
    client = run(ask(served, body(stop_sequences=["END"]), MESSAGES))
    assert client.json["content"] == [{"type": "text", "text": "One "}]
    assert (client.json["stop_reason"], client.json["stop_sequence"]) == ("stop_sequence", "END")
    assert "enforced=stop" in client.headers["x-lynkr-transforms"]
