"""Targets with their prices to the one that everything is compared with."""

from collections.abc import Iterable
from decimal import Decimal

from lynkrc_runtime.cost import Prices, prices_of
from lynkrc_runtime.dispatch import Target


def dearest(targets: Iterable[Target]) -> tuple[str, Prices] | None:
    """The target whose tokens cost most, input and output added, the first of several.

    None where no target has a price.
    """
    found: tuple[Decimal, str, Prices] | None = None
    for target in targets:
        prices = prices_of(target.price)
        if target.price is None or prices is None:
            continue
        both = Decimal(target.price.input) + Decimal(target.price.output)
        if found is None or both > found[0]:
            found = both, target.name, prices
    return None if found is None else found[1:]
