"""A table to everything that tests of it can show, and runs to what they have shown of that."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction
from typing import TypeAlias, assert_never, final

from lynkrc.interp.goals import (
    AtomIs,
    Decides,
    Escalates,
    FallsBack,
    Goal,
    Matches,
    NumberIs,
    Reaches,
    ScoreIs,
    Seen,
    is_met,
)
from lynkrc.ir.guard import (
    BoolSlot,
    ClassTest,
    Compare,
    Guard,
    IntCompare,
    IntConst,
    IntExpr,
    IntScale,
    IntSlot,
    IntSum,
)
from lynkrc.ir.ranges import interval, subexpressions
from lynkrc.ir.table import Otherwise, RouteTable, Rule, Slot, SlotType, TierId
from lynkrc.ir.text import print_guard, print_int, print_points
from lynkrc.source.text import Span


class Kind(Enum):
    """What is counted together; the values are the names in reports."""

    DECIDED = "rules that took effect"
    MATCHED = "rules that matched"
    ATOMS = "conditions seen both ways"
    TIERS = "tiers"
    FALLBACKS = "fallbacks"
    BOUNDARIES = "boundaries"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageItem:
    """One thing to be shown. `id` stays while the names and texts in it do; `text` is for people.

    `goal` is what a vector must do to show it. `is_inherited` where it is of another file than the
    spec: what a spec extends has tests of its own.
    """

    kind: Kind
    id: str
    text: str
    goal: Goal
    is_inherited: bool = False
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Items of one kind, or of all; `unreachable` are not counted in `total`."""

    total: int
    covered: int
    unreachable: int

    @property
    def share(self) -> Fraction:
        """Percent covered, exactly; 100 where there is nothing to cover."""
        return Fraction(100 * self.covered, self.total) if self.total else Fraction(100)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What of a table was shown. `unreachable` and `unknown` have only items that were not.

    Of the `unknown` the solver could not tell whether a request shows them: they count.
    """

    items: tuple[CoverageItem, ...]
    covered: frozenset[CoverageItem]
    unreachable: frozenset[CoverageItem]
    unknown: frozenset[CoverageItem] = frozenset()

    @property
    def missing(self) -> tuple[CoverageItem, ...]:
        """The items that count and were not shown, in order."""
        return tuple(
            item for item in self.items if item not in self.covered and item not in self.unreachable
        )

    @property
    def own(self) -> "Coverage":
        """That of what the spec itself says."""
        return replace(self, items=tuple(one for one in self.items if not one.is_inherited))

    @property
    def inherited(self) -> "Coverage":
        """That of what the spec extends or uses."""
        return replace(self, items=tuple(one for one in self.items if one.is_inherited))

    def count(self, kind: Kind | None = None) -> Count:
        """How many of a kind, or of all."""
        items = [item for item in self.items if kind in (None, item.kind)]
        unreachable = sum(item in self.unreachable for item in items)
        return Count(
            total=len(items) - unreachable,
            covered=sum(item in self.covered for item in items),
            unreachable=unreachable,
        )


Prove: TypeAlias = Callable[
    [Sequence[CoverageItem]], tuple[Collection[CoverageItem], Collection[CoverageItem]]
]
"""Items that no vector has shown to those that no request can, and those of which that is not
known."""


def measure(
    table: RouteTable,
    runs: Iterable[Seen],
    *,
    own: str | None = None,
    prove: Prove = lambda _: ((), ()),
) -> Coverage:
    """What decided vectors show of a table; `own` is the path of the spec (else all is its own)."""
    items = coverage_items(table, own)
    left = dict.fromkeys(items)
    for one in runs:
        for item in [item for item in left if is_met(item.goal, table, one)]:
            del left[item]
    covered = frozenset(item for item in items if item not in left)
    unreachable, unknown = prove(tuple(left))
    return Coverage(
        items=items,
        covered=covered,
        unreachable=frozenset(unreachable),
        unknown=frozenset(unknown),
    )


def coverage_items(table: RouteTable, own: str | None = None) -> tuple[CoverageItem, ...]:
    """Everything that tests of a table can show, by kind, in the order of the spec.

    `own` is the path of the spec; what stands elsewhere is inherited.
    """
    items = [
        *_rules(table),
        *(item for rule in table.rules for item in _atoms(rule, table.slots)),
        *_tiers(table),
        *_fallbacks(table),
        *_escalations(table),
        *_scores(table),
        *(item for rule in table.rules for item in _literals(rule, table.slots)),
    ]
    order = list(Kind)
    return tuple(
        replace(item, is_inherited=own not in (None, item.span.file.path))
        for item in sorted(dict.fromkeys(items), key=lambda item: order.index(item.kind))
    )


def _rules(table: RouteTable) -> Iterator[CoverageItem]:
    for rule in table.rules:
        yield CoverageItem(
            kind=Kind.DECIDED,
            id=f"decided:{rule.name}",
            text=f"rule {rule.name} takes effect",
            goal=Decides(rule=rule.id),
            span=rule.span,
        )
        yield CoverageItem(
            kind=Kind.MATCHED,
            id=f"matched:{rule.name}",
            text=f"rule {rule.name} matches",
            goal=Matches(rule=rule.id),
            span=rule.span,
        )


def _atoms(rule: Rule, slots: Sequence[Slot]) -> Iterator[CoverageItem]:
    for atom in atoms_of(rule.guard):
        text = print_guard(atom, slots)
        for value in (True, False):
            word = "true" if value else "false"
            yield CoverageItem(
                kind=Kind.ATOMS,
                id=f"atom:{rule.name}:{word}:{text}",
                text=f"rule {rule.name}: {text} is {word}",
                goal=AtomIs(atom=atom, value=value),
                span=rule.span,
            )


def atoms_of(guard: Guard) -> list[BoolSlot | ClassTest | IntCompare]:
    """The parts of a guard without operators, in order, those in its numbers too."""
    found: list[BoolSlot | ClassTest | IntCompare] = []
    stack: list[Guard | IntExpr] = [guard]
    while stack:
        node = stack.pop()
        if isinstance(node, BoolSlot | ClassTest | IntCompare):
            found.append(node)
        stack += reversed(subexpressions(node))
    return found


def _tiers(table: RouteTable) -> Iterator[CoverageItem]:
    for tier in table.tiers:
        yield CoverageItem(
            kind=Kind.TIERS,
            id=f"tier:{tier.name}",
            text=f"tier {tier.name}",
            goal=Reaches(tier=tier.id),
            span=tier.span,
        )


def _fallbacks(table: RouteTable) -> Iterator[CoverageItem]:
    places = {tier.chain: tier.span for tier in table.tiers}
    places |= {rule.chain: rule.span for rule in table.rules if rule.chain is not None}
    for chain in table.chains:
        for first, then in zip(chain.targets, chain.targets[1:], strict=False):
            names = table.targets[first].name, table.targets[then].name
            yield CoverageItem(
                kind=Kind.FALLBACKS,
                id=f"fallback:{chain.name}:{names[0]}->{names[1]}",
                text=f"chain {chain.name}: {names[0]} -> {names[1]}",
                goal=FallsBack(chain=chain.id, first=first, then=then),
                # Only pins have chains beside these, and of one target.
                span=places.get(chain.id, table.targets[first].span),
            )


def _escalations(table: RouteTable) -> Iterator[CoverageItem]:
    """Each tier to the one that is looked at next where its chain has nothing left."""
    if table.otherwise is not Otherwise.ESCALATE or len(table.tiers) < 2:
        return
    for tier in table.tiers:
        is_last = tier.up_to is None
        to = table.tiers[TierId(tier.id - 1 if is_last else tier.id + 1)]
        yield CoverageItem(
            kind=Kind.FALLBACKS,
            id=f"escalation:{tier.name}->{to.name}",
            text=f"escalation {tier.name} -> {to.name}",
            goal=Escalates(tier=tier.id, to=to.id),
            span=tier.span,
        )


def _scores(table: RouteTable) -> Iterator[CoverageItem]:
    for tier in table.tiers:
        if tier.up_to is None:
            continue
        for score in (tier.up_to, tier.up_to + 1):
            if score <= 100:
                yield CoverageItem(
                    kind=Kind.BOUNDARIES,
                    id=f"score:{tier.name}:{score}",
                    text=f"tier {tier.name}, up to {tier.up_to}: the score is {score}",
                    goal=ScoreIs(score=score),
                    span=tier.span,
                )


def _literals(rule: Rule, slots: Sequence[Slot]) -> Iterator[CoverageItem]:
    for atom in atoms_of(rule.guard):
        if not isinstance(atom, IntCompare):
            continue
        expr, pairs = _either_side(atom)
        low, high = interval(expr, slots)
        text = print_int(expr, slots)
        for values in pairs:
            left = tuple(value for value in values if low <= value <= high)
            if not left:
                continue
            told = " or ".join(_number(value, expr, slots) for value in left)
            yield CoverageItem(
                kind=Kind.BOUNDARIES,
                id=f"number:{rule.name}:{text}={told}",
                text=f"rule {rule.name}, {print_guard(atom, slots)}: {text} is {told}",
                goal=NumberIs(expr=expr, values=left),
                span=rule.span,
            )


def _either_side(atom: IntCompare) -> tuple[IntExpr, tuple[tuple[int, ...], tuple[int, ...]]]:
    """The number that is compared, and its last values on each side of where the truth changes."""
    left, right, op = atom.left, atom.right, atom.op
    if isinstance(right, IntConst):
        expr, at = left, right.value
    elif isinstance(left, IntConst):
        expr, at, op = right, left.value, _TURNED.get(op, op)
    else:
        expr, at = IntSum(terms=(left, IntScale(factor=-1, term=right))), 0
    match op:
        case Compare.LT | Compare.GE:
            return expr, ((at - 1,), (at,))
        case Compare.LE | Compare.GT:
            return expr, ((at,), (at + 1,))
        case Compare.EQ | Compare.NE:
            return expr, ((at,), (at - 1, at + 1))
        case _:
            assert_never(op)


_TURNED = {
    Compare.LT: Compare.GT,
    Compare.GT: Compare.LT,
    Compare.LE: Compare.GE,
    Compare.GE: Compare.LE,
}
"""What `c op x` says of x."""


def _number(value: int, expr: IntExpr, slots: Sequence[Slot]) -> str:
    """A value of an expression, in the unit of its slots."""
    stack: list[Guard | IntExpr] = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, IntSlot) and slots[node.slot].type is SlotType.FIXED:
            return print_points(value)
        stack += subexpressions(node)
    return str(value)
