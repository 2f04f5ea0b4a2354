"""A RouteTable to the list of its violated invariants; a table from `lynkrc.lower` has none.

A violation is a mistake in the compiler, not in a spec, so the lines are for its authors.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import TypeAlias

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
from lynkrc.ir.ranges import interval, subexpressions
from lynkrc.ir.table import Pick, Prefer, RouteTable, Slot, SlotType
from lynkrc.ir.verify_settings import broken_settings
from lynkrc_runtime.feature_table import (
    CAPABILITIES,
    EMBEDDINGS,
    FEATURES,
    NO_TIER,
    OTHER_CLIENT,
    SURFACES,
    FeatureType,
)

Findings: TypeAlias = Iterator[str]

COUNT_TOKENS = "count_tokens"

CALLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(SURFACES, ("primary", "retry", "failover", "fix-up")),
        "messages": ("primary", "retry", "failover", "fix-up", COUNT_TOKENS),
        "responses": ("primary", "retry", "failover", "fix-up", COUNT_TOKENS),
        EMBEDDINGS: ("primary", "retry"),
    }
)
"""Every upstream call the runtime makes, by surface. The target is always one of the decided chain,
but for tokens, which may be counted locally. What analyses a request calls nobody.
"""

INT64 = 2**62
"""Every intermediate result stays below this, so that C and Python agree."""

_SLOT_TYPES = {
    FeatureType.BOOL: SlotType.BOOL,
    FeatureType.INT: SlotType.INT,
    FeatureType.FIXED: SlotType.FIXED,
    FeatureType.STRING: SlotType.CLASS,
    FeatureType.ENUM: SlotType.CLASS,
}


def verify(table: RouteTable) -> list[str]:
    """Every invariant of `lynkrc.ir.table` the table breaks, each as one line."""
    found = list(_ids(table))
    found += _names(table)
    found += [f"slot {slot.text}: {text}" for slot in table.slots for text in _slot(slot)]
    found += _members(table)
    found += _lexicons(table)
    found += _targets(table)
    found += _tiers(table)
    found += _rules(table)
    for place, guard in _guards(table):
        found += [f"{place}: {text}" for text in _expression(guard, table.slots)]
    found += _dimensions(table)
    found += _calls(table)
    found += broken_settings(table)
    return found


def has_normal_guards(table: RouteTable) -> bool:
    """Whether all guards are in negation normal form with flat `And`/`Or` (see `ir.guard`)."""
    roots: list[Guard | IntExpr] = [guard for _, guard in _guards(table)]
    roots += [d.value for d in table.dimensions if d.value is not None]
    return all(_is_normal(root) for root in roots)


def _is_normal(node: Guard | IntExpr) -> bool:
    match node:
        case Not(operand=operand):
            return isinstance(operand, BoolSlot)
        case And(operands=operands) | Or(operands=operands):
            same_kind = type(node)
            flat = not any(isinstance(operand, same_kind) for operand in operands)
            return flat and len(operands) > 1 and all(_is_normal(operand) for operand in operands)
        case _:
            return all(_is_normal(child) for child in subexpressions(node))


# -- names and numbers ---------------------------------------------------------------------


def _ids(table: RouteTable) -> Findings:
    numbered: dict[str, list[int]] = {
        "slot": [row.id for row in table.slots],
        "lexicon": [row.id for row in table.lexicons],
        "target": [row.id for row in table.targets],
        "chain": [row.id for row in table.chains],
        "tier": [row.id for row in table.tiers],
        "rule": [row.id for row in table.rules],
    }
    for kind, ids in numbered.items():
        for index, found in enumerate(ids):
            if found != index:
                yield f"{kind} {index} has id {found}"


def _names(table: RouteTable) -> Findings:
    named = {
        "slot": [slot.text for slot in table.slots],
        "lexicon": [lexicon.name for lexicon in table.lexicons],
        "client": [client.name for client in table.clients],
        "provider": [provider.name for provider in table.providers],
        "target": [target.name for target in table.targets],
        "chain": [chain.name for chain in table.chains],
        "tier": [tier.name for tier in table.tiers],
        "rule": [rule.name for rule in table.rules],
        "definition": [definition.name for definition in table.definitions],
        "dimension": [dimension.name for dimension in table.dimensions],
        "model": list(table.models),
    }
    for kind, names in named.items():
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{kind} {name} is there twice"


def _slot(slot: Slot) -> Findings:
    feature = FEATURES.get(slot.feature)
    if feature is None:
        yield "no such feature"
    elif _SLOT_TYPES[feature.type] is not slot.type:
        yield f"is {slot.type.value}, the feature is {feature.type.value}"
    if slot.low > slot.high:
        yield f"empty range {slot.low}..{slot.high}"
    match slot.type:
        case SlotType.BOOL:
            if (slot.low, slot.high) != (0, 1):
                yield "a boolean must range over 0..1"
        case SlotType.CLASS:
            if (slot.low, slot.high) != (0, len(slot.classes) - 1):
                yield f"{len(slot.classes)} classes, but range {slot.low}..{slot.high}"
            if len(set(slot.classes)) != len(slot.classes):
                yield "a class is there twice"
            kinds = [member.kind for member in slot.classes]
            if set(kinds) != {"member"}:
                if kinds[:2] != ["absent", "other"]:
                    yield "the first two classes must be absent and other"
                if not set(kinds[2:]) <= {"literal", "prefix"}:
                    yield "the further classes must be literals and prefixes"
        case SlotType.INT | SlotType.FIXED:
            if slot.classes:
                yield "a number has no classes"


def _members(table: RouteTable) -> Findings:
    """Enumerators that follow from the table, not from its slots."""
    of_spec = {
        "session.tier": [NO_TIER, *(tier.name for tier in table.tiers)],
        "client": [OTHER_CLIENT, *sorted(client.name for client in table.clients)],
    }
    for slot in table.slots:
        members = of_spec.get(slot.feature)
        if members is not None and [member.text for member in slot.classes] != members:
            yield f"slot {slot.text}: its members are not {', '.join(members)}"


def _lexicons(table: RouteTable) -> Findings:
    first = 0
    for lexicon in table.lexicons:
        if lexicon.first != first:
            yield f"lexicon {lexicon.name} begins at {lexicon.first}, not {first}"
        if not lexicon.entries:
            yield f"lexicon {lexicon.name} is empty"
        first += len(lexicon.entries)
    automaton = table.automaton
    if len(automaton.byte_class) != 256 or max(automaton.byte_class) >= automaton.classes:
        yield "the automaton's byte classes do not cover the bytes"
    if len(automaton.transitions) != automaton.states * automaton.classes:
        yield "the automaton is not total"
    if not all(0 <= state < automaton.states for state in automaton.transitions):
        yield "the automaton has a transition to no state"
    for entries in automaton.accepts:
        if list(entries) != sorted(set(entries)) or not all(0 <= e < first for e in entries):
            yield f"the automaton accepts {entries} of {first} entries"
    if list(automaton.free) != sorted(set(automaton.free)) or not all(
        0 <= entry < first for entry in automaton.free
    ):
        yield f"the automaton frees {automaton.free} of {first} entries"


# -- targets, tiers ------------------------------------------------------------------------


def _targets(table: RouteTable) -> Findings:
    providers = {provider.name: provider for provider in table.providers}
    for provider in table.providers:
        if provider.trust not in table.trust_levels:
            yield f"provider {provider.name}: no trust level {provider.trust}"
    for target in table.targets:
        if target.provider not in providers:
            yield f"target {target.name}: no provider {target.provider}"
        elif target.trust != providers[target.provider].trust:
            yield f"target {target.name}: its trust is not its provider's"
        if target.context <= 0 or target.max_output <= 0:
            yield f"target {target.name}: context and output limit must be positive"
        if not set(target.capabilities) <= set(CAPABILITIES):
            yield f"target {target.name}: unknown capability in {target.capabilities}"
    for chain in table.chains:
        if not chain.targets:
            yield f"chain {chain.name} is empty"
        if len(set(chain.targets)) != len(chain.targets):
            yield f"chain {chain.name} has a target twice"
        if not _within(chain.targets, table.targets):
            yield f"chain {chain.name} has a target that is not there"
        if not all(chain.groups):
            yield f"chain {chain.name} has an empty group"
        weighed = [target for target, _ in chain.weights]
        if weighed != (sorted(chain.targets) if chain.pick is Pick.WEIGHTED else []):
            yield f"chain {chain.name}: its weights are not one a target, in their order"
        if any(weight <= 0 for _, weight in chain.weights):
            yield f"chain {chain.name}: a weight is not positive"
    for need in table.needs:
        if list(need.met_by) != sorted(set(need.met_by)) or not _within(need.met_by, table.targets):
            yield f"need {need.name}: targets {need.met_by} are not sorted, distinct ids"


def _tiers(table: RouteTable) -> Findings:
    if not table.tiers:
        yield "there is no tier"
        return
    bounds = [tier.up_to for tier in table.tiers]
    if bounds[-1] is not None:
        yield "the last tier has a bound"
    bounded = [bound for bound in bounds[:-1] if bound is not None]
    if len(bounded) != len(bounds) - 1:
        yield "a tier before the last has no bound"
    if any(low >= high for low, high in pairwise(bounded)):
        yield "the tiers' bounds do not rise"
    if not all(0 <= bound <= 100 for bound in bounded):
        yield "a tier's bound is outside 0..100"
    for tier in table.tiers:
        if not _within([tier.chain], table.chains):
            yield f"tier {tier.name}: no chain {tier.chain}"
    for pin in table.pins:
        if (pin.tier is None) == (pin.chain is None):
            yield f"pin {pin.pattern}: must fix a tier or a chain"
        if pin.tier is not None and not _within([pin.tier], table.tiers):
            yield f"pin {pin.pattern}: no tier {pin.tier}"
        if pin.chain is not None and (
            not _within([pin.chain], table.chains) or len(table.chains[pin.chain].targets) != 1
        ):
            yield f"pin {pin.pattern}: must have a chain of one target"


def _within(ids: Sequence[int], rows: Sequence[object]) -> bool:
    return all(0 <= index < len(rows) for index in ids)


# -- rules and the score -------------------------------------------------------------------


def _rules(table: RouteTable) -> Findings:
    everyone = list(range(len(table.targets)))
    for rule in table.rules:
        tiers = [tier for tier in (rule.tier, rule.floor, rule.ceiling) if tier is not None]
        if not _within(tiers, table.tiers):
            yield f"rule {rule.name}: a tier that is not there in {tiers}"
        effects = (
            *(rule.deny, rule.respond, rule.tier, rule.floor, rule.ceiling, rule.add64),
            *(rule.require, rule.chain, rule.prefer),
        )
        if rule.chain is not None:
            if not _within([rule.chain], table.chains):
                yield f"rule {rule.name}: no chain {rule.chain}"
            elif table.chains[rule.chain].name != f"rule:{rule.name}":
                yield f"rule {rule.name}: its chain is called {table.chains[rule.chain].name}"
        if rule.prefer is not None:
            yield from (f"rule {rule.name}: {text}" for text in _preference(rule.prefer, table))
        if all(effect is None for effect in effects):
            yield f"rule {rule.name} has no effect"
        if rule.deny is not None and rule.deny.status not in (400, 403, 429):
            yield f"rule {rule.name}: status {rule.deny.status}"
        if rule.require is not None and [keep.target for keep in rule.require] != everyone:
            yield f"rule {rule.name}: must say of each target, in order, whether it stays"
        if bool(rule.require_source) != (rule.require is not None):
            yield f"rule {rule.name}: its requirement and the text of it disagree"


def _preference(prefer: Prefer, table: RouteTable) -> Findings:
    if (prefer.pick is None) == (prefer.target is None):
        yield "must prefer a pick or a target"
    if prefer.pick not in (None, Pick.CHEAPEST, Pick.FASTEST):
        yield f"cannot prefer {prefer.pick}"
    if prefer.target is not None and not _within([prefer.target], table.targets):
        yield f"prefers the target {prefer.target}, which is not there"


def _guards(table: RouteTable) -> Iterator[tuple[str, Guard]]:
    for rule in table.rules:
        yield f"rule {rule.name}", rule.guard
        for keep in rule.require or ():
            yield f"rule {rule.name}, target {keep.target}", keep.guard
    for pin in table.pins:
        yield f"pin {pin.pattern}", pin.guard
    for need in table.needs:
        yield f"need {need.name}", need.guard


def _dimensions(table: RouteTable) -> Findings:
    total = abs(100 * table.offset64) + sum(abs(100 * (rule.add64 or 0)) for rule in table.rules)
    for dimension in table.dimensions:
        place = f"dimension {dimension.name}"
        if (dimension.value is None) == (dimension.terms is None):
            yield f"{place}: must have a value or terms"
        if dimension.value is not None:
            yield from (f"{place}: {t}" for t in _expression(dimension.value, table.slots))
            total += abs(100 * dimension.weight64)
        if dimension.terms is not None:
            if not _within([dimension.terms], table.slots):
                yield f"{place}: no slot {dimension.terms}"
            elif table.slots[dimension.terms].type is not SlotType.FIXED:
                yield f"{place}: terms must be a fixed-point slot"
            else:
                slot = table.slots[dimension.terms]
                total += 100 * max(abs(slot.low), abs(slot.high))
    if total >= INT64:
        yield "the score may leave 64 bits"


def _expression(node: Guard | IntExpr, slots: Sequence[Slot]) -> Findings:
    """Violations in an expression tree; children first, so that ranges can be computed."""
    children = [text for child in subexpressions(node) for text in _expression(child, slots)]
    own = list(_node(node, slots)) if not children else []
    yield from children
    yield from own


def _node(node: Guard | IntExpr, slots: Sequence[Slot]) -> Findings:
    match node:
        case IntSlot(slot=slot) | BoolSlot(slot=slot) | ClassTest(slot=slot):
            if not _within([slot], slots):
                yield f"no slot {slot}"
                return
            yield from _slot_use(node, slots[slot])
        case And(operands=operands) | Or(operands=operands):
            if len(operands) < 2:
                yield "and/or needs two operands"
        case IntSum(terms=operands_):
            if len(operands_) < 2:
                yield "a sum needs two terms"
                return
        case IntMin(operands=operands_) | IntMax(operands=operands_):
            if len(operands_) < 2:
                yield "min/max needs two operands"
                return
        case IntSteps(pairs=pairs):
            thresholds = [threshold for threshold, _ in pairs]
            if not pairs or any(a >= b for a, b in pairwise(thresholds)):
                yield f"thresholds do not rise strictly: {thresholds}"
                return
        case IntRamp(low=low, high=high):
            if low >= high:
                yield f"ramp from {low} to {high}"
                return
        case IntSaturate(full=full):
            if full <= 0:
                yield f"saturate at {full}"
                return
        case BoolConst() | IntCompare() | Not() | IntConst() | IntScale() | IntSelect():
            pass
    yield from _fits(node, slots)


def _slot_use(node: IntSlot | BoolSlot | ClassTest, slot: Slot) -> Findings:
    match node:
        case IntSlot():
            if slot.type not in (SlotType.INT, SlotType.FIXED):
                yield f"{slot.text} is no number"
        case BoolSlot():
            if slot.type is not SlotType.BOOL:
                yield f"{slot.text} is no boolean"
        case ClassTest(classes=classes):
            if slot.type is not SlotType.CLASS:
                yield f"{slot.text} has no classes"
            elif list(classes) != sorted(set(classes)) or not _within(classes, slot.classes):
                yield f"{slot.text}: classes {classes} are not sorted, distinct indices"


def _fits(node: Guard | IntExpr, slots: Sequence[Slot]) -> Findings:
    match node:
        case IntRamp(x=x, low=low, high=high):
            ends = interval(x, slots)
            reached = 100 * max(abs(ends[0]), abs(ends[1]), abs(low), abs(high))
        case IntSaturate(x=x, full=full):
            ends = interval(x, slots)
            reached = max(100 * max(abs(ends[0]), abs(ends[1])), full)
        case IntSteps(x=x, pairs=pairs):
            reached = max(abs(number) for pair in pairs for number in pair)
        case IntConst() | IntSlot() | IntSum() | IntScale() | IntMin() | IntMax() | IntSelect():
            low, high = interval(node, slots)
            reached = max(abs(low), abs(high))
        case _:
            return
    if reached >= INT64 // 2:
        yield f"a result of {reached} may leave 64 bits"


def _calls(table: RouteTable) -> Findings:
    rows = [(call.surface, call.call) for call in table.calls]
    if len(set(rows)) != len(rows):
        yield "a call has two rows"
    for call in table.calls:
        if call.call not in CALLS.get(call.surface, ()):
            yield f"unknown call {call.call} on {call.surface}"
        if call.source not in ("decision", "local"):
            yield f"call {call.call} on {call.surface}: source {call.source}"
        if call.call != COUNT_TOKENS and call.source != "decision":
            yield f"call {call.call} on {call.surface} must go to the decided chain"
    for surface, calls in CALLS.items():
        for kind in calls:
            if (surface, kind) not in rows:
                yield f"no row for {kind} on {surface}"
