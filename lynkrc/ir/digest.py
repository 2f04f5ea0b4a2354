"""A source file, or what a RouteTable means, to a digest (sha256, hex).

Equal meaning digests imply equal meaning; the converse does not hold. What cannot be observed in
an answer does not count: slot order, operand order of commutative operators, names and order of
dimensions and lexicons, rule order between rules without a common effect, canonical texts, spans,
assertions, the pick of a chain without groups. Settings count, and so do the names people see in
headers and logs (tiers, targets, the rules that set a tier).
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, TypeAlias, assert_never

from lynkrc.ir.guard import (
    And,
    BoolConst,
    BoolSlot,
    ClassTest,
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
)
from lynkrc.ir.table import (
    Dimension,
    Lexicon,
    Pin,
    Prefer,
    RouteTable,
    Rule,
    Slot,
    StringClass,
    TierId,
)

Json: TypeAlias = Any
"""What `json.dumps` takes."""


def source_digest(source: bytes) -> str:
    """The sha256 of a source file, in hex."""
    return hashlib.sha256(source).hexdigest()


def meaning_digest(table: RouteTable) -> str:
    """The sha256, in hex, of the table's canonical form; take it right after lowering."""
    return hashlib.sha256(b"lynkrc meaning 1\n" + _key(_table(table)).encode()).hexdigest()


def _key(value: Json) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _sorted(values: Iterable[Json]) -> list[Json]:
    return sorted(values, key=_key)


def _facts(record: Any, *but: str) -> Json:
    """The fields of a flat dataclass, without those that only say where it stands."""
    left_out = {"id", "span", *but}
    return {f.name: getattr(record, f.name) for f in fields(record) if f.name not in left_out}


# -- the table -----------------------------------------------------------------------------


def _table(table: RouteTable) -> Json:
    lexicons = {lexicon.name: _lexicon(lexicon) for lexicon in table.lexicons}
    slots = [_slot(slot, lexicons) for slot in table.slots]
    return {
        "trust": table.trust_levels,
        "clients": [_facts(client, "ordinary") for client in table.clients],
        "providers": _sorted(_facts(provider) for provider in table.providers),
        "targets": _sorted(_facts(target) for target in table.targets),
        "tiers": [[tier.name, tier.up_to, _chain(table, tier.chain)] for tier in table.tiers],
        "pins": [_pin(pin, table, slots) for pin in table.pins],
        "needs": _sorted(
            [_guard(need.guard, slots, table), sorted(table.targets[t].name for t in need.met_by)]
            for need in table.needs
        ),
        "rules": _rules(table, slots),
        "score": _sorted(_dimension(dimension, slots, table) for dimension in table.dimensions),
        "offset": table.offset64,
        "otherwise": table.otherwise.value,
        "models": table.models,
        "calls": _sorted(_facts(call) for call in table.calls),
        "settings": json.loads(table.settings),
    }


def _chain(table: RouteTable, chain: int) -> Json:
    found = table.chains[chain]
    groups = [[table.targets[target].name for target in group] for group in found.groups]
    # Where every group is one target there is nothing to pick.
    if all(len(group) == 1 for group in groups):
        return groups
    weights = {table.targets[target].name: weight for target, weight in found.weights}
    return [groups, found.pick.value, weights]


def _lexicon(lexicon: Lexicon) -> Json:
    return _sorted([entry.pattern, entry.weight64] for entry in lexicon.entries)


def _class(string_class: StringClass) -> Json:
    return [string_class.kind, string_class.text]


def _slot(slot: Slot, lexicons: dict[str, Json]) -> Json:
    # "other" means what the remaining classes leave over, so a slot is told by all its classes.
    # Only the last argument can name a lexicon: ("ask", "greeting").
    args: list[Json] = list(slot.args)
    if len(args) == 2 and args[1] in lexicons:
        args[1] = lexicons[args[1]]
    classes = _sorted(_class(member) for member in slot.classes)
    return [slot.feature, args, slot.type.value, slot.low, slot.high, classes]


def _pin(pin: Pin, table: RouteTable, slots: list[Json]) -> Json:
    tier = None if pin.tier is None else table.tiers[pin.tier].name
    chain = None if pin.chain is None else _chain(table, pin.chain)
    return [_guard(pin.guard, slots, table), tier, chain]


def _rules(table: RouteTable, slots: list[Json]) -> Json:
    """Each step of the decision with the rules that take part, in order where order counts."""

    def guard(rule: Rule) -> Json:
        return _guard(rule.guard, slots, table)

    def bounds(effect: Callable[[Rule], TierId | None]) -> Json:
        # Order counts only among rules of one tier: it says which of them is reported.
        named = [(effect(rule), rule) for rule in table.rules]
        bounding = [(tier, rule) for tier, rule in named if tier is not None]
        bounding.sort(key=lambda pair: pair[0])
        return [[tier, rule.name, guard(rule)] for tier, rule in bounding]

    return {
        "deny": [
            [rule.name, guard(rule), rule.deny.status, rule.deny.message]
            for rule in table.rules
            if rule.deny is not None
        ],
        "respond": [
            [rule.name, guard(rule), rule.respond.text]
            for rule in table.rules
            if rule.respond is not None
        ],
        "chain": [
            [guard(rule), _chain(table, rule.chain)]
            for rule in table.rules
            if rule.chain is not None
        ],
        "prefer": [
            [guard(rule), _preference(table, rule.prefer)]
            for rule in table.rules
            if rule.prefer is not None
        ],
        "tier": [
            [rule.tier, rule.name, guard(rule)] for rule in table.rules if rule.tier is not None
        ],
        "floor": bounds(lambda rule: rule.floor),
        "ceiling": bounds(lambda rule: rule.ceiling),
        "add": _sorted([rule.add64, guard(rule)] for rule in table.rules if rule.add64 is not None),
        "require": _sorted(
            [
                guard(rule),
                _sorted(
                    [table.targets[keep.target].name, _guard(keep.guard, slots, table)]
                    for keep in rule.require
                ),
            ]
            for rule in table.rules
            if rule.require is not None
        ),
    }


def _preference(table: RouteTable, prefer: Prefer) -> Json:
    if prefer.target is not None:
        return ["target", table.targets[prefer.target].name]
    return None if prefer.pick is None else prefer.pick.value


def _dimension(dimension: Dimension, slots: list[Json], table: RouteTable) -> Json:
    if dimension.terms is not None:
        return ["terms", slots[dimension.terms]]
    assert dimension.value is not None
    return [dimension.weight64, _int(dimension.value, slots, table)]


# -- expressions ---------------------------------------------------------------------------


def _guard(guard: Guard, slots: list[Json], table: RouteTable) -> Json:
    match guard:
        case BoolConst(value=value):
            return value
        case BoolSlot(slot=slot):
            return slots[slot]
        case IntCompare(op=op, left=left, right=right):
            return [op.value, _int(left, slots, table), _int(right, slots, table)]
        case ClassTest(slot=slot, classes=classes):
            members = table.slots[slot].classes
            return ["in", slots[slot], _sorted(_class(members[index]) for index in classes)]
        case Not(operand=operand):
            return ["not", _guard(operand, slots, table)]
        case And(operands=operands):
            return ["and", *_sorted(_guard(operand, slots, table) for operand in operands)]
        case Or(operands=operands):
            return ["or", *_sorted(_guard(operand, slots, table) for operand in operands)]
        case _:
            assert_never(guard)


def _int(expr: IntExpr, slots: list[Json], table: RouteTable) -> Json:
    match expr:
        case IntConst(value=value):
            return value
        case IntSlot(slot=slot):
            return slots[slot]
        case IntSum(terms=terms):
            return ["+", *_sorted(_int(term, slots, table) for term in terms)]
        case IntScale(factor=factor, term=term):
            return ["*", factor, _int(term, slots, table)]
        case IntMin(operands=operands):
            return ["min", *_sorted(_int(operand, slots, table) for operand in operands)]
        case IntMax(operands=operands):
            return ["max", *_sorted(_int(operand, slots, table) for operand in operands)]
        case IntSelect(condition=condition, then=then, otherwise=otherwise):
            values = [_int(then, slots, table), _int(otherwise, slots, table)]
            return ["when", _guard(condition, slots, table), *values]
        case IntSteps(x=x, pairs=pairs):
            return ["steps", _int(x, slots, table), pairs]
        case IntRamp(x=x, low=low, high=high):
            return ["ramp", _int(x, slots, table), low, high]
        case IntSaturate(x=x, full=full):
            return ["saturate", _int(x, slots, table), full]
        case _:
            assert_never(expr)
