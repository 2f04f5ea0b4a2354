"""Two RouteTables to the requests that they treat otherwise, until none is left.

Both are asked about one request of their joint domain. A difference that was found is excluded with
all requests that both tables decide the same way as that one, so the search ends; what ends it
early is said. The gravest kinds of difference are looked for first.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import TypeVar, final

import z3

from lynkrc.analysis.encode import Encoder
from lynkrc.analysis.formulas import Formulas
from lynkrc.analysis.known import known_of
from lynkrc.analysis.limits import RLIMIT
from lynkrc.analysis.logic import all_of, any_of, not_
from lynkrc.analysis.shared import Decision, Side, decision_of
from lynkrc.analysis.solver import Found, Solver, Unknown
from lynkrc.analysis.symbols import Symbols, symbols_of
from lynkrc.analysis.verdicts import most
from lynkrc.interp.evaluate import evaluate
from lynkrc.ir.domain import Domain, Point

MOST = 300
"""Differences of one kind that are looked for; each is another pair of decisions."""


class Kind(Enum):
    """What of the decision differs, the gravest first."""

    TRUST = "a less trusted class"
    OUTCOME = "outcome, tier or first target"
    COST = "a higher worst case"
    CHAIN = "the later targets"
    PRICE = "a lower worst case"
    ADDRESS = "where a target lies"


_BY_SIZE = (Kind.COST, Kind.PRICE)
_Key = TypeVar("_Key", bound=Hashable)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A request of the joint domain that is treated otherwise, and in what."""

    kind: Kind
    point: Point


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """A request for each pair of decisions that differ, and what was not decided."""

    found: tuple[Move, ...]
    unknown: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Whether some attempt is new, and whether some is gone; None where that is not known."""

    gains: bool | None
    loses: bool | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two decisions on one unknown request, and the solver that knows both.

    `kinds` is when they differ in what. All questions may be asked in any order.
    """

    before: Decision
    after: Decision
    symbols: Symbols
    solver: Solver
    kinds: Mapping[Kind, z3.BoolRef]


def comparison(
    old: Side, new: Side, domain: Domain, *, rest: Point | None = None, rlimit: int = RLIMIT
) -> Comparison:
    """The tables over a domain whose views are the old one's and the new one's.

    Plain requests are near to `rest`, a point of it.
    """
    symbols = symbols_of(domain, z3.Context(), rest)
    first = Encoder(old.table, symbols, domain.views[0], tag="old ").encode()
    # What both say alike is one formula.
    second = Encoder(
        new.table, symbols, domain.views[1], tag="new ", before=first.definitions
    ).encode()
    before, after = decision_of(old, first), decision_of(new, second)
    known = (*before.encoded.definitions, *after.encoded.definitions)
    solver = Solver(
        [symbols], [*known, *known_of(symbols, (old.table, new.table)).constraints], rlimit=rlimit
    )
    kinds = _kinds(before, after)
    return Comparison(
        before=before,
        after=after,
        symbols=symbols,
        solver=solver,
        kinds={kind: solver.name(differs) for kind, differs in kinds.items()},
    )


def moves(
    two: Comparison, *, limit: int = MOST, progress: Callable[[str], None] = lambda _: None
) -> Moves:
    """The requests that are moved, and one for each target that lies elsewhere now."""
    solver, found, unknown = two.solver, list[Move](), list[str]()
    # What is excluded is so for this search alone.
    searching = z3.Bool("searching", two.symbols.context)
    for kind, differs in two.kinds.items():
        for number in range(limit):
            progress(f"{kind.value}: {number} found")
            answer = solver.ask(searching, differs)
            if not isinstance(answer, Found):
                if isinstance(answer, Unknown):
                    unknown.append(f"{kind.value}: the solver gave up ({answer.reason})")
                break
            (point,) = answer.points
            found.append(Move(kind=kind, point=point))
            # Two decisions differ always or never, but for what they cost.
            only = [differs] if kind in _BY_SIZE else []
            solver.exclude([searching, *only, *_decided(two, point)])
        else:
            unknown.append(f"{kind.value}: more than {limit} pairs of decisions differ")
    found += _moved(two)
    return Moves(found=tuple(found), unknown=tuple(unknown))


def alike(two: Comparison, move: Move, given: Mapping[int, int]) -> Point | None:
    """The plainest request that both decide as they do the move's, with these values of variables.

    None where there is none, or none is found.
    """
    conditions = _decided(two, move.point)
    for decision, view in zip((two.before, two.after), two.symbols.domain.views, strict=True):
        rule = evaluate(decision.side.table, view.vector(move.point))[2]
        conditions.append(decision.encoded.rule_is(rule))
    if move.kind in two.kinds:
        conditions.append(two.kinds[move.kind])
    fixed = [two.symbols.ints[variable] == value for variable, value in given.items()]
    answer = two.solver.smallest(*fixed, *conditions)
    return answer.points[0] if isinstance(answer, Found) else None


def attempts(two: Comparison) -> Attempts:
    """Whether requests go where they did not, and no longer go where they did."""
    before, after = _by_address(two.before), _by_address(two.after)
    return Attempts(
        gains=_occurs(two, _beyond(two, after, before)),
        loses=_occurs(two, _beyond(two, before, after)),
    )


def dearest(two: Comparison, decision: Decision) -> Fraction | None:
    """The most that a request comes to, in USD; None where no most is known."""
    if _occurs(two, decision.amount.unknown) is not False:
        return None
    amount, is_exact = most(two.solver, decision.amount)
    return amount if is_exact else None


def _occurs(two: Comparison, condition: z3.BoolRef) -> bool | None:
    answer = two.solver.ask(condition)
    return None if isinstance(answer, Unknown) else isinstance(answer, Found)


def _decided(two: Comparison, point: Point) -> list[z3.BoolRef]:
    """That both tables decide a request as this one."""
    before, after = two.symbols.domain.views
    return [*two.before.at(before.vector(point)), *two.after.at(after.vector(point))]


# -- where targets lie -----------------------------------------------------------------------------


def _by_address(decision: Decision) -> dict[Hashable, list[z3.BoolRef]]:
    found: defaultdict[Hashable, list[z3.BoolRef]] = defaultdict(list)
    for address, attempted in zip(decision.side.addresses, decision.encoded.attempted, strict=True):
        found[address].append(attempted)
    return found


def _beyond(
    two: Comparison,
    some: Mapping[Hashable, Sequence[z3.BoolRef]],
    others: Mapping[Hashable, Sequence[z3.BoolRef]],
) -> z3.BoolRef:
    """That an address is attempted in the one and not in the other."""
    f = two.after.encoded.formulas
    return f.some(
        [
            all_of(f.some(list(when)), not_(f.some(list(others.get(address, ())))))
            for address, when in some.items()
        ]
    )


def _moved(two: Comparison) -> Iterator[Move]:
    """A request for each target that lies elsewhere now; one that begins with it, if there is."""
    before, after = (
        dict(zip(one.side.places, one.side.addresses, strict=True))
        for one in (two.before, two.after)
    )
    for place, address in before.items():
        if after.get(place, address) == address:
            continue
        for was, goes in (
            (two.before.first, two.after.first),
            (two.before.attempted, two.after.attempted),
        ):
            if place not in was or place not in goes:
                continue
            answer = two.solver.smallest(was[place], goes[place])
            if isinstance(answer, Found):
                yield Move(kind=Kind.ADDRESS, point=answer.points[0])
                break


# -- how two of them differ ------------------------------------------------------------------------


def _kinds(old: Decision, new: Decision) -> dict[Kind, z3.BoolRef]:
    f = new.encoded.formulas
    # Amounts compare where both are known; that one is no longer known is as a higher one.
    known = all_of(old.amount.known, new.amount.known)
    was, goes = old.amount.total * new.amount.scale, new.amount.total * old.amount.scale
    lower = any_of(all_of(known, was > goes), all_of(old.amount.unknown, new.amount.known))
    higher = any_of(all_of(known, was < goes), all_of(new.amount.unknown, old.amount.known))
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
