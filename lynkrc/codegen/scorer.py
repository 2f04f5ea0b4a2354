"""A RouteTable to ``scorer.py`` (plain Python, also Cython input) and ``scorer.pxd`` (its types).

The generated function follows "The decision" (design: language.md) step by step, with a comment
naming the rule at each decision. It reads names and guards only, never places in files, so equal
meaning gives equal bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never, final

from lynkrc.codegen.layout import Bracketed, Chain, Leaf, Piece, statement
from lynkrc.codegen.names import bits, comment_lines, slot_names, with_comment
from lynkrc.codegen.python_expr import Printer
from lynkrc.codegen.rendering import render
from lynkrc.codegen.sharing import Node, shared_nodes
from lynkrc.ir.guard import ALWAYS, NEVER, ClassTest, Guard, IntExpr, IntRamp, IntSaturate
from lynkrc.ir.ranges import interval, subexpressions
from lynkrc.ir.table import ChainId, Dimension, Otherwise, Pin, RouteTable, Rule, TargetId, Tier
from lynkrc.ir.text import print_chain, print_points, print_preference
from lynkrc_runtime.decide import Outcome

_BODY = 4  # columns of indentation inside a function
_A_ROW = 8  # types of C on a line
_ROUTE, _DENY, _REFUSE = int(Outcome.ROUTE), int(Outcome.DENY), int(Outcome.REFUSE)
_RESPOND = int(Outcome.RESPOND)

Case: TypeAlias = tuple[Piece, list[str], str]
"""A condition, the lines where it holds, and why."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A step of the decision: its heading and its lines, not yet indented."""

    title: str
    lines: tuple[str, ...]


def print_scorer(table: RouteTable) -> tuple[str, str]:
    """The texts of ``scorer.py`` and ``scorer.pxd``."""
    printer = make_printer(table)
    sections = [section for section in _sections(table, printer) if section.lines]
    helpers = functions_used(table)
    values = {
        "slots": unpacking(table, printer),
        "helpers": helpers,
        "sections": sections,
        "members": _members(len(table.slots)),
        "numbers": [*printer.names, *printer.shared.values(), *_locals(table)],
    }
    return render("scorer.py.j2", **values), render("scorer.pxd.j2", **values)


def make_printer(table: RouteTable) -> Printer:
    """The printer for a table, with its slots named and repeated parts found."""
    return Printer(
        names=slot_names(table.slots), slots=table.slots, shared=shared_nodes(_roots(table))
    )


def unpacking(table: RouteTable, printer: Printer) -> list[str]:
    """The lines between the brackets that take the vector apart."""
    lines: list[str] = []
    for name, slot in zip(printer.names, table.slots, strict=True):
        # Only a string literal among the arguments is more than its name tells.
        has_literal = len(slot.args) == 1
        lines += with_comment(f"{name},", slot.text, 8) if has_literal else [f"{name},"]
    return lines


def shared_lines(printer: Printer) -> list[str]:
    """The definitions of what is computed once."""
    return [
        line
        for node, name in printer.shared.items()
        for line in statement(f"{name} = ", printer.definition(node), "", indent=_BODY)
    ]


def needs_clamp(dimension: Dimension, table: RouteTable) -> bool:
    """Whether a dimension's value can leave 0..100."""
    if dimension.value is None:
        return False
    low, high = interval(dimension.value, table.slots)
    return low < 0 or high > 100


def functions_used(table: RouteTable) -> list[str]:
    """Which of the module's small functions the code calls, in order of appearance."""
    used = {"percent"} if any(needs_clamp(d, table) for d in table.dimensions) else set()
    pending: list[Node] = list(_roots(table))
    while pending:
        node = pending.pop()
        pending += subexpressions(node)
        if isinstance(node, IntRamp):
            used.add("ramp")
        if isinstance(node, IntSaturate):
            used.add("saturate")
    return [name for name in ("percent", "ramp", "saturate") if name in used]


def _roots(table: RouteTable) -> Iterator[Guard | IntExpr]:
    """Every guard and expression, in the order the scorer reads them."""
    yield from (rule.guard for rule in table.rules)
    yield from (need.guard for need in table.needs)
    for rule in table.rules:
        yield from (keep.guard for keep in rule.require or ())
    yield from (d.value for d in table.dimensions if d.value is not None)
    yield from (pin.guard for pin in table.pins)


# -- the steps -----------------------------------------------------------------------------


def _sections(table: RouteTable, printer: Printer) -> Iterator[Section]:
    steps: tuple[tuple[str, Iterable[str]], ...] = (
        ("Values used more than once.", shared_lines(printer)),
        ("1. Deny.", _denies(table, printer)),
        ("2. Answer without a model.", _responds(table, printer)),
        ("3. Score, summed in 1/6400 points; 3200 rounds to the nearest.", _score(table, printer)),
        ("The targets that can serve, as bits (steps 7 and 8).", _filters(table, printer)),
        (
            "4. Tier: a pin, else the first rule with one, else the score.",
            _tier(table, printer),
        ),
        (
            "5. The highest floor raises it, then the lowest ceiling lowers it.",
            _bounds(table, printer),
        ),
        ("9. The first rule that prefers, for the order of the chain.", _prefers(table, printer)),
        (_chain_title(table), _chains(table, printer)),
        (f"8. Otherwise: {table.otherwise.value}.", _otherwise(table)),
    )
    for title, lines in steps:
        yield Section(title=title, lines=tuple(lines))


def _denies(table: RouteTable, printer: Printer) -> Iterator[str]:
    for rule in table.rules:
        if rule.deny is not None:
            yield from _ends(_DENY, rule, printer)


def _responds(table: RouteTable, printer: Printer) -> Iterator[str]:
    for rule in table.rules:
        if rule.respond is not None:
            yield from _ends(_RESPOND, rule, printer)


def _ends(outcome: int, rule: Rule, printer: Printer) -> Iterator[str]:
    yield from statement("if ", printer.guard(rule.guard), ":", indent=_BODY)
    yield from _ending(f"return ({outcome}, -1, {rule.id}, -1, 0, -1, -1)", _why(rule))


def _score(table: RouteTable, printer: Printer) -> Iterator[str]:
    yield from with_comment(
        f"points = {100 * table.offset64 + 3200}", f"offset {print_points(table.offset64)}", _BODY
    )
    for dimension in table.dimensions:
        yield from _dimension(table, printer, dimension)
    for rule in table.rules:
        if rule.add64 is not None:
            yield from statement("if ", printer.guard(rule.guard), ":", indent=_BODY)
            added = f"{_why(rule)} adds {print_points(rule.add64)}"
            yield from _ending(_plus("points", 100 * rule.add64), added)
    yield "score = 0 if points < 0 else min(points // 6400, 100)"


def _dimension(table: RouteTable, printer: Printer, dimension: Dimension) -> Iterator[str]:
    if dimension.value is None:
        assert dimension.terms is not None
        piece: Piece = Leaf(text=f"100 * {printer.names[dimension.terms]}")
        told = f"{dimension.name}: {dimension.source}"
    else:
        value = printer.factor(dimension.value)
        if needs_clamp(dimension, table):
            value = Bracketed(name="percent", pieces=(printer.number(dimension.value),))
        piece = Chain(first=Leaf(text=str(dimension.weight64)), rest=(("*", value),))
        told = f"{dimension.name}: weight {print_points(dimension.weight64)}, {dimension.source}"
    *lines, last = statement("points += ", piece, "", indent=_BODY)
    if lines:
        yield from [*comment_lines(told, _BODY), *lines, last]
    else:
        yield from with_comment(last, told, _BODY)


def _plus(name: str, amount: int) -> str:
    return f"{name} -= {-amount}" if amount < 0 else f"{name} += {amount}"


def _filters(table: RouteTable, printer: Printer) -> Iterator[str]:
    count = len(table.targets)
    everyone = (1 << count) - 1
    yield f"keep = {bits(everyone, count)}  # every target"
    for need in table.needs:
        if len(need.met_by) == count:
            continue
        yield from statement("if ", printer.guard(need.guard), ":", indent=_BODY)
        served = ", ".join(table.targets[target].name for target in need.met_by) or "no target"
        yield from _ending(f"keep &= {bits(_mask(need.met_by), count)}", f"{need.name}: {served}")
    if table.otherwise is Otherwise.DENY:
        yield "met = keep"
    for rule in table.rules:
        if rule.require is not None:
            yield from statement("if ", printer.guard(rule.guard), ":", indent=_BODY)
            yield from _ending(*_requirement(table, printer, rule))


def _requirement(table: RouteTable, printer: Printer, rule: Rule) -> tuple[str | list[str], str]:
    """The lines that drop what a matching rule does not allow, and what to say of them."""
    assert rule.require is not None
    count = len(table.targets)
    stay = _mask([keep.target for keep in rule.require if keep.guard != NEVER])
    dropped = any(keep.guard == NEVER for keep in rule.require)
    varies = any(keep.guard not in (ALWAYS, NEVER) for keep in rule.require)
    lines = [f"keep &= {bits(stay, count)}"] if dropped or not varies else []
    for keep in rule.require:
        if keep.guard not in (ALWAYS, NEVER):
            lines += statement("if not (", printer.guard(keep.guard), "):", indent=2 * _BODY)
            without = ((1 << count) - 1) & ~(1 << keep.target)
            lines.append(f"    keep &= {bits(without, count)}")
    return lines, f"{_why(rule)} requires {rule.require_source}"


def _tier(table: RouteTable, printer: Printer) -> Iterator[str]:
    cases: list[Case] = []
    for guard, pins in _pins_by_destination(table):
        told = f"pin {', '.join(pin.pattern for pin in pins)}"
        cases.append((printer.guard(guard), _pinned(table, pins[0]), told))
    for rule in table.rules:
        if rule.tier is not None:
            told = f"{_why(rule)} -> {table.tiers[rule.tier].name}"
            cases.append(
                (printer.guard(rule.guard), [f"tier = {rule.tier}", f"rule = {rule.id}"], told)
            )
    for tier in table.tiers[:-1]:
        body = [f"tier = {tier.id}", "rule = -1"]
        cases.append((Leaf(text=f"score <= {tier.up_to}"), body, f"score -> {tier.name}"))
    last = table.tiers[-1]
    yield from _cascade(cases, [f"tier = {last.id}", "rule = -1"], f"score -> {last.name}")


def _pinned(table: RouteTable, pin: Pin) -> list[str]:
    if pin.tier is not None:
        return [f"tier = {pin.tier}", "rule = -2"]
    assert pin.chain is not None
    mask = bits(_mask(table.chains[pin.chain].targets), len(table.targets))
    return [
        f"left = keep & {mask}",
        "if left:",
        f"    return ({_ROUTE}, -1, -2, {pin.chain}, left, score, -1)",
        f"return ({_REFUSE}, -1, -2, -1, 0, score, -1)",
    ]


def _pins_by_destination(table: RouteTable) -> list[tuple[Guard, list[Pin]]]:
    """Pins with one branch a destination, where they all test the class of one slot.

    The first pin that has a class keeps it, so the branches exclude each other and may stand in
    any order.
    """
    tests = [pin.guard for pin in table.pins if isinstance(pin.guard, ClassTest)]
    if len(tests) < len(table.pins) or len({test.slot for test in tests}) != 1:
        return [(pin.guard, [pin]) for pin in table.pins]
    taken: set[int] = set()
    classes: dict[tuple[int | None, int | None], list[int]] = {}
    pins: dict[tuple[int | None, int | None], list[Pin]] = {}
    for pin, test in zip(table.pins, tests, strict=True):
        own = [index for index in test.classes if index not in taken]
        if own:
            taken.update(own)
            classes.setdefault((pin.tier, pin.chain), []).extend(own)
            pins.setdefault((pin.tier, pin.chain), []).append(pin)
    return [
        (ClassTest(slot=tests[0].slot, classes=tuple(sorted(classes[to]))), pins[to])
        for to in classes
    ]


def _bounds(table: RouteTable, printer: Printer) -> Iterator[str]:
    floors = sorted(
        (rule for rule in table.rules if rule.floor is not None),
        key=lambda rule: -(rule.floor or 0),
    )
    ceilings = sorted(
        (rule for rule in table.rules if rule.ceiling is not None),
        key=lambda rule: rule.ceiling or 0,
    )
    unpinned = "rule != -2 and " if table.pins else ""
    if floors or ceilings:
        yield "changed = -1"
    if floors:
        cases = [
            (
                printer.guard(rule.guard),
                [f"floor = {rule.floor}", f"floor_rule = {rule.id}"],
                f"{_why(rule)} -> at least {table.tiers[rule.floor or 0].name}",
            )
            for rule in floors
        ]
        yield from _cascade(cases, ["floor = 0", "floor_rule = -1"], "no floor")
        yield f"if {unpinned}tier < floor:"
        yield "    tier = floor"
        yield "    changed = floor_rule"
    if ceilings:
        cases = [
            (
                printer.guard(rule.guard),
                [f"ceiling = {rule.ceiling}", f"ceiling_rule = {rule.id}"],
                f"{_why(rule)} -> at most {table.tiers[rule.ceiling or 0].name}",
            )
            for rule in ceilings
        ]
        top = len(table.tiers) - 1
        yield from _cascade(cases, [f"ceiling = {top}", "ceiling_rule = -1"], "no ceiling")
        yield f"if {unpinned}tier > ceiling:"
        yield "    tier = ceiling"
        yield "    changed = ceiling_rule"
    if floors or ceilings:
        yield "if rule == -1:"
        yield "    rule = changed"


def _prefers(table: RouteTable, printer: Printer) -> Iterator[str]:
    names = [target.name for target in table.targets]
    cases: list[Case] = [
        (
            printer.guard(rule.guard),
            [f"prefer = {rule.id}"],
            f"{_why(rule)} prefers {print_preference(rule.prefer, names)}",
        )
        for rule in table.rules
        if rule.prefer is not None
    ]
    if cases:
        yield from _cascade(cases, ["prefer = -1"], "no preference")


def _preferred(table: RouteTable) -> str:
    """What a routed verdict ends with."""
    return "prefer" if any(rule.prefer is not None for rule in table.rules) else "-1"


def _chain_title(table: RouteTable) -> str:
    if any(rule.chain is not None for rule in table.rules):
        return "6, 7. The first chain of a rule, else the tier's, without the targets dropped."
    return "6, 7. The tier's chain, without the targets dropped."


def _chains(table: RouteTable, printer: Printer) -> Iterator[str]:
    names = [target.name for target in table.targets]
    cases: list[Case] = []
    for rule in table.rules:
        if rule.chain is not None:
            guard = printer.guard(rule.guard)
            if table.pins:
                # A pinned tier takes the place of the rules' chains.
                holds = printer.conjunct(rule.guard)
                guard = Chain(first=Leaf(text="rule != -2"), rest=(("and", holds),))
            told = f"{_why(rule)} -> {print_chain(table.chains[rule.chain], names)}"
            cases.append((guard, _taken(table, rule.chain), told))
    *others, last = table.tiers
    for tier in others:
        is_it = Leaf(text=f"tier == {tier.id}")
        cases.append((is_it, _taken(table, tier.chain), _chain_of(table, tier)))
    yield from _cascade(cases, _taken(table, last.chain), _chain_of(table, last))
    yield "if left:"
    yield f"    return ({_ROUTE}, tier, rule, chain, left, score, {_preferred(table)})"


def _chain_of(table: RouteTable, tier: Tier) -> str:
    names = [target.name for target in table.targets]
    return f"{tier.name}: {print_chain(table.chains[tier.chain], names)}"


def _taken(table: RouteTable, chain: ChainId) -> list[str]:
    mask = bits(_mask(table.chains[chain].targets), len(table.targets))
    return [f"chain = {chain}", f"left = keep & {mask}"]


def _otherwise(table: RouteTable) -> Iterator[str]:
    match table.otherwise:
        case Otherwise.ESCALATE:
            yield from _escalation(table)
        case Otherwise.DENY:
            yield "if met:"
            yield f"    return ({_DENY}, tier, rule, -1, 0, score, -1)"
        case Otherwise.NONE:
            pass
        case _:
            assert_never(table.otherwise)
    yield f"return ({_REFUSE}, tier, rule, -1, 0, score, -1)"


def _escalation(table: RouteTable) -> Iterator[str]:
    has_ceilings = any(rule.ceiling is not None for rule in table.rules)
    # Only a pinned tier can lie above a ceiling, and have lower tiers that do as well.
    guards_lower = has_ceilings and any(pin.tier is not None for pin in table.pins)
    higher = [(f"tier < {t.id}", has_ceilings, t) for t in table.tiers[1:]]
    lower = [(f"tier > {t.id}", guards_lower, t) for t in reversed(table.tiers[:-1])]
    for condition, bounded, tier in (*higher, *lower):
        chain = table.chains[tier.chain]
        mask = bits(_mask(chain.targets), len(table.targets))
        within = f" and ceiling >= {tier.id}" if bounded and tier.id > 0 else ""
        yield from with_comment(f"if {condition}{within} and keep & {mask}:", tier.name, _BODY)
        preferred = _preferred(table)
        yield f"    return ({_ROUTE}, tier, rule, {chain.id}, keep & {mask}, score, {preferred})"


# -- lines ---------------------------------------------------------------------------------


def _why(rule: Rule) -> str:
    return f"{rule.name}: {rule.source}"


def _mask(targets: Sequence[TargetId]) -> int:
    return sum(1 << target for target in targets)


def _ending(body: str | list[str], told: str) -> list[str]:
    """The body of a branch, its first line told why."""
    first, *rest = [body] if isinstance(body, str) else body
    lines = [*with_comment(first, told, 2 * _BODY), *rest]
    return [f"    {line}" for line in lines]


def _cascade(cases: Sequence[Case], default: list[str], told: str) -> Iterator[str]:
    """``if``, ``elif`` ... ``else``; only the default where there are no cases."""
    if not cases:
        first, *rest = default
        yield from [*with_comment(first, told, _BODY), *rest]
        return
    keyword = "if "
    for condition, body, why in cases:
        yield from statement(keyword, condition, ":", indent=_BODY)
        yield from _ending(body, why)
        keyword = "elif "
    yield "else:"
    yield from _ending(default, told)


def _locals(table: RouteTable) -> list[str]:
    """The number variables of `decide` beside slots and shared values."""
    names = ["points", "score", "tier", "rule", "chain"]
    has_floors = any(rule.floor is not None for rule in table.rules)
    has_ceilings = any(rule.ceiling is not None for rule in table.rules)
    names += ["floor", "floor_rule"] if has_floors else []
    names += ["ceiling", "ceiling_rule"] if has_ceilings else []
    names += ["prefer"] if _preferred(table) == "prefer" else []
    names += ["changed"] if has_floors or has_ceilings else []
    return [*names, "keep", "left", *(["met"] if table.otherwise is Otherwise.DENY else [])]


def _members(slots: int) -> list[str]:
    """The types of a vector's entries, as lines; a tuple of C has one at least."""
    types = ["long long"] * max(slots, 1)
    rows = [", ".join(types[start : start + _A_ROW]) for start in range(0, len(types), _A_ROW)]
    return [f"{row}," for row in rows]
