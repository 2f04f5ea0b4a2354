"""A RouteTable to readable text (``ir.txt``): complete, deterministic, without places in files.

Guards are written close to the language; a class test lists its classes: ``absent``, ``other``,
``"literal"``, ``"prefix"*``. Literals compared with fixed-point slots count 1/64.

>>> from lynkrc.ir.guard import BoolSlot, Not, Or, SlotId
>>> stream = Slot(id=SlotId(0), feature="wants.stream", args=(), type=SlotType.BOOL, low=0, high=1)
>>> print_guard(Not(operand=BoolSlot(slot=SlotId(0))), (stream,))
'not wants.stream'
"""

import hashlib
import json
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import assert_never

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
    Chain,
    Dimension,
    Pick,
    Prefer,
    Provider,
    RouteTable,
    Rule,
    Slot,
    SlotType,
    StringClass,
    Target,
    TargetId,
)

# Binding strength, loosest first.
_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _ATOM = range(7)


def print_guard(guard: Guard, slots: Sequence[Slot]) -> str:
    """One line of text for a guard, with as few brackets as the language allows."""
    return _guard(guard, slots, _OR)


def print_int(expr: IntExpr, slots: Sequence[Slot]) -> str:
    """One line of text for an integer expression."""
    return _int(expr, slots, _SUM)


def print_class(string_class: StringClass) -> str:
    """``absent``, ``other``, ``"literal"``, ``"prefix"*`` or an enumerator."""
    match string_class.kind:
        case "literal":
            return json.dumps(string_class.text)
        case "prefix":
            return json.dumps(string_class.text) + "*"
        case "member":
            return string_class.text
        case kind:
            return kind


def print_points(sixty_fourths: int) -> str:
    """A count of 1/64 as a decimal: exact, without needless digits."""
    text = f"{sixty_fourths / 64:.6f}".rstrip("0").rstrip(".")
    return text


def print_chain(chain: Chain, names: Sequence[str], arrow: str = ", ") -> str:
    """A chain as people read it: ``[a | b] weighted 3:1, c``; `names` are the targets'."""
    weights = dict(chain.weights)
    texts = []
    for group in chain.groups:
        if len(group) == 1:
            texts.append(names[group[0]])
            continue
        text = f"[{' | '.join(names[target] for target in group)}]"
        if chain.pick is not Pick.ORDER:
            text += f" {chain.pick.value}"
        if weights:
            text += f" {':'.join(str(weights[target]) for target in group)}"
        texts.append(text)
    return arrow.join(texts)


def print_preference(prefer: Prefer, names: Sequence[str]) -> str:
    """``cheapest``, ``fastest``, or the name of the target that goes first."""
    if prefer.target is not None:
        return names[prefer.target]
    return "" if prefer.pick is None else prefer.pick.value


def print_table(table: RouteTable) -> str:
    """The whole table as text, ending in a newline."""
    return "\n".join(_lines(table)) + "\n"


# -- expressions ---------------------------------------------------------------------------


def _wrap(text: str, strength: int, at_least: int) -> str:
    return text if strength >= at_least else f"({text})"


def _guard(guard: Guard, slots: Sequence[Slot], at_least: int) -> str:
    match guard:
        case BoolConst(value=value):
            return "always" if value else "never"
        case BoolSlot(slot=slot):
            return slots[slot].text
        case IntCompare(op=op, left=left, right=right):
            text = f"{_int(left, slots, _SUM)} {op.value} {_int(right, slots, _SUM)}"
            return _wrap(text, _COMPARE, at_least)
        case ClassTest(slot=slot, classes=classes):
            members = ", ".join(print_class(slots[slot].classes[index]) for index in classes)
            return _wrap(f"{slots[slot].text} in {{{members}}}", _COMPARE, at_least)
        case Not(operand=operand):
            return _wrap(f"not {_guard(operand, slots, _NOT)}", _NOT, at_least)
        case And(operands=operands):
            text = " and ".join(_guard(operand, slots, _AND + 1) for operand in operands)
            return _wrap(text, _AND, at_least)
        case Or(operands=operands):
            text = " or ".join(_guard(operand, slots, _OR + 1) for operand in operands)
            return _wrap(text, _OR, at_least)
        case _:
            assert_never(guard)


def _int(expr: IntExpr, slots: Sequence[Slot], at_least: int) -> str:
    match expr:
        case IntConst(value=value):
            return str(value)
        case IntSlot(slot=slot):
            return slots[slot].text
        case IntSum(terms=terms):
            text = " + ".join(_int(term, slots, _SUM + 1) for term in terms)
            return _wrap(text, _SUM, at_least)
        case IntScale(factor=factor, term=term):
            return _wrap(f"{factor} * {_int(term, slots, _ATOM)}", _PRODUCT, at_least)
        case IntMin(operands=operands):
            return f"min({', '.join(_int(operand, slots, _SUM) for operand in operands)})"
        case IntMax(operands=operands):
            return f"max({', '.join(_int(operand, slots, _SUM) for operand in operands)})"
        case IntSelect(condition=condition, then=then, otherwise=otherwise):
            values = f"{_int(then, slots, _SUM)}, {_int(otherwise, slots, _SUM)}"
            return f"when({_guard(condition, slots, _OR)}, {values})"
        case IntSteps(x=x, pairs=pairs):
            steps = ", ".join(f"[{threshold}, {value}]" for threshold, value in pairs)
            return f"steps({_int(x, slots, _SUM)}, [{steps}])"
        case IntRamp(x=x, low=low, high=high):
            return f"ramp({_int(x, slots, _SUM)}, {low}, {high})"
        case IntSaturate(x=x, full=full):
            return f"saturate({_int(x, slots, _SUM)}, {full})"
        case _:
            assert_never(expr)


# -- the table -----------------------------------------------------------------------------


def _lines(table: RouteTable) -> Iterator[str]:
    yield f"table {table.name}"
    yield f"trust {' < '.join(table.trust_levels)}"
    yield f"otherwise {table.otherwise.value}"
    yield from _section("slots", (_slot(slot) for slot in table.slots))
    yield from _section("lexicons", _lexicons(table))
    yield from _section("automaton", _automaton(table))
    yield from _section("clients", _clients(table))
    yield from _section("providers", (_provider(provider) for provider in table.providers))
    yield from _section("targets", (_target(target) for target in table.targets))
    chains = (f"{c.id} {c.name}: {print_chain(c, _target_names(table))}" for c in table.chains)
    yield from _section("chains", chains)
    tiers = (
        f"{tier.id} {tier.name} up to {'-' if tier.up_to is None else tier.up_to}"
        f" chain {table.chains[tier.chain].name}"
        for tier in table.tiers
    )
    yield from _section("tiers", tiers)
    yield from _section("pins", _pins(table))
    needs = (
        f"{need.name} when {print_guard(need.guard, table.slots)}:"
        f" {_names(table, need.met_by) or 'no target'}"
        for need in table.needs
    )
    yield from _section("needs", needs)
    yield from _section("rules", (line for rule in table.rules for line in _rule(table, rule)))
    definitions = (f"{one.name}: {one.source}" for one in table.definitions)
    yield from _section("definitions", definitions)
    dimensions = [_dimension(table, dimension) for dimension in table.dimensions]
    yield from _section("score", [f"offset {print_points(table.offset64)}", *dimensions])
    yield from _section("models", table.models)
    yield from _section("assertions", table.assertions)
    yield from _section("settings", _settings(table.settings))
    calls = (f"{call.surface} {call.call}: {call.source}" for call in table.calls)
    yield from _section("calls", calls)


def _section(title: str, lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
    yield ""
    yield title
    for line in lines:
        yield f"  {line}"


def _target_names(table: RouteTable) -> list[str]:
    return [target.name for target in table.targets]


def _names(table: RouteTable, targets: Sequence[TargetId]) -> str:
    return ", ".join(table.targets[target].name for target in targets)


def _slot(slot: Slot) -> str:
    text = f"{slot.id} {slot.text}: {slot.type.value} {slot.low}..{slot.high}"
    if slot.type is SlotType.CLASS:
        text += f" {{{', '.join(print_class(member) for member in slot.classes)}}}"
    return text


def _lexicons(table: RouteTable) -> Iterator[str]:
    for lexicon in table.lexicons:
        yield f"{lexicon.id} {lexicon.name} from {lexicon.first}"
        for entry in lexicon.entries:
            yield f"  {print_points(entry.weight64)} {json.dumps(entry.pattern)}"


def _automaton(table: RouteTable) -> Iterator[str]:
    # The tables themselves are in lexicons.dfa; here a digest stands for them.
    automaton = table.automaton
    digest = hashlib.sha256(automaton.byte_class)
    transitions = array("I", automaton.transitions)
    if sys.byteorder == "big":
        transitions.byteswap()
    digest.update(transitions)
    digest.update(json.dumps([automaton.accepts, automaton.free]).encode())
    yield f"{automaton.states} states, {automaton.classes} byte classes"
    yield f"sha256 {digest.hexdigest()}"


def _clients(table: RouteTable) -> Iterator[str]:
    for client in table.clients:
        yield client.name
        yield f"  user agent: {json.dumps(client.user_agent)}"
        yield f"  injected tags: {json.dumps(client.injected_tags)}"
        yield f"  injected prefixes: {json.dumps(client.injected_prefixes)}"
        yield f"  injected wrappers: {json.dumps(client.injected_wrappers)}"
        yield f"  baseline tools: {json.dumps(client.baseline_tools)}"
        yield f"  tool weights: {json.dumps(client.tool_weights)}"
        if client.ordinary is not None:
            facts = asdict(client.ordinary).items()
            yield f"  ordinary: {', '.join(f'{key} {json.dumps(fact)}' for key, fact in facts)}"


def _provider(provider: Provider) -> str:
    facts: dict[str, object] = {
        "base_url": provider.base_url,
        "api_key": provider.api_key,
        "headers": dict(provider.headers) or None,
        "connect": provider.connect,
        "first_event": provider.first_event,
        "idle": provider.idle,
        "total": provider.total,
        "retries": provider.retries,
        "backoff": provider.backoff,
        "max_backoff": provider.max_backoff,
        "simulate": provider.simulate,
    }
    written = [f"{key}={json.dumps(fact)}" for key, fact in facts.items() if fact is not None]
    written += [provider.rest]
    return " ".join([f"{provider.name}: {provider.kind} trust {provider.trust}", *written])


def _target(target: Target) -> str:
    price = "-" if target.price is None else "/".join(target.price)
    dialect = "" if target.dialect is None else f" dialect {target.dialect}"
    loss = "" if target.on_loss == "warn" else f" on_loss {target.on_loss}"
    return (
        f"{target.id} {target.name}: {target.provider} {json.dumps(target.model)}"
        f" trust {target.trust} context {target.context} output {target.max_output}"
        f" can [{', '.join(target.capabilities)}] price {price} shape {target.shape}"
        f"{dialect}{loss}"
    )


def _pins(table: RouteTable) -> Iterator[str]:
    for pin in table.pins:
        to = [] if pin.tier is None else [f"tier {table.tiers[pin.tier].name}"]
        to += [] if pin.chain is None else [f"chain {table.chains[pin.chain].name}"]
        guard = print_guard(pin.guard, table.slots)
        yield f"{json.dumps(pin.pattern)} when {guard}: {', '.join(to)}"


def _rule(table: RouteTable, rule: Rule) -> Iterator[str]:
    yield f"{rule.id} {rule.name} when {print_guard(rule.guard, table.slots)}"
    if rule.deny is not None:
        yield f"  deny {rule.deny.status} {json.dumps(rule.deny.message)}"
    if rule.respond is not None:
        yield f"  respond {json.dumps(rule.respond.text)}"
    if rule.chain is not None:
        yield f"  chain {table.chains[rule.chain].name}"
    if rule.prefer is not None:
        yield f"  prefer {print_preference(rule.prefer, _target_names(table))}"
    for effect, tier in (("tier", rule.tier), ("floor", rule.floor), ("ceiling", rule.ceiling)):
        if tier is not None:
            yield f"  {effect} {table.tiers[tier].name}"
    if rule.add64 is not None:
        yield f"  add {print_points(rule.add64)}"
    for keep in rule.require or ():
        guard = print_guard(keep.guard, table.slots)
        yield f"  keep {table.targets[keep.target].name} when {guard}"


def _settings(text: str) -> Iterator[str]:
    """A section a line; of the digest of a key, only enough to see that it changed."""
    settings = json.loads(text)
    for key in settings["keys"].values():
        if key["sha256"] is not None:
            key["sha256"] = f"{key['sha256'][:8]}..."
    for name, section in settings.items():
        yield f"{name}: {json.dumps(section)}"


def _dimension(table: RouteTable, dimension: Dimension) -> str:
    if dimension.value is not None:
        weight = print_points(dimension.weight64)
        return f"{dimension.name}: {weight} * {_int(dimension.value, table.slots, _ATOM)}"
    assert dimension.terms is not None
    return f"{dimension.name}: terms {table.slots[dimension.terms].text}"
