"""Prices and tokens to micro-dollars: exact, by kind, and never a number that is not known."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.cost import (
    FREE,
    KINDS,
    Charge,
    Cost,
    charge,
    cost_of,
    in_usd,
    prices_of,
    total_of,
)
from lynkrc_runtime.dispatch import Price
from lynkrc_runtime.protocol.conversation import Usage

SONNET = Price(input="3", output="15", cache_read="0.3", cache_write="3.75")
PRICES = prices_of(SONNET)
CHECK = Usage(input=9, output=12, cache_read=18432, cache_write=2048)


def test_the_check_traffic_costs_what_a_calculator_says() -> None:
    cost = cost_of(CHECK, PRICES)
    assert cost == Cost(input=27, output=180, cache_read=5530, cache_write=7680)
    assert cost is not None
    assert in_usd(cost.total) == "0.013417"


def test_what_has_no_price_has_no_cost_and_what_is_free_costs_nothing() -> None:
    assert prices_of(None) is None
    assert cost_of(CHECK, None) is None
    free = prices_of(Price(input="0", output="0", cache_read="0", cache_write="0"))
    assert free == FREE
    assert cost_of(CHECK, free) == Cost()
    known = Charge(usage=CHECK, cost=cost_of(CHECK, PRICES), estimated=False)
    unknown = Charge(usage=CHECK, cost=None, estimated=False)
    assert total_of([known, unknown]) is None
    assert total_of([]) == Cost()


def test_reasoning_is_output_and_an_hour_s_write_a_write() -> None:
    usage = Usage(output=100, reasoning=60, cache_write=40, cache_write_1h=30)
    assert cost_of(usage, PRICES) == Cost(output=1500, cache_write=150)


def test_halves_round_up_and_small_prices_are_not_lost() -> None:
    prices = prices_of(Price(input="0.5", output="0.006", cache_read="0.0105", cache_write="0"))
    assert cost_of(Usage(input=1, output=83, cache_read=1000), prices) == Cost(
        input=1, output=0, cache_read=11
    )
    assert cost_of(Usage(input=3, output=84, cache_read=142), prices) == Cost(
        input=2, output=1, cache_read=1
    )


AMOUNT = st.decimals(0, 1_000_000, places=6, allow_nan=False).map(str)
TOKENS = st.integers(0, 10**9)


@settings(derandomize=True, max_examples=200)
@given(
    price=st.builds(Price, input=AMOUNT, output=AMOUNT, cache_read=AMOUNT, cache_write=AMOUNT),
    usage=st.builds(Usage, input=TOKENS, output=TOKENS, cache_read=TOKENS, cache_write=TOKENS),
)
def test_each_kind_is_exact_to_half_a_micro_dollar_and_totals_add_up(
    price: Price, usage: Usage
) -> None:
    cost = cost_of(usage, prices_of(price))
    assert cost is not None
    for kind in KINDS:
        exact = Decimal(getattr(price, kind)) * getattr(usage, kind)
        assert abs(exact - getattr(cost, kind)) <= Decimal("0.5")
    assert cost.total == sum(getattr(cost, kind) for kind in KINDS)
    one = Charge(usage=usage, cost=cost, estimated=False)
    twice = total_of([one, one])
    assert twice is not None
    assert twice.total == 2 * cost.total


@pytest.mark.parametrize(
    ("usage", "is_final", "expected", "estimated"),
    [
        (CHECK, True, CHECK, False),
        (Usage(), True, Usage(), False),
        # Broken off: the input of the start, the output as far as it came.
        (Usage(input=7, output=1), False, Usage(input=7, output=40), True),
        (Usage(input=7, output=90), False, Usage(input=7, output=90), True),
        (Usage(cache_read=7), False, Usage(cache_read=7, output=40), True),
        (Usage(), False, Usage(input=500, output=40), True),
        # Not a word from the upstream.
        (None, False, Usage(input=500, output=40, reported=False), True),
        (Usage(reported=False), True, Usage(input=500, output=40, reported=False), True),
    ],
)
def test_what_is_not_reported_is_estimated(
    usage: Usage | None, is_final: bool, expected: Usage, estimated: bool
) -> None:
    made = charge(usage, PRICES, is_final=is_final, input_estimate=500, streamed=40)
    assert made == Charge(usage=expected, cost=cost_of(expected, PRICES), estimated=estimated)
