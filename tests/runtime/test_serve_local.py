"""Answers of `respond` rules: no target is called, and every reader of them can tell."""

from typing import Any

import msgspec
import pytest

from lynkrc_runtime.decide import Verdict
from lynkrc_runtime.dispatch import Dispatch, Rule
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.tables import TARGET_DIALECTS
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.local import MODEL
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    Recorder,
    Said,
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

WORDS = "Title: a new conversation \u2028 of ours"


def table() -> Dispatch:
    made = dispatch([provider("claude", "anthropic")], [target("one", 0)])
    says = Rule(name="titles", deny=None, respond=WORDS, prefer=None)
    return msgspec.structs.replace(made, rules=[*made.rules, says])


def respond_always(_: list[int]) -> Verdict:
    return (2, -1, 1, -1, 0, -1, -1)


def served(said: Said) -> tuple[Gateway, Scripted]:
    upstream = Scripted({})
    return gateway(policy(table(), respond_always), said, http=upstream), upstream


def answered(
    dialect: str, *, said: Said | None = None, client: Recorder | None = None, **members: Any
) -> Recorder:
    made, upstream = served(said or Said())
    content = body(dialect, **members)

    async def main() -> Recorder:
        return await ask(made, content, dialect, client=client)

    recorder = run(main())
    assert upstream.called == []
    return recorder


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT])
def test_a_whole_answer_is_the_rule_s_words_at_no_cost(dialect: str) -> None:
    client = answered(dialect)
    assert (client.status, client.streamed) == (200, False)
    answer = TARGET_DIALECTS[dialect].read_answer(client.body)
    assert [getattr(block, "text", None) for block in answer.blocks] == [WORDS]
    assert (answer.stop.value, answer.stop_sequence, answer.model) == ("end", None, MODEL)
    assert (answer.usage.input, answer.usage.output, answer.usage.reported) == (0, 0, True)


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT])
def test_a_stream_folds_to_the_same_answer(dialect: str) -> None:
    more: dict[str, Any] = {"stream_options": {"include_usage": True}} if dialect == CHAT else {}
    client = answered(dialect, stream=True, **more)
    assert (client.status, client.streamed) == (200, True)
    assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
    reader = TARGET_DIALECTS[dialect].stream_reader()
    streamed = fold([*reader.feed(client.body), *reader.close()])
    assert streamed == TARGET_DIALECTS[dialect].read_answer(answered(dialect).body)


def test_the_headers_say_which_rule_spoke_and_that_nothing_was_called() -> None:
    assert answered(MESSAGES).headers == {
        "x-lynkr-request-id": "req_test",
        "request-id": "req_test",
        "x-request-id": "req_test",
        "x-lynkr-bundle": "d" * 64,
        "x-lynkr-rule": "titles",
        "x-lynkr-attempts": "0",
        "x-lynkr-cost-usd": "0.000000",
        "content-type": "application/json",
    }


def test_the_log_and_the_metrics_count_it_as_no_target_s() -> None:
    said = Said()
    made, _ = served(said)

    async def main() -> None:
        await ask(made, body(), MESSAGES)
        await ask(made, body(CHAT, stream=True), CHAT)

    run(main())
    lines = [line for line in said.lines if line["event"] == "request"]
    for line in lines:
        assert (line["class"], line["rule"], line["status"]) == ("responded", "titles", 200)
        assert (line["target"], line["provider"], line["served_model"]) == (None, None, None)
        assert (line["calls"], line["attempts"], line["tier"]) == (0, [], None)
        assert (line["usage"]["input"], line["usage"]["output"]) == (0, 0)
    text = made.metrics.render().decode()
    for surface in ("messages", "chat"):
        labels = f'class="responded",surface="{surface}",target="none",tier="none"'
        assert f"lynkr_requests_total{{{labels}}} 1.0" in text
    assert "lynkr_tokens_total{" not in text
    assert "lynkr_attempts_total{" not in text
    assert WORDS not in str(said.lines)


def test_a_client_that_leaves_is_an_abort() -> None:
    said = Said()
    answered(MESSAGES, said=said, client=Recorder(gone=True), stream=True)
    assert said.request["class"] == "aborted"
