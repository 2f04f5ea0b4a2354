"""`on_loss: deny`: a target that would lose something of a request is not asked."""

import msgspec

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
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "model-whole",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "output_tokens": 3},
}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "model-strict",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi"},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}


def made(chain: list[int], on_loss: str) -> tuple[Gateway, Scripted]:
    table = dispatch(
        [provider("gpt", "openai"), provider("claude", "anthropic")],
        [target("strict", 0, on_loss=on_loss), target("whole", 1)],
        chain,
    )
    scripts = {
        "strict": [Script(steps=[msgspec.json.encode(COMPLETION)], headers=JSON)],
        "whole": [Script(steps=[msgspec.json.encode(MESSAGE)], headers=JSON)],
    }
    upstream = Scripted(scripts)
    return gateway(policy(table), Said(), http=upstream), upstream


def asked(
    chain: list[int], content: bytes, dialect: str = MESSAGES, *, on_loss: str = "deny"
) -> tuple[Recorder, list[str]]:
    served, upstream = made(chain, on_loss)

    async def main() -> Recorder:
        return await ask(served, content, dialect)

    return run(main()), upstream.called


def test_the_next_target_is_tried() -> None:
    client, called = asked([0, 1], body(top_k=5))
    assert (client.status, called) == (200, ["whole"])
    assert client.headers["x-lynkr-model"] == "model-whole"
    assert "x-lynkr-transforms" not in client.headers


def test_without_another_target_the_client_is_told_what_would_be_lost_and_by_which_key() -> None:
    client, called = asked([0], body(top_k=5, speed="fast"))
    assert (client.status, called) == (400, [])
    assert client.json["error"]["type"] == "invalid_request_error"
    message = client.json["error"]["message"]
    assert "strict" in message
    assert "on_loss: deny" in message
    assert "dropped=top_k" in message
    assert "dropped=speed" in message


def test_a_warning_target_is_asked_all_the_same() -> None:
    client, called = asked([0], body(top_k=5), on_loss="warn")
    assert (client.status, called) == (200, ["strict"])
    assert client.headers["x-lynkr-transforms"] == "dropped=top_k"


def test_what_changes_and_is_not_lost_is_sent() -> None:
    client, called = asked([0], body(metadata={"user_id": "someone"}, max_tokens=100_000))
    assert (client.status, called) == (200, ["strict"])
    assert client.headers["x-lynkr-transforms"] == "hashed=user, max_completion_tokens=8000"


def test_a_client_of_the_targets_own_dialect_loses_nothing() -> None:
    client, called = asked([0], body(CHAT, seed=7, of_tomorrow=1), CHAT)
    assert (client.status, called) == (200, ["strict"])


def test_reasoning_of_another_target_counts_as_lost() -> None:
    """It is left out before the request is written, which must not hide it."""
    served, upstream = made([0, 1], "deny")
    turns = [
        {"role": "user", "content": "Hello"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "c2lnbmF0dXJl"},
                {"type": "text", "text": "Hi"},
            ],
        },
        {"role": "user", "content": "And?"},
    ]

    async def main() -> Recorder:
        served.makers.remember(["c2lnbmF0dXJl"], "whole")
        return await ask(served, body(messages=turns))

    client = run(main())
    assert (client.status, upstream.called) == (200, ["whole"])
