"""A vector to the duties it calls for, by the steps of the decision, as `duty_formulas` has them.

The guards of the rules are worked out once; everything else follows from them.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple, assert_never, final

from lynkrc.analysis.duties import (
    OF_GUARDS,
    Act,
    Atom,
    Duty,
    bounds_of,
    is_given,
    overtaken,
    regrouped,
)
from lynkrc.interp.evaluate import add_points, dimension_points, first_pin, holds, offset_points
from lynkrc.interp.expressions import Vector
from lynkrc.ir.table import (
    ChainId,
    Otherwise,
    Pin,
    RouteTable,
    Rule,
    RuleId,
    TargetId,
    TierId,
)


class _Bounded(NamedTuple):
    """The tier by the score, the one of step 4, and the one reported."""

    scored: TierId
    chosen: TierId
    tier: TierId


@final
class Seen:
    """What one vector comes to, step by step."""

    def __init__(self, table: RouteTable, vector: Vector) -> None:
        self._table = table
        self._vector = vector
        self._bounds = bounds_of(table)
        matching = [rule for rule in table.rules if holds(rule.guard, vector)]
        self._matching = matching
        self.matches: frozenset[RuleId] = frozenset(rule.id for rule in matching)
        self._deny = next((rule for rule in matching if rule.deny is not None), None)
        self._respond = next((rule for rule in matching if rule.respond is not None), None)
        self._tier_rule = next((rule for rule in matching if rule.tier is not None), None)
        self._chain_rule = next((rule for rule in matching if rule.chain is not None), None)
        self._preferring = [rule for rule in matching if rule.prefer is not None]
        self.decided = self._deny is None and self._respond is None
        self._pin: Pin | None = first_pin(table, vector)
        self._floor = max((r.floor for r in matching if r.floor is not None), default=TierId(0))
        top = TierId(len(table.tiers) - 1)
        self._ceiling = min((r.ceiling for r in matching if r.ceiling is not None), default=top)
        if not self.decided:
            return
        self._sum = self._total()
        self._tiers = self._bounded()
        self._kept = self._left()
        self._start = self._begin()
        self._emptied = self._pinned_target is False and not self._filled(self._start)
        self._final = self._end()

    def calls_for(self, duty: Duty, atoms: Sequence[Atom]) -> bool:
        """Whether the vector calls for a duty."""
        act, owner = duty.act, duty.owner
        match act:
            case Act.MATCHES:
                return owner in self.matches
            case Act.TRUE | Act.FALSE:
                return _holds_for(self._table, self._vector, duty, atoms)
            case Act.DENIES:
                return self._deny is not None and self._deny.id == owner
            case Act.ANSWERS:
                answers = self._deny is None and self._respond is not None
                return answers and self._respond is not None and self._respond.id == owner
            case _:
                return self.decided and self._once_decided(duty)

    def _once_decided(self, duty: Duty) -> bool:
        act, owner = duty.act, duty.owner
        match act:
            case Act.TIER:
                return self._unpinned and _is(self._tier_rule, owner)
            case Act.CHAIN:
                return self._unpinned and _is(self._chain_rule, owner)
            case Act.PREFERS:
                return self._prefers(owner)
            case Act.COUNTS:
                return self._moves_tier(
                    dimension_points(self._table.dimensions[owner], self._vector)
                )
            case Act.REACHED:
                given = self._pin is not None and is_given(self._table, self._pin)
                return not self._pinned_target and not given and self._tiers.tier == owner
            case Act.SCORED:
                return self._unpinned and self._tiers.scored == owner
            case Act.TRIED:
                return self._final == owner and duty.part in self._kept
            case Act.RAISES | Act.LOWERS | Act.ADDS | Act.DROPS:
                rule = self._table.rules[owner]
                return owner in self.matches and self._applies(act, rule)
            case Act.MATCHES | Act.DENIES | Act.ANSWERS | Act.TRUE | Act.FALSE:
                raise AssertionError(f"{act} does not need a decision")
            case _:
                assert_never(act)

    def _applies(self, act: Act, rule: Rule) -> bool:
        """Whether an effect of a matching rule that counts beside others' changes something."""
        if act is Act.RAISES:
            return self._unpinned and rule.floor is not None and self._tiers.chosen < rule.floor
        if act is Act.LOWERS:
            return rule.ceiling is not None and self._lowers(rule.ceiling)
        if act is Act.ADDS:
            return self._moves_tier(add_points(rule, self._vector))
        met = {t for chain in self._met() for t in self._table.chains[chain].targets}
        return any(
            keep.target in met and not holds(keep.guard, self._vector)
            for keep in rule.require or ()
        )

    def emptied(self, chain: ChainId) -> bool:
        """Nothing is left of this chain, though some target of the spec could serve."""
        return self.decided and self._start == chain and self._emptied and bool(self.able())

    def able(self) -> tuple[TargetId, ...]:
        """The targets of the spec that meet every derived need."""
        present = [need for need in self._table.needs if holds(need.guard, self._vector)]
        return tuple(
            target.id
            for target in self._table.targets
            if all(target.id in need.met_by for need in present)
        )

    # -- the steps -----------------------------------------------------------------------------

    @property
    def _unpinned(self) -> bool:
        return self._pin is None

    @property
    def _pinned_target(self) -> bool:
        return self._pin is not None and self._pin.chain is not None

    def _total(self) -> int:
        v = self._vector
        total = offset_points(self._table)
        total += sum(dimension_points(one, v) for one in self._table.dimensions)
        return total + sum(100 * (rule.add64 or 0) for rule in self._matching)

    def _bounded(self) -> _Bounded:
        score = min(100, max(0, (self._sum + 3200) // 6400))
        scored = next(t.id for t in self._table.tiers if t.up_to is None or score <= t.up_to)
        rule = self._tier_rule
        chosen = scored if rule is None or rule.tier is None else rule.tier
        tier = min(max(chosen, self._floor), self._ceiling)
        if self._pin is not None and self._pin.tier is not None:
            tier = self._pin.tier
        return _Bounded(scored=scored, chosen=chosen, tier=tier)

    def _left(self) -> frozenset[TargetId]:
        dropped = {
            keep.target
            for rule in self._matching
            for keep in rule.require or ()
            if not holds(keep.guard, self._vector)
        }
        return frozenset(t for t in self.able() if t not in dropped)

    def _begin(self) -> ChainId:
        if self._pin is not None and self._pin.chain is not None:
            return self._pin.chain
        rule = self._chain_rule if self._pin is None else None
        if rule is not None and rule.chain is not None:
            return rule.chain
        return self._table.tiers[self._tiers.tier].chain

    def _filled(self, chain: ChainId) -> bool:
        return any(target in self._kept for target in self._table.chains[chain].targets)

    def _others(self) -> Iterator[TierId]:
        """The tiers whose chains are looked at after an empty one, in turn."""
        if self._table.otherwise is Otherwise.ESCALATE and self._emptied:
            own, count = self._tiers.tier, len(self._table.tiers)
            for other in (*range(own + 1, count), *range(own - 1, -1, -1)):
                if other <= self._ceiling:
                    yield TierId(other)

    def _end(self) -> ChainId | None:
        if self._filled(self._start):
            return self._start
        chains = (self._table.tiers[tier].chain for tier in self._others())
        return next((chain for chain in chains if self._filled(chain)), None)

    def _met(self) -> Iterator[ChainId]:
        """The chain of step 6, and all that may be looked at after it."""
        yield self._start
        for tier in self._others():
            yield self._table.tiers[tier].chain

    def _lowers(self, ceiling: TierId) -> bool:
        if self._unpinned and max(self._tiers.chosen, self._floor) > ceiling:
            return True
        if self._table.otherwise is not Otherwise.ESCALATE or not self._emptied:
            return False
        return any(
            tier.id > ceiling and tier.id != self._tiers.tier and self._filled(tier.chain)
            for tier in self._table.tiers
        )

    def _moves_tier(self, addend: int) -> bool:
        if not self._unpinned or self._tier_rule is not None:
            return False
        without = self._sum - addend
        return any(
            bound is not None
            and (self._sum >= bound) != (without >= bound)
            and self._floor < tier.id <= self._ceiling
            for tier, bound in zip(self._table.tiers, self._bounds, strict=True)
            if tier.id > 0
        )

    def _prefers(self, owner: int) -> bool:
        """It orders, or keeps the next from it."""
        first = next(iter(self._preferring), None)
        return _is(first, owner) and any(map(self._reorders, self._preferring[:2]))

    def _reorders(self, rule: Rule) -> bool:
        prefer, chain, table = rule.prefer, self._final, self._table
        if prefer is None or chain is None or self._pinned_target:
            return False
        before = overtaken(table, chain, prefer)
        if prefer.target in self._kept and any(one in self._kept for one in before):
            return True
        groups = regrouped(table, chain, prefer)
        return any(sum(one in self._kept for one in group) > 1 for group in groups)


def _is(rule: Rule | None, owner: int) -> bool:
    return rule is not None and rule.id == owner


def seen(
    table: RouteTable, vector: Vector, duties: Collection[Duty], atoms: Sequence[Atom]
) -> list[Duty]:
    """Those of the duties that the vector calls for."""
    if all(duty.act in OF_GUARDS for duty in duties):
        return [duty for duty in duties if _holds_for(table, vector, duty, atoms)]
    one = Seen(table, vector)
    return [duty for duty in duties if one.calls_for(duty, atoms)]


def _holds_for(table: RouteTable, vector: Vector, duty: Duty, atoms: Sequence[Atom]) -> bool:
    """Whether the vector calls for a duty of a guard alone."""
    if duty.act is Act.MATCHES:
        return holds(table.rules[duty.owner].guard, vector)
    found = [holds(guard, vector) for guard in atoms[duty.owner].guards]
    return any(found) if duty.act is Act.TRUE else not all(found)
