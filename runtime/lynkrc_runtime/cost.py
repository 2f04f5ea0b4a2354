"""A target's prices and the tokens of a call, to what the call cost in whole micro-dollars.

USD per million tokens is micro-dollars per token, so a price is an integer of a billionth of a
micro-dollar, made once at start, and a cost is integer arithmetic alone. Each kind's cost is
rounded to the nearest micro-dollar, halves up; every total is a sum of such parts, so all figures
of a request add up exactly, and a call is off by less than 2 micro-dollars.

What has no price has no cost: None, never 0. What is free costs 0.

>>> prices = prices_of(Price(input="3", output="15", cache_read="0.3", cache_write="3.75"))
>>> cost_of(Usage(input=9, output=140, cache_read=18432, cache_write=2048), prices)
Cost(input=27, output=2100, cache_read=5530, cache_write=7680)
>>> in_usd(15337)
'0.015337'
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import final

from msgspec import Struct
from msgspec.structs import replace

from lynkrc_runtime.dispatch import Price
from lynkrc_runtime.protocol.conversation import Usage

_PARTS, _HALF = 10**9, 5 * 10**8
"""Of a micro-dollar. Decimals of a price beyond the ninth are rounded."""

KINDS = ("input", "output", "cache_read", "cache_write")
"""Of tokens, each paid for at its own price; reasoning is output."""


@final
class Prices(Struct, frozen=True, kw_only=True, gc=False):
    """Of one token of each kind, in billionths of a micro-dollar."""

    input: int
    output: int
    cache_read: int
    cache_write: int


FREE = Prices(input=0, output=0, cache_read=0, cache_write=0)


@final
class Cost(Struct, frozen=True, kw_only=True, gc=False):
    """Micro-dollars by kind."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        """Micro-dollars."""
        return micro_of(self)


NO_COST = Cost()
"""Of what was not charged for anything."""


@final
class Charge(Struct, frozen=True, kw_only=True, gc=False):
    """What one call used and cost; `cost` None where its target's price is not known.

    `estimated`: the upstream did not report all of it, so the rest is our estimate.
    """

    usage: Usage
    cost: Cost | None
    estimated: bool


def micro_of(cost: Cost) -> int:
    """`Cost.total`, for every request: a property takes three times as long to ask."""
    return cost.input + cost.output + cost.cache_read + cost.cache_write


def prices_of(price: Price | None) -> Prices | None:
    """A bundle's price as integers."""
    if price is None:
        return None
    return Prices(
        input=_parts(price.input),
        output=_parts(price.output),
        cache_read=_parts(price.cache_read),
        cache_write=_parts(price.cache_write),
    )


def cost_of(usage: Usage, prices: Prices | None) -> Cost | None:
    """What these tokens cost; None where the prices are not known."""
    if prices is None:
        return None
    return Cost(
        input=(usage.input * prices.input + _HALF) // _PARTS,
        output=(usage.output * prices.output + _HALF) // _PARTS,
        # Most have none of these, and such integers are dear.
        cache_read=usage.cache_read and (usage.cache_read * prices.cache_read + _HALF) // _PARTS,
        cache_write=usage.cache_write
        and (usage.cache_write * prices.cache_write + _HALF) // _PARTS,
    )


def charge(
    usage: Usage | None,
    prices: Prices | None,
    is_final: bool,
    input_estimate: int,
    streamed: int,
) -> Charge:
    """The charge for a call: what it reported, else what is estimated.

    `is_final`: the answer came whole, so what it reports is all there is. Otherwise a report from
    the start of a stream tells of the input only, and `streamed` (tokens, by our estimate) is what
    of the output came. `input_estimate` stands in where no input was reported.
    """
    reported = usage is not None and usage.reported
    if usage is not None and reported and is_final:
        return Charge(usage=usage, cost=cost_of(usage, prices), estimated=False)
    if usage is None or not reported:
        found = Usage(input=input_estimate, output=streamed, reported=False)
    else:
        found = replace(usage, output=max(usage.output, streamed))
        if not usage.input + usage.cache_read + usage.cache_write:
            found = replace(found, input=input_estimate)
    return Charge(usage=found, cost=cost_of(found, prices), estimated=True)


def total_of(charges: Iterable[Charge]) -> Cost | None:
    """The sum; None where the cost of any of them is not known, 0 where there are none."""
    total = NO_COST
    for one in charges:
        if one.cost is None:
            return None
        if total is NO_COST:
            total = one.cost  # mostly there is one
            continue
        total = Cost(
            input=total.input + one.cost.input,
            output=total.output + one.cost.output,
            cache_read=total.cache_read + one.cost.cache_read,
            cache_write=total.cache_write + one.cost.cache_write,
        )
    return total


def in_usd(micro: int) -> str:
    """Micro-dollars (0 or more) as dollars, all six decimals.

    >>> in_usd(0), in_usd(12_000_001)
    ('0.000000', '12.000001')
    """
    digits = str(micro).zfill(7)
    return f"{digits[:-6]}.{digits[-6:]}"


def _parts(price: str) -> int:
    return int((Decimal(price) * _PARTS).to_integral_value(ROUND_HALF_UP))
