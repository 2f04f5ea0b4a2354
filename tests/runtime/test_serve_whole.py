"""Requests served whole: decisions, translation, failures, and what is told of them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.decide import Verdict
from lynkrc_runtime.dispatch import Deny, Dispatch, Rule
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.server.walk import client_retries
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
    route_all,
    target,
)
from tests.runtime.virtual_time import run

JSON = {"content-type": "application/json"}
MESSAGE = msgspec.json.encode(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "model-one",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 3},
    }
)
COMPLETION = msgspec.json.encode(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "model-two",
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
)


def mixed() -> Dispatch:
    return dispatch(
        [provider("claude", "anthropic"), provider("gpt", "openai")],
        [target("one", 0), target("two", 1)],
    )


def fails(status: int, text: str = "no", **headers: str) -> Script:
    content = msgspec.json.encode({"error": {"type": "x", "message": text}})
    return Script(steps=[content], status=status, headers=JSON | headers)


def whole(content: bytes) -> Script:
    return Script(steps=[content], headers=JSON | {"request-id": "up_1"})


def serve(
    scripts: Mapping[str, list[Script]],
    content: bytes | None = None,
    dialect: str = MESSAGES,
    *,
    said: Said | None = None,
    headers: Mapping[str, str] | None = None,
    scorer: Callable[[list[int]], Verdict] = route_all,
) -> tuple[Recorder, Scripted]:
    upstream = Scripted(scripts)
    served = gateway(policy(mixed(), scorer), said or Said(), http=upstream)

    async def main() -> Recorder:
        return await ask(served, content or body(dialect), dialect, headers=headers)

    return run(main()), upstream


def test_the_same_dialect_passes_and_the_headers_tell_the_truth() -> None:
    said = Said()
    client, upstream = serve({"one": [whole(MESSAGE)]}, said=said)
    assert client.body == MESSAGE
    assert client.headers == {
        "x-lynkr-request-id": "req_test",
        "request-id": "req_test",
        "x-request-id": "req_test",
        "x-lynkr-bundle": "d" * 64,
        "x-lynkr-rule": "score",
        "x-lynkr-tier": "ONLY",
        "x-lynkr-score": "42",
        "x-lynkr-attempts": "1",
        "x-lynkr-provider": "claude",
        "x-lynkr-model": "model-one",
        "x-lynkr-fallback": "false",
        "x-lynkr-upstream-request-id": "up_1",
        "content-type": "application/json",
    }
    (request,) = upstream.requests
    assert request.url == "https://api.anthropic.com/v1/messages"
    assert request.headers["x-api-key"] == "secret-key"
    assert msgspec.json.decode(request.body)["model"] == "model-one"
    line = said.request
    assert line["class"] == "served"
    assert line["usage"] == {
        "input": 7,
        "output": 3,
        "cache_read": 0,
        "cache_write": 0,
        "cache_write_1h": None,
        "reasoning": None,
        "reported": True,
    }


def test_nothing_of_the_prompt_or_the_key_is_logged() -> None:
    said = Said()
    serve(
        {"one": [fails(500, "you said Hello with secret-key")] * 3, "two": [whole(COMPLETION)]},
        said=said,
    )
    text = str(said.lines)
    assert "Hello" not in text and "secret-key" not in text


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT])
def test_the_answer_comes_in_the_clients_dialect(dialect: str) -> None:
    scripts = {"one": [fails(500)] * 3, "two": [whole(COMPLETION)]}
    client, upstream = serve(scripts, dialect=dialect)
    assert client.status == 200
    answer = client.json
    if dialect == MESSAGES:
        assert answer["content"] == [{"type": "text", "text": "Hi"}]
        assert (answer["model"], answer["stop_reason"]) == ("model-two", "end_turn")
        assert answer["usage"]["input_tokens"] == 7
    else:
        assert client.body == COMPLETION
    assert upstream.called == ["one", "one", "one", "two"]
    assert client.headers["x-lynkr-model"] == "model-two"
    assert client.headers["x-lynkr-fallback"] == "true"
    assert client.headers["x-lynkr-attempts"] == "4"


def test_the_last_failure_is_told_in_the_clients_dialect() -> None:
    client, _ = serve({"one": [fails(500)] * 3, "two": [fails(503)] * 3})
    assert client.status == 529
    assert client.json["type"] == "error"
    assert client.json["error"]["type"] == "overloaded_error"
    assert client.json["request_id"] == "req_test"
    assert client.headers["retry-after"] == "2"
    assert client.headers["x-should-retry"] == "true"
    assert "x-lynkr-model" not in client.headers
    chat, _ = serve({"one": [fails(500)] * 3, "two": [fails(503)] * 3}, dialect=CHAT)
    assert chat.status == 503
    assert set(chat.json["error"]) == {"message", "type", "param", "code"}


def test_a_misconfigured_target_is_named_and_its_words_are_not() -> None:
    text = "bad key sk-abcdefgh"
    client, _ = serve({"one": [fails(401, text)], "two": [fails(403, text)]})
    assert client.status == 424
    assert b"sk-" not in client.body and b"bad key" not in client.body
    assert client.headers["x-should-retry"] == "false"


def test_the_callers_mistake_is_passed_at_once() -> None:
    client, upstream = serve({"one": [fails(400, "temperature: too hot")], "two": []})
    assert client.status == 400
    assert "too hot" in client.json["error"]["message"]
    assert upstream.called == ["one"]


def test_throttled_tells_the_smallest_wait() -> None:
    scripts = {
        "one": [fails(429, **{"retry-after": "30"})],
        "two": [fails(429, **{"retry-after": "20"})],
    }
    client, _ = serve(scripts)
    assert (client.status, client.headers["retry-after"]) == (429, "20")


def test_a_clients_retry_is_not_retried_here() -> None:
    _, upstream = serve(
        {"one": [fails(500)], "two": [fails(500)]}, headers={"x-stainless-retry-count": "1"}
    )
    assert upstream.called == ["one", "two"]


@pytest.mark.parametrize("count", ["1", "9" * 5000])
def test_any_count_of_a_clients_retries_is_read(count: str) -> None:
    assert client_retries({"x-stainless-retry-count": count})
    assert not client_retries({"x-stainless-retry-count": "00"})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("rest", [Fault.BROKEN, 1e6], ids=["breaks off", "stalls"])
def test_the_status_of_an_error_counts_though_its_text_never_ends(
    rest: Fault | float, stream: bool
) -> None:
    said = Said()
    upstream = Scripted({"one": [Script(status=401, steps=[b'{"err', rest])], "two": []})
    table = dispatch([provider("p", "anthropic")], [target("one", 0)])

    async def main() -> tuple[Recorder, float]:
        served = gateway(policy(table), said, http=upstream)
        client = await ask(served, body(stream=stream))
        return client, asyncio.get_running_loop().time()

    client, now = run(main())
    assert now <= 10.0
    assert client.status == 424
    assert said.request["attempts"][0]["class"] == "ours"


def test_what_the_failed_answer_said_of_itself_is_not_told_of_the_next() -> None:
    table = dispatch(
        [provider("sim", "simulator", simulate="fail:401"), provider("p", "anthropic")],
        [target("one", 0), target("two", 1)],
    )
    upstream = Scripted({"two": [Script(before=100.0, status=500)]})

    async def main() -> Recorder:
        return await ask(gateway(policy(table), Said(), http=upstream), body(stream=True))

    client = run(main())
    assert client.headers["x-lynkr-model"] == "model-two"
    assert "x-lynkr-simulated" not in client.headers


def test_a_stale_connection_costs_nothing() -> None:
    client, upstream = serve({"one": [Script(fault=Fault.STALE), whole(MESSAGE)]})
    assert client.status == 200
    assert [request.fresh for request in upstream.requests] == [False, True]


@pytest.mark.parametrize(
    "content",
    [b"", b"<html></html>", b'{"error":{"message":"x","type":"overloaded_error"}}', b"{}"],
    ids=["empty", "html", "an error", "no message"],
)
def test_a_200_that_is_no_answer_is_a_failure(content: bytes) -> None:
    client, upstream = serve({"one": [whole(content)] * 3, "two": [whole(COMPLETION)]})
    assert client.status == 200
    assert upstream.called[-1] == "two"


def test_an_empty_translated_answer_is_a_failure() -> None:
    empty = msgspec.json.decode(COMPLETION)
    empty["choices"][0]["message"]["content"] = ""
    empty["usage"] = None
    scripts = {"one": [fails(404)], "two": [whole(msgspec.json.encode(empty))] * 3}
    client, _ = serve(scripts)
    assert client.status == 529


def test_an_answer_that_never_comes_ends_with_the_time() -> None:
    client, upstream = serve({"one": [Script(before=10_000.0)], "two": []})
    assert client.status == 529
    assert upstream.cancelled == 1


def test_what_cannot_be_translated_goes_to_the_next_target() -> None:
    document = {"type": "document", "source": {"type": "file", "file_id": "file_1"}}
    content = body(MESSAGES, messages=[{"role": "user", "content": [document]}])
    table = dispatch(
        [provider("gpt", "openai"), provider("claude", "anthropic")],
        [target("chat", 0), target("one", 1)],
    )
    said = Said()
    upstream = Scripted({"chat": [], "one": [whole(MESSAGE)]})

    async def main() -> Recorder:
        return await ask(gateway(policy(table), said, http=upstream), content)

    client = run(main())
    assert client.status == 200
    assert upstream.called == ["one"]
    assert client.headers["x-lynkr-attempts"] == "1", "what was never sent is no call"
    assert client.headers["x-lynkr-fallback"] == "true"
    assert [record["fault"] for record in said.request["attempts"][:1]] == ["unsent"]


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT])
@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"{", ""),
        (b'{"messages":[]}', "model"),
        (b'{"model":"m","max_tokens":1,"messages":"x"}', "messages"),
    ],
)
def test_a_malformed_body_is_a_400_that_names_the_field(
    dialect: str, content: bytes, field: str
) -> None:
    said = Said()
    client, upstream = serve({}, content, dialect, said=said)
    assert client.status == 400
    assert field in client.json["error"]["message"]
    assert upstream.called == []
    assert said.request["class"] == "malformed"


def test_what_a_kind_refuses_is_left_out_for_models_nobody_described() -> None:
    table = dispatch([provider("le", "mistral", api_key="${KEY}")], [target("one", 0)])
    upstream = Scripted({"one": [whole(COMPLETION)]})
    served = gateway(policy(table), Said(), http=upstream)
    content = body(CHAT, max_completion_tokens=9, stream_options={"include_usage": True})

    async def main() -> Recorder:
        return await ask(served, content, CHAT)

    assert run(main()).status == 200
    sent = msgspec.json.decode(upstream.requests[0].body)
    assert sent["max_tokens"] == 9
    assert not {"stream_options", "max_completion_tokens"} & set(sent)


def test_messages_need_max_tokens() -> None:
    client, _ = serve({}, b'{"model":"m","messages":[{"role":"user","content":"x"}]}')
    assert client.status == 400
    assert "max_tokens" in client.json["error"]["message"]


def test_a_denied_request_gets_the_rules_words() -> None:
    said = Said()
    client, upstream = serve({}, scorer=lambda _: (1, -1, 0, -1, 0, -1, -1), said=said)
    assert client.status == 403
    assert client.json["error"] == {"type": "permission_error", "message": "not for you"}
    assert client.headers["x-lynkr-rule"] == "no-entry"
    assert client.headers["x-should-retry"] == "false"
    assert "x-lynkr-tier" not in client.headers
    assert upstream.called == []
    assert said.request["class"] == "denied"


def test_a_mistake_of_ours_is_a_500_without_details() -> None:
    said = Said()

    def broken(_: list[int]) -> Verdict:
        raise ZeroDivisionError("the prompt was Hello")

    client, _ = serve({}, scorer=broken, said=said)
    assert client.status == 500
    assert "Hello" not in str(client.json) + str(said.lines)
    (line,) = [line for line in said.lines if line["event"] == "mistake"]
    assert line["type"] == "ZeroDivisionError"
    assert said.request["class"] == "internal"


def test_the_simulate_header_counts_under_dry_run_only() -> None:
    async def main(dry_run: bool) -> Recorder:
        table = dispatch([provider("sim", "simulator")], [target("one", 0), target("two", 0)])
        served = gateway(policy(table), Said(), settings=Settings(dry_run=dry_run))
        return await ask(served, body(), headers={"x-lynkr-simulate": "one=fail:401"})

    dry, real = run(main(True)), run(main(False))
    assert dry.headers["x-lynkr-model"] == "model-two"
    assert real.headers["x-lynkr-model"] == "model-one"
    assert real.headers["x-lynkr-simulated"] == "1"


def test_a_dry_run_refuses_an_unknown_behaviour() -> None:
    async def main() -> Recorder:
        served = gateway(policy(mixed()), Said(), settings=Settings(dry_run=True))
        return await ask(served, body(), headers={"x-lynkr-simulate": "one=dance"})

    client = run(main())
    assert client.status == 400
    assert "dance" in client.json["error"]["message"]


def test_metrics_agree_with_the_log() -> None:
    said = Said()
    upstream = Scripted({"one": [fails(500)] * 3, "two": [whole(COMPLETION)]})
    served: Gateway = gateway(policy(mixed()), said, http=upstream)

    async def main() -> Any:
        await ask(served, body(), headers={})

    run(main())
    text = served.metrics.render().decode()
    assert (
        'lynkr_requests_total{class="served",surface="messages",target="two",tier="ONLY"} 1.0'
        in text
    )
    assert 'lynkr_attempts_total{class="transient",result="failed",target="one"} 3.0' in text
    assert 'lynkr_tokens_total{kind="input",target="two"} 7.0' in text
    assert "lynkr_requests_in_flight 0.0" in text
    assert said.request["usage"]["input"] == 7


async def test_the_client_may_leave_a_whole_answer_too() -> None:
    upstream = Scripted({"one": [Script(before=1000.0)]})
    said = Said()
    serving = asyncio.create_task(ask(gateway(policy(mixed()), said, http=upstream), body()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert upstream.cancelled == 1
    assert said.request["class"] == "aborted"


def test_a_rules_status_is_kept_and_otherwise_deny_has_words_of_its_own() -> None:
    table = dispatch([provider("claude", "anthropic")], [target("one", 0)])
    table = msgspec.structs.replace(
        table,
        rules=[
            Rule(name="law", deny=Deny(status=451, message="by law"), respond=None, prefer=None)
        ],
    )

    async def main(verdict: Verdict) -> Recorder:
        return await ask(gateway(policy(table, lambda _: verdict), Said()), body())

    law = run(main((1, -1, 0, -1, 0, -1, -1)))
    assert (law.status, law.json["error"]["message"]) == (451, "by law")
    otherwise = run(main((1, 0, -1, -1, 0, 42, -1)))
    assert otherwise.status == 403
    assert "allows no target" in otherwise.json["error"]["message"]


def test_a_refusal_names_the_unmet_needs() -> None:
    explained = {
        "chains": [
            {"targets": [{"target": "one", "dropped_by": ["need vision", "rule stay-home"]}]},
            {"targets": [{"target": "two", "dropped_by": ["need vision"]}]},
        ]
    }
    made = replace(
        policy(mixed(), lambda _: (3, 0, -1, -1, 0, 42, -1)), explain=lambda _: explained
    )

    async def main() -> Recorder:
        return await ask(gateway(made, Said()), body())

    client = run(main())
    assert client.status == 400
    message = client.json["error"]["message"]
    assert message.endswith("one (need vision, rule stay-home), two (need vision)")
