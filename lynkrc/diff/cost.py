"""Targets and token counts to the worst case of one request.

Every attempt of the chain is billed: (1 + retries) x (in x price_in + out x price_out), with
in = min(1.1 x ``context.tokens``, window) and out = min(``request.max_tokens`` if given,
`max_output`). Input counts at the dearest of its prices, since it may be written to a cache.
(Design: "Assertions", `max_cost_usd`.)
"""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from lynkrc.interp.expressions import Vector
from lynkrc.interp.worst_case import call_costs
from lynkrc.ir.table import RouteTable, TargetId


def worst_case(
    table: RouteTable, targets: Sequence[TargetId], *, context: int | None, output: int | None
) -> Fraction | None:
    """USD, exactly; None where a price is not known.

    `context` and `output` are values of ``context.tokens`` and ``request.max_tokens``, None where
    they may be anything.
    """
    each = [table.targets[one] for one in targets]
    if any(one.price is None for one in each):
        return None
    return sum((call_costs(table, one, context, output) for one in each), Fraction())


def in_micro(cost: Fraction | None) -> int | None:
    """Micro-dollars, rounded up."""
    return None if cost is None else ceil(cost * 10**6)


def value_of(table: RouteTable, v: Vector, feature: str) -> int | None:
    """The value of a feature without arguments in a vector; None where the table does not ask."""
    return next((v[slot.id] for slot in table.slots if slot.feature == feature), None)
