"""Two gateways on one Redis: one budget between them, and what a Redis that dies means."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from redis import Redis

from tests.e2e.metered import COST, KEYS_SECTION, Metered, metered
from tests.redis_server import RedisServer, redis_server

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
LIMIT = 20_000
AT_ONCE = 16


def spec(*, hard: bool, on_failure: str) -> str:
    more = ", hard: true" if hard else ""
    return KEYS_SECTION + (
        "budgets:\n"
        "  - {name: web, per: team, usd: 0.02, period: month, "
        f"alert_at: [50, 90]{more}}}\n"
        "state:\n"
        "  store: redis\n"
        '  url: "${REDIS_URL}"\n'
        f"  on_failure: {on_failure}\n"
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path, durable=True) as running:
        yield running


def load(lab: Metered, count: int) -> int:
    """So many requests at once to both gateways by both keys of the team; how many were served."""
    callers = [lab.anthropic(key, at) for at in (0, 1) for key in ("ci", "qa")]

    def ask(number: int) -> bool:
        client = callers[number % len(callers)]
        try:
            client.messages.create(model="auto", max_tokens=50, messages=HELLO)
        except anthropic.RateLimitError as error:
            assert error.response.headers["x-should-retry"] == "false"
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(ask, range(count)))


@pytest.mark.parametrize("hard", [True, False])
def test_two_gateways_enforce_one_budget(tmp_path: Path, server: RedisServer, hard: bool) -> None:
    more = spec(hard=hard, on_failure="closed")
    with metered(tmp_path, more, count=2, redis=server.url) as lab:
        spent = load(lab, 100) * COST
        assert lab.metric("lynkr_cost_micro_usd_total", target="dear") == spent
        if hard:
            assert 0 < spent <= LIMIT
        else:
            # At most what was in flight when the last of it was spent goes beyond.
            assert LIMIT <= spent <= LIMIT + AT_ONCE * COST
            alerts = lab.metric("lynkr_budget_alerts_total", budget="web")
            assert alerts == 2, "each share is told by one of the two, once"
    with Redis.from_url(server.url, decode_responses=True) as client:
        names = [str(key) for key in client.scan_iter() if "account:web:team:web" in str(key)]
    assert len(names) >= 1, "both gateways spend from the account of the team"


def test_a_redis_that_dies_and_comes_back_when_closed(tmp_path: Path, server: RedisServer) -> None:
    more = spec(hard=False, on_failure="closed")
    with metered(tmp_path, more, redis=server.url) as lab:
        messages, chat = lab.anthropic("ci").messages, lab.openai("ci").chat.completions
        messages.create(model="auto", max_tokens=50, messages=HELLO)
        server.kill()
        with pytest.raises(anthropic.APIStatusError) as first:
            messages.create(model="auto", max_tokens=50, messages=HELLO)
        with pytest.raises(openai.InternalServerError) as second:
            chat.create(model="auto", messages=HELLO)
        assert (first.value.status_code, second.value.status_code) == (529, 503)
        for error in (first.value, second.value):
            assert int(error.response.headers["retry-after"]) > 0
            assert error.response.headers["x-should-retry"] == "true"
        server.start()
        patient = lab.anthropic("ci").with_options(max_retries=8)
        patient.messages.create(model="auto", max_tokens=50, messages=HELLO)
        assert lab.metric("lynkr_cost_micro_usd_total", target="dear") == 2 * COST
        endings = [line["class"] for line in lab.gateways[0].requests]
        assert endings.count("served") == 2 and set(endings) == {"served", "unavailable"}


def test_a_redis_that_dies_is_not_waited_for_when_open(tmp_path: Path, server: RedisServer) -> None:
    more = spec(hard=True, on_failure="open")
    with metered(tmp_path, more, redis=server.url) as lab:
        messages = lab.anthropic("ci").messages
        for step in ("up", "down", "up"):
            if step == "down":
                server.kill()
            elif lab.gateways[0].requests:
                server.start()
            for _ in range(3):
                assert messages.create(model="auto", max_tokens=50, messages=HELLO).content
