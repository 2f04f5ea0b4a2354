"""What is remembered and what is decided, to whether a target goes first, with the reason.

Nothing here adds a target: one that is not among those decided (for want of a capability, by a
rule, by the reach of a key) is not kept.

What leaving a target costs is weighed in whole numbers. For a prompt of P tokens, W of them warm
where it was, an answer of O tokens, and T turns to come:

    stay  = W * read + (P - W) * write + (T - 1) * P * read + T * O * output    (prices of the kept)
    leave = P * write' + (T - 1) * P * read' + T * O * output'                  (of the other)

`write` and `read` are the prices of the cache, or that of input where a target has none. A session
is expected to go on for as many turns as it has had.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias, final

from lynkrc_runtime.decide import Decision
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.sessions.memory import Costs, Memory, costs_of
from lynkrc_runtime.settings import Sessions as Settings

DRIFT_MARGIN = 15
"""Points above the bound of the tier, where the spec does not say otherwise."""

_BY_SCORE = "score"
_MICRO = 10**9
"""Of the parts that prices are counted in."""


class Reason(Enum):
    """Why a target was kept, or was not."""

    OFF = "off"
    """The spec keeps none."""
    NEW = "new"
    """Nothing is known of the session."""
    NEW_TURN = "new-turn"
    SAME_TURN = "same-turn"
    SAME_SESSION = "same-session"
    COMPACTED = "compacted"
    """The session goes on with another beginning and fewer messages."""
    FAILED = "failed"
    """The last request failed at every target."""
    NOT_DECIDED = "not-decided"
    """The target is not among those decided for this request."""
    DRIFTED = "drifted"
    """The score lies too far above the tier in which the target was chosen."""
    RAISED = "raised"
    """A rule asks for a higher tier than that."""
    BREAK_EVEN = "break-even"
    """Another target is cheaper, what must be cached anew included."""


_Numbers: TypeAlias = tuple[tuple[str, int], ...]
"""What was compared, by name."""


@final
@dataclass(frozen=True, slots=True)
class Choice:
    """The target that goes first, None for the decided order; the numbers that led to it."""

    kept: int | None
    reason: Reason
    numbers: _Numbers = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What is known of the session when a request comes.

    `step`: it is no beginning of a turn. `continues`: the conversation itself is remembered, else
    `memory` is of another one of the session. `fewer`: it is shorter than that was. `now` is in
    Unix seconds.
    """

    memory: Memory | None
    step: bool
    continues: bool
    fewer: bool
    now: float


@final
class Keeper:
    """Keeps targets as one bundle says."""

    __slots__ = ("_break_even", "_by_name", "_margin", "_tiers", "costs", "within")

    def __init__(self, dispatch: Dispatch, settings: Settings) -> None:
        self.within: Literal["turn", "session", "off"] = settings.within
        self.costs = tuple(costs_of(target) for target in dispatch.targets)
        self._by_name = {target.name: place for place, target in enumerate(dispatch.targets)}
        self._tiers = {tier.name: (n, tier.up_to) for n, tier in enumerate(dispatch.tiers)}
        margin = settings.drift_margin
        self._margin = DRIFT_MARGIN if margin is None else margin
        self._break_even = settings.break_even is not False

    def choose(self, recalled: Recalled, decision: Decision, targets: Sequence[int]) -> Choice:
        """Which of the decided targets goes first."""
        memory = recalled.memory
        if self.within == "off":
            return Choice(None, Reason.OFF)
        # A turn goes on only where its own conversation does.
        same_turn = recalled.step and recalled.continues
        moved = not recalled.continues and recalled.fewer
        if self.within == "turn" and not same_turn:
            if recalled.step and not moved:
                return Choice(None, Reason.NEW)
            return Choice(None, Reason.COMPACTED if moved else Reason.NEW_TURN)
        if memory is None:
            return Choice(None, Reason.NEW)
        if memory.target is None:
            return Choice(None, Reason.FAILED if memory.failed else Reason.NEW)
        target = self._by_name.get(memory.target)
        if target is None or target not in targets:
            return Choice(None, Reason.NOT_DECIDED)
        if same_turn:
            return Choice(target, Reason.SAME_TURN)
        left = self._left(memory, decision)
        if left is not None:
            return left
        reason = Reason.COMPACTED if moved else Reason.SAME_SESSION
        other = targets[0]
        if other == target or not self._break_even:
            return Choice(target, reason)
        # The cache holds the beginning of another conversation.
        warm = memory.warm_at(recalled.now) if recalled.continues else 0
        weighed = weigh(memory, warm, self.costs[target], self.costs[other])
        if weighed is None:
            return Choice(target, reason)
        stay, leave = weighed
        numbers = (
            ("prompt_tokens", memory.prompt),
            ("warm_tokens", warm),
            ("turns_expected", _expected(memory)),
            ("stay_micro_usd", stay // _MICRO),
            ("leave_micro_usd", leave // _MICRO),
        )
        if leave < stay:
            return Choice(None, Reason.BREAK_EVEN, numbers)
        return Choice(target, reason, numbers)

    def _left(self, memory: Memory, decision: Decision) -> Choice | None:
        """Whether the tier asks for more than the kept target was chosen for."""
        held, decided = self._tiers.get(memory.held or ""), self._tiers.get(decision.tier or "")
        if held is None or decided is None or decided[0] <= held[0]:
            return None
        if decision.rule != _BY_SCORE:
            return Choice(None, Reason.RAISED)
        score, bound = decision.score, held[1]
        if score is None or bound is None or score <= bound + self._margin:
            return None
        compared = (("score", score), ("up_to", bound), ("drift_margin", self._margin))
        return Choice(None, Reason.DRIFTED, compared)


def weigh(memory: Memory, warm: int, kept: Costs, other: Costs) -> tuple[int, int] | None:
    """What staying and leaving cost, in billionths of a micro-dollar; None where it is not known.

    `warm` tokens are in the cache of the kept target.
    """
    if kept.prices is None or other.prices is None:
        return None
    turns, prompt, output = _expected(memory), memory.prompt, memory.output
    warm = min(warm, prompt)
    write, read = _cached(kept)
    other_write, other_read = _cached(other)
    stay = warm * read + (prompt - warm) * write
    stay += (turns - 1) * prompt * read + turns * output * kept.prices.output
    leave = prompt * other_write
    leave += (turns - 1) * prompt * other_read + turns * output * other.prices.output
    return stay, leave


def _cached(costs: Costs) -> tuple[int, int]:
    """Prices of a token that is written to the cache, and of one that is read from it."""
    assert costs.prices is not None
    if not costs.caches:
        return costs.prices.input, costs.prices.input
    return costs.prices.cache_write, costs.prices.cache_read


def _expected(memory: Memory) -> int:
    return max(1, memory.turns)
