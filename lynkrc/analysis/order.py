"""An encoded decision to the order its targets are tried in (design: "The decision", step 9).

The decided order: sessions, breakers and budgets, which change what is tried first, come after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import final

import z3

from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.logic import all_of, any_of, not_
from lynkrc.interp.order import cost
from lynkrc.ir.table import ChainId, Pick, RouteTable, TargetId

ORDERED = (Pick.ORDER, Pick.CHEAPEST)
"""Picks whose order is the same for every request."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to order a chain, and `when` it is taken, which is only where the chain is decided.

    `groups` hold what is tried in turn, sorted where the pick is ordered; `preferred` goes before
    them wherever it is left.
    """

    chain: ChainId
    when: z3.BoolRef
    groups: tuple[tuple[TargetId, ...], ...]
    pick: Pick
    weights: tuple[tuple[TargetId, int], ...]
    preferred: TargetId | None

    def before(self) -> Iterator[tuple[TargetId, TargetId]]:
        """The pairs of targets of which the first is always tried before the second."""
        rank = {one: i for i, group in enumerate(self.groups) for one in group}
        place = {one: i for group in self.groups for i, one in enumerate(group)}
        for pair in combinations(rank, 2):
            for one, other in (pair, pair[::-1]):
                if self.preferred in pair:
                    is_before = one == self.preferred
                elif rank[one] != rank[other]:
                    is_before = rank[one] < rank[other]
                else:
                    is_before = self.pick in ORDERED and place[one] < place[other]
                if is_before:
                    yield one, other


def ways(encoded: Encoded) -> tuple[Way, ...]:
    """Every way; of those where something is routed exactly one is taken."""
    f, table = encoded.formulas, encoded.table
    nobody = not_(f.some(list(encoded.first_prefer.values())))
    found = []
    for chain in table.chains:
        final_ = encoded.final[chain.id]
        plain = all_of(final_, any_of(encoded.pinned_target, nobody))
        taken: list[tuple[z3.BoolRef, Pick, TargetId | None]] = [(plain, chain.pick, None)]
        for rule, when in encoded.first_prefer.items():
            prefer = table.rules[rule].prefer
            if prefer is not None:
                here = all_of(final_, not_(encoded.pinned_target), when)
                taken.append((here, prefer.pick or chain.pick, prefer.target))
        for when, pick, target in taken:
            found.append(
                Way(
                    chain=chain.id,
                    when=when,
                    groups=tuple(_sorted(table, group, pick) for group in chain.groups),
                    pick=pick,
                    weights=chain.weights if pick is Pick.WEIGHTED else (),
                    preferred=target if target in chain.targets else None,
                )
            )
    return tuple(found)


def leading(encoded: Encoded, way: Way) -> Iterator[tuple[TargetId, z3.BoolRef]]:
    """Which targets may be tried first when the way is taken, and where."""
    f, kept = encoded.formulas, encoded.kept
    open_ = f.constant(True)
    if way.preferred is not None:
        yield way.preferred, kept[way.preferred]
        open_ = not_(kept[way.preferred])
    for group in way.groups:
        for i, target in enumerate(group):
            earlier = group[:i] if way.pick in ORDERED else ()
            yield target, all_of(open_, kept[target], not_(f.some([kept[t] for t in earlier])))
        open_ = all_of(open_, not_(f.some([kept[target] for target in group])))


def first_in_order(encoded: Encoded) -> tuple[z3.BoolRef, ...]:
    """For each target: the decided order may begin with it."""
    found: list[list[z3.BoolRef]] = [[] for _ in encoded.table.targets]
    for way in ways(encoded):
        for target, leads in leading(encoded, way):
            found[target].append(all_of(way.when, leads))
    return tuple(encoded.formulas.some(one) for one in found)


def _sorted(table: RouteTable, group: tuple[TargetId, ...], pick: Pick) -> tuple[TargetId, ...]:
    if pick is not Pick.CHEAPEST:
        return group
    return tuple(sorted(group, key=lambda one: cost(table.targets[one])))
