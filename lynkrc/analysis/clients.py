"""A RouteTable to the tiers that an ordinary request of each known client can reach.

A profile's `ordinary` says what the first request of a session looks like; what the user asks, and
what happened since, is left open. A tier is reached when nothing the profile fixes excludes it; so
none is missing that a request can reach, and one may be named that no words add up to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never, final

from lynkrc.ir.guard import (
    And,
    BoolConst,
    BoolSlot,
    ClassTest,
    Guard,
    IntCompare,
    Not,
    Or,
)
from lynkrc.ir.ranges import Interval, compare_ranges, interval
from lynkrc.ir.table import (
    Client,
    Dimension,
    Ordinary,
    RouteTable,
    Rule,
    Slot,
    TargetId,
    TierId,
)
from lynkrc_runtime.feature_table import DIALECTS, SURFACES

_ABSENT, _OTHER = 0, 1  # classes of every string slot
_DIALECTS = dict(zip(SURFACES, DIALECTS, strict=True))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Emptied:
    """A tier that a request comes to and that has no target left for it."""

    tier: str
    dropped: tuple[tuple[str, str], ...]
    """The targets of its chain, each with what drops it: ``lacks tools``."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ClientReach:
    """What an ordinary request of one client comes to.

    `tiers` are those that can serve it, cheapest first, `emptied` those it comes to in vain;
    `denied_by` is the rule that denies every such request, `pinned_by` the mapped model name that
    sends all of them to one target (in both cases there are no tiers).
    """

    client: str
    tiers: tuple[str, ...]
    emptied: tuple[Emptied, ...]
    denied_by: str | None = None
    pinned_by: str | None = None


def client_reach(table: RouteTable) -> tuple[ClientReach, ...]:
    """Each client whose profile has an `ordinary` request, in the table's order."""
    return tuple(
        _reach(table, client, client.ordinary)
        for client in table.clients
        if client.ordinary is not None
    )


def unreached_tiers(table: RouteTable, found: Sequence[ClientReach]) -> tuple[str, ...]:
    """Tiers that no ordinary request of a known client reaches; none where no client is known."""
    reached = {tier for one in found for tier in one.tiers}
    return tuple(tier.name for tier in table.tiers if found and tier.name not in reached)


def _reach(table: RouteTable, client: Client, ordinary: Ordinary) -> ClientReach:
    slots = [_narrowed(slot, client, ordinary) for slot in table.slots]
    for rule in table.rules:
        if rule.deny is not None and decided(rule.guard, slots) is True:
            return ClientReach(client=client.name, tiers=(), emptied=(), denied_by=rule.name)
    reached: list[str] = []
    emptied = []
    tiers = _bounded(table, slots, _chosen(table, slots))
    pin = next((pin for pin in table.pins if decided(pin.guard, slots) is True), None)
    if pin is not None and pin.tier is None:
        return ClientReach(client=client.name, tiers=(), emptied=(), pinned_by=pin.pattern)
    for tier in sorted(tiers if pin is None or pin.tier is None else {pin.tier}):
        chain = table.chains[table.tiers[tier].chain].targets
        dropped = [(table.targets[t].name, _dropped_by(table, slots, t)) for t in chain]
        name = table.tiers[tier].name
        gone = tuple((target, why) for target, why in dropped if why is not None)
        if len(gone) < len(chain):
            reached.append(name)
        else:
            emptied.append(Emptied(tier=name, dropped=gone))
    return ClientReach(client=client.name, tiers=tuple(reached), emptied=tuple(emptied))


# -- what the profile fixes ------------------------------------------------------------------


def _narrowed(slot: Slot, client: Client, ordinary: Ordinary) -> Slot:
    low, high = _range(slot, client, ordinary)
    # As the extractor clamps.
    return replace(slot, low=min(max(low, slot.low), slot.high), high=min(high, slot.high))


def _range(slot: Slot, client: Client, ordinary: Ordinary) -> Interval:
    fixed: int | None = None
    match slot.feature:
        case "tools.count":
            fixed = ordinary.tools
        case "tools.added" | "tools.max_weight" | "tools.mean_weight":
            fixed = 0
        case "tools.named" if not ordinary.tools or slot.args[0] not in client.baseline_tools:
            fixed = 0
        case "images.count" | "documents.count" | "wants.json_schema":
            fixed = 0
        case "wants.thinking":
            fixed = int(ordinary.thinking)
        case "wants.stream":
            fixed = int(ordinary.stream)
        case "request.max_tokens":
            fixed = ordinary.max_tokens
        case "context.tokens":
            fixed = ordinary.context
        case "client":
            fixed = _member(slot, client.name)
        case "surface" if ordinary.surface is not None:
            fixed = _member(slot, ordinary.surface)
        case "dialect" if ordinary.surface is not None:
            fixed = _member(slot, _DIALECTS[ordinary.surface])
        case "model":
            fixed = _OTHER  # a name that is routed, none that pins
        case "header" if slot.args[0].lower() != "user-agent":
            fixed = _ABSENT
    return (slot.low, slot.high) if fixed is None else (fixed, fixed)


def _member(slot: Slot, name: str) -> int | None:
    for index, one in enumerate(slot.classes):
        if one.text == name:
            return index
    return None


# -- the steps of the decision, on ranges ----------------------------------------------------


def decided(guard: Guard, slots: Sequence[Slot]) -> bool | None:
    """Whether a guard holds for all vectors within the slots' ranges, for none, or depends."""
    match guard:
        case BoolConst(value=value):
            return value
        case BoolSlot(slot=slot):
            return _certain(slots[slot].low == 1, slots[slot].high == 0)
        case IntCompare(op=op, left=left, right=right):
            return compare_ranges(op, interval(left, slots), interval(right, slots))
        case ClassTest(slot=slot, classes=classes):
            possible = range(slots[slot].low, slots[slot].high + 1)
            inside = [number in classes for number in possible]
            return _certain(all(inside), not any(inside))
        case Not(operand=operand):
            found = decided(operand, slots)
            return None if found is None else not found
        case And(operands=operands):
            parts = [decided(operand, slots) for operand in operands]
            return _certain(all(parts), False in parts)
        case Or(operands=operands):
            parts = [decided(operand, slots) for operand in operands]
            return _certain(True in parts, all(part is False for part in parts))
        case _:
            assert_never(guard)


def _certain(always: bool, never: bool) -> bool | None:
    if always:
        return True
    return False if never else None


def _chosen(table: RouteTable, slots: Sequence[Slot]) -> set[TierId]:
    """Step 4: the tiers that a rule or the score can choose."""
    chosen = set()
    for rule in table.rules:
        if rule.tier is None:
            continue
        holds = decided(rule.guard, slots)
        if holds is not False:
            chosen.add(rule.tier)
        if holds:
            return chosen
    least, most = _score(table, slots)
    low = 0
    for tier in table.tiers:
        high = 100 if tier.up_to is None else tier.up_to
        if low <= most and least <= high and low <= high:
            chosen.add(tier.id)
        low = high + 1
    return chosen


def _score(table: RouteTable, slots: Sequence[Slot]) -> Interval:
    """Step 3: the least and the greatest score."""
    parts = [_dimension(dimension, slots) for dimension in table.dimensions]
    parts += [_added(rule, slots) for rule in table.rules]
    least, most = (100 * table.offset64 + sum(ends) for ends in zip((0, 0), *parts, strict=True))
    return _points(least), _points(most)


def _points(total: int) -> int:
    return min(100, max(0, (total + 3200) // 6400))


def _dimension(dimension: Dimension, slots: Sequence[Slot]) -> Interval:
    if dimension.terms is not None:
        terms = slots[dimension.terms]
        return 100 * terms.low, 100 * terms.high
    assert dimension.value is not None
    ends = [dimension.weight64 * min(100, max(0, end)) for end in interval(dimension.value, slots)]
    return min(ends), max(ends)


def _added(rule: Rule, slots: Sequence[Slot]) -> Interval:
    if rule.add64 is None:
        return 0, 0
    holds = decided(rule.guard, slots)
    points = 100 * rule.add64
    if holds is None:
        return min(0, points), max(0, points)
    return (points, points) if holds else (0, 0)


def _bounded(table: RouteTable, slots: Sequence[Slot], chosen: set[TierId]) -> set[TierId]:
    """Step 5: where floors can raise and then ceilings can lower the chosen tiers to."""
    floors = [(rule.floor, decided(rule.guard, slots)) for rule in table.rules]
    ceilings = [(rule.ceiling, decided(rule.guard, slots)) for rule in table.rules]
    raised = _moved(chosen, [(tier, holds) for tier, holds in floors if tier is not None], max)
    return _moved(raised, [(tier, holds) for tier, holds in ceilings if tier is not None], min)


def _moved(
    tiers: set[TierId],
    bounds: Sequence[tuple[TierId, bool | None]],
    move: Callable[[TierId, TierId], TierId],
) -> set[TierId]:
    for bound, holds in bounds:
        moved = {move(tier, bound) for tier in tiers}
        if holds is True:
            tiers = moved
        elif holds is None:
            tiers = tiers | moved
    return tiers


def _dropped_by(table: RouteTable, slots: Sequence[Slot], target: TargetId) -> str | None:
    """Step 7: what drops a target from every such request, None when it can stay."""
    for need in table.needs:
        if target not in need.met_by and decided(need.guard, slots) is True:
            window = need.name.startswith("context ")
            return "has too small a window" if window else f"lacks {need.name}"
    for rule in table.rules:
        if rule.require is not None and decided(rule.guard, slots) is True:
            for keep in rule.require:
                if keep.target == target and decided(keep.guard, slots) is False:
                    return f"is excluded by {rule.name}"
    return None
