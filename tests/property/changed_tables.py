"""Small tables in pairs: one, and the same with something in it changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from hypothesis import strategies as st

from lynkrc.ir.guard import And, Guard, IntCompare, IntConst, Not, Or
from lynkrc.ir.table import Otherwise, Pick, RouteTable, Rule, RuleId, Target
from tests.property.small_specs import small_guards, small_tables
from tests.unit.sample_table import number_slot

Change: TypeAlias = Callable[[st.DrawFn, RouteTable], RouteTable]


@st.composite
def changed_tables(draw: st.DrawFn) -> tuple[RouteTable, RouteTable]:
    """A small table before and after one change, or two."""
    old = draw(small_tables())
    new = old
    for name in draw(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=2)):
        new = CHANGES[name](draw, new)
    return (new, old) if draw(st.booleans()) else (old, new)


def numbered(table: RouteTable, rules: list[Rule]) -> RouteTable:
    """The table with these rules in this order."""
    return replace(table, rules=tuple(replace(one, id=RuleId(i)) for i, one in enumerate(rules)))


def by_one(guard: Guard, delta: int) -> Guard:
    """The guard with its first literal so much larger; itself where it compares no number."""
    match guard:
        case IntCompare(right=IntConst(value=k)):
            return replace(guard, right=IntConst(value=k + delta))
        case Not(operand=operand):
            return Not(operand=by_one(operand, delta))
        case And(operands=(first, *rest)):
            return And(operands=(by_one(first, delta), *rest))
        case Or(operands=(first, *rest)):
            return Or(operands=(by_one(first, delta), *rest))
        case _:
            return guard


def _dropped(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    at = draw(st.integers(0, max(0, len(table.rules) - 1)))
    return numbered(table, [one for one in table.rules if one.id != at])


def _moved(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    return numbered(table, list(draw(st.permutations(table.rules))))


def _literal(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    return _of_one_rule(draw, table, lambda one: by_one(one, draw(st.sampled_from([-1, 1]))))


def _guard(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    return _of_one_rule(draw, table, lambda _: draw(small_guards(table.slots)))


def _of_one_rule(
    draw: st.DrawFn, table: RouteTable, change: Callable[[Guard], Guard]
) -> RouteTable:
    if not table.rules:
        return table
    at = draw(st.sampled_from([one.id for one in table.rules]))
    return numbered(
        table,
        [replace(one, guard=change(one.guard)) if one.id == at else one for one in table.rules],
    )


def _offset(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    return replace(table, offset64=table.offset64 + 64 * draw(st.sampled_from([-20, 1, 20])))


def _weights(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    more = draw(st.sampled_from([-64, 1, 64 * 20]))
    return replace(
        table,
        dimensions=tuple(replace(one, weight64=one.weight64 + more) for one in table.dimensions),
    )


def _bound(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    more = draw(st.sampled_from([-1, 1, 10]))
    return replace(
        table,
        tiers=tuple(
            one if one.up_to is None else replace(one, up_to=one.up_to + more)
            for one in table.tiers
        ),
    )


def _otherwise(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    return replace(table, otherwise=draw(st.sampled_from(Otherwise)))


def _chain(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    """Another order of one chain, another pick, other weights."""
    at = draw(st.sampled_from([one.id for one in table.chains]))
    old = table.chains[at]
    order = draw(st.permutations(old.targets))
    cut = draw(st.integers(0, len(order)))
    groups = (tuple(order[:cut]), *((one,) for one in order[cut:]))
    pick = old.pick if draw(st.booleans()) else draw(st.sampled_from(Pick))
    weight = draw(st.integers(1, 2))
    weights = tuple((one, weight if i else 1) for i, one in enumerate(sorted(order)))
    new = replace(
        old,
        groups=tuple(group for group in groups if group),
        pick=pick,
        weights=weights if pick is Pick.WEIGHTED else (),
    )
    if old.name.startswith("pin:"):
        return table
    return replace(table, chains=tuple(new if one.id == at else one for one in table.chains))


def _price(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    at = draw(st.integers(0, len(table.targets) - 1))
    price = draw(st.sampled_from([None, ("1", "2", "0", "0"), ("1.000001", "2", "0", "0")]))
    return _of_target(table, at, lambda one: replace(one, price=price))


def _trust(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    at = draw(st.integers(0, len(table.targets) - 1))
    trust = draw(st.sampled_from(["local", "internal", "cloud"]))
    return _of_target(table, at, lambda one: replace(one, trust=trust))


def _window(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    at = draw(st.integers(0, len(table.targets) - 1))
    context = draw(st.integers(1, 4))
    return _of_target(table, at, lambda one: replace(one, context=context))


def _of_target(table: RouteTable, at: int, changed: Callable[[Target], Target]) -> RouteTable:
    targets = list(table.targets)
    targets[at] = changed(targets[at])
    return replace(table, targets=tuple(targets))


def _needs(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    return replace(table, needs=table.needs[1:])


def _pins(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    return replace(table, pins=())


def _retries(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    more = draw(st.integers(0, 3))
    return replace(table, providers=tuple(replace(one, retries=more) for one in table.providers))


def _sizes(draw: st.DrawFn, table: RouteTable) -> RouteTable:
    """The table reads one more size of a request, which no rule of it asks for."""
    feature = draw(st.sampled_from(["context.tokens", "request.max_tokens"]))
    if any(slot.feature == feature for slot in table.slots):
        return table
    read = number_slot(len(table.slots), feature, 2)
    return _price(draw, replace(table, slots=(*table.slots, read)))


CHANGES: Mapping[str, Change] = {
    "a rule dropped": _dropped,
    "rules moved": _moved,
    "a literal": _literal,
    "a guard": _guard,
    "the offset": _offset,
    "weights": _weights,
    "bounds": _bound,
    "otherwise": _otherwise,
    "a chain": _chain,
    "a price": _price,
    "a trust class": _trust,
    "a window": _window,
    "needs": _needs,
    "pins": _pins,
    "retries": _retries,
    "sizes": _sizes,
}
