"""A table and a vector to what is done with the request: outcome, tier, and the order of attempts.

The verdict is the reference interpreter's; this spells out step 9 of the decision. Where the order
inside a group changes from request to request, the group stays one: any of it may be first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import final

from lynkrc.interp.evaluate import evaluate
from lynkrc.interp.expressions import Vector
from lynkrc.ir.table import Chain, Pick, RouteTable, Target, TargetId, TierId
from lynkrc_runtime.decide import RULE_PIN, RULE_SCORE, Outcome

FIXED = (Pick.ORDER, Pick.CHEAPEST)
"""Picks whose order is always the same."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Targets tried at one place of the order: one, or several in an order that varies.

    `weights` are those of the targets where the draw is weighted, else empty.
    """

    targets: tuple[TargetId, ...]
    pick: Pick | None = None
    weights: tuple[int, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision. `answer` is what is said where no target is asked; `score` None without one."""

    outcome: Outcome
    tier: TierId | None
    rule: str
    places: tuple[Place, ...]
    answer: str | None
    score: int | None

    @property
    def targets(self) -> tuple[TargetId, ...]:
        """Every target that may be attempted."""
        return tuple(target for place in self.places for target in place.targets)


def decide(table: RouteTable, v: Vector) -> Decided:
    """The decision on a clamped vector."""
    outcome, tier, rule, chain, mask, score, prefer = evaluate(table, v)
    words = {RULE_SCORE: "score", RULE_PIN: "pin"}
    return Decided(
        outcome=Outcome(outcome),
        tier=TierId(tier) if tier >= 0 else None,
        rule=words[rule] if rule < 0 else table.rules[rule].name,
        places=_order(table, table.chains[chain], mask, prefer) if chain >= 0 else (),
        answer=_answer(table, Outcome(outcome), rule),
        score=score if score >= 0 else None,
    )


def _answer(table: RouteTable, outcome: Outcome, rule: int) -> str | None:
    found = table.rules[rule] if rule >= 0 else None
    match outcome:
        case Outcome.ROUTE:
            return None
        case Outcome.DENY if found is not None and found.deny is not None:
            return f"{found.deny.status} {found.deny.message}"
        case Outcome.DENY:
            return "403, no target is allowed"
        case Outcome.RESPOND:
            assert found is not None and found.respond is not None
            return found.respond.text
        case _:
            return "400, no target can take it"


def _order(table: RouteTable, chain: Chain, mask: int, prefer: int) -> tuple[Place, ...]:
    preference = table.rules[prefer].prefer if prefer >= 0 else None
    pick, first = chain.pick, None
    if preference is not None:
        pick, first = preference.pick or pick, preference.target
    left = [tuple(one for one in group if mask >> one & 1) for group in chain.groups]
    if first is not None and any(first in group for group in left):
        left = [(first,), *(tuple(one for one in group if one != first) for group in left)]
    weights = dict(chain.weights)
    places: list[Place] = []
    for kept in left:
        group = kept
        if pick is Pick.CHEAPEST:
            group = tuple(sorted(kept, key=lambda one: _price(table.targets[one])))
        if pick in FIXED or len(group) == 1:
            places += [Place(targets=(one,)) for one in group]
        elif group:
            drawn = tuple(weights[one] for one in group) if pick is Pick.WEIGHTED else ()
            places.append(Place(targets=group, pick=pick, weights=drawn))
    return tuple(places)


def _price(target: Target) -> tuple[bool, Decimal]:
    """Input plus output price; what has none comes last."""
    if target.price is None:
        return True, Decimal(0)
    return False, Decimal(target.price[0]) + Decimal(target.price[1])


def place_text(place: Place, names: Sequence[str]) -> str:
    """``a``, ``[a | b] weighted 3:1``; `names` are those of all targets."""
    if len(place.targets) == 1:
        return names[place.targets[0]]
    text = f"[{' | '.join(names[one] for one in place.targets)}]"
    if place.pick is not None:
        text += f" {place.pick.value}"
    return text + (f" {':'.join(map(str, place.weights))}" if place.weights else "")
