"""A verdict to the order its targets are tried in (design: "The decision", step 9).

The decided order: sessions, breakers and budgets come after it, and groups of which one is drawn
stand as written.
"""

from decimal import Decimal

from lynkrc.ir.table import Pick, RouteTable, Target, TargetId
from lynkrc_runtime.decide import Verdict


def decided_order(table: RouteTable, verdict: Verdict) -> tuple[TargetId, ...]:
    """The targets that are left of the decided chain, in their order; none without a chain."""
    _, _, _, chain, mask, _, by = verdict
    if chain < 0:
        return ()
    row = table.chains[chain]
    prefer = table.rules[by].prefer if by >= 0 else None
    pick = row.pick if prefer is None or prefer.pick is None else prefer.pick
    order: list[TargetId] = []
    for group in row.groups:
        left = [one for one in group if mask >> one & 1]
        if pick is Pick.CHEAPEST:
            left.sort(key=lambda one: cost(table.targets[one]))
        order += left
    if prefer is not None and prefer.target in order:
        order.remove(prefer.target)
        order.insert(0, prefer.target)
    return tuple(order)


def cost(target: Target) -> tuple[bool, Decimal]:
    """What `cheapest` sorts by: input plus output price, last where nobody stated one."""
    if target.price is None:
        return True, Decimal(0)
    return False, Decimal(target.price[0]) + Decimal(target.price[1])
