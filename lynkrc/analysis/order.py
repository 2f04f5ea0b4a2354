"""An encoded decision to the targets its order may begin with (design: "The decision", step 9).

The decided order: sessions, breakers and budgets, which change what is tried first, come after it.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import z3

from lynkrc.analysis.encoded import Encoded
from lynkrc.ir.table import Pick, Target, TargetId


def first_in_order(encoded: Encoded) -> tuple[z3.BoolRef, ...]:
    """For each target: the decided order, before sessions and breakers, may begin with it."""
    f, table = encoded.formulas, encoded.table
    found: list[list[z3.BoolRef]] = [[] for _ in table.targets]
    preferring = list(encoded.first_prefer.items())
    for chain in table.chains:
        pinned = z3.And(encoded.final[chain.id], encoded.pinned_target)
        plain = z3.And(encoded.final[chain.id], z3.Not(encoded.pinned_target))
        nobody = z3.Not(f.some([when for _, when in preferring]))
        ways: list[tuple[z3.BoolRef, Pick, TargetId | None]] = [
            (z3.Or(pinned, z3.And(plain, nobody)), chain.pick, None)
        ]
        for rule, when in preferring:
            prefer = table.rules[rule].prefer
            if prefer is not None:
                ways.append((z3.And(plain, when), prefer.pick or chain.pick, prefer.target))
        for when, pick, preferred in ways:
            first = preferred if preferred in chain.targets else None
            for target, leads in _leading(encoded, chain.groups, pick, first):
                found[target].append(z3.And(when, leads))
    return tuple(f.some(ways) for ways in found)


def _leading(
    encoded: Encoded,
    groups: Sequence[Sequence[TargetId]],
    pick: Pick,
    preferred: TargetId | None,
) -> Iterator[tuple[TargetId, z3.BoolRef]]:
    f, kept, targets = encoded.formulas, encoded.kept, encoded.table.targets

    def cost(target: TargetId) -> tuple[bool, Decimal]:
        price = targets[target].price
        return (
            (True, Decimal(0)) if price is None else (False, Decimal(price[0]) + Decimal(price[1]))
        )

    open_ = f.constant(True)
    if preferred is not None:
        yield preferred, kept[preferred]
        open_ = z3.Not(kept[preferred])
    for group in groups:
        order = (
            sorted(group, key=lambda one: _cost(targets[one]))
            if pick is Pick.CHEAPEST
            else list(group)
        )
        is_ordered = pick in (Pick.ORDER, Pick.CHEAPEST)
        for i, target in enumerate(order):
            before = [kept[other] for other in order[:i]] if is_ordered else []
            yield target, z3.And(open_, kept[target], z3.Not(f.some(before)))
        open_ = z3.And(open_, z3.Not(f.some([kept[target] for target in group])))


def _cost(target: Target) -> tuple[bool, Decimal]:
    """What `cheapest` sorts by: input plus output price, last where nobody stated one."""
    if target.price is None:
        return True, Decimal(0)
    return False, Decimal(target.price[0]) + Decimal(target.price[1])
