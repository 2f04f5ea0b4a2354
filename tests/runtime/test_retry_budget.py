"""How many retries all requests together may make of one target."""

import pytest

from lynkrc_runtime.resilience.retry_budget import RetryBudget, RetryRules, retry_rules
from lynkrc_runtime.settings import RetryBudget as Declared


def taken(budget: RetryBudget, now: float, rules: RetryRules) -> int:
    count = 0
    while budget.take(now, rules):
        count += 1
        assert count < 1_000
    return count


def test_the_defaults_are_the_design_s() -> None:
    assert retry_rules(Declared()) == RetryRules(share=20, at_least=3.0)
    assert retry_rules(Declared(share=0, at_least=0.5)) == RetryRules(share=0, at_least=0.5)


@pytest.mark.parametrize(("requests", "retries"), [(0, 30), (100, 30), (150, 30), (200, 40)])
def test_the_larger_of_share_and_least_over_ten_seconds(requests: int, retries: int) -> None:
    budget = RetryBudget()
    for turn in range(requests):
        budget.requested(100.0 + turn * 9 / max(requests, 1))
    assert taken(budget, 109.5, RetryRules()) == retries


def test_what_was_taken_comes_back_after_ten_seconds() -> None:
    budget, rules = RetryBudget(), RetryRules(share=0, at_least=0.2)
    assert taken(budget, 5.9, rules) == 2
    assert taken(budget, 14.9, rules) == 0
    assert taken(budget, 15.0, rules) == 2


def test_nothing_is_left_where_nothing_is_allowed() -> None:
    assert taken(RetryBudget(), 1e9, RetryRules(share=0, at_least=0.0)) == 0


def test_requests_of_long_ago_give_nothing() -> None:
    budget = RetryBudget()
    for _ in range(1000):
        budget.requested(3.0)
    assert taken(budget, 13.0, RetryRules(at_least=0.0)) == 0
