"""A feature vector to a Decision, through the bundle's scorer.

The scorer's contract (generated `scorer.py`): ``decide(v)`` takes the clamped vector as a list of
ints in slot order and returns ``(outcome, tier, rule, chain, mask, score, prefer)``:

- outcome: 0 route, 1 deny, 2 respond, 3 refuse
- tier: index, -1 where the request ended before a tier was chosen
- rule: index; -1 ``score``, -2 ``pin``
- chain: index, -1 without one; mask: bit i set when target i of the chain survived the filters
- score: 0..100, -1 where the request ended before it was computed
- prefer: index of the first matching rule that prefers; -1 without one, for a pinned target, and
  where nothing is routed

``explain(v)`` in `explain.py` returns the same decision with its reasons, as JSON-able dicts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import TypeAlias, final

from lynkrc_runtime.dispatch import Deny, Dispatch

Verdict: TypeAlias = tuple[int, int, int, int, int, int, int]
Scorer: TypeAlias = Callable[[list[int]], Verdict]

Group: TypeAlias = tuple[int, ...]
"""Targets by their indices."""

STATIC = frozenset(("order", "cheapest"))
"""Picks whose order is known when the bundle is loaded: proofs say who is first."""

RULE_SCORE = -1
RULE_PIN = -2


class Outcome(IntEnum):
    """How a decision ends."""

    ROUTE = 0
    DENY = 1
    RESPOND = 2
    REFUSE = 3


VERDICTS = tuple(outcome.name.lower() for outcome in Outcome)
"""The same in words, by number."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What happens to a request, in names.

    `groups` are what is left of the chain, tried in turn; a preferred target is a group of its
    own, the first. `targets` are theirs, in the order written or by price: where the decision
    `varies`, `lynkrc_runtime.pick` orders the targets of each group anew.
    """

    outcome: Outcome
    tier: str | None
    rule: str
    score: int | None
    targets: tuple[int, ...]
    groups: tuple[Group, ...]
    pick: str
    weights: Mapping[int, int]
    deny: Deny | None
    respond: str | None
    varies: bool = field(init=False)
    """Whether the order changes from request to request."""

    def __post_init__(self) -> None:
        varies = self.pick not in STATIC and len(self.groups) != len(self.targets)
        object.__setattr__(self, "varies", varies)


@final
class Decider:
    """Turns a scorer's verdicts into decisions; equal verdicts share one object."""

    __slots__ = ("_decided", "_dispatch", "_scorer")

    def __init__(self, dispatch: Dispatch, scorer: Scorer) -> None:
        self._dispatch = dispatch
        self._scorer = scorer
        self._decided: dict[Verdict, Decision] = {}

    def decide(self, vector: list[int]) -> Decision:
        """The decision for a clamped vector in slot order."""
        verdict = self._scorer(vector)
        try:
            return self._decided[verdict]
        except KeyError:
            # Bounded: verdicts are few (rules x tiers x masks x scores that occur).
            if len(self._decided) >= 65_536:
                self._decided.clear()
            known = self._decided[verdict] = self._spell_out(verdict)
            return known

    def _spell_out(self, verdict: Verdict) -> Decision:
        outcome, tier, rule, chain, _, score, _ = verdict
        dispatch = self._dispatch
        names = {RULE_SCORE: "score", RULE_PIN: "pin"}
        pick, groups, weights = self._order(verdict) if chain >= 0 else ("order", (), {})
        return Decision(
            outcome=Outcome(outcome),
            tier=dispatch.tiers[tier].name if tier >= 0 else None,
            rule=names[rule] if rule < 0 else dispatch.rules[rule].name,
            score=score if score >= 0 else None,
            targets=tuple(target for group in groups for target in group),
            groups=groups,
            pick=pick,
            weights=weights,
            deny=dispatch.rules[rule].deny if outcome == Outcome.DENY and rule >= 0 else None,
            respond=dispatch.rules[rule].respond if outcome == Outcome.RESPOND else None,
        )

    def _order(self, verdict: Verdict) -> tuple[str, tuple[Group, ...], dict[int, int]]:
        """Step 9: how groups are picked from, what is left of them, and the targets' weights."""
        _, _, _, chain, mask, _, prefer = verdict
        row = self._dispatch.chains[chain]
        preference = self._dispatch.rules[prefer].prefer if prefer >= 0 else None
        pick, first = row.pick, None
        if preference is not None:
            pick, first = preference.pick or pick, preference.target
        left = [tuple(t for t in group if mask >> t & 1) for group in row.groups]
        if first is not None and any(first in group for group in left):
            left = [(first,), *(tuple(t for t in group if t != first) for group in left)]
        groups = tuple(self._cheapest(one) if pick == "cheapest" else one for one in left if one)
        # Weights are there where the chain is weighted.
        weighed = (target for group in row.groups for target in group)
        return pick, groups, dict(zip(weighed, row.weights, strict=False))

    def _cheapest(self, group: Group) -> Group:
        """The group by input plus output price; ties, and what has no price, as written."""
        return tuple(sorted(group, key=self._cost))

    def _cost(self, target: int) -> tuple[bool, Decimal]:
        price = self._dispatch.targets[target].price
        if price is None:
            return True, Decimal(0)
        return False, Decimal(price.input) + Decimal(price.output)
