"""A point of a domain to whether it breaks an assertion: what assertions mean, dull on purpose.

The prover is tested against this. An assertion that reads the target speaks of pairs of a routed
request and a target of its final chain; one that reads `tier` speaks of requests that have one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, assert_never, final

import msgspec

from lynkrc.interp.evaluate import evaluate, holds
from lynkrc.interp.expressions import Vector
from lynkrc.interp.order import cost
from lynkrc.interp.worst_case import Unpriced, worst_cost, worst_latency
from lynkrc.ir.assertion import Assertion, Assertions, Kind, is_beside, reads_target
from lynkrc.ir.domain import Domain, Part, Point, domain_of
from lynkrc.ir.guard import BoolSlot, ClassTest, Guard, IntExpr, IntSlot, SlotId
from lynkrc.ir.ranges import subexpressions
from lynkrc.ir.table import Pick, RouteTable, Slot, Target, TargetId
from lynkrc_runtime.decide import RULE_PIN, RULE_SCORE, Outcome, Verdict
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.settings import Settings

Witness: TypeAlias = TargetId | None
"""The target of a pair, None where the assertion reads none."""

_BY_SCORE: Mapping[int, str] = {RULE_SCORE: "score", RULE_PIN: "pin"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A target of a final chain; `first`: the decided order, before sessions and breakers, may
    begin with it.
    """

    target: TargetId
    first: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A vector of a table, its verdict, and the targets any call for it may go to."""

    vector: Vector
    verdict: Verdict
    pairs: tuple[Pair, ...]

    @property
    def targets(self) -> tuple[TargetId, ...]:
        """Those of the final chain, in the order written."""
        return tuple(pair.target for pair in self.pairs)


def decided(table: RouteTable, v: Vector) -> Decided:
    """What is decided of a vector."""
    verdict = evaluate(table, v)
    return Decided(vector=v, verdict=verdict, pairs=_pairs(table, verdict))


def pairs(table: RouteTable, v: Vector) -> tuple[Pair, ...]:
    """The targets of the final chain, none where nothing is routed.

    Fallbacks, retries and side calls go to no other.
    """
    return _pairs(table, evaluate(table, v))


def _pairs(table: RouteTable, verdict: Verdict) -> tuple[Pair, ...]:
    outcome, _, _, chain, mask, _, prefer = verdict
    if outcome != Outcome.ROUTE:
        return ()
    row = table.chains[chain]
    left = [tuple(t for t in group if mask >> t & 1) for group in row.groups]
    preference = table.rules[prefer].prefer if prefer >= 0 else None
    pick = row.pick
    first: Sequence[TargetId] = next(group for group in left if group)
    if preference is not None:
        pick = preference.pick or pick
        if preference.target is not None and any(preference.target in group for group in left):
            first = (preference.target,)
    match pick:
        case Pick.ORDER:
            first = first[:1]
        case Pick.CHEAPEST:
            first = [min(first, key=lambda target: cost(table.targets[target]))]
        case Pick.WEIGHTED | Pick.FASTEST | Pick.ROUND_ROBIN:
            pass
        case _:
            assert_never(pick)
    return tuple(Pair(target=t, first=t in first) for group in left for t in group)


# -- domains -----------------------------------------------------------------------------------


def joint_domain(table: RouteTable, assertions: Assertions) -> Domain:
    """The domain of a table (view 0) and of what its assertions read of the request (view 1)."""
    asked = tuple(slot for slot in assertions.slots if not is_beside(slot))
    return domain_of(
        Part(slots=table.slots, lexicons=table.lexicons),
        Part(slots=asked, lexicons=table.lexicons),
    )


def may_occur(table: RouteTable, domain: Domain, point: Point) -> bool:
    """Whether the gateway puts such a request to the decision, as far as surfaces go.

    A request for embeddings is put to it under the model name of its declared target.
    """
    at = {slot.feature: slot for slot in domain.slots if slot.feature in ("surface", "model")}
    if "surface" not in at:
        return True
    surface = at["surface"].classes[point[at["surface"].id]].text
    if surface != EMBEDDINGS:
        return True
    declared = msgspec.json.decode(table.settings, type=Settings).embeddings.values()
    if "model" not in at or not declared:
        return bool(declared)
    model = at["model"].classes[point[at["model"].id]].text
    return model in {f"lynkr/{target}".lower() for target in declared}


# -- assertions --------------------------------------------------------------------------------


def breaks(
    table: RouteTable, assertions: Assertions, assertion: Assertion, domain: Domain, point: Point
) -> tuple[Witness, ...]:
    """With which targets a point refutes the assertion, or shows what is `reachable`.

    ``(None,)`` where it does so without a target, ``()`` where it does not. `domain` is that of
    `joint_domain`. ValueError for monotone, which two points break, and for same_as. A chain with
    an unpriced target breaks no bound on costs: ask `worst_cost`.
    """
    claim = Claim(table, assertions, assertion, domain)
    return claim.breaks(point, decided(table, domain.views[0].vector(point)))


@final
class Claim:
    """One assertion about one table, made ready to be asked of many points."""

    def __init__(
        self, table: RouteTable, assertions: Assertions, assertion: Assertion, domain: Domain
    ) -> None:
        self.assertion = assertion
        self._table = table
        self._view = domain.views[1]
        self._slots = assertions.slots
        self._asked = [slot.id for slot in assertions.slots if not is_beside(slot)]
        read = _slots_in(assertion.guard) if assertion.guard is not None else set()
        beside = [slot for slot in assertions.slots if slot.id in read and is_beside(slot)]
        self.reads_target = any(reads_target(slot) for slot in beside)
        self.reads_tier = any(slot.feature == "tier" for slot in beside)
        self._of_decision = [slot for slot in beside if not reads_target(slot)]
        self._of_target = [slot for slot in beside if reads_target(slot)]
        self._amount = Fraction(assertion.amount or 0)

    def breaks(self, point: Point, found: Decided) -> tuple[Witness, ...]:
        """As `breaks`; `found` is what the table decides of the point."""
        match self.assertion.kind:
            case Kind.NEVER | Kind.REACHABLE:
                return tuple(self._where(point, found, wanted=True))
            case Kind.ALWAYS:
                return tuple(self._where(point, found, wanted=False))
            case Kind.MAX_COST_USD:
                spent = worst_cost(self._table, found.vector, found.targets)
                over = not isinstance(spent, Unpriced) and spent > self._amount
                return (None,) if over else ()
            case Kind.MAX_LATENCY:
                return (None,) if worst_latency(self._table, found.targets) > self._amount else ()
            case Kind.MONOTONE | Kind.SAME_AS:
                raise ValueError(f"{self.assertion.kind.value} is not about one point")
            case _:
                assert_never(self.assertion.kind)

    def sinks(self, lower: tuple[Point, Decided], higher: tuple[Point, Decided]) -> bool:
        """Whether two points break monotone: equal but for a larger feature in the second, both
        routed and with a tier, and the second in a lower one.
        """
        assert self.assertion.feature is not None, "the assertion is monotone"
        variable = self.variable
        (low, first), (high, second) = lower, higher
        return (
            low[variable] < high[variable]
            and low[:variable] == high[:variable]
            and low[variable + 1 :] == high[variable + 1 :]
            and first.verdict[0] == second.verdict[0] == Outcome.ROUTE
            and 0 <= second.verdict[1] < first.verdict[1]
        )

    @property
    def variable(self) -> int:
        """The variable of the domain that monotone speaks of."""
        assert self.assertion.feature is not None, "the assertion is monotone"
        return self._view.variables[self._asked.index(self.assertion.feature)]

    def _where(self, point: Point, found: Decided, *, wanted: bool) -> Iterator[Witness]:
        guard = self.assertion.guard
        assert guard is not None, "the assertion has a condition"
        if self.reads_tier and found.verdict[1] < 0:
            return
        vector = [0] * len(self._slots)
        for slot_id, value in zip(self._asked, self._view.vector(point), strict=True):
            vector[slot_id] = value
        for slot in self._of_decision:
            vector[slot.id] = _of_decision(slot, self._table, found.verdict)
        if not self.reads_target:
            if holds(guard, vector) is wanted:
                yield None
            return
        for pair in found.pairs:
            for slot in self._of_target:
                vector[slot.id] = _of_target(slot, self._table.targets[pair.target], pair.first)
            if holds(guard, vector) is wanted:
                yield pair.target


def _of_decision(slot: Slot, table: RouteTable, verdict: Verdict) -> int:
    """The value of `tier`, `outcome` or `rule`; 0 for the tier of a request without one."""
    outcome, tier, rule = verdict[:3]
    match slot.feature:
        case "tier":
            return 0 if tier < 0 else _class_of(slot, table.tiers[tier].name)
        case "outcome":
            return _class_of(slot, Outcome(outcome).name.lower())
        case "rule":
            return _class_of(slot, _BY_SCORE[rule] if rule < 0 else table.rules[rule].name)
        case _:
            raise AssertionError(f"{slot.feature} is no part of a decision")


def _of_target(slot: Slot, target: Target, first: bool) -> int:
    """The value of an attribute of the target under test."""
    match slot.feature:
        case "target":
            return _class_of(slot, target.name)
        case "target.provider":
            return _class_of(slot, target.provider)
        case "target.trust":
            return _class_of(slot, target.trust)
        case "target.context":
            return target.context
        case "target.max_output":
            return target.max_output
        case "target.first":
            return int(first)
        case capability:
            return int(capability.removeprefix("target.") in target.capabilities)


def _class_of(slot: Slot, text: str) -> int:
    return next(i for i, one in enumerate(slot.classes) if one.text == text)


def _slots_in(node: Guard | IntExpr) -> set[SlotId]:
    found: set[SlotId] = set()
    waiting: list[Guard | IntExpr] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BoolSlot | ClassTest | IntSlot):
            found.add(one.slot)
        waiting += subexpressions(one)
    return found
