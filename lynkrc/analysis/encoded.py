"""What a RouteTable decides about one unknown request, as formulas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import z3

from lynkrc.analysis.formulas import Formulas
from lynkrc.analysis.logic import all_of, any_of, not_
from lynkrc.analysis.symbols import Symbols
from lynkrc.ir.table import RouteTable, RuleId
from lynkrc_runtime.decide import RULE_PIN, RULE_SCORE, Outcome


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """When what happens, each by the index of the table's own tuple.

    `matches` and `needs` are the guards; `first_*` when a rule is the first with that effect that
    matches (rules without it are absent). `by_score[k]` is that the score alone gives tier k,
    `chosen` the tier after step 4, `tier` the one after step 5, which holds wherever a tier is
    reported, pinned ones included. `kept` is step 7, of every target of the spec; `final` that a
    chain is the decided one and `attempted` that a target is in what is left of it; both only where
    the outcome is route.
    """

    table: RouteTable
    symbols: Symbols
    formulas: Formulas
    definitions: tuple[z3.BoolRef, ...]
    early: int
    """How many of the definitions say which rules and pins match and which of them come first; no
    score, need or chain is in them."""
    matches: tuple[z3.BoolRef, ...]
    needs: tuple[z3.BoolRef, ...]
    first_deny: Mapping[RuleId, z3.BoolRef]
    first_respond: Mapping[RuleId, z3.BoolRef]
    first_tier: Mapping[RuleId, z3.BoolRef]
    first_chain: Mapping[RuleId, z3.BoolRef]
    first_prefer: Mapping[RuleId, z3.BoolRef]
    first_pin: tuple[z3.BoolRef, ...]
    pinned: z3.BoolRef
    pinned_target: z3.BoolRef
    sum: z3.ArithRef
    values: tuple[z3.ArithRef, ...]
    """What each dimension adds, in 1/6400 points."""
    by_score: tuple[z3.BoolRef, ...]
    chosen: tuple[z3.BoolRef, ...]
    tier: tuple[z3.BoolRef, ...]
    decided: z3.BoolRef
    """Neither denied nor answered by a rule: steps 3 to 9 take place."""
    floor_rule: Mapping[RuleId, z3.BoolRef]
    ceiling_rule: Mapping[RuleId, z3.BoolRef]
    """When a rule's floor or ceiling is the one step 5 looks at."""
    raised: z3.BoolRef
    lowered: z3.BoolRef
    """Whether step 5 changed the tier by a floor, and by a ceiling after it."""
    kept: tuple[z3.BoolRef, ...]
    start: tuple[z3.BoolRef, ...]
    """The chain step 6 comes to."""
    final: tuple[z3.BoolRef, ...]
    attempted: tuple[z3.BoolRef, ...]
    outcome: Mapping[Outcome, z3.BoolRef]

    @property
    def has_tier(self) -> z3.BoolRef:
        """Whether a tier is reported."""
        return all_of(self.decided, not_(self.pinned_target))

    def rule_is(self, rule: int) -> z3.BoolRef:
        """That this rule, `RULE_SCORE` or `RULE_PIN` is reported."""
        none = self.formulas.constant(False)
        if rule == RULE_PIN:
            return all_of(self.decided, self.pinned)
        plain = all_of(self.decided, not_(self.pinned))
        chosen = self.formulas.some(list(self.first_tier.values()))
        if rule == RULE_SCORE:
            return all_of(plain, not_(any_of(chosen, self.raised, self.lowered)))
        own = RuleId(rule)
        decides = any_of(
            self.first_tier.get(own, none),
            all_of(
                not_(chosen),
                any_of(
                    all_of(self.lowered, self.ceiling_rule.get(own, none)),
                    all_of(self.raised, not_(self.lowered), self.floor_rule.get(own, none)),
                ),
            ),
        )
        denied = self.first_deny.get(own, none)
        responds = all_of(self.first_respond.get(own, none), not_(self.outcome_by_deny))
        return any_of(all_of(plain, decides), denied, responds)

    @property
    def outcome_by_deny(self) -> z3.BoolRef:
        """Whether a rule denies."""
        return self.formulas.some(list(self.first_deny.values()))
