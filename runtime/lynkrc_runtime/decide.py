"""A feature vector to a Decision, through the bundle's scorer.

The scorer's contract (generated `scorer.py`): ``decide(v)`` takes the clamped vector as a list of
ints in slot order and returns ``(outcome, tier, rule, chain, mask, score, prefer)``:

- outcome: 0 route, 1 deny, 2 respond, 3 refuse
- tier: index, -1 where the request ended before a tier was chosen
- rule: index; -1 ``score``, -2 ``pin``
- chain: index, -1 without one; mask: bit i set when target i of the chain survived the filters
- score: 0..100, -1 where the request ended before it was computed
- prefer: index of the first matching rule that prefers, -1 without one and where nothing is routed

``explain(v)`` in `explain.py` returns the same decision with its reasons, as JSON-able dicts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias, final

from lynkrc_runtime.dispatch import Deny, Dispatch

Verdict: TypeAlias = tuple[int, int, int, int, int, int, int]
Scorer: TypeAlias = Callable[[list[int]], Verdict]

RULE_SCORE = -1
RULE_PIN = -2


class Outcome(IntEnum):
    """How a decision ends."""

    ROUTE = 0
    DENY = 1
    RESPOND = 2
    REFUSE = 3


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What happens to a request, in names. `targets` are indices, in the order they are tried."""

    outcome: Outcome
    tier: str | None
    rule: str
    score: int | None
    targets: tuple[int, ...]
    deny: Deny | None


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
        known = self._decided.get(verdict)
        if known is None:
            # Bounded: verdicts are few (rules x tiers x masks x scores that occur).
            if len(self._decided) >= 65_536:
                self._decided.clear()
            known = self._decided[verdict] = self._spell_out(verdict)
        return known

    def _spell_out(self, verdict: Verdict) -> Decision:
        outcome, tier, rule, chain, mask, score, _prefer = verdict
        dispatch = self._dispatch
        names = {RULE_SCORE: "score", RULE_PIN: "pin"}
        groups = dispatch.chains[chain].groups if chain >= 0 else []
        return Decision(
            outcome=Outcome(outcome),
            tier=dispatch.tiers[tier].name if tier >= 0 else None,
            rule=names[rule] if rule < 0 else dispatch.rules[rule].name,
            score=score if score >= 0 else None,
            targets=tuple(target for group in groups for target in group if mask >> target & 1),
            deny=dispatch.rules[rule].deny if outcome == Outcome.DENY and rule >= 0 else None,
        )
