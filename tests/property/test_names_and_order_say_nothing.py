"""Names of lexicons and of headers, and the order of rules that exclude each other, say nothing."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given

from lynkrc.analysis.study import study
from lynkrc.analysis.verdicts import decide
from lynkrc.diff.compare import compare
from lynkrc.diff.plan import Spec
from lynkrc.ir.assertion import Assertions
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.guard import (
    And,
    BoolSlot,
    ClassTest,
    Compare,
    Guard,
    IntCompare,
    IntConst,
    IntSlot,
    Not,
)
from lynkrc.ir.table import Lexicon, LexiconId, RouteTable, Slot, SlotType
from tests.property.changed_tables import numbered
from tests.property.effort import tried
from tests.property.small_specs import SmallSpec, small_specs, small_tables
from tests.unit.sample_table import entries, tiny_automaton

LEXICONS = (("greeting", ("hi", "good day")), ("audit", ("security audit", "hi")))

READS: Mapping[str, tuple[str, str]] = {
    "loop.tool_errors": ("count", "audit"),
    "tools.count": ("count", "greeting"),
    "turns": ("distinct", "greeting"),
    "wants.stream": ("matches", "audit"),
    "wants.thinking": ("matches", "greeting"),
}
"""What a small spec reads -> what stands in its place, so that it reads lexicons."""


def with_lexicons(spec: SmallSpec) -> SmallSpec:
    """The spec with counts and matches of lexicons for most of what it reads."""

    def reading(slot: Slot) -> Slot:
        if slot.feature not in READS:
            return slot
        feature, lexicon = READS[slot.feature]
        return replace(slot, feature=feature, args=("ask", lexicon))

    firsts = (0, 2)
    table = replace(
        spec.table,
        slots=tuple(reading(slot) for slot in spec.table.slots),
        lexicons=tuple(
            Lexicon(id=LexiconId(i), name=name, entries=entries(*patterns), first=firsts[i])
            for i, (name, patterns) in enumerate(LEXICONS)
        ),
        automaton=tiny_automaton(4),
    )
    items = replace(spec.assertions, slots=tuple(reading(one) for one in spec.assertions.slots))
    return SmallSpec(table=table, assertions=items)


def renamed(spec: SmallSpec, names: Mapping[str, str]) -> SmallSpec:
    """The spec with other names of lexicons and headers."""

    def called(slot: Slot) -> Slot:
        return replace(slot, args=tuple(names.get(one, one) for one in slot.args))

    table = replace(
        spec.table,
        slots=tuple(called(slot) for slot in spec.table.slots),
        lexicons=tuple(
            replace(one, name=names.get(one.name, one.name)) for one in spec.table.lexicons
        ),
    )
    items = replace(spec.assertions, slots=tuple(called(slot) for slot in spec.assertions.slots))
    return SmallSpec(table=table, assertions=items)


def verdicts(table: RouteTable, assertions: Assertions) -> list[tuple[object, ...]]:
    subject = study(table, assertions)
    found = [decide(subject, one) for one in assertions.items]
    return [(one.status, one.worst, one.is_exact) for one in found]


def are_the_same(old: RouteTable, new: RouteTable) -> bool:
    """Whether a comparison says so; the digests differ, so that all of it is compared."""
    specs = [Spec(label=label, name=old.name, digest=label, routes="") for label in ("old", "new")]
    return compare(old, new, specs=(specs[0], specs[1])).same_meaning


@tried(8)
@given(small_specs(most_assertions=3))
def test_a_lexicon_may_have_any_name(drawn: SmallSpec) -> None:
    spec = with_lexicons(drawn)
    # The other way round in the alphabet, so that variables stand in another order.
    other = renamed(spec, {"greeting": "a-word", "audit": "z-word"})
    assert meaning_digest(spec.table) == meaning_digest(other.table)
    assert are_the_same(spec.table, other.table)
    assert verdicts(spec.table, spec.assertions) == verdicts(other.table, other.assertions)


@tried(5)
@given(small_specs(most_assertions=3))
def test_verdicts_do_not_rest_on_the_name_of_a_header(spec: SmallSpec) -> None:
    other = renamed(spec, {"x-data-class": "a-class"})
    assert verdicts(spec.table, spec.assertions) == verdicts(other.table, other.assertions)


def value_is(slot: Slot, value: int) -> Guard:
    match slot.type:
        case SlotType.BOOL:
            test = BoolSlot(slot=slot.id)
            return test if value else Not(operand=test)
        case SlotType.CLASS:
            return ClassTest(slot=slot.id, classes=(value,))
        case _:
            return IntCompare(
                op=Compare.EQ, left=IntSlot(slot=slot.id), right=IntConst(value=value)
            )


def in_turn(table: RouteTable) -> tuple[RouteTable, RouteTable]:
    """The table with its rules confined to one value of a slot each, in two orders.

    Rules of one value, which may both match, keep their order among each other.
    """
    slot = table.slots[0]
    values = slot.high + 1
    apart = [
        replace(one, guard=And(operands=(one.guard, value_is(slot, one.id % values))))
        for one in table.rules
    ]
    backwards = sorted(apart, key=lambda one: -(one.id % values))
    return numbered(table, apart), numbered(table, backwards)


@tried(8)
@given(small_tables())
def test_rules_that_exclude_each_other_may_stand_in_any_order(drawn: RouteTable) -> None:
    assert are_the_same(*in_turn(drawn))


@tried(5)
@given(small_specs(most_assertions=3))
def test_verdicts_do_not_rest_on_the_order_of_such_rules(spec: SmallSpec) -> None:
    one, other = in_turn(spec.table)
    assert verdicts(one, spec.assertions) == verdicts(other, spec.assertions)
