"""A goal to the formula of the requests that meet it, as `lynkrc.interp.goals.is_met` says."""

from collections.abc import Iterator
from functools import cached_property
from typing import assert_never, final

import z3

from lynkrc.analysis.duties import Act, Duty
from lynkrc.analysis.duty_formulas import DutyFormulas
from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.logic import all_of, not_
from lynkrc.analysis.order import Way, ways
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
)
from lynkrc.ir.table import Otherwise, Rule, TargetId

_POINT = 6_400


@final
class GoalFormulas:
    """The formulas of one table's goals."""

    def __init__(self, encoded: Encoded) -> None:
        self._e = encoded
        self._f = encoded.formulas
        self._table = encoded.table
        self._duties = DutyFormulas(encoded, ())

    def meets(self, goal: Goal) -> z3.BoolRef:
        """When a request meets a goal."""
        e = self._e
        match goal:
            case Decides(rule=rule):
                return self._decides(self._table.rules[rule])
            case Matches(rule=rule):
                return self._f.holds(self._table.rules[rule].guard)
            case AtomIs(atom=atom, value=value):
                holds = self._f.holds(atom)
                return holds if value else not_(holds)
            case Reaches(tier=tier):
                return all_of(e.has_tier, e.tier[tier])
            case FallsBack(chain=chain, first=first, then=then):
                taken = [
                    way.when
                    for way in self._ways
                    if way.chain == chain and _is_before(way, first, then)
                ]
                return all_of(e.kept[first], e.kept[then], self._f.some(taken))
            case Escalates(tier=tier, to=to):
                served = e.final[self._table.tiers[to].chain]
                return all_of(served, e.has_tier, e.tier[tier])
            case ScoreIs(score=score):
                return all_of(e.decided, self._scored(score))
            case NumberIs(expr=expr, values=values):
                number = self._f.value(expr)
                return self._f.some([number == value for value in values])
            case _:
                assert_never(goal)

    def _scored(self, score: int) -> z3.BoolRef:
        """The sum is rounded to this score, or lies beyond it at an end of the scale."""
        middle = _POINT * score
        bounds = []
        if score > 0:
            bounds.append(self._e.sum >= middle - _POINT // 2)
        if score < 100:
            bounds.append(self._e.sum < middle + _POINT // 2)
        return self._f.every(bounds)

    def _decides(self, rule: Rule) -> z3.BoolRef:
        """Some effect of a rule is what is decided, or part of it."""
        if rule.deny is not None:
            return self._duties.calls_for(Duty(Act.DENIES, rule.id))
        if rule.respond is not None:
            return self._duties.calls_for(Duty(Act.ANSWERS, rule.id))
        return self._f.some(list(self._takes(rule)))

    def _takes(self, rule: Rule) -> Iterator[z3.BoolRef]:
        e = self._e
        unpinned = self._duties.unpinned
        if rule.tier is not None:
            yield self._duties.calls_for(Duty(Act.TIER, rule.id))
        if rule.chain is not None:
            yield self._duties.calls_for(Duty(Act.CHAIN, rule.id))
        if rule.floor is not None:
            yield all_of(unpinned, e.raised, e.floor_rule[rule.id])
        if rule.ceiling is not None:
            yield all_of(unpinned, e.lowered, e.ceiling_rule[rule.id])
        if rule.add64:
            yield all_of(e.decided, e.matches[rule.id])
        if rule.prefer is not None:
            routed = all_of(self._f.some(list(e.final)), not_(e.pinned_target))
            yield all_of(e.first_prefer[rule.id], routed)
        for keep in rule.require or ():
            drops = not_(self._f.holds(keep.guard))
            yield all_of(e.matches[rule.id], drops, self._looked_at[keep.target])

    @cached_property
    def _looked_at(self) -> tuple[z3.BoolRef, ...]:
        """Which targets are in a chain that steps 7 and 8 come to."""
        duties, table = self._duties, self._table
        found: list[list[z3.BoolRef]] = [
            [self._e.start[chain.id] for chain in table.chains if target.id in chain.targets]
            for target in table.targets
        ]
        if table.otherwise is Otherwise.ESCALATE:
            count = len(table.tiers)
            for tier in table.tiers:
                open_ = all_of(duties.nothing_left, self._e.tier[tier.id])
                for other in (*range(tier.id + 1, count), *range(tier.id - 1, -1, -1)):
                    next_ = table.tiers[other]
                    here = all_of(open_, not_(duties.ceiling_under(next_.id)))
                    for target in table.chains[next_.chain].targets:
                        found[target].append(here)
                    is_last = all_of(
                        not_(duties.ceiling_under(next_.id)), duties.filled(next_.chain)
                    )
                    open_ = all_of(open_, not_(is_last))
        return tuple(all_of(self._e.decided, self._f.some(one)) for one in found)

    @cached_property
    def _ways(self) -> tuple[Way, ...]:
        return ways(self._e)


def _is_before(way: Way, first: TargetId, then: TargetId) -> bool:
    """Whether one target stands before another in the decided order."""
    if way.preferred in (first, then):
        return way.preferred == first
    order = [target for group in way.groups for target in group]
    return order.index(first) < order.index(then)
