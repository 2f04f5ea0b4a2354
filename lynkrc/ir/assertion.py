"""Assertions in slots and literals: what is claimed of every request and every target of its chain.

They stand beside the RouteTable, never in it: no assertion changes a route. Their guards read slots
of their own (a string may be compared with literals that no rule knows), joined with the table's by
`lynkrc.ir.domain`, and names *beside* the request: the decision's and the target's.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import final

from lynkrc.ir.guard import Guard, SlotId
from lynkrc.ir.table import Slot
from lynkrc.source.text import Span

DECIDED: tuple[str, ...] = ("tier", "outcome", "rule")
"""Slots of the decision (`SlotType.CLASS`, members by name); no member holds where there is no
tier."""

TARGET = "target"
"""Slots of the target under test are called ``target`` or ``target.…``; ``target.first`` (bool) is
whether the decided order, before sessions and breakers, may begin with it."""


class Kind(Enum):
    """What an assertion claims (design: "Assertions")."""

    NEVER = "never"
    ALWAYS = "always"
    REACHABLE = "reachable"
    MAX_COST_USD = "max_cost_usd"
    MAX_LATENCY = "max_latency"
    MONOTONE = "monotone"
    SAME_AS = "same_as"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One claim. `guard` is that of never, always and reachable, `feature` that of monotone.

    `amount` is USD or seconds as decimal text, `file` the path of `same_as` as written. `waive` is
    why an unknown verdict may pass. `source` is the canonical text.
    """

    name: str | None
    kind: Kind
    guard: Guard | None
    feature: SlotId | None
    amount: str | None
    file: str | None
    waive: str | None
    source: str
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Assertions:
    """The claims of one spec, in the order written, over `slots`.

    A slot whose feature is in `DECIDED`, or begins with `TARGET`, stands beside the request; every
    other one is a feature of it.
    """

    slots: tuple[Slot, ...]
    items: tuple[Assertion, ...]


NO_ASSERTIONS = Assertions(slots=(), items=())


def is_beside(slot: Slot) -> bool:
    """Whether the slot reads the decision or the target, not the request."""
    return slot.feature in DECIDED or slot.feature.split(".")[0] == TARGET


def reads_target(slot: Slot) -> bool:
    """Whether the slot reads the target under test."""
    return slot.feature.split(".")[0] == TARGET
