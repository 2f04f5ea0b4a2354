"""An assertion about requests and targets to the formula of a request that speaks against it.

`never` and `always` are refuted by such a request, `reachable` is shown by one. What reads `target`
speaks of every attempted target, what reads `tier` of requests that have one.
"""

from collections.abc import Sequence
from typing import final

import z3

from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.formulas import Beside, Formulas
from lynkrc.analysis.logic import all_of, not_
from lynkrc.analysis.order import first_in_order
from lynkrc.analysis.study import Study
from lynkrc.ir.assertion import Assertion, Kind, reads_target
from lynkrc.ir.guard import Guard
from lynkrc.ir.ranges import slots_read
from lynkrc.ir.table import Slot, SlotType, Target, TargetId
from lynkrc_runtime.decide import RULE_PIN, RULE_SCORE, Outcome

_RULES = {"score": RULE_SCORE, "pin": RULE_PIN}


@final
class Claims:
    """The formulas of one study's assertions."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._first: tuple[z3.BoolRef, ...] | None = None

    def against(self, assertion: Assertion) -> z3.BoolRef:
        """When a request refutes never or always, or shows reachable, with some target."""
        ways = [formula for _, formula in self.ways(assertion)]
        return self._study.encoded.formulas.some(ways)

    def ways(self, assertion: Assertion) -> list[tuple[TargetId | None, z3.BoolRef]]:
        """The same for each target, or once without one where no target is read."""
        guard = assertion.guard
        if guard is None:
            raise ValueError(f"{assertion.source} has no condition")
        encoded = self._study.encoded
        read = [self._study.assertions.slots[slot] for slot in sorted(slots_read(guard))]
        spoken = [encoded.has_tier] if any(slot.feature == "tier" for slot in read) else []
        if not any(reads_target(slot) for slot in read):
            holds = self._holds(assertion.kind, guard, read, None)
            return [(None, all_of(*spoken, holds))]
        return [
            (
                target.id,
                all_of(
                    *spoken,
                    encoded.attempted[target.id],
                    self._holds(assertion.kind, guard, read, target),
                ),
            )
            for target in encoded.table.targets
        ]

    def _holds(
        self, kind: Kind, guard: Guard, read: Sequence[Slot], target: Target | None
    ) -> z3.BoolRef:
        study = self._study
        beside = {
            int(slot.id): found
            for slot in read
            if (found := self._beside(slot, study.encoded, target)) is not None
        }
        holds = Formulas(study.symbols, study.claims, beside).holds(guard)
        return not_(holds) if kind is Kind.ALWAYS else holds

    def _beside(self, slot: Slot, encoded: Encoded, target: Target | None) -> Beside | None:
        f, table = encoded.formulas, encoded.table
        texts = [one.text for one in slot.classes]
        match slot.feature:
            case "tier":
                tiers = {tier.name: encoded.tier[tier.id] for tier in table.tiers}
                return Beside(members=tuple(tiers[text] for text in texts))
            case "outcome":
                outcomes = {one.name.lower(): encoded.outcome[one] for one in Outcome}
                return Beside(members=tuple(outcomes[text] for text in texts))
            case "rule":
                rules = {rule.name: int(rule.id) for rule in table.rules} | _RULES
                return Beside(members=tuple(encoded.rule_is(rules[text]) for text in texts))
            case _ if target is None or not reads_target(slot):
                return None
            case "target.first":
                if self._first is None:
                    self._first = first_in_order(encoded)
                return Beside(truth=self._first[target.id])
            case _:
                fact = fact_of(target, slot.feature)
        if slot.type is SlotType.CLASS:
            return Beside(members=tuple(f.constant(text == fact) for text in texts))
        if slot.type is SlotType.BOOL:
            return Beside(truth=f.constant(bool(fact)))
        return Beside(number=f.number(int(fact)))


def fact_of(target: Target, name: str) -> str | int:
    """The value of ``target.…`` for one target. KeyError for a name that is none of them."""
    match name.partition(".")[2]:
        case "":
            return target.name
        case "provider":
            return target.provider
        case "trust":
            return target.trust
        case "context":
            return target.context
        case "max_output":
            return target.max_output
        case capability:
            return int(capability in target.capabilities)
