"""What a request cost: one number in its header, its log line and the metrics, however it ended."""

import asyncio
import re
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.cost import in_usd
from lynkrc_runtime.dispatch import Price
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.routes import Settings
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
from tests.runtime.test_serve_streams import END, OPEN, START, WHOLE, delta
from tests.runtime.test_serve_whole import COMPLETION, MESSAGE, fails, whole
from tests.runtime.virtual_time import run

CLAUDE = Price(input="3", output="15", cache_read="0.3", cache_write="3.75")
GPT = Price(input="2", output="10", cache_read="0.5", cache_write="2")
CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":['
    b'{"index":0,"delta":{"role":"assistant","content":"Hello there."},"finish_reason":null}]}\n\n'
)
STOP = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":['
    b'{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
)


def made(
    upstream: Scripted,
    said: Said,
    prices: Sequence[Price | None] = (CLAUDE, GPT),
    settings: Settings | None = None,
) -> Gateway:
    table = dispatch(
        [provider("claude", "anthropic"), provider("gpt", "openai")],
        [target("one", 0, price=prices[0]), target("two", 1, price=prices[1])],
    )
    return gateway(policy(table), said, http=upstream, settings=settings)


def serve(
    scripts: Mapping[str, list[Script]],
    *,
    stream: bool = False,
    dialect: str = MESSAGES,
    prices: Sequence[Price | None] = (CLAUDE, GPT),
    client: Recorder | None = None,
    settings: Settings | None = None,
) -> tuple[Recorder, Said, Gateway]:
    said = Said()

    async def main() -> tuple[Recorder, Said, Gateway]:
        served = made(Scripted(scripts), said, prices, settings)
        answer = await ask(served, body(dialect, stream=stream), dialect, client=client)
        return answer, said, served

    return run(main())


def counted(served: Gateway, name: str) -> dict[tuple[str, str], float]:
    """(target, kind) -> value of a counter."""
    pattern = re.compile(name + r'_total\{kind="(\w+)",target="(\w+)"\} (\S+)')
    return {(t, k): float(v) for k, t, v in pattern.findall(served.metrics.render().decode())}


def test_header_log_and_metrics_agree_on_a_whole_answer() -> None:
    answer, said, served = serve({"one": [whole(MESSAGE)]})
    # 7 at 3 and 3 at 15 micro-dollars a token.
    assert answer.headers["x-lynkr-cost-usd"] == "0.000066"
    line = said.request
    assert line["cost_micro_usd"] == 66
    assert line["cost_by_kind"] == {"input": 21, "output": 45, "cache_read": 0, "cache_write": 0}
    assert line["estimated"] is False
    (attempt,) = line["attempts"]
    assert (attempt["cost_micro_usd"], attempt["usage"]["output"]) == (66, 3)
    costs = counted(served, "lynkr_cost_micro_usd")
    assert costs["one", "input"] + costs["one", "output"] == 66
    assert counted(served, "lynkr_tokens") == {("one", "input"): 7, ("one", "output"): 3}


def test_a_stream_tells_its_cost_in_the_log_and_not_in_a_header() -> None:
    answer, said, _ = serve({"one": [Script(steps=[WHOLE])]}, stream=True)
    assert answer.status == 200
    assert "x-lynkr-cost-usd" not in answer.headers
    assert (said.request["cost_micro_usd"], said.request["estimated"]) == (66, False)


def test_an_unknown_price_is_no_header_null_and_a_count_of_its_own() -> None:
    answer, said, served = serve({"one": [whole(MESSAGE)]}, prices=(None, GPT))
    assert "x-lynkr-cost-usd" not in answer.headers
    assert (said.request["cost_micro_usd"], said.request["cost_by_kind"]) == (None, None)
    assert said.request["usage"]["input"] == 7
    assert counted(served, "lynkr_cost_micro_usd") == {}
    assert b'lynkr_unpriced_calls_total{target="one"} 1.0' in served.metrics.render()


def test_what_is_free_costs_nothing_and_says_so() -> None:
    free = Price(input="0", output="0", cache_read="0", cache_write="0")
    answer, said, _ = serve({"one": [whole(MESSAGE)]}, prices=(free, GPT))
    assert answer.headers["x-lynkr-cost-usd"] == "0.000000"
    assert said.request["cost_micro_usd"] == 0


def test_a_simulated_answer_costs_nothing() -> None:
    answer, said, _ = serve({}, settings=Settings(dry_run=True))
    assert answer.headers["x-lynkr-simulated"] == "1"
    assert answer.headers["x-lynkr-cost-usd"] == "0.000000"
    assert said.request["usage"]["output"] > 0


def test_a_failed_call_that_reported_nothing_is_charged_nothing() -> None:
    answer, said, _ = serve(
        {"one": [fails(400, "prompt is too long: 9")], "two": [whole(COMPLETION)]}
    )
    # 7 at 2 and 3 at 10.
    assert answer.headers["x-lynkr-cost-usd"] == "0.000044"
    first, second = said.request["attempts"]
    assert "cost_micro_usd" not in first
    assert second["cost_micro_usd"] == 44


def test_an_error_answer_tells_what_its_attempts_cost() -> None:
    answer, said, _ = serve({"one": [fails(400)]})
    assert answer.status == 400
    assert answer.headers["x-lynkr-cost-usd"] == "0.000000"
    assert said.request["cost_micro_usd"] == 0


def test_an_attempt_that_fails_after_its_report_is_charged_beside_the_one_that_serves() -> None:
    """The first stream breaks before anything was sent: its input was read all the same."""
    scripts = {
        "one": [Script(steps=[START, Fault.BROKEN]) for _ in range(3)],
        "two": [Script(steps=[CHUNK + STOP + b"data: [DONE]\n\n"])],
    }
    answer, said, _ = serve(scripts, stream=True)
    assert answer.status == 200
    line = said.request
    *failed, served = line["attempts"]
    assert [record["cost_micro_usd"] for record in failed] == [7 * 3 + 15] * len(failed)
    assert line["cost_micro_usd"] == sum(record["cost_micro_usd"] for record in line["attempts"])
    assert line["usage"] == {**served["usage"], "reported": False, "input": 0, "output": 0}


def test_a_stream_without_usage_is_charged_what_came_of_it() -> None:
    scripts = {"one": [fails(400, "prompt is too long: 9")], "two": [Script(steps=[CHUNK, STOP])]}
    _, said, _ = serve(scripts, stream=True)
    served = said.request["attempts"][-1]
    assert served["estimated"] is True
    assert served["usage"]["output"] == 3  # "Hello there." is 12 bytes
    assert served["usage"]["input"] > 0


@pytest.mark.parametrize("cut", [Fault.BROKEN, "error"])
def test_a_broken_stream_is_charged_its_input_and_what_was_streamed(cut: Fault | str) -> None:
    error = b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"x"}}\n\n'
    said_so_far = delta("word " * 40)
    step = error if cut == "error" else Fault.BROKEN
    _, said, served = serve(
        {"one": [Script(steps=[START + OPEN + said_so_far, step])]}, stream=True
    )
    line = said.request
    assert line["class"] == "broken"
    (attempt,) = line["attempts"]
    assert (attempt["usage"]["input"], attempt["usage"]["output"]) == (7, 50)
    assert (line["cost_micro_usd"], line["estimated"]) == (7 * 3 + 50 * 15, True)
    assert counted(served, "lynkr_tokens")["one", "output"] == 50


def test_a_client_that_leaves_is_charged_what_came_until_then() -> None:
    said = Said()
    steps = [START + OPEN + delta("word " * 40), 60.0, END]

    async def main() -> None:
        served = made(Scripted({"one": [Script(steps=steps)]}), said)
        task = asyncio.create_task(ask(served, body(stream=True)))
        await asyncio.sleep(5.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    line = said.request
    assert (line["class"], line["estimated"]) == ("aborted", True)
    assert line["cost_micro_usd"] == 7 * 3 + 50 * 15


def test_leaving_before_a_word_costs_the_input_s_estimate() -> None:
    said = Said()

    async def main() -> None:
        served = made(Scripted({"one": [Script(before=60.0, steps=[MESSAGE])]}), said)
        task = asyncio.create_task(ask(served, body(text="word " * 400)))
        await asyncio.sleep(5.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    (attempt,) = said.request["attempts"]
    assert attempt["estimated"] is True
    assert attempt["usage"]["output"] == 0
    assert attempt["usage"]["input"] >= 500
    assert said.request["cost_micro_usd"] == 3 * attempt["usage"]["input"]


def test_a_client_that_leaves_after_the_last_word_is_charged_what_was_reported() -> None:
    client = Recorder(gone=True)
    _, said, _ = serve({"one": [Script(steps=[WHOLE])]}, stream=True, client=client)
    assert said.request["class"] == "aborted"
    assert (said.request["cost_micro_usd"], said.request["estimated"]) == (66, False)


def test_chat_clients_hear_the_cost_too() -> None:
    answer, said, _ = serve({"one": [whole(MESSAGE)]}, dialect=CHAT)
    assert answer.headers["x-lynkr-cost-usd"] == in_usd(said.request["cost_micro_usd"]) != ""
    assert msgspec.json.decode(answer.body)["usage"]["total_tokens"] == 10


def test_a_whole_answer_to_a_streamed_request_is_paid_for_though_nobody_gets_it() -> None:
    answer, said, _ = serve({"one": [whole(MESSAGE), Script(steps=[WHOLE])]}, stream=True)
    assert answer.status == 200
    assert [one.get("cost_micro_usd") for one in said.request["attempts"]] == [66, 66]
    assert (said.request["cost_micro_usd"], said.request["estimated"]) == (132, False)
