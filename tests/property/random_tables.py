"""Strategies for RouteTables of every shape and for vectors at the edges of their guards."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import strategies as st

from lynkrc.ir.guard import (
    ALWAYS,
    NEVER,
    And,
    BoolSlot,
    ClassTest,
    Compare,
    Guard,
    IntCompare,
    IntConst,
    IntExpr,
    IntMax,
    IntMin,
    IntRamp,
    IntSaturate,
    IntScale,
    IntSelect,
    IntSlot,
    IntSteps,
    IntSum,
    Not,
    Or,
    SlotId,
)
from lynkrc.ir.table import (
    Chain,
    ChainId,
    Deny,
    Dimension,
    Keep,
    Need,
    Otherwise,
    Pick,
    Pin,
    Prefer,
    Respond,
    RouteTable,
    Rule,
    RuleId,
    Slot,
    SlotType,
    TargetId,
    Tier,
    TierId,
)
from tests.unit.sample_table import (
    SPAN,
    TABLE,
    bool_slot,
    chain,
    class_slot,
    number_slot,
    rule,
    target,
)

SLOTS = (
    number_slot(0, "ask.words", 16_777_215),
    number_slot(1, "count", 255, "ask", "audit"),
    number_slot(2, "ask.non_ascii_pct", 100),
    bool_slot(3, "matches", "ask", "greeting"),
    bool_slot(4, "wants.stream"),
    class_slot(5, "model", "a", "b", "c"),
    class_slot(6, "header", "x", args=("x-data-class",)),
    Slot(
        id=SlotId(7),
        feature="points",
        args=("ask", "weights"),
        type=SlotType.FIXED,
        low=-(16_777_215 * 64),
        high=16_777_215 * 64,
    ),
)
NUMBERS, FLAGS, CLASSES, POINTS = (0, 1, 2), (3, 4), (5, 6), 7

small = st.integers(-3, 12)


def _deeper_ints(inner: st.SearchStrategy[IntExpr]) -> st.SearchStrategy[IntExpr]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    rising = st.lists(small, min_size=1, max_size=4, unique=True).map(sorted)
    steps = st.tuples(rising, st.lists(st.integers(-20, 120), min_size=4, max_size=4)).map(
        lambda pair: tuple(zip(pair[0], pair[1], strict=False))
    )
    return st.one_of(
        several.map(lambda operands: IntSum(terms=operands)),
        several.map(lambda operands: IntMin(operands=operands)),
        several.map(lambda operands: IntMax(operands=operands)),
        st.builds(lambda k, x: IntScale(factor=k, term=x), small, inner),
        st.builds(lambda x, pairs: IntSteps(x=x, pairs=pairs), inner, steps),
        st.builds(
            lambda x, low, wide: IntRamp(x=x, low=low, high=low + wide),
            inner,
            small,
            st.integers(1, 30),
        ),
        st.builds(lambda x, full: IntSaturate(x=x, full=full), inner, st.integers(1, 9)),
        st.builds(lambda c, a, b: IntSelect(condition=c, then=a, otherwise=b), atoms, inner, inner),
    )


def _class_test(slot: int) -> st.SearchStrategy[Guard]:
    indices = st.integers(0, len(SLOTS[slot].classes) - 1)
    return st.sets(indices).map(
        lambda found: ClassTest(slot=SlotId(slot), classes=tuple(sorted(found)))
    )


number = st.sampled_from([IntSlot(slot=SlotId(slot)) for slot in NUMBERS])
atoms: st.SearchStrategy[Guard] = st.one_of(
    st.sampled_from([BoolSlot(slot=SlotId(slot)) for slot in FLAGS]),
    st.sampled_from(CLASSES).flatmap(_class_test),
    st.builds(
        lambda op, left, k: IntCompare(op=op, left=left, right=IntConst(value=k)),
        st.sampled_from(Compare),
        number,
        small,
    ),
    st.builds(
        lambda op, k: IntCompare(op=op, left=IntSlot(slot=SlotId(POINTS)), right=IntConst(value=k)),
        st.sampled_from(Compare),
        st.integers(-300, 300),
    ),
    st.sampled_from([ALWAYS, NEVER]),
)
expressions: st.SearchStrategy[IntExpr] = st.recursive(
    st.one_of(number, small.map(lambda k: IntConst(value=k))), _deeper_ints, max_leaves=5
)


def _deeper_guards(inner: st.SearchStrategy[Guard]) -> st.SearchStrategy[Guard]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        several.map(lambda operands: And(operands=operands)),
        several.map(lambda operands: Or(operands=operands)),
        inner.map(lambda operand: Not(operand=operand)),
    )


compared: st.SearchStrategy[Guard] = st.builds(
    lambda op, left, right: IntCompare(op=op, left=left, right=right),
    st.sampled_from(Compare),
    expressions,
    expressions,
)
guards: st.SearchStrategy[Guard] = st.recursive(
    st.one_of(atoms, compared), _deeper_guards, max_leaves=5
)


# Hypothesis looks through every strategy that is made, which is dear: each is made once.

_PRICES = st.sampled_from([None, ("1", "2", "0", "0"), ("2.5", "0.5", "1", "1")])
_BOUNDS = st.lists(st.integers(0, 100), max_size=3, unique=True).map(sorted)
_MODEL_TESTS = _class_test(5)
_OTHERWISE = st.sampled_from(Otherwise)
_PICKS = st.sampled_from(Pick)


@cache
def _target_ids(count: int) -> st.SearchStrategy[TargetId]:
    return st.integers(0, count - 1).map(TargetId)


@cache
def _target_sets(count: int) -> st.SearchStrategy[set[TargetId]]:
    return st.sets(_target_ids(count))


@cache
def _orders(count: int) -> st.SearchStrategy[list[TargetId]]:
    return st.lists(_target_ids(count), min_size=1, max_size=count, unique=True)


@cache
def _tier_ids(count: int) -> st.SearchStrategy[TierId]:
    return st.integers(0, count - 1).map(TierId)


@st.composite
def tables(draw: st.DrawFn) -> RouteTable:
    """A table that `verify` accepts, before any pass."""
    count = draw(st.integers(1, 4))
    targets = tuple(
        replace(target(i, f"t{i}", "ollama", "local", 1000 * (i + 1)), price=draw(_PRICES))
        for i in range(count)
    )
    ids = _target_ids(count)
    bounds = draw(_BOUNDS)
    chains = [draw(_chains(i, f"T{i}", count)) for i in range(len(bounds) + 1)]
    tiers = tuple(
        Tier(id=TierId(i), name=f"T{i}", up_to=bound, chain=ChainId(i), span=SPAN)
        for i, bound in enumerate([*bounds, None])
    )
    tier_ids = _tier_ids(len(tiers))
    pins = []
    for i in range(draw(st.integers(0, 2))):
        guard = draw(_MODEL_TESTS)
        if draw(st.booleans()):
            pins.append(Pin(pattern=f"p{i}", guard=guard, tier=draw(tier_ids), chain=None))
        else:
            pinned = chain(len(chains), f"pin:{i}", draw(ids))
            chains.append(pinned)
            pins.append(Pin(pattern=f"p{i}", guard=guard, tier=None, chain=pinned.id))
    needs = tuple(
        Need(name=f"n{i}", guard=draw(guards), met_by=tuple(sorted(draw(_target_sets(count)))))
        for i in range(draw(st.integers(0, 2)))
    )
    rules = []
    for i in range(draw(st.integers(0, 5))):
        made = draw(_rules(i, count, len(tiers)))
        if draw(st.booleans()):
            chains.append(draw(_chains(len(chains), f"rule:{made.name}", count)))
            made = replace(made, chain=chains[-1].id)
        rules.append(made)
    return replace(
        TABLE,
        slots=SLOTS,
        targets=targets,
        chains=tuple(chains),
        tiers=tiers,
        pins=tuple(pins),
        needs=needs,
        definitions=(),
        rules=tuple(rules),
        dimensions=tuple(draw(_dimensions(i)) for i in range(draw(st.integers(0, 4)))),
        offset64=draw(st.integers(-3000, 3000)),
        otherwise=draw(_OTHERWISE),
    )


@st.composite
def _chains(draw: st.DrawFn, number: int, name: str, targets: int) -> Chain:
    """Some of the targets in some order, cut into groups."""
    chosen = draw(_orders(targets))
    groups: list[tuple[TargetId, ...]] = [(chosen[0],)]
    for target_id in chosen[1:]:
        if draw(st.booleans()):
            groups.append((target_id,))
        else:
            groups[-1] = (*groups[-1], target_id)
    pick = draw(_PICKS)
    weights = sorted(chosen) if pick is Pick.WEIGHTED else []
    return Chain(
        id=ChainId(number),
        name=name,
        groups=tuple(groups),
        pick=pick,
        weights=tuple((one, draw(st.integers(1, 5))) for one in weights),
    )


@cache
def _effects(targets: int, tiers: int) -> dict[str, st.SearchStrategy[Any]]:
    """What a rule may do, by the name of its field."""
    return {
        "deny": st.just(Deny(status=403, message="no")),
        "respond": st.just(Respond(text="yes")),
        "prefer": st.one_of(
            st.sampled_from([Pick.CHEAPEST, Pick.FASTEST]).map(
                lambda pick: Prefer(pick=pick, target=None)
            ),
            _target_ids(targets).map(lambda one: Prefer(pick=None, target=one)),
        ),
        "tier": _tier_ids(tiers),
        "floor": _tier_ids(tiers),
        "ceiling": _tier_ids(tiers),
        "add64": st.integers(-6400, 6400),
        "require": st.tuples(*[st.one_of(st.sampled_from([ALWAYS, NEVER]), guards)] * targets),
    }


_CHOSEN = st.sets(st.sampled_from(list(_effects(1, 1))), min_size=1, max_size=3)


@st.composite
def _rules(draw: st.DrawFn, number: int, targets: int, tiers: int) -> Rule:
    possible, chosen = _effects(targets, tiers), draw(_CHOSEN)
    effects = {name: draw(strategy) for name, strategy in possible.items() if name in chosen}
    if "require" in effects:
        effects["require"] = tuple(
            Keep(target=TargetId(i), guard=guard) for i, guard in enumerate(effects["require"])
        )
        effects["require_source"] = "something of the target"
    made = rule(number, f"r{number}", draw(guards), f"guard {number}", **effects)
    return replace(made, id=RuleId(number))


@st.composite
def _dimensions(draw: st.DrawFn, number: int) -> Dimension:
    terms = draw(st.booleans()) and number == 0
    return Dimension(
        name=f"d{number}",
        weight64=0 if terms else draw(st.integers(-6400, 6400)),
        value=None if terms else draw(expressions),
        terms=SlotId(POINTS) if terms else None,
        source=f"dimension {number}",
        span=SPAN,
    )


def _values(slot: Slot) -> st.SearchStrategy[int]:
    near = range(max(slot.low, -4), min(slot.high, 14) + 1)
    return st.one_of(
        st.sampled_from([slot.low, slot.high]),
        st.sampled_from(near),
        st.integers(slot.low, slot.high),
    )


def vectors_of(slots: Sequence[Slot]) -> st.SearchStrategy[list[int]]:
    """Clamped vectors: ends of the ranges, values near the literals of guards, and any others."""
    return st.tuples(*(_values(slot) for slot in slots)).map(list)


vectors = vectors_of(SLOTS)
"""Vectors of the random tables."""
