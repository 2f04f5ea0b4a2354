"""A duty to the formula of the requests that call for it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import assert_never, final

import z3

from lynkrc.analysis.duties import Act, Atom, Duty, bounds_of, is_given, overtaken, regrouped
from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.logic import all_of, any_of, not_, two_of
from lynkrc.ir.table import Otherwise, Rule, RuleId, TierId
from lynkrc_runtime.decide import Outcome


@final
class DutyFormulas:
    """The formulas of one table's duties."""

    def __init__(self, encoded: Encoded, atoms: Sequence[Atom]) -> None:
        self._e = encoded
        self._f = encoded.formulas
        self._table = encoded.table
        self._atoms = atoms
        self._bounds = bounds_of(encoded.table)

    def calls_for(self, duty: Duty) -> z3.BoolRef:
        """When a request calls for a duty."""
        e, owner = self._e, duty.owner
        rule = RuleId(owner)
        match duty.act:
            case Act.MATCHES:
                return e.matches[owner]
            case Act.DENIES:
                return e.first_deny[rule]
            case Act.ANSWERS:
                return all_of(e.first_respond[rule], not_(e.outcome_by_deny))
            case Act.TIER:
                return all_of(self.unpinned, e.first_tier[rule])
            case Act.CHAIN:
                return all_of(self.unpinned, e.first_chain[rule])
            case Act.PREFERS:
                return self._prefers(self._table.rules[owner])
            case Act.RAISES:
                return self._raises(self._table.rules[owner])
            case Act.LOWERS:
                return self._lowers(self._table.rules[owner])
            case Act.ADDS:
                add = self._f.number(100 * (self._table.rules[owner].add64 or 0))
                return all_of(e.matches[owner], self._moves_tier(add))
            case Act.DROPS:
                return self._drops(self._table.rules[owner])
            case Act.COUNTS:
                return self._moves_tier(e.values[owner])
            case Act.REACHED:
                return all_of(e.tier[owner], e.has_tier, not_(self._given))
            case Act.SCORED:
                return all_of(self.unpinned, e.by_score[owner])
            case Act.TRIED:
                return all_of(e.final[owner], e.kept[duty.part])
            case Act.TRUE:
                return self._f.some([self._f.holds(one) for one in self._atoms[owner].guards])
            case Act.FALSE:
                return not_(
                    self._f.every([self._f.holds(one) for one in self._atoms[owner].guards])
                )
            case _:
                assert_never(duty.act)

    def holds_for(self, duty: Duty) -> z3.BoolRef:
        """When a duty of a guard alone is called for, in terms of the request alone."""
        if duty.act is Act.MATCHES:
            return self._f.holds(self._table.rules[duty.owner].guard)
        return self.calls_for(duty)

    @cached_property
    def unpinned(self) -> z3.BoolRef:
        """Steps 3 to 9 take place, and no requested name takes the place of 4 to 6."""
        return all_of(self._e.decided, not_(self._e.pinned))

    @cached_property
    def able(self) -> z3.BoolRef:
        """Some target of the spec meets every derived need."""
        e, table = self._e, self._table
        return self._f.some(
            [
                self._f.every(
                    [
                        not_(present)
                        for need, present in zip(table.needs, e.needs, strict=True)
                        if target.id not in need.met_by
                    ]
                )
                for target in table.targets
            ]
        )

    @cached_property
    def _given(self) -> z3.BoolRef:
        pins = zip(self._table.pins, self._e.first_pin, strict=True)
        return self._f.some([when for pin, when in pins if is_given(self._table, pin)])

    def _prefers(self, rule: Rule) -> z3.BoolRef:
        """It orders, or keeps the next matching preference from it: removed, that one would."""
        e = self._e
        return all_of(
            e.first_prefer[rule.id],
            e.outcome[Outcome.ROUTE],
            not_(e.pinned_target),
            any_of(self._reorders(rule), self._next_reorders[rule.id]),
        )

    @cached_property
    def _next_reorders(self) -> Mapping[RuleId, z3.BoolRef]:
        """Rules that prefer to when the first matching preference after theirs makes an order."""
        found = {}
        nexts = self._f.some([])
        for one in sorted(self._e.first_prefer, reverse=True):
            found[one] = nexts
            matches, reorders = self._e.matches[one], self._reorders(self._table.rules[one])
            nexts = any_of(all_of(matches, reorders), all_of(not_(matches), nexts))
        return found

    def _reorders(self, rule: Rule) -> z3.BoolRef:
        """A rule's preference makes another order than the chain has, where it is the first."""
        e, table = self._e, self._table
        prefer = rule.prefer
        assert prefer is not None

        def ways() -> Iterator[z3.BoolRef]:
            for chain in table.chains:
                if prefer.target is not None:
                    others = [e.kept[one] for one in overtaken(table, chain.id, prefer)]
                    if others:
                        kept = e.kept[prefer.target]
                        yield all_of(e.final[chain.id], kept, self._f.some(others))
                for group in regrouped(table, chain.id, prefer):
                    yield all_of(e.final[chain.id], two_of(*(e.kept[t] for t in group)))

        return self._f.some(list(ways()))

    def _raises(self, rule: Rule) -> z3.BoolRef:
        assert rule.floor is not None
        lower = self._f.some(list(self._e.chosen[: rule.floor]))
        return all_of(self.unpinned, self._e.matches[rule.id], lower)

    def _lowers(self, rule: Rule) -> z3.BoolRef:
        e, ceiling = self._e, rule.ceiling
        assert ceiling is not None
        over = self._f.some([*e.chosen[ceiling + 1 :], self.floor_over(ceiling)])
        lowers = all_of(self.unpinned, over)
        if self._table.otherwise is Otherwise.ESCALATE:
            higher = [
                all_of(self.filled(tier.chain), not_(e.tier[tier.id]))
                for tier in self._table.tiers
                if tier.id > ceiling
            ]
            lowers = any_of(lowers, all_of(self.nothing_left, self._f.some(higher)))
        return all_of(e.matches[rule.id], lowers)

    def _drops(self, rule: Rule) -> z3.BoolRef:
        e, table = self._e, self._table
        dropped = {keep.target: not_(self._f.holds(keep.guard)) for keep in rule.require or ()}

        def of(targets: Sequence[int]) -> z3.BoolRef:
            return self._f.some([when for t, when in dropped.items() if t in targets])

        ways = [all_of(e.start[chain.id], of(chain.targets)) for chain in table.chains]
        if table.otherwise is Otherwise.ESCALATE:
            for tier in table.tiers:
                met = all_of(not_(e.tier[tier.id]), not_(self.ceiling_under(tier.id)))
                ways.append(all_of(self.nothing_left, met, of(table.chains[tier.chain].targets)))
        return all_of(e.decided, e.matches[rule.id], self._f.some(ways))

    def filled(self, chain: int) -> z3.BoolRef:
        """Some target of a chain is left."""
        return self._f.some([self._e.kept[t] for t in self._table.chains[chain].targets])

    @cached_property
    def nothing_left(self) -> z3.BoolRef:
        """Nothing is left of the chain of step 6, and other tiers' are looked at."""
        began = [
            all_of(self._e.start[chain.id], self.filled(chain.id)) for chain in self._table.chains
        ]
        return all_of(self._e.decided, not_(self._e.pinned_target), not_(self._f.some(began)))

    def emptied(self, chain: int) -> z3.BoolRef:
        """Nothing is left of this chain, though some target of the spec could serve."""
        return all_of(
            self._e.start[chain],
            not_(self._e.pinned_target),
            not_(self.filled(chain)),
            self.able,
        )

    def floor_over(self, tier: TierId) -> z3.BoolRef:
        """Some matching floor lies above a tier."""
        return self._f.some(
            [
                self._e.matches[rule.id]
                for rule in self._table.rules
                if rule.floor is not None and rule.floor > tier
            ]
        )

    def ceiling_under(self, tier: TierId) -> z3.BoolRef:
        """Some matching ceiling lies below a tier."""
        return self._f.some(
            [
                self._e.matches[rule.id]
                for rule in self._table.rules
                if rule.ceiling is not None and rule.ceiling < tier
            ]
        )

    def _moves_tier(self, addend: z3.ArithRef) -> z3.BoolRef:
        """Without the addend, all else being equal, the tier is another."""
        e = self._e
        ways = []
        for tier, bound in zip(self._table.tiers, self._bounds, strict=True):
            if tier.id == 0 or bound is None:
                continue
            past = e.sum >= bound
            without = e.sum - addend >= bound
            bounded = any_of(self.floor_over(TierId(tier.id - 1)), self.ceiling_under(tier.id))
            ways.append(all_of(past != without, not_(bounded)))
        by_score = not_(self._f.some(list(e.first_tier.values())))
        return all_of(self.unpinned, by_score, self._f.some(ways))
