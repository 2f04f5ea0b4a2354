"""Coverage: what there is to show of a table, what vectors show, and what does not count."""

from fractions import Fraction

import pytest

from lynkrc.interp.goals import Seen, seen
from lynkrc.ir.guard import Compare, Guard, IntCompare, IntConst, IntSlot, SlotId
from lynkrc.testing.case import Features
from lynkrc.testing.coverage import Count, Coverage, Kind, coverage_items, measure
from lynkrc.testing.report_text import percent
from tests.unit.sample_table import bool_slot, number_slot
from tests.unit.sample_table import rule as made_rule
from tests.unit.testing_sample import one_case, sample_engines, sample_table, sound


def decided(features: str) -> Seen:
    engines = sample_engines()
    (case,) = sound(one_case(f"features: {features}"))
    assert isinstance(case.given, Features)
    by = seen(engines.table, case.given.vector)
    assert by.order == engines.decider.decide(list(by.vector)).targets
    return by


def shown(*features: str) -> set[str]:
    covered = measure(sample_table(), [decided(one) for one in features]).covered
    return {item.id for item in covered}


def test_ids_are_distinct_and_items_go_by_kind() -> None:
    items = coverage_items(sample_table())
    assert len({item.id for item in items}) == len(items) == len(set(items))
    kinds = [list(Kind).index(item.kind) for item in items]
    assert kinds == sorted(kinds)
    assert {item.kind for item in items} == set(Kind)
    assert items == coverage_items(sample_table())


def test_nothing_is_shown_by_no_vector() -> None:
    coverage = measure(sample_table(), [])
    assert coverage.covered == frozenset()
    assert coverage.missing == coverage.items
    assert coverage.count().share == 0


@pytest.mark.parametrize(
    ("features", "id", "is_shown"),
    [
        ("{'header(\"x-team\")': legal}", "decided:legal", True),
        ("{'header(\"x-team\")': legal, ask.words: 1}", "decided:pings", False),
        ("{'header(\"x-team\")': legal, ask.words: 1}", "matched:pings", True),
        ("{ask.words: 1}", "decided:pings", True),
        ("{'matches(ask, secrets)': true}", "decided:at-home", True),
        ("{tools.count: 5}", "decided:agents", True),
        ("{tools.count: 5, ask.words: 30}", "decided:agents", False),
        ("{tools.count: 5, ask.words: 30}", "matched:agents", True),
        ("{ask.questions: 1}", "decided:questions", True),
        ("{tools.count: 5}", "atom:agents:true:tools.count > 4", True),
        ("{tools.count: 5}", "atom:agents:false:tools.count > 4", False),
        ("{tools.count: 5}", "number:agents:tools.count=5", True),
        ("{tools.count: 4}", "number:agents:tools.count=4", True),
        ("{tools.count: 6}", "number:agents:tools.count=5", False),
        ("{ask.words: 0}", "number:pings:ask.words=0 or 2", True),
        ("{ask.words: 2}", "number:pings:ask.words=0 or 2", True),
        ("{}", "tier:LOW", True),
        ("{}", "tier:HIGH", False),
        ("{}", "fallback:LOW:small->large", True),
        ("{'matches(ask, secrets)': true}", "fallback:LOW:small->large", False),
        ("{tools.count: 5}", "fallback:HIGH:large->spare", True),
        ("{ask.words: 15}", "score:LOW:50", True),
        ("{ask.words: 16}", "score:LOW:51", False),
        ("{}", "escalation:LOW->HIGH", False),
    ],
)
def test_a_vector_shows_what_it_does(features: str, id: str, is_shown: bool) -> None:
    assert id in {item.id for item in coverage_items(sample_table())}
    assert (id in shown(features)) == is_shown


def test_the_last_values_on_each_side_are_within_the_range_of_the_number() -> None:
    table = sample_table()
    slots = (number_slot(0, "turns", 9), bool_slot(1, "wants.stream"))

    def boundaries(guard: Guard) -> list[str]:
        rule = made_rule(0, "r", guard, "", floor=1)
        small = type(table)(
            **{name: getattr(table, name) for name in table.__slots__}
            | {"slots": slots, "rules": (rule,), "tiers": table.tiers[:1]}
        )
        items = coverage_items(small)
        return [item.id for item in items if item.id.startswith("number:")]

    def compared(op: str, literal: int, *, turned: bool = False) -> Guard:
        slot, constant = IntSlot(slot=SlotId(0)), IntConst(value=literal)
        left, right = (constant, slot) if turned else (slot, constant)
        return IntCompare(op=Compare(op), left=left, right=right)

    assert boundaries(compared(">", 3)) == ["number:r:turns=3", "number:r:turns=4"]
    assert boundaries(compared("<=", 3)) == ["number:r:turns=3", "number:r:turns=4"]
    assert boundaries(compared("<", 3)) == ["number:r:turns=2", "number:r:turns=3"]
    assert boundaries(compared("<", 3, turned=True)) == ["number:r:turns=3", "number:r:turns=4"]
    assert boundaries(compared("==", 9)) == ["number:r:turns=9", "number:r:turns=8"]
    assert boundaries(compared("!=", 0)) == ["number:r:turns=0", "number:r:turns=1"]
    assert boundaries(compared(">=", 10)) == ["number:r:turns=9"]
    both = IntCompare(op=Compare(">"), left=IntSlot(slot=SlotId(0)), right=IntSlot(slot=SlotId(1)))
    difference = "turns + -1 * wants.stream"
    assert boundaries(both) == [f"number:r:{difference}=0", f"number:r:{difference}=1"]


def test_what_is_proved_unreachable_does_not_count() -> None:
    items = coverage_items(sample_table())
    escalations = frozenset(item for item in items if item.id.startswith("escalation:"))
    plain = measure(sample_table(), [decided("{}")])
    less = measure(sample_table(), [decided("{}")], prove=lambda _: (escalations, ()))
    assert less.unreachable == escalations
    assert set(plain.missing) - set(less.missing) == escalations
    count = less.count(Kind.FALLBACKS)
    assert (count.unreachable, count.total) == (2, plain.count(Kind.FALLBACKS).total - 2)
    assert less.count().share > plain.count().share


def test_only_of_what_was_not_shown_it_is_asked_whether_anything_shows_it() -> None:
    coverage = measure(sample_table(), [decided("{}")], prove=lambda items: (items, ()))
    assert coverage.covered
    assert coverage.covered.isdisjoint(coverage.unreachable)
    assert coverage.count().share == 100


def test_what_is_not_known_to_be_reachable_counts() -> None:
    coverage = measure(sample_table(), [], prove=lambda items: ((), items))
    assert coverage.unknown == frozenset(coverage.items)
    assert coverage.count() == Count(total=len(coverage.items), covered=0, unreachable=0)


def test_what_stands_in_another_file_is_inherited() -> None:
    table, here = sample_table(), sample_table().rules[0].span.file.path
    assert not measure(table, [], own=here).inherited.items
    elsewhere = measure(table, [], own="other.yaml")
    assert elsewhere.own.items == ()
    assert elsewhere.inherited.items == elsewhere.items


def test_nothing_to_cover_is_all_of_it() -> None:
    empty = Coverage(items=(), covered=frozenset(), unreachable=frozenset())
    assert empty.count().share == 100
    assert Count(total=3, covered=2, unreachable=0).share == Fraction(200, 3)


def test_shares_are_never_rounded_up() -> None:
    assert percent(Fraction(100 * 9_999, 10_000)) == "99.9"
    assert percent(Fraction(0)) == "0"
    assert percent(Fraction(1, 100)) == "0.0"
