"""A RouteTable to its duties: what each rule, tier, target and dimension must do for some request.

A duty that no request calls for is a mistake of the policy, and a finding. Which request calls for
which is said twice: as formulas (`duty_formulas`), which decide, and of one vector by the
interpreter's steps (`duty_seen`), so that every request found settles all it can.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, final

from lynkrc.ir.guard import And, BoolConst, BoolSlot, ClassTest, Guard, IntCompare, Not, Or
from lynkrc.ir.table import ChainId, Pick, Pin, Prefer, RouteTable, Rule, TargetId
from lynkrc.source.text import Span

GIVEN: tuple[str, ...] = ("lynkr/", "claude-lynkr-")
"""What the requested names begin with that lead to every tier, whatever the policy."""

_POINT = 6_400


class Act(Enum):
    """What is done. Of rules unless said otherwise; the values complete "its …"."""

    MATCHES = "condition"
    DENIES = "deny"
    ANSWERS = "respond"
    TIER = "tier"
    CHAIN = "chain"
    PREFERS = "prefer"
    RAISES = "floor"
    LOWERS = "ceiling"
    ADDS = "add"
    DROPS = "require"
    COUNTS = "dimension"  # of a dimension: without it some request has another tier
    REACHED = "tier reached"  # of a tier: some request has it, not by a name given to every tier
    SCORED = "tier scored"  # of a tier: the score alone leads to it
    TRIED = "target tried"  # of a chain and its target
    TRUE = "atom true"  # of an atom
    FALSE = "atom false"


OF_GUARDS = frozenset((Act.MATCHES, Act.TRUE, Act.FALSE))
"""Acts that are about a guard alone, whatever is decided."""


class Duty(NamedTuple):
    """One act of the thing with this index; `part` is the target of `TRIED`."""

    act: Act
    owner: int
    part: int = -1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """A test as written in one place, and every guard it became."""

    span: Span
    guards: tuple[Guard, ...]


def duties_of(table: RouteTable, atoms: tuple[Atom, ...]) -> tuple[Duty, ...]:
    """Every duty, those of rules first; like beside like."""
    return (
        *sorted(
            (Duty(act, rule.id) for rule in table.rules for act in (Act.MATCHES, *acts_of(rule))),
            key=lambda duty: (duty.act.value, duty.owner),
        ),
        *(Duty(act, tier.id) for act in (Act.REACHED, Act.SCORED) for tier in table.tiers),
        *(
            Duty(Act.TRIED, chain.id, target)
            for chain in table.chains
            if chain.spans
            for target in chain.targets
        ),
        *(Duty(Act.COUNTS, i) for i in range(len(table.dimensions))),
        *(Duty(act, i) for act in (Act.TRUE, Act.FALSE) for i in range(len(atoms))),
    )


def acts_of(rule: Rule) -> Iterator[Act]:
    """The acts of a rule that can apply: one that ends the decision has no others."""
    if rule.deny is not None:
        yield Act.DENIES
        return
    if rule.respond is not None:
        yield Act.ANSWERS
        return
    written = (
        (Act.TIER, rule.tier),
        (Act.CHAIN, rule.chain),
        (Act.RAISES, rule.floor),
        (Act.LOWERS, rule.ceiling),
        (Act.ADDS, rule.add64),
        (Act.DROPS, rule.require),
        (Act.PREFERS, rule.prefer),
    )
    for act, effect in written:
        if effect is not None:
            yield act


def atoms_of(table: RouteTable) -> tuple[Atom, ...]:
    """The atoms of the rules' guards, by where they are written."""
    found: dict[tuple[str, int, int], tuple[Span, list[Guard]]] = {}
    for rule in table.rules:
        for guard in atoms_in(rule.guard):
            span = None if isinstance(guard, BoolConst | Not | And | Or) else guard.span
            if span is not None:
                place = (span.file.path, span.start, span.end)
                found.setdefault(place, (span, []))[1].append(guard)
    return tuple(Atom(span=span, guards=tuple(guards)) for span, guards in found.values())


def atoms_in(guard: Guard) -> Iterator[Guard]:
    """The tests a guard is made of."""
    match guard:
        case Not(operand=operand):
            yield from atoms_in(operand)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from atoms_in(operand)
        case BoolConst() | BoolSlot() | IntCompare() | ClassTest():
            yield guard


def is_given(table: RouteTable, pin: Pin) -> bool:
    """Whether a pin is one that every tier has, whatever the policy says."""
    if pin.tier is None:
        return False
    name = table.tiers[pin.tier].name
    return any(pin.pattern == prefix + name for prefix in GIVEN)


def bounds_of(table: RouteTable) -> tuple[int | None, ...]:
    """For each tier the least sum, in 1/6400 points, at which the score is past all lower tiers.

    None where no score is, or every one.
    """
    found: list[int | None] = []
    most = -1
    for tier in table.tiers:
        is_bound = 0 <= most < 100
        found.append(_POINT * (most + 1) - _POINT // 2 if is_bound else None)
        most = max(most, 100 if tier.up_to is None else tier.up_to)
    return tuple(found)


def overtaken(table: RouteTable, chain: ChainId, prefer: Prefer) -> tuple[TargetId, ...]:
    """The targets of a chain that a preferred one may be put before; none where it is not in it."""
    before: list[TargetId] = []
    if prefer.target is None:
        return ()
    pick = table.chains[chain].pick
    for group in table.chains[chain].groups:
        if prefer.target in group:
            place = group.index(prefer.target)
            beside = group[:place] if pick is Pick.ORDER else group
            return (*before, *(one for one in beside if one != prefer.target))
        before += group
    return ()


def regrouped(
    table: RouteTable, chain: ChainId, prefer: Prefer
) -> tuple[tuple[TargetId, ...], ...]:
    """The groups of a chain that a rule's pick orders otherwise than the chain's."""
    if prefer.pick is None or prefer.pick is table.chains[chain].pick:
        return ()
    return tuple(group for group in table.chains[chain].groups if len(group) > 1)
