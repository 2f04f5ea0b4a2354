"""Budgets over sockets with the official clients: spent, skipped, settled at a stop."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.e2e.metered import COST, KEYS_SECTION, Metered, metered

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


def budgets(hard: str = "") -> str:
    return KEYS_SECTION + (
        "budgets:\n"
        "  - {name: web, per: team, only: [web], usd: 0.001, period: month, "
        f"alert_at: [50, 100]{hard}}}\n"
    )


def say(lab: Metered, key: str) -> Any:
    client = lab.anthropic(key)
    return client.messages.create(model="auto", max_tokens=50, messages=HELLO)


def test_a_spent_budget_is_told_to_both_clients(tmp_path: Path) -> None:
    with metered(tmp_path, budgets()) as lab:
        # Two keys of one team spend from one budget.
        assert say(lab, "ci").usage.output_tokens == say(lab, "qa").usage.output_tokens == 20
        with pytest.raises(anthropic.RateLimitError) as first:
            say(lab, "ci")
        with pytest.raises(openai.RateLimitError) as second:
            lab.openai("qa").chat.completions.create(model="auto", messages=HELLO)
        for error in (first.value, second.value):
            assert "budget web of 0.001000 USD a month for team web is spent" in str(error)
            assert "it begins anew at 20" in str(error)
            assert error.response.headers["x-should-retry"] == "false"
            assert "retry-after" not in error.response.headers
        # Who is of no team has no such budget.
        assert say(lab, "lone").content
        alerts = [line for line in lab.gateways[0].lines if line["event"] == "budget-alert"]
        assert [(one["percent"], one["spent_micro_usd"]) for one in alerts] == [
            (50, COST),
            (100, 2 * COST),
        ]
        assert lab.metric("lynkr_budget_alerts_total", budget="web") == 2
        assert lab.metric("lynkr_requests_total", **{"class": "spent"}) == 2


def test_a_spent_budget_of_a_target_leaves_the_rest_of_the_chain(tmp_path: Path) -> None:
    more = "budgets:\n  - {name: all, usd: 0.0005, targets: [dear]}\n"
    with metered(tmp_path, more, chain="dear, spare") as lab:
        assert [say(lab, "anybody").model for _ in range(3)] == ["dear-1", "spare-1", "spare-1"]


def test_a_hard_budget_under_load_is_not_passed(tmp_path: Path) -> None:
    hard = budgets(", hard: true").replace("0.001", "0.004")
    with metered(tmp_path, hard) as lab, ThreadPoolExecutor(16) as pool:
        client = lab.anthropic("ci")

        def ask(_: int) -> int:
            try:
                client.messages.create(model="auto", max_tokens=50, messages=HELLO)
            except anthropic.RateLimitError:
                return 0
            return COST

        spent = sum(pool.map(ask, range(60)))
        assert 0 < spent <= 4_000
        assert lab.metric("lynkr_cost_micro_usd_total", target="dear") == spent
