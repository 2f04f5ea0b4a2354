"""Targets and token counts to the worst case of one request (`lynkrc.interp.worst_case`).

Both sides of a plan are counted on the same request, whichever of the two reads its size.
"""

from collections.abc import Iterable
from fractions import Fraction
from math import ceil

from lynkrc.interp.evaluate import Vector
from lynkrc.interp.worst_case import call_costs
from lynkrc.ir.table import RouteTable, TargetId


def worst_case(
    table: RouteTable, targets: Iterable[TargetId], *, context: int | None, output: int | None
) -> Fraction | None:
    """USD, exactly; None where a price is not known.

    `context` and `output` are values of ``context.tokens`` and ``request.max_tokens``, None where
    they may be anything.
    """
    tried = [table.targets[one] for one in targets]
    if any(target.price is None for target in tried):
        return None
    return sum((call_costs(table, one, context, output) for one in tried), Fraction())


def micro(usd: Fraction | None) -> int | None:
    """Micro-dollars, rounded up."""
    return None if usd is None else ceil(usd * 1_000_000)


def value_of(table: RouteTable, v: Vector, feature: str) -> int | None:
    """The value of a feature without arguments in a vector; None where the table does not ask."""
    return next((v[slot.id] for slot in table.slots if slot.feature == feature), None)
