"""Targets and token counts to the worst case of one request, in micro-dollars.

Every attempt of the chain is billed: (1 + retries) x (in x price_in + out x price_out), with
in = min(1.1 x ``context.tokens``, window) and out = min(``request.max_tokens`` if given,
`max_output`). Input counts at the dearest of its prices, since it may be written to a cache.
(Design: "Assertions", `max_cost_usd`.)
"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from lynkrc.interp.evaluate import Vector
from lynkrc.ir.table import RouteTable, TargetId
from lynkrc_runtime.attempt import RETRIES


def worst_case(
    table: RouteTable, targets: Iterable[TargetId], *, context: int | None, output: int | None
) -> int | None:
    """Micro-dollars, rounded up; None where a price is not known.

    `context` and `output` are values of ``context.tokens`` and ``request.max_tokens``, None where
    they may be anything.
    """
    retries = {provider.name: provider.retries for provider in table.providers}
    total = Decimal(0)
    for one in targets:
        target = table.targets[one]
        if target.price is None:
            return None
        again = retries[target.provider]
        read, write, *cached = map(Decimal, target.price)
        window, limit = target.context, target.max_output
        # USD per million tokens is micro-dollars per token; 1.1 is the estimate's error.
        tokens = window if context is None else min((11 * context + 9) // 10, window)
        answer = limit if not output else min(output, limit)
        calls = 1 + (RETRIES if again is None else again)
        total += calls * (tokens * max(read, *cached) + answer * write)
    return int(total.to_integral_value(ROUND_CEILING))


def value_of(table: RouteTable, v: Vector, feature: str) -> int | None:
    """The value of a feature without arguments in a vector; None where the table does not ask."""
    return next((v[slot.id] for slot in table.slots if slot.feature == feature), None)
