"""What a spec says of failures, as clients, operators and upstreams see it, in virtual time."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from lynkrc_runtime.dispatch import Chain, Dispatch, ProviderSettings
from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.settings import (
    Breaker,
    Concurrency,
    Resilience,
    RetryBudget,
    Timeouts,
)
from lynkrc_runtime.settings import Settings as Declared
from tests.runtime.by_hand import (
    CHAT,
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
from tests.runtime.test_serve_streams import END, OPEN, PING, START, WHOLE, delta
from tests.runtime.virtual_time import run

JSON = {"content-type": "application/json"}


def answers(status: int = 200, *, after: float = 0.0, **headers: str) -> Script:
    content: dict[str, Any] = {"error": {"type": "x", "message": "no"}}
    if status == 200:
        content = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [{"type": "text", "text": "Hi"}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 7, "output_tokens": 3},
        }
    return Script(
        steps=[msgspec.json.encode(content)], status=status, headers=JSON | headers, before=after
    )


def table(
    *names: str, resilience: Resilience | None = None, pick: str | None = None, **rest: Any
) -> Dispatch:
    providers = [provider("p", "anthropic", retries=0, rest=ProviderSettings(**rest))]
    made = dispatch(providers, [target(name, 0) for name in names])
    if pick is not None:
        group = list(range(len(names)))
        made = replace(made, chains=[Chain(name="all", groups=[group], pick=pick, weights=[])])
    return replace(made, settings=Declared(resilience=resilience or Resilience()))


def made(
    document: Dispatch, said: Said | None = None, **scripts: Sequence[Script]
) -> tuple[Gateway, Scripted]:
    upstream = Scripted(scripts)
    return gateway(policy(document), said or Said(), http=upstream), upstream


def asked(served: Gateway, *waits: float, dialect: str | None = None) -> list[Recorder]:
    """One request after each wait, one after the other."""

    async def main() -> list[Recorder]:
        found = []
        for wait in waits:
            await asyncio.sleep(wait)
            words = (body(),) if dialect is None else (body(dialect), dialect)
            found.append(await ask(served, *words))
        return found

    return run(main())


def streamed(document: Dispatch, *scripts: Script, said: Said | None = None) -> Recorder:
    served, _ = made(document, said, one=scripts)

    async def main() -> Recorder:
        return await ask(served, body(stream=True))

    return run(main())


# -- breakers --------------------------------------------------------------------------------


def test_an_open_breaker_keeps_requests_away_until_a_probe_has_served() -> None:
    said = Said()
    document = table("one", breaker=Breaker(failures=2, open_for=10.0, successes=1))
    served, upstream = made(document, said, one=[answers(500)] * 2 + [answers()] * 2)
    found = asked(served, 0.0, 1.0, 4.0, 7.0, 1.0)
    assert [one.status for one in found] == [529, 529, 529, 200, 200]
    assert len(upstream.called) == 4
    closed = found[2]
    assert closed.headers["retry-after"] == "6" and closed.headers["x-lynkr-attempts"] == "0"
    assert "one: it has failed too often" in closed.json["error"]["message"]
    told = [line for line in said.lines if line["event"] == "breaker"]
    assert [(line["level"], line["target"], line["state"]) for line in told] == [
        ("warning", "one", "open"),
        ("info", "one", "closed"),
    ]


def test_a_closed_target_is_passed_over_for_the_next_and_the_log_says_why() -> None:
    said = Said()
    document = table("one", "two", breaker=Breaker(failures=1))
    served, upstream = made(document, said, one=[answers(503)], two=[answers()] * 2)
    first, second = asked(served, 0.0, 0.0)
    assert (first.status, second.status) == (200, 200)
    assert upstream.called == ["one", "two", "two"]
    assert second.headers["x-lynkr-fallback"] == "true"
    assert second.headers["x-lynkr-attempts"] == "1"
    attempt = said.lines[-1]["attempts"][0]
    assert (attempt["result"], attempt["fault"]) == ("skipped", "breaker")


def test_nobody_waits_to_retry_a_target_that_has_just_been_closed() -> None:
    document = table("one", "two", breaker=Breaker(failures=1))
    document = replace(document, providers=[replace(document.providers[0], retries=2)])
    served, upstream = made(document, one=[answers(503)], two=[answers()])

    async def main() -> float:
        await ask(served, body())
        return asyncio.get_running_loop().time()

    assert run(main()) == 0.0 and upstream.called == ["one", "two"]


def test_breakers_are_metrics_and_json_for_operators() -> None:
    document = table("one", "two", breaker=Breaker(failures=1))
    served, _ = made(document, one=[answers(503)], two=[answers()])
    asked(served, 0.0)
    text = served.metrics.render().decode()
    assert 'lynkr_breaker_state{target="one"} 2.0' in text
    assert 'lynkr_breaker_state{target="two"} 0.0' in text
    assert 'lynkr_breaker_opened_total{target="one"} 1.0' in text
    assert 'lynkr_breaker_opened_total{target="two"} 0.0' in text


async def test_the_admin_listener_tells_each_target() -> None:
    document = table("one", "two")
    served, _ = made(document)
    async with (
        TestClient(TestServer(admin_app(Site(gateway=served)))) as client,
        client.get("/metrics/circuit-breakers") as answer,
    ):
        told = await answer.json()
    assert [one["target"] for one in told["targets"]] == ["one", "two"]
    assert told["targets"][0] == {
        "target": "one",
        "state": "closed",
        "since": None,
        "failures": 0,
        "next_probe": None,
        "throttled_for": None,
        "misconfigured_for": None,
        "outlier": False,
        "failing": 0.0,
        "first_event": None,
        "whole_answer": None,
    }


async def test_operators_may_have_everything_forgotten() -> None:
    document = table("one", breaker=Breaker(failures=1))
    served, upstream = made(document, one=[answers(503), answers()])
    async with TestClient(TestServer(admin_app(Site(gateway=served)))) as client:
        assert (await ask(served, body())).status == 529
        assert (await ask(served, body())).status == 529
        url = "/metrics/circuit-breakers/reset"
        async with client.post(url, data=b"{}", headers=JSON) as answer:
            assert (await answer.json())["targets"][0]["state"] == "closed"
        assert (await ask(served, body())).status == 200
    assert len(upstream.called) == 2
    assert 'lynkr_breaker_state{target="one"} 0.0' in served.metrics.render().decode()


async def test_operators_may_have_one_target_forgotten() -> None:
    served, _ = made(
        table("one", "two", breaker=Breaker(failures=1)), one=[answers(503)], two=[answers()]
    )
    async with TestClient(TestServer(admin_app(Site(gateway=served)))) as client:
        assert (await ask(served, body())).status == 200
        url = "/metrics/circuit-breakers/reset?target="
        for target, status, state in (("two", 200, "open"), ("three", 404, "open")):
            async with client.post(url + target, data=b"{}", headers=JSON) as answer:
                assert answer.status == status
            async with client.get("/metrics/circuit-breakers") as answer:
                assert (await answer.json())["targets"][0]["state"] == state
        async with client.post(url + "one", data=b"{}", headers=JSON) as answer:
            assert (await answer.json())["targets"][0]["state"] == "closed"


def test_a_client_s_short_deadline_is_not_held_against_the_target() -> None:
    document = table("one", breaker=Breaker(failures=1))
    served, upstream = made(document, one=[answers(after=5.0), answers()])

    async def main() -> tuple[Recorder, Recorder]:
        hasty = await ask(served, body(), headers={"x-lynkr-deadline-ms": "100"})
        return hasty, await ask(served, body())

    hasty, patient = run(main())
    assert (hasty.status, patient.status) == (529, 200) and len(upstream.called) == 2


# -- throttling and misconfiguration ---------------------------------------------------------


def test_a_throttled_target_answers_what_is_left_of_its_wait_without_a_call() -> None:
    limited = answers(429, **{"retry-after": "30"})
    served, upstream = made(table("one"), one=[limited, answers()])
    found = asked(served, 0.0, 10.0, 20.0)
    assert [one.status for one in found] == [429, 429, 200]
    assert [one.headers.get("retry-after") for one in found] == ["30", "20", None]
    assert len(upstream.called) == 2


def test_a_misconfigured_target_is_not_asked_again_for_a_minute() -> None:
    served, upstream = made(table("one"), one=[answers(401), answers()])
    found = asked(served, 0.0, 59.0, 1.0)
    assert [one.status for one in found] == [424, 424, 200]
    assert found[1].headers["x-should-retry"] == "false" and len(upstream.called) == 2
    assert "misconfigured in this gateway (it answered 401)" in found[1].json["error"]["message"]


# -- retries ---------------------------------------------------------------------------------


def test_the_retry_budget_holds_for_all_requests_together() -> None:
    resilience = Resilience(retry_budget=RetryBudget(share=0, at_least=0.2))
    document = table("one", resilience=resilience, breaker=Breaker(failures=1000))
    document = replace(document, providers=[replace(document.providers[0], retries=2)])
    served, upstream = made(document, one=[answers(500)] * 20)
    asked(served, 0.0, 0.0, 0.0)
    assert len(upstream.called) == 3 + 2, "two retries in ten seconds"
    text = served.metrics.render().decode()
    assert 'lynkr_retries_total{target="one"} 2.0' in text


# -- places ----------------------------------------------------------------------------------


def test_calls_beyond_the_concurrency_wait_and_then_are_refused() -> None:
    document = table("one", concurrency=Concurrency(limit=1, queue=1, wait=60.0))
    served, upstream = made(document, one=[answers(after=3.0)] * 2)

    async def main() -> list[tuple[int, float]]:
        async def one() -> tuple[int, float]:
            client = await ask(served, body(CHAT), CHAT)
            return client.status, asyncio.get_running_loop().time()

        return list(await asyncio.gather(*(one() for _ in range(3))))

    assert run(main()) == [(200, 3.0), (200, 6.0), (503, 0.0)]
    assert len(upstream.called) == 2


def test_a_wait_for_a_place_is_not_the_target_s_time() -> None:
    document = table("one", concurrency=Concurrency(limit=1, queue=1, wait=60.0))
    patient = replace(document.providers[0], first_event=4.0)
    served, _ = made(
        replace(document, providers=[patient]), one=[Script(steps=[WHOLE], before=3.0)] * 2
    )

    async def main() -> list[Recorder]:
        return list(await asyncio.gather(*(ask(served, body(stream=True)) for _ in range(2))))

    assert [one.body for one in run(main())] == [WHOLE, WHOLE]


def test_who_waits_for_a_place_of_a_target_that_opens_meanwhile_does_not_call_it() -> None:
    document = table("one", concurrency=Concurrency(limit=1, queue=1), breaker=Breaker(failures=1))
    served, upstream = made(document, one=[answers(500, after=3.0)])

    async def main() -> list[Recorder]:
        return list(await asyncio.gather(*(ask(served, body()) for _ in range(2))))

    first, second = run(main())
    assert (first.status, second.status) == (529, 529) and upstream.called == ["one"]
    assert served.places.counts() == {"p": (0, 0)}


# -- times -----------------------------------------------------------------------------------


def test_a_stream_begins_by_itself_after_the_declared_time() -> None:
    times = Resilience(timeouts=Timeouts(commit_after=2.0), keep_alive=3.0)
    script = Script(steps=[START, 12.0, OPEN + delta("Hi") + END])
    client = streamed(table("one", resilience=times), script)
    assert client.started_at == 2.0
    # What was held, then a sign of life every three seconds of silence.
    assert [at for at, _ in client.writes] == [2.0, 5.0, 8.0, 11.0, 12.0]
    assert client.body.count(b"ping") == 6 and client.body.endswith(END)


@pytest.mark.parametrize("failures", [1, 5])
def test_a_stream_is_cut_at_the_declared_length_and_the_target_is_not_blamed(
    failures: int,
) -> None:
    times = Resilience(timeouts=Timeouts(max_stream=10.0))
    chatter = [step for _ in range(9) for step in (4.0, PING)]
    said = Said()
    document = table("one", resilience=times, breaker=Breaker(failures=failures))
    client = streamed(document, Script(steps=[START + OPEN + delta("Hi"), *chatter]), said=said)
    at, last = client.writes[-1]
    assert at == 10.0 and b"event: error" in last and b"longer than it may" in last
    (attempt,) = said.request["attempts"]
    assert (attempt["result"], attempt["fault"]) == ("broken", "late")
    assert not [line for line in said.lines if line["event"] == "breaker"]


# -- order -----------------------------------------------------------------------------------


def test_the_fastest_of_a_group_is_found_and_then_first() -> None:
    document = table("slow", "quick", pick="fastest")
    served, upstream = made(document, slow=[answers(after=3.0)] * 9, quick=[answers(after=1.0)] * 9)
    found = asked(served, *[1.0] * 6, 61.0, 1.0, 1.0)
    assert upstream.called[:6] == ["slow", "quick", "quick", "quick", "quick", "quick"]
    assert {one.headers["x-lynkr-fallback"] for one in found} == {"false"}
    # After a minute without news each is measured again.
    assert upstream.called[6:] == ["slow", "quick", "quick"]
