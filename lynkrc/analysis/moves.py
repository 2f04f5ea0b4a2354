"""Two RouteTables to the requests that they treat otherwise, until none is left.

Both are asked about one request of their joint domain. A difference that was found is excluded with
all requests that both tables decide the same way as that one, so the search ends; what ends it
early is said. The gravest kinds of difference are looked for first.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import TypeVar, final

import z3

from lynkrc.analysis.amounts import Amount, cost
from lynkrc.analysis.encode import Encoder
from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.formulas import Formulas
from lynkrc.analysis.known import known_of
from lynkrc.analysis.limits import RLIMIT
from lynkrc.analysis.logic import all_of, any_of, not_
from lynkrc.analysis.order import ORDERED, leading, ways
from lynkrc.analysis.solver import Found, Impossible, Solver
from lynkrc.analysis.symbols import symbols_of
from lynkrc.interp.evaluate import Vector, evaluate
from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.table import Pick, RouteTable, RuleId
from lynkrc_runtime.decide import RULE_PIN, Outcome

MOST = 300
"""Differences of one kind that are looked for; each is another pair of decisions."""


class Kind(Enum):
    """What of the decision differs, the gravest first."""

    TRUST = "a less trusted class"
    OUTCOME = "outcome, tier or first target"
    COST = "a higher worst case"
    CHAIN = "the later targets"
    PRICE = "a lower worst case"


_BY_SIZE = (Kind.COST, Kind.PRICE)
_Key = TypeVar("_Key", bound=Hashable)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One table, and what its targets and tiers are to be compared by.

    `places` is where each target leads, `tiers` the name of each tier, `ranks` how little each
    target is trusted, from 0.
    """

    table: RouteTable
    places: tuple[Hashable, ...]
    tiers: tuple[str, ...]
    ranks: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """A request for each pair of decisions that differ, and what was not decided."""

    points: tuple[Point, ...]
    unknown: tuple[str, ...]


def moves(
    old: Side,
    new: Side,
    domain: Domain,
    *,
    most: int = MOST,
    rlimit: int = RLIMIT,
    progress: Callable[[str], None] = lambda _: None,
) -> Moves:
    """The requests of the domain (views: the old table's, the new one's) that are moved."""
    symbols = symbols_of(domain, z3.Context())
    before = _decision(old, Encoder(old.table, symbols, domain.views[0], tag="old ").encode())
    after = _decision(new, Encoder(new.table, symbols, domain.views[1], tag="new ").encode())
    known = (*before.encoded.definitions, *after.encoded.definitions)
    solver = Solver(
        [symbols], [*known, *known_of(symbols, (old.table, new.table)).constraints], rlimit=rlimit
    )
    points: list[Point] = []
    unknown: list[str] = []
    for kind, differs in _kinds(before, after).items():
        progress(kind.value)
        marker = solver.name(differs)
        for _ in range(most):
            answer = solver.ask(marker)
            if not isinstance(answer, Found):
                if not isinstance(answer, Impossible):
                    unknown.append(f"{kind.value}: the solver gave up ({answer.reason})")
                break
            (point,) = answer.points
            points.append(point)
            same = [
                *before.at(domain.views[0].vector(point)),
                *after.at(domain.views[1].vector(point)),
            ]
            # Two decisions differ always or never, but for what they cost.
            solver.exclude([marker, *same] if kind in _BY_SIZE else same)
        else:
            unknown.append(f"{kind.value}: more than {most} pairs of decisions differ")
    return Moves(points=tuple(points), unknown=tuple(unknown))


# -- one table's decision in terms that both share -------------------------------------------------


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
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
            same.append(encoded.final[chain])
            for target in self.side.table.chains[chain].targets:
                kept = encoded.kept[target]
                same.append(kept if mask >> target & 1 else not_(kept))
            if prefer >= 0:
                same.append(encoded.first_prefer[RuleId(prefer)])
            elif rule == RULE_PIN and tier < 0:
                same.append(encoded.pinned_target)
            else:
                same += [not_(when) for when in encoded.first_prefer.values()]
        return same


def _decision(side: Side, encoded: Encoded) -> _Decision:
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
    return _Decision(
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


# -- how two of them differ ------------------------------------------------------------------------


def _kinds(old: _Decision, new: _Decision) -> dict[Kind, z3.BoolRef]:
    f = new.encoded.formulas
    lower = any_of(
        old.amount.total * new.amount.scale > new.amount.total * old.amount.scale,
        all_of(old.amount.unknown, not_(new.amount.unknown)),
    )
    higher = any_of(
        old.amount.total * new.amount.scale < new.amount.total * old.amount.scale,
        all_of(new.amount.unknown, not_(old.amount.unknown)),
    )
    return {
        Kind.TRUST: f.some(
            [
                all_of(when, not_(f.some([by for had, by in old.ranks.items() if had >= rank])))
                for rank, when in new.ranks.items()
                if rank > 0
            ]
        ),
        Kind.OUTCOME: f.some(
            [
                _differ(f, old.answers, new.answers),
                _differ(f, old.tiers, new.tiers),
                _differ(f, old.first, new.first),
                _differ(f, old.first_draws, new.first_draws),
            ]
        ),
        Kind.COST: higher,
        Kind.CHAIN: f.some(
            [
                _differ(f, old.attempted, new.attempted),
                _differ(f, old.order, new.order),
                _differ(f, old.draws, new.draws),
            ]
        ),
        Kind.PRICE: lower,
    }


def _differ(
    f: Formulas, old: Mapping[Hashable, z3.BoolRef], new: Mapping[Hashable, z3.BoolRef]
) -> z3.BoolRef:
    """That something holds of one alone."""
    never = f.constant(False)
    keys = dict.fromkeys((*old, *new))
    return f.some([old.get(key, never) != new.get(key, never) for key in keys])
