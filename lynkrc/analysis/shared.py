"""One of two RouteTables to its decision on a request, in terms that both tables share.

Targets, tiers and classes go by what makes them the same in both, whatever they are called.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import final

import z3

from lynkrc.analysis.amounts import Amount, cost
from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.logic import all_of, not_
from lynkrc.analysis.order import ORDERED, leading, ways
from lynkrc.interp.evaluate import evaluate
from lynkrc.interp.expressions import Vector
from lynkrc.ir.table import Pick, RouteTable, RuleId
from lynkrc_runtime.decide import RULE_PIN, Outcome


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One table, and what its targets and tiers are to be compared by.

    `places` is what each target is taken for, `addresses` where it leads: a target that both have
    may be one that lies elsewhere now. `tiers` is the name of each tier, `ranks` how little each
    target is trusted, from 0.
    """

    table: RouteTable
    places: tuple[Hashable, ...]
    addresses: tuple[Hashable, ...]
    tiers: tuple[str, ...]
    ranks: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """When a request is answered so, led to that place, in that order; each by what is shared.

    `draws` are groups whose order varies and of which at least two are left; `first_draws` those
    that come first.
    """

    side: Side
    encoded: Encoded
    answers: Mapping[Hashable, z3.BoolRef]
    tiers: Mapping[Hashable, z3.BoolRef]
    attempted: Mapping[Hashable, z3.BoolRef]
    first: Mapping[Hashable, z3.BoolRef]
    order: Mapping[Hashable, z3.BoolRef]
    draws: Mapping[Hashable, z3.BoolRef]
    first_draws: Mapping[Hashable, z3.BoolRef]
    ranks: Mapping[int, z3.BoolRef]
    amount: Amount

    def at(self, v: Vector) -> list[z3.BoolRef]:
        """What makes a request decided in every respect as this vector is."""
        encoded = self.encoded
        outcome, tier, rule, chain, mask, _, prefer = evaluate(self.side.table, v)
        same = [encoded.outcome[Outcome(outcome)]]
        if tier < 0 and rule in encoded.first_deny and outcome == Outcome.DENY:
            return [*same, encoded.first_deny[RuleId(rule)]]
        if outcome == Outcome.RESPOND:
            return [*same, encoded.first_respond[RuleId(rule)]]
        if tier >= 0:
            same.append(encoded.tier[tier])
        if chain >= 0:
            same.append(encoded.formulas.some(self._as_chain(chain)))
            for target in self.side.table.chains[chain].targets:
                kept = encoded.kept[target]
                same.append(kept if mask >> target & 1 else not_(kept))
            if prefer >= 0:
                same.append(encoded.formulas.some(self._as_preferred(RuleId(prefer))))
            elif rule == RULE_PIN and tier < 0:
                same.append(encoded.pinned_target)
            else:
                same += [not_(when) for when in encoded.first_prefer.values()]
        return same

    def _as_chain(self, chain: int) -> list[z3.BoolRef]:
        """That the decided chain is this one, or one that says the same."""
        chains, final = self.side.table.chains, self.encoded.final
        own = chains[chain]
        return [
            final[other.id]
            for other in chains
            if (other.groups, other.pick, other.weights) == (own.groups, own.pick, own.weights)
        ]

    def _as_preferred(self, rule: RuleId) -> list[z3.BoolRef]:
        """That this rule prefers, or one that prefers the same."""
        rules, prefer = self.side.table.rules, self.encoded.first_prefer
        return [when for other, when in prefer.items() if rules[other].prefer == rules[rule].prefer]


def decision_of(side: Side, encoded: Encoded) -> Decision:
    """The table's decision by what it shares with the other."""
    f, table, places = encoded.formulas, side.table, side.places
    attempted: defaultdict[Hashable, list[z3.BoolRef]] = defaultdict(list)
    tiers: defaultdict[Hashable, list[z3.BoolRef]] = defaultdict(list)
    ranks: defaultdict[int, list[z3.BoolRef]] = defaultdict(list)
    for target in table.targets:
        attempted[places[target.id]].append(encoded.attempted[target.id])
        ranks[side.ranks[target.id]].append(encoded.attempted[target.id])
    for tier in table.tiers:
        tiers[side.tiers[tier.id]].append(all_of(encoded.has_tier, encoded.tier[tier.id]))
    first, order, draws, first_draws = _orders(side, encoded)
    return Decision(
        side=side,
        encoded=encoded,
        answers=_merged(encoded, _answers(encoded)),
        tiers=_merged(encoded, tiers),
        attempted=_merged(encoded, attempted),
        first=_merged(encoded, first),
        order=_merged(encoded, order),
        draws=_merged(encoded, draws),
        first_draws=_merged(encoded, first_draws),
        ranks={rank: f.some(when) for rank, when in ranks.items()},
        amount=cost(encoded, shared=True),
    )


def _answers(encoded: Encoded) -> Mapping[Hashable, list[z3.BoolRef]]:
    """Outcomes, told apart by what the client is told."""
    table, denied = encoded.table, encoded.outcome_by_deny
    found: defaultdict[Hashable, list[z3.BoolRef]] = defaultdict(list)
    for rule, when in encoded.first_deny.items():
        deny = table.rules[rule].deny
        if deny is not None:
            found["deny", deny.status, deny.message].append(when)
    for rule, when in encoded.first_respond.items():
        respond = table.rules[rule].respond
        if respond is not None:
            found["respond", respond.text].append(all_of(when, not_(denied)))
    late = all_of(encoded.outcome[Outcome.DENY], not_(denied))
    found["deny", None].append(late)
    for outcome in (Outcome.ROUTE, Outcome.REFUSE):
        found[outcome.name, None].append(encoded.outcome[outcome])
    return found


_Formulas = defaultdict[Hashable, list[z3.BoolRef]]


def _orders(side: Side, encoded: Encoded) -> tuple[_Formulas, _Formulas, _Formulas, _Formulas]:
    """Places tried first, pairs of places in order, draws, and draws that come first."""
    f, places = encoded.formulas, side.places
    first, order, draws, first_draws = (_Formulas(list) for _ in range(4))
    for way in ways(encoded):
        leads = list(leading(encoded, way))
        for target, when in leads:
            first[places[target]].append(all_of(way.when, when))
        for one, other in way.before():
            if places[one] != places[other]:
                both = all_of(encoded.attempted[one], encoded.attempted[other])
                order[places[one], places[other]].append(all_of(way.when, both))
        if way.pick in ORDERED:
            continue
        weights = dict(way.weights)
        for group in way.groups:
            members = tuple((places[one], weights.get(one, 0)) for one in group)
            # A draw by weights knows no order.
            unordered = way.pick is Pick.WEIGHTED
            drawn: Hashable = (
                way.pick,
                frozenset(Counter(members).items()) if unordered else members,
            )
            several = f.some(
                [
                    all_of(encoded.attempted[one], encoded.attempted[other])
                    for one, other in product(group, group)
                    if one < other and way.preferred not in (one, other)
                ]
            )
            draws[drawn].append(all_of(way.when, several))
            ahead = f.some([when for target, when in leads if target in group])
            first_draws[drawn].append(all_of(way.when, several, ahead))
    return first, order, draws, first_draws


def _merged(
    encoded: Encoded, ways_: Mapping[Hashable, list[z3.BoolRef]]
) -> dict[Hashable, z3.BoolRef]:
    return {key: encoded.formulas.some(ways) for key, ways in ways_.items()}
