"""A RouteTable to the formulas of its decision on one unknown request.

Step by step as `lynkrc.interp.evaluate`. Tiers, chains and targets are sets of Bools; the score
stays a sum in 1/6400 points that is compared with the tiers' bounds and nothing else. What is used
more than once has a name of its own, whose definition is in `definitions`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import final

import msgspec
import z3

from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.formulas import Formulas
from lynkrc.analysis.logic import all_of, any_of, choice, implies, not_, same
from lynkrc.analysis.symbols import Symbols
from lynkrc.ir.domain import View
from lynkrc.ir.table import (
    ChainId,
    Otherwise,
    RouteTable,
    Rule,
    RuleId,
    Slot,
    TargetId,
    TierId,
)
from lynkrc_runtime.decide import Outcome
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.settings import Settings

_POINT = 6_400


_EFFECTS: Mapping[str, Callable[[Rule], bool]] = {
    "deny": lambda rule: rule.deny is not None,
    "respond": lambda rule: rule.respond is not None,
    "tier": lambda rule: rule.tier is not None,
    "chain": lambda rule: rule.chain is not None,
    "prefer": lambda rule: rule.prefer is not None,
}


@final
class Encoder:
    """Builds the formulas; `tag` tells the names of two tables, or two requests, apart.

    What was defined before has the name it has there already: of two requests that differ in little
    most is the same.
    """

    def __init__(
        self,
        table: RouteTable,
        symbols: Symbols,
        view: View,
        *,
        tag: str = "",
        before: Sequence[z3.BoolRef] = (),
    ) -> None:
        self._table = table
        self._symbols = symbols
        self._formulas = Formulas(symbols, view)
        self._tag = tag
        self._definitions: list[z3.BoolRef] = []
        # A formula's number stands for all that are spelled the same.
        self._named = {one.arg(1).get_id(): one.arg(0) for one in before if z3.is_eq(one)}

    def encode(self) -> Encoded:
        """Everything."""
        table, f = self._table, self._formulas
        self._definitions.append(self._embeddings())
        matches = self._names("rule", (f.holds(rule.guard) for rule in table.rules))
        first = {effect: self._first(effect, has, matches) for effect, has in _EFFECTS.items()}
        denied = f.some(list(first["deny"].values()))
        responds = f.some(list(first["respond"].values()))
        decided = self._name("decided", all_of(not_(denied), not_(responds)))
        pins = self._first_pin()
        pinned = self._name("pinned", f.some(list(pins)))
        to_target = [p for p, pin in zip(pins, table.pins, strict=True) if pin.chain is not None]
        pinned_target = self._name("pinned target", f.some(to_target))
        early = len(self._definitions)
        needs = self._names("need", (f.holds(need.guard) for need in table.needs))
        values = tuple(self._dimensions())
        sum_ = self._sum(values, matches)
        by_score = self._by_score(sum_)
        chosen = self._chosen(by_score, first["tier"])
        floors = self._at_least(matches)
        ceilings = self._below(matches)
        tier, raised, lowered = self._bounded(chosen, floors, ceilings, pins, pinned)
        kept = self._kept(matches, needs)
        filled = self._names(
            "filled", (f.some([kept[t] for t in chain.targets]) for chain in table.chains)
        )
        start = self._start(decided, tier, pins, pinned, first["chain"])
        final_ = self._final(start, filled, tier, pinned_target, ceilings)
        attempted = self._names(
            "attempted",
            (
                all_of(
                    kept[target.id],
                    f.some([final_[c.id] for c in table.chains if target.id in c.targets]),
                )
                for target in table.targets
            ),
        )
        return Encoded(
            table=table,
            symbols=self._symbols,
            formulas=f,
            matches=matches,
            needs=needs,
            first_deny=first["deny"],
            first_respond=first["respond"],
            first_tier=first["tier"],
            first_chain=first["chain"],
            first_prefer=first["prefer"],
            first_pin=pins,
            pinned=pinned,
            pinned_target=pinned_target,
            sum=sum_,
            values=values,
            by_score=by_score,
            chosen=chosen,
            tier=tier,
            decided=decided,
            floor_rule=self._bounding(matches, lambda rule: rule.floor, highest=True),
            ceiling_rule=self._bounding(matches, lambda rule: rule.ceiling, highest=False),
            raised=raised,
            lowered=lowered,
            kept=kept,
            start=start,
            final=final_,
            attempted=attempted,
            outcome=self._outcomes(denied, decided, needs, final_, pinned_target),
            definitions=tuple(self._definitions),
            early=early,
        )

    # -- names ---------------------------------------------------------------------------------

    def _name(self, name: str, formula: z3.BoolRef) -> z3.BoolRef:
        known: z3.BoolRef | None = self._named.get(formula.get_id())
        if known is not None:
            return known
        named = z3.Bool(f"{self._tag}{name}", self._symbols.context)
        self._definitions.append(same(named, formula))
        return named

    def _number(self, name: str, formula: z3.ArithRef) -> z3.ArithRef:
        known: z3.ArithRef | None = self._named.get(formula.get_id())
        if known is not None:
            return known
        named = z3.Int(f"{self._tag}{name}", self._symbols.context)
        self._definitions.append(same(named, formula))
        return named

    def _names(self, name: str, formulas: Iterator[z3.BoolRef]) -> tuple[z3.BoolRef, ...]:
        return tuple(self._name(f"{name} {i}", formula) for i, formula in enumerate(formulas))

    # -- first matches -------------------------------------------------------------------------

    def _first(
        self, effect: str, has: Callable[[Rule], bool], matches: Sequence[z3.BoolRef]
    ) -> dict[RuleId, z3.BoolRef]:
        """When each rule with an effect is the first of them that matches."""
        owners = [rule.id for rule in self._table.rules if has(rule)]
        found = self._first_of(effect, [matches[rule] for rule in owners])
        return dict(zip(owners, found, strict=True))

    def _first_of(self, name: str, matches: Sequence[z3.BoolRef]) -> tuple[z3.BoolRef, ...]:
        before = self._formulas.constant(False)
        found = []
        for i, match in enumerate(matches):
            found.append(self._name(f"first {name} {i}", all_of(match, not_(before))))
            before = self._name(f"some {name} {i}", any_of(before, match))
        return tuple(found)

    def _first_pin(self) -> tuple[z3.BoolRef, ...]:
        return self._first_of("pin", [self._formulas.holds(p.guard) for p in self._table.pins])

    # -- score and tier ------------------------------------------------------------------------

    def _dimensions(self) -> Iterator[z3.ArithRef]:
        for i, dimension in enumerate(self._table.dimensions):
            if dimension.terms is not None:
                points = 100 * self._formulas.slot(dimension.terms)
            else:
                assert dimension.value is not None
                value = self._formulas.percent(self._formulas.value(dimension.value))
                points = dimension.weight64 * value
            yield self._number(f"dimension {i}", points)

    def _sum(self, values: Sequence[z3.ArithRef], matches: Sequence[z3.BoolRef]) -> z3.ArithRef:
        """The score before rounding, in 1/6400 points."""
        f = self._formulas
        adds = [
            choice(matches[rule.id], f.number(100 * rule.add64), f.number(0))
            for rule in self._table.rules
            if rule.add64 is not None
        ]
        return self._number("sum", z3.Sum([f.number(100 * self._table.offset64), *values, *adds]))

    def _by_score(self, sum_: z3.ArithRef) -> tuple[z3.BoolRef, ...]:
        below = self._formulas.constant(False)
        found = []
        for tier in self._table.tiers:
            within = self._formulas.constant(True)
            if tier.up_to is not None and tier.up_to < 100:
                # score <= k where floor((sum + 3200) / 6400) <= k; scores are at least 0.
                within = (
                    self._formulas.constant(False)
                    if tier.up_to < 0
                    else sum_ < _POINT * (tier.up_to + 1) - _POINT // 2
                )
            found.append(self._name(f"score tier {tier.id}", all_of(within, not_(below))))
            below = self._name(f"score up to {tier.id}", any_of(below, within))
        return tuple(found)

    def _chosen(
        self, by_score: Sequence[z3.BoolRef], first: Mapping[RuleId, z3.BoolRef]
    ) -> tuple[z3.BoolRef, ...]:
        """Step 4."""
        f, rules = self._formulas, self._table.rules
        by_rule = self._name("tier by rule", f.some(list(first.values())))
        return self._names(
            "chosen",
            (
                any_of(
                    f.some([when for rule, when in first.items() if rules[rule].tier == k]),
                    all_of(not_(by_rule), by_score[k]),
                )
                for k in range(len(by_score))
            ),
        )

    def _at_least(self, matches: Sequence[z3.BoolRef]) -> tuple[z3.BoolRef, ...]:
        """For each tier: some floor is at least as high."""
        rules = [rule for rule in self._table.rules if rule.floor is not None]
        return self._names(
            "floor",
            (
                self._formulas.some(
                    [matches[r.id] for r in rules if r.floor is not None and r.floor >= k]
                )
                for k in range(len(self._table.tiers))
            ),
        )

    def _below(self, matches: Sequence[z3.BoolRef]) -> tuple[z3.BoolRef, ...]:
        """For each tier: some ceiling is below it."""
        rules = [rule for rule in self._table.rules if rule.ceiling is not None]
        return self._names(
            "ceiling",
            (
                self._formulas.some(
                    [matches[r.id] for r in rules if r.ceiling is not None and r.ceiling < k]
                )
                for k in range(len(self._table.tiers))
            ),
        )

    def _bounded(
        self,
        chosen: Sequence[z3.BoolRef],
        floors: Sequence[z3.BoolRef],
        ceilings: Sequence[z3.BoolRef],
        pins: Sequence[z3.BoolRef],
        pinned: z3.BoolRef,
    ) -> tuple[tuple[z3.BoolRef, ...], z3.BoolRef, z3.BoolRef]:
        """Step 5, or the pinned tier; and whether a floor, then a ceiling changed it."""
        f, count = self._formulas, len(chosen)
        at_least = [f.some(list(chosen[k:])) for k in range(count)]
        after_floor = [
            self._name(f"raised to {k}", any_of(at_least[k], floors[k])) for k in range(count)
        ]
        after_both = [
            self._name(f"bounded to {k}", all_of(after_floor[k], not_(ceilings[k])))
            for k in range(count)
        ]
        raised = self._name(
            "raised", f.some([all_of(after_floor[k], not_(at_least[k])) for k in range(count)])
        )
        lowered = self._name(
            "lowered", f.some([all_of(after_floor[k], ceilings[k]) for k in range(count)])
        )
        tiers = []
        for k in range(count):
            above = after_both[k + 1] if k + 1 < count else f.constant(False)
            own = all_of(after_both[k], not_(above))
            to_tier = [
                when for when, pin in zip(pins, self._table.pins, strict=True) if pin.tier == k
            ]
            either = choice(pinned, f.some(to_tier), own)
            tiers.append(self._name(f"tier {k}", either))
        return tuple(tiers), raised, lowered

    def _bounding(
        self,
        matches: Sequence[z3.BoolRef],
        bound: Callable[[Rule], TierId | None],
        *,
        highest: bool,
    ) -> dict[RuleId, z3.BoolRef]:
        """When a rule's bound is the strictest that matches; of several, the first as written."""
        rules = [(rule.id, tier) for rule in self._table.rules if (tier := bound(rule)) is not None]
        found = {}
        for own, tier in rules:
            stricter = [
                matches[other]
                for other, level in rules
                if (level > tier if highest else level < tier) or (level == tier and other < own)
            ]
            found[own] = all_of(matches[own], not_(self._formulas.some(stricter)))
        return found

    # -- chains --------------------------------------------------------------------------------

    def _kept(
        self, matches: Sequence[z3.BoolRef], needs: Sequence[z3.BoolRef]
    ) -> tuple[z3.BoolRef, ...]:
        """Step 7, of every target."""
        f, table = self._formulas, self._table

        def conditions(target: TargetId) -> Iterator[z3.BoolRef]:
            for need, present in zip(table.needs, needs, strict=True):
                if target not in need.met_by:
                    yield not_(present)
            for rule in table.rules:
                for keep in rule.require or ():
                    if keep.target == target:
                        yield implies(matches[rule.id], f.holds(keep.guard))

        return self._names("kept", (f.every(list(conditions(t.id))) for t in table.targets))

    def _start(
        self,
        decided: z3.BoolRef,
        tier: Sequence[z3.BoolRef],
        pins: Sequence[z3.BoolRef],
        pinned: z3.BoolRef,
        first: Mapping[RuleId, z3.BoolRef],
    ) -> tuple[z3.BoolRef, ...]:
        """Step 6: the chain of a pinned target, else of a rule, else of the tier."""
        f, table = self._formulas, self._table
        by_rule = self._name("chain by rule", all_of(not_(pinned), f.some(list(first.values()))))
        to_target = [pin.chain is not None for pin in table.pins]
        elsewhere = f.some(
            [by_rule, *(when for when, other in zip(pins, to_target, strict=True) if other)]
        )

        def ways(chain: ChainId) -> Iterator[z3.BoolRef]:
            for pin, when in zip(table.pins, pins, strict=True):
                if pin.chain == chain:
                    yield when
            for rule, when in first.items():
                if table.rules[rule].chain == chain:
                    yield all_of(by_rule, when)
            for one in table.tiers:
                if one.chain == chain:
                    yield all_of(not_(elsewhere), tier[one.id])

        return self._names(
            "start", (all_of(decided, f.some(list(ways(chain.id)))) for chain in table.chains)
        )

    def _final(
        self,
        start: Sequence[z3.BoolRef],
        filled: Sequence[z3.BoolRef],
        tier: Sequence[z3.BoolRef],
        pinned_target: z3.BoolRef,
        ceilings: Sequence[z3.BoolRef],
    ) -> tuple[z3.BoolRef, ...]:
        """Steps 7 and 8: the first chain in turn with a target left."""
        f, table = self._formulas, self._table
        ways: list[list[z3.BoolRef]] = [
            [all_of(start[chain.id], filled[chain.id])] for chain in table.chains
        ]
        if table.otherwise is Otherwise.ESCALATE:
            began = f.some([all_of(start[chain.id], filled[chain.id]) for chain in table.chains])
            decided = f.some(list(start))
            emptied = self._name("emptied", all_of(decided, not_(pinned_target), not_(began)))
            for k in range(len(table.tiers)):
                open_ = self._name(f"escalates from {k}", all_of(emptied, tier[k]))
                for other in (*range(k + 1, len(table.tiers)), *range(k - 1, -1, -1)):
                    chain = table.tiers[other].chain
                    here = all_of(not_(ceilings[other]), filled[chain])
                    ways[chain].append(all_of(open_, here))
                    open_ = self._name(
                        f"escalates from {k} past {other}", all_of(open_, not_(here))
                    )
        return self._names("final", (f.some(way) for way in ways))

    def _outcomes(
        self,
        denied: z3.BoolRef,
        decided: z3.BoolRef,
        needs: Sequence[z3.BoolRef],
        final_: Sequence[z3.BoolRef],
        pinned_target: z3.BoolRef,
    ) -> dict[Outcome, z3.BoolRef]:
        f, table = self._formulas, self._table
        routed = self._name("routed", f.some(list(final_)))
        left = all_of(decided, not_(routed))
        late = f.constant(False)
        if table.otherwise is Otherwise.DENY:
            able = [
                f.every(
                    [
                        not_(present)
                        for need, present in zip(table.needs, needs, strict=True)
                        if target.id not in need.met_by
                    ]
                )
                for target in table.targets
            ]
            late = all_of(left, not_(pinned_target), f.some(able))
        return {
            Outcome.ROUTE: routed,
            Outcome.DENY: self._name("denied", any_of(denied, late)),
            Outcome.RESPOND: self._name("answered", all_of(not_(denied), not_(decided))),
            Outcome.REFUSE: self._name("refused", all_of(left, not_(late))),
        }

    # -- what is true of requests --------------------------------------------------------------

    def _embeddings(self) -> z3.BoolRef:
        """Embeddings are put to the decision under the name of their declared target."""
        f, slots = self._formulas, self._symbols.domain.slots
        at = {slot.feature: slot for slot in slots if slot.feature in ("surface", "model")}
        if "surface" not in at:
            return f.constant(True)
        settings = msgspec.json.decode(self._table.settings, type=Settings)
        names = {f"lynkr/{target}".lower() for target in settings.embeddings.values()}
        to_declared = f.constant(bool(names))
        if "model" in at:
            to_declared = self._is_one_of(at["model"], names)
        return implies(self._is_one_of(at["surface"], {EMBEDDINGS}), to_declared)

    def _is_one_of(self, slot: Slot, texts: Collection[str]) -> z3.BoolRef:
        symbol = self._symbols.ints[slot.id]
        return self._formulas.some(
            [symbol == i for i, one in enumerate(slot.classes) if one.text in texts]
        )
