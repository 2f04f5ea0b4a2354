"""A decided chain to the most it can cost and the longest it can take, exactly.

Every target is tried as often as its provider allows, each call is billed in full, and each fails
as late as it may. What is not counted: a call made again because a target refused a parameter (such
refusals are not billed), and one made again on a fresh connection because a kept one had died.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import final

from lynkrc.interp.expressions import Vector
from lynkrc.ir.table import Provider, RouteTable, Target, TargetId
from lynkrc_runtime.attempt import BACKOFF_CAP, RETRIES, THROTTLED_WAIT
from lynkrc_runtime.times import Times

MARGIN = Fraction(11, 10)
"""The real input is taken to be at most so many times the estimate."""

_MILLION = 10**6
_TIMES = Times()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """The cost is not known, because nobody stated a price for these targets of the chain."""

    targets: tuple[TargetId, ...]


def worst_cost(table: RouteTable, v: Vector, targets: Sequence[TargetId]) -> Fraction | Unpriced:
    """Most USD a request may cost whose decided chain is `targets`; 0 for an empty one.

    Where the table does not read the size of the input, or the output the client asks for, they
    are as large as the target takes.
    """
    unpriced = tuple(one for one in targets if table.targets[one].price is None)
    if unpriced:
        return Unpriced(targets=unpriced)
    tokens, asked = _read(table, v, "context.tokens"), _read(table, v, "request.max_tokens")
    return sum(
        (call_costs(table, table.targets[one], tokens, asked) for one in targets), Fraction()
    )


def call_costs(
    table: RouteTable, target: Target, tokens: int | None, asked: int | None
) -> Fraction:
    """Most USD that all calls of a priced target may cost.

    `tokens` is the estimate of the input, `asked` the output the client set as its limit, 0 where
    it set none; None where they are not known.
    """
    assert target.price is not None, "somebody stated a price"
    input_, output, cache_read, cache_write = map(_stated, target.price)
    read = Fraction(target.context)
    if tokens is not None:
        read = min(MARGIN * tokens, read)
    written = min(asked, target.max_output) if asked else target.max_output
    dearest = max(input_, cache_read, cache_write)
    return calls(table, target) * (read * dearest + written * output) / _MILLION


def calls(table: RouteTable, target: Target) -> int:
    """How often a target is called at most: once, and its retries."""
    return 1 + _retries(_provider(table, target))


def worst_latency(table: RouteTable, targets: Sequence[TargetId]) -> Fraction:
    """Most seconds to the first byte of a streamed answer, or to the error; 0 without a target.

    The order of the targets does not matter: at the end of the longest `total` nothing is left.
    """
    each = [table.targets[one] for one in targets]
    spent = sum((call_seconds(table, one) for one in each), Fraction())
    return min(spent, max((total_seconds(table, one) for one in each), default=Fraction()))


def call_seconds(table: RouteTable, target: Target) -> Fraction:
    """Most seconds that all calls of a target take to their first byte, waits included."""
    provider = _provider(table, target)
    times, retries = _TIMES, _retries(provider)
    connect = times.connect if provider.connect is None else provider.connect
    first = times.patience(provider.trust) if provider.first_event is None else provider.first_event
    # What a target asks for with `retry-after` is waited out up to the cap.
    backoff = BACKOFF_CAP if provider.max_backoff is None else provider.max_backoff
    wait = max(backoff, THROTTLED_WAIT)
    return (1 + retries) * (_exact(connect) + _exact(first)) + retries * _exact(wait)


def total_seconds(table: RouteTable, target: Target) -> Fraction:
    """The seconds after which the target is no longer called."""
    provider = _provider(table, target)
    return _exact(_TIMES.total if provider.total is None else provider.total)


def _retries(provider: Provider) -> int:
    return RETRIES if provider.retries is None else provider.retries


def _provider(table: RouteTable, target: Target) -> Provider:
    return next(one for one in table.providers if one.name == target.provider)


def _read(table: RouteTable, v: Vector, feature: str) -> int | None:
    found: Iterator[int] = (v[slot.id] for slot in table.slots if slot.feature == feature)
    return next(found, None)


def _exact(seconds: float) -> Fraction:
    """The decimal that was written, not the float nearest to it."""
    return _stated(repr(seconds))


@lru_cache(maxsize=1024)  # the few of a spec are asked for at every point that is tried
def _stated(number: str) -> Fraction:
    return Fraction(number)
