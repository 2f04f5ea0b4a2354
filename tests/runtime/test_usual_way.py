"""The usual way of a request, which has no place for what few need, leaves none of it out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import msgspec

from lynkrc_runtime.dispatch import Price
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.makers import Makers
from lynkrc_runtime.state.interface import Store
from lynkrc_runtime.state.memory import MemoryStore
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
from tests.runtime.test_serve_whole import MESSAGE, fails, whole
from tests.runtime.virtual_time import run

PRICE = Price(input="1", output="1", cache_read="1", cache_write="1")


def completion(text: str, output: int) -> bytes:
    return msgspec.json.encode(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 7, "completion_tokens": output, "total_tokens": 7 + output},
        }
    )


def mixed(upstream: Scripted, said: Said, chain: Sequence[int] = (0, 1)) -> Gateway:
    table = dispatch(
        [provider("claude", "anthropic", retries=0), provider("gpt", "openai", retries=0)],
        [target("one", 0, price=PRICE), target("two", 1, price=PRICE)],
        chain,
    )
    return gateway(policy(table), said, http=upstream)


def test_what_another_gateway_learned_is_asked_for() -> None:
    signed = {"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"}
    turns = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": [signed, {"type": "text", "text": "Hi"}]},
        {"role": "user", "content": "Go on"},
    ]

    async def main() -> tuple[Recorder, Any]:
        store = cast(Store, MemoryStore())
        other = Makers(lambda: 0.0, store=store)
        other.remember([signed["signature"]], "two")
        await other.flush()
        upstream = Scripted({"one": [whole(MESSAGE)]})
        served = replace(mixed(upstream, Said()), makers=Makers(lambda: 0.0, store=store))
        answer = await ask(served, body(messages=turns))
        return answer, msgspec.json.decode(upstream.requests[0].body)

    answer, sent = run(main())
    assert sent["messages"][1]["content"] == [{"type": "text", "text": "Hi"}]
    assert answer.headers["x-lynkr-transforms"] == "stripped=thinking"


def test_what_stood_in_for_one_target_does_not_cut_the_answer_of_the_next() -> None:
    """A stop sequence of white space is not sent to Claude, but enforced here."""

    async def main() -> Recorder:
        upstream = Scripted({"one": [fails(500)], "two": [whole(completion("a b", 3))]})
        return await ask(mixed(upstream, Said()), body(CHAT, stop=[" "]), CHAT)

    answer = run(main())
    assert "x-lynkr-transforms" not in answer.headers
    assert answer.json["choices"][0]["message"]["content"] == "a b"


def test_an_empty_answer_costs_what_its_target_reports() -> None:
    said = Said()

    async def main() -> Recorder:
        scripts: dict[str, Sequence[Script]] = {
            "two": [whole(completion("", 0))],
            "one": [whole(MESSAGE)],
        }
        return await ask(mixed(Scripted(scripts), said, chain=(1, 0)), body(MESSAGES), MESSAGES)

    answer = run(main())
    assert answer.status == 200
    empty, served = said.request["attempts"]
    assert (empty["result"], empty["fault"]) == ("failed", "broken")
    assert (empty["usage"]["input"], empty["usage"]["output"]) == (7, 0)
    assert empty["cost_micro_usd"] == 7 and empty["estimated"] is False
    assert answer.headers["x-lynkr-cost-usd"] == "0.000017"
    assert served["cost_micro_usd"] == 10
