"""Strategies for small specs: tables and assertions over so few values that all can be tried.

What the compiler warns of (shadowed rules, dead fallbacks, floors over ceilings, idle dimensions)
happens in them often, and their assertions hold about as often as not; the tests of the oracle
count that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from hypothesis import strategies as st

from lynkrc.interp.worst_case import Unpriced, worst_cost, worst_latency
from lynkrc.ir.assertion import Assertion, Assertions, Kind
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
    Slot,
    SlotType,
    StringClass,
    Target,
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
    provider,
    rule,
    target,
    tiny_automaton,
)

THEMES: tuple[tuple[str, ...], ...] = (
    ("deny", "tier"),
    ("respond", "tier"),
    ("tier",),
    ("tier", "chain"),
    ("floor", "ceiling"),
    ("ceiling", "add64"),
    ("floor", "ceiling", "tier"),
    ("require", "chain"),
    ("require", "prefer", "add64"),
    ("deny", "respond", "tier", "floor", "ceiling", "add64", "require", "chain", "prefer"),
)
"""What the rules of one spec do: few things, so that they get in each other's way."""

MOST_POINTS = 150
"""Points of a small spec's table, at most; its assertions may double them."""

_READ = (
    number_slot(0, "tools.count", 3),
    number_slot(0, "turns", 3),
    number_slot(0, "loop.tool_errors", 2),
    number_slot(0, "context.tokens", 3),
    number_slot(0, "request.max_tokens", 2),
    bool_slot(0, "wants.stream"),
    bool_slot(0, "wants.thinking"),
    class_slot(0, "header", "a", "b", args=("x-data-class",)),
    class_slot(0, "key.team", "red"),
)
_MODEL = class_slot(0, "model", "auto", "p")

TRUST = ("local", "internal", "cloud")
PROVIDERS = (
    provider("home", "ollama", "local", retries=0, connect=1.0, first_event=9.0, total=100.0),
    provider("house", "openai", "internal", retries=1, connect=1.0, first_event=20.0, total=50.0),
    provider("far", "openai", "cloud", retries=2, first_event=30.0, max_backoff=2.0),
)
_PRICES = (("0", "0", "0", "0"), ("1", "2", "0", "0"), ("2.5", "0.5", "1", "3"))


@dataclass(frozen=True, kw_only=True)
class SmallSpec:
    """A table that `verify` accepts before any pass, and what is asserted of it."""

    table: RouteTable
    assertions: Assertions


@st.composite
def small_specs(draw: st.DrawFn, *, most_assertions: int = 4) -> SmallSpec:
    """A table and assertions about it."""
    table = draw(small_tables())
    return SmallSpec(table=table, assertions=draw(_assertions(table, most_assertions)))


# -- guards ------------------------------------------------------------------------------------


def atoms(slots: Sequence[Slot]) -> st.SearchStrategy[Guard]:
    """Tests of one slot, some of which always hold or never do."""
    return _atoms(tuple(slots))


@lru_cache(maxsize=16)  # hypothesis looks through every strategy that is made, which is dear
def _atoms(slots: tuple[Slot, ...]) -> st.SearchStrategy[Guard]:
    return st.sampled_from(slots).flatmap(_atom)


@lru_cache(maxsize=256)
def _atom(slot: Slot) -> st.SearchStrategy[Guard]:
    if slot.type is SlotType.BOOL:
        return st.sampled_from([BoolSlot(slot=slot.id), Not(operand=BoolSlot(slot=slot.id))])
    if slot.classes:
        some = st.sets(st.integers(0, slot.high), min_size=1, max_size=2)
        return some.map(lambda found: ClassTest(slot=slot.id, classes=tuple(sorted(found))))
    return st.builds(
        lambda op, k: IntCompare(op=op, left=IntSlot(slot=slot.id), right=IntConst(value=k)),
        st.sampled_from(Compare),
        st.integers(slot.low, slot.high),
    )


def small_guards(slots: Sequence[Slot], depth: int = 2) -> st.SearchStrategy[Guard]:
    """Guards of a few atoms."""
    return _guards(tuple(slots), depth)


@lru_cache(maxsize=16)
def _guards(slots: tuple[Slot, ...], depth: int) -> st.SearchStrategy[Guard]:
    if depth == 0:
        return atoms(slots)
    inner = _guards(slots, depth - 1)
    two = st.tuples(inner, inner)
    return st.one_of(
        atoms(slots),
        inner,
        two.map(lambda operands: And(operands=operands)),
        two.map(lambda operands: Or(operands=operands)),
        inner.map(lambda operand: Not(operand=operand)),
    )


def _values(slots: Sequence[Slot]) -> st.SearchStrategy[IntExpr]:
    """The values of dimensions."""
    numbers = [slot for slot in slots if slot.type is SlotType.INT]
    known = [IntSlot(slot=slot.id) for slot in numbers] or [IntConst(value=1)]
    number: st.SearchStrategy[IntExpr] = st.sampled_from(known)
    return st.one_of(
        number.map(lambda x: IntRamp(x=x, low=0, high=3)),
        number.map(lambda x: IntSaturate(x=x, full=2)),
        number.map(lambda x: IntSteps(x=x, pairs=((1, 40), (3, 90)))),
        st.tuples(number, number).map(
            lambda pair: IntSum(terms=(IntScale(factor=30, term=pair[0]), pair[1]))
        ),
        st.builds(
            lambda guard, k: IntSelect(
                condition=guard, then=IntConst(value=k), otherwise=IntConst(value=0)
            ),
            atoms(slots),
            st.sampled_from([0, 50, 100]),
        ),
    )


# -- tables ------------------------------------------------------------------------------------


@st.composite
def small_tables(draw: st.DrawFn) -> RouteTable:
    """A table over three to five slots with at most `MOST_POINTS` points together."""
    slots = draw(_slots())
    targets = tuple(draw(_targets(i)) for i in range(draw(st.integers(2, 4))))
    ids = [one.id for one in targets]
    bounds = draw(st.sampled_from([(), (25,), (40,), (20, 50), (30, 60)]))
    chains = [draw(_chains(i, f"T{i}", ids)) for i in range(len(bounds) + 1)]
    tiers = tuple(
        Tier(id=TierId(i), name=f"T{i}", up_to=bound, chain=ChainId(i), span=SPAN)
        for i, bound in enumerate([*bounds, None])
    )
    pins = draw(_pins(slots, tiers, targets, chains))
    needs = tuple(
        Need(
            name=f"n{i}",
            guard=draw(atoms(slots)),
            met_by=tuple(sorted(draw(st.sets(st.sampled_from(ids), min_size=1)))),
        )
        for i in range(draw(st.integers(0, 2)))
    )
    return replace(
        TABLE,
        slots=slots,
        lexicons=(),
        automaton=tiny_automaton(0),
        clients=(),
        providers=PROVIDERS,
        targets=targets,
        tiers=tiers,
        needs=needs,
        pins=pins,
        definitions=(),
        rules=draw(_rules(slots, targets, tiers, chains)),
        # The rules may have added chains of theirs.
        chains=tuple(chains),
        dimensions=tuple(
            Dimension(
                name=f"d{i}",
                weight64=64 * draw(st.sampled_from([-60, -20, 10, 40, 60])),
                value=draw(_values(slots)),
                terms=None,
                source=f"dimension {i}",
                span=SPAN,
            )
            for i in range(draw(st.integers(0, 2)))
        ),
        offset64=64 * draw(st.sampled_from([0, 20, 60])),
        otherwise=draw(st.sampled_from(Otherwise)),
        assertions=(),
    )


@st.composite
def _slots(draw: st.DrawFn) -> tuple[Slot, ...]:
    chosen, points = [], 1
    for slot in draw(st.permutations([*_READ, _MODEL]))[:5]:
        if points * (slot.high + 1) <= MOST_POINTS:
            points *= slot.high + 1
            chosen.append(slot)
    chosen.sort(key=lambda slot: (slot.feature, slot.args))
    return tuple(replace(slot, id=SlotId(i)) for i, slot in enumerate(chosen))


@st.composite
def _targets(draw: st.DrawFn, number: int) -> Target:
    served = draw(st.sampled_from(PROVIDERS))
    can = draw(st.sets(st.sampled_from(["tools", "vision", "thinking"])))
    made = target(
        number, f"t{number}", served.name, served.trust, draw(st.integers(1, 3)), *sorted(can)
    )
    price = draw(st.sampled_from([*_PRICES, *_PRICES, None]))
    return replace(made, price=price, max_output=draw(st.integers(1, 2)))


@st.composite
def _chains(draw: st.DrawFn, number: int, name: str, ids: Sequence[TargetId]) -> Chain:
    order = st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True)
    chosen = draw(order)
    cut = draw(st.integers(0, len(chosen)))
    groups = [tuple(chosen[:cut]), *((one,) for one in chosen[cut:])]
    pick = draw(st.sampled_from(Pick))
    weights = tuple((one, 1) for one in sorted(chosen)) if pick is Pick.WEIGHTED else ()
    return Chain(
        id=ChainId(number),
        name=name,
        groups=tuple(group for group in groups if group),
        pick=pick,
        weights=weights,
    )


@st.composite
def _pins(
    draw: st.DrawFn,
    slots: Sequence[Slot],
    tiers: Sequence[Tier],
    targets: Sequence[Target],
    chains: list[Chain],
) -> tuple[Pin, ...]:
    """At most one pin, where the model is read. A target's chain is added to `chains`."""
    model = [slot for slot in slots if slot.feature == "model"]
    if not model or not draw(st.booleans()):
        return ()
    guard = ClassTest(slot=model[0].id, classes=(3,))
    if draw(st.booleans()):
        tier = draw(st.sampled_from(tiers)).id
        return (Pin(pattern="p", guard=guard, tier=tier, chain=None),)
    one = draw(st.sampled_from(targets))
    chains.append(chain(len(chains), f"pin:{one.name}", one.id))
    return (Pin(pattern="p", guard=guard, tier=None, chain=chains[-1].id),)


@st.composite
def _rules(
    draw: st.DrawFn,
    slots: Sequence[Slot],
    targets: Sequence[Target],
    tiers: Sequence[Tier],
    chains: list[Chain],
) -> tuple[Rule, ...]:
    """Rules, some of which repeat or narrow the guard of an earlier one."""
    ids = [one.id for one in targets]
    made: list[Rule] = []
    theme = draw(st.sampled_from(THEMES))
    for i in range(draw(st.integers(1, 6))):
        guard = draw(small_guards(slots))
        how = draw(st.sampled_from(["new", "new", "new", "again", "narrower", "joined", "none"]))
        if made and how in ("again", "narrower"):
            guard = draw(st.sampled_from(made)).guard
        if how == "joined" and len(made) > 1:
            guard = Or(operands=(made[-1].guard, made[-2].guard))
        if how in ("narrower", "none"):
            guard = And(operands=(guard, draw(atoms(slots))))
        if how == "none":
            guard = And(operands=(guard, Not(operand=guard)))
        effect = draw(st.sampled_from(theme))
        own: dict[str, object] = {}
        match effect:
            case "deny":
                own[effect] = Deny(status=403, message=f"no {i}")
            case "respond":
                own[effect] = Respond(text=f"yes {i}")
            case "add64":
                own[effect] = 64 * draw(st.sampled_from([-30, 30, 60]))
            case "require":
                level = TRUST.index(draw(st.sampled_from(TRUST)))
                own[effect] = tuple(
                    Keep(target=one.id, guard=ALWAYS if TRUST.index(one.trust) <= level else NEVER)
                    for one in targets
                )
                own["require_source"] = f"target.trust <= {TRUST[level]}"
            case "chain":
                chains.append(draw(_chains(len(chains), f"rule:r{i}", ids)))
                own[effect] = chains[-1].id
            case "prefer":
                pick = draw(st.sampled_from([None, Pick.CHEAPEST, Pick.FASTEST]))
                target_id = None if pick is not None else draw(st.sampled_from(ids))
                own[effect] = Prefer(pick=pick, target=target_id)
            case _:
                own[effect] = draw(st.sampled_from(tiers)).id
        made.append(rule(i, f"r{i}", guard, f"guard {i}", **own))
    return tuple(made)


# -- assertions --------------------------------------------------------------------------------


def _enum(feature: str, *members: str) -> Slot:
    classes = tuple(StringClass(kind="member", text=member) for member in members)
    return replace(class_slot(0, feature), high=len(classes) - 1, classes=classes)


def beside(table: RouteTable) -> tuple[Slot, ...]:
    """Every kind of slot that stands beside the request."""
    names = [one.name for one in table.targets]
    rules = dict.fromkeys((*(one.name for one in table.rules), "score", "pin"))
    return (
        _enum("outcome", "route", "deny", "respond", "refuse"),
        _enum("rule", *rules),
        _enum("target", *names),
        number_slot(0, "target.context", 3),
        bool_slot(0, "target.first"),
        bool_slot(0, "target.tools"),
        _enum("target.trust", *TRUST),
        _enum("tier", *(one.name for one in table.tiers)),
    )


@st.composite
def _assertions(draw: st.DrawFn, table: RouteTable, most: int) -> Assertions:
    own = list(table.slots)
    if draw(st.booleans()):
        # A literal that no rule knows.
        own = [
            class_slot(0, "header", "b", "c", args=one.args) if one.feature == "header" else one
            for one in own
        ]
    every = sorted((*own, *beside(table)), key=lambda slot: (slot.feature, slot.args))
    slots = tuple(replace(slot, id=SlotId(i)) for i, slot in enumerate(every))
    count = draw(st.integers(1, most))
    items = tuple(draw(_assertion(table, slots)) for _ in range(count))
    return Assertions(slots=slots, items=items)


@st.composite
def _assertion(draw: st.DrawFn, table: RouteTable, slots: tuple[Slot, ...]) -> Assertion:
    kinds = [kind for kind in Kind if kind is not Kind.SAME_AS]
    kind = draw(st.sampled_from([*kinds, Kind.NEVER, Kind.ALWAYS, Kind.MONOTONE]))
    numbers = [s.id for s in table_slots(slots) if s.type is SlotType.INT]
    if kind is Kind.MONOTONE and not numbers:
        kind = Kind.NEVER
    guard, feature, amount = None, None, None
    match kind:
        case Kind.NEVER | Kind.REACHABLE | Kind.ALWAYS:
            guard = draw(_claims(slots, narrow=kind is not Kind.ALWAYS))
        case Kind.MONOTONE:
            feature = draw(st.sampled_from(numbers))
        case Kind.MAX_COST_USD:
            amount = draw(_amounts(table, costs=True))
        case _:
            amount = draw(_amounts(table, costs=False))
    return Assertion(
        name=None,
        kind=kind,
        guard=guard,
        feature=feature,
        amount=amount,
        file=None,
        waive=None,
        source=f"{kind.value}: something",
        span=SPAN,
    )


def table_slots(slots: Sequence[Slot]) -> list[Slot]:
    """Those slots of assertions that read the request."""
    names = {slot.feature for slot in (*_READ, _MODEL)}
    return [slot for slot in slots if slot.feature in names]


def _claims(slots: Sequence[Slot], *, narrow: bool) -> st.SearchStrategy[Guard]:
    """A condition on request and target: few requests meet it, or few do not."""
    request = table_slots(slots)
    others = [slot for slot in slots if slot not in request]
    parts = st.tuples(
        small_guards(others, 0), small_guards(request, 1), small_guards(slots, 0)
    ).flatmap(lambda three: st.integers(1, 3).map(lambda count: three[:count]))

    def combined(chosen: tuple[Guard, ...]) -> Guard:
        if len(chosen) == 1:
            return chosen[0]
        if narrow:
            return And(operands=chosen)
        return Or(operands=tuple(Not(operand=one) for one in chosen))

    return parts.map(combined)


@st.composite
def _amounts(draw: st.DrawFn, table: RouteTable, *, costs: bool) -> str:
    """What some chain may cost, or take, at most; or a bit more or less."""
    found = draw(st.sampled_from(table.chains))
    if costs:
        top = [slot.high for slot in table.slots]
        priced = [one for one in found.targets if table.targets[one].price is not None]
        worst = worst_cost(table, top, priced)
        assert not isinstance(worst, Unpriced)
    else:
        worst = worst_latency(table, found.targets)
    worst *= draw(st.sampled_from([Fraction(1, 10), Fraction(1, 2), Fraction(9, 10), Fraction(1)]))
    return decimal(worst)


def decimal(number: Fraction) -> str:
    """A fraction with a finite decimal expansion as that."""
    return format(Decimal(number.numerator) / Decimal(number.denominator), "f")
