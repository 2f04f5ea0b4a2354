"""The facts and sums as constraints: they say what their twins say, and no request breaks them."""

import random
from functools import cache
from itertools import product

import pytest
import z3
from hypothesis import given
from hypothesis import strategies as st

from lynkrc.analysis.entries import Scanned, holds_word, shape_of
from lynkrc.analysis.facts import constraint, facts
from lynkrc.analysis.relations import Relation, groups_of, holds, relations, violated
from lynkrc.analysis.terms import Terms, terms
from lynkrc.ir.domain import Domain, Part, Point, domain_of
from lynkrc.ir.table import Entry, Lexicon, LexiconId, SlotType
from lynkrc.lower.patterns import build_automaton
from lynkrc_runtime.scan.fold import fold_text
from tests.property.effort import tried
from tests.property.facts_requests import (
    ENTRIES,
    Made,
    automaton,
    conversation,
    lexicons,
    requests,
    rig,
    said,
    scanned,
    slot,
)
from tests.property.test_scan_against_reference import entries as drawn_entries
from tests.property.test_scan_against_reference import is_word, matches, parse, texts

FEW = tried(30)
Symbols = tuple[list[z3.ArithRef], list[z3.BoolRef | None]]


def symbols(domain: Domain) -> Symbols:
    ints: list[z3.ArithRef] = []
    bools: list[z3.BoolRef | None] = []
    for number, variable in enumerate(domain.variables):
        flag = z3.Bool(f"b{number}") if variable.slot.type is SlotType.BOOL else None
        bools.append(flag)
        ints.append(z3.Int(f"i{number}") if flag is None else z3.If(flag, 1, 0))
    return ints, bools


@cache
def told(seed: int) -> tuple[Symbols, tuple[Relation, ...], list[z3.BoolRef], Terms]:
    """What the solver is told of a rig: once, for building is dear."""
    domain = rig(seed).domain
    made = symbols(domain)
    known = relations(domain)
    clauses = [constraint(one, *made) for one in known]
    return made, known, clauses, terms(domain, *made, [scanned()])


def pinned(made: Symbols, point: Point) -> list[z3.BoolRef]:
    """The variables at the point."""
    return [
        value == number if flag is None else flag == bool(number)
        for number, value, flag in zip(point, *made, strict=True)
    ]


def is_possible(constraints: list[z3.BoolRef], made: Symbols, point: Point) -> bool:
    solver = z3.Solver()
    solver.add(pinned(made, point))
    solver.add(constraints)
    return bool(solver.check() == z3.sat)


@FEW
@given(seed=st.integers(0, 40), chance=st.randoms(use_true_random=False))
def test_the_solver_is_told_what_the_twin_says(seed: int, chance: random.Random) -> None:
    domain = rig(seed).domain
    made, known, clauses, _ = told(seed)
    point = tuple(
        chance.randint(max(one.slot.low, -70), min(one.slot.high, chance.choice((1, 3, 12, 300))))
        if chance.random() < 0.9
        else one.slot.high
        for one in domain.variables
    )
    solver = z3.Solver()
    solver.add(pinned(made, point))
    assert solver.check() == z3.sat
    model = solver.model()
    for relation, clause in zip(known, clauses, strict=True):
        assert z3.is_true(model.eval(clause)) == holds(relation, point)
    assert (violated(domain, point) == ()) == all(holds(one, point) for one in known)


@FEW
@given(made=requests, seed=st.integers(0, 40))
def test_no_request_is_impossible(made: Made, seed: int) -> None:
    variables, _, clauses, found = told(seed)
    assert found.loose == frozenset()
    assert is_possible([*clauses, *found.constraints], variables, rig(seed).point(made))


def test_the_facts_are_all_the_relations() -> None:
    made, _, clauses, _ = told(3)
    assert [str(one) for one in facts(rig(3).domain, *made)] == [str(one) for one in clauses]


# -- sums ------------------------------------------------------------------------------------


def over(*slots: tuple[str, str]) -> Domain:
    made = tuple(slot(i, name, ("ask", of), None) for i, (name, of) in enumerate(slots))
    return domain_of(Part(slots=made, lexicons=lexicons()))


def reachable(domain: Domain, parts: list[Scanned]) -> set[Point]:
    """All points that the constraints leave, by asking the solver again and again."""
    made = symbols(domain)
    solver = z3.Solver()
    solver.add(terms(domain, *made, parts).constraints)
    found = set()
    while solver.check() == z3.sat:
        model = solver.model()
        values = [model.eval(one, model_completion=True) for one in made[0]]
        point = tuple(value.as_long() for value in values)
        found.add(point)
        solver.add(z3.Or([one != value for one, value in zip(made[0], point, strict=True)]))
    return found


def expected(domain: Domain, implied: dict[str, set[str]]) -> set[Point]:
    """The same by trying all sets of entries."""
    patterns = sorted({entry.pattern for one in domain.variables for entry in one.entries})
    found = set()
    for chosen in product((False, True), repeat=len(patterns)):
        present = {name for name, is_in in zip(patterns, chosen, strict=True) if is_in}
        if any(not implied.get(name, set()) & set(patterns) <= present for name in present):
            continue
        point = []
        for one in domain.variables:
            own = [entry.weight64 for entry in one.entries if entry.pattern in present]
            point.append(
                {"points": sum(own), "distinct": len(own)}.get(one.slot.feature, bool(own))
            )
        found.add(tuple(map(int, point)))
    return found


IMPLIED = {
    "prove that": {"prove*", "~pro"},
    "prove*": {"~pro"},
    "~证明": {"~证"},
}


@pytest.mark.parametrize(
    "slots",
    [
        [("points", "proof")],
        [("points", "proof"), ("distinct", "proof"), ("matches", "proof")],
        [("points", "proof"), ("distinct", "polite"), ("matches", "greeting")],
        [("distinct", "twice"), ("points", "twice"), ("matches", "proof")],
        [("points", "cjk"), ("points", "marks"), ("matches", "cjk")],
    ],
    ids=str,
)
def test_sums_are_those_of_the_sets_of_entries(slots: list[tuple[str, str]]) -> None:
    domain = over(*slots)
    assert reachable(domain, [scanned()]) == expected(domain, IMPLIED)
    assert reachable(domain, []) == expected(domain, {})


def test_what_one_entry_implies_is_read_off_the_automaton() -> None:
    every = {text for entries in ENTRIES.values() for text, _ in entries}
    shape = shape_of([scanned()], every)
    assert {name: set(one) for name, one in shape.implies.items() if one} == IMPLIED
    assert every - shape.in_words == {"/[!?]{1,3}/", "~/\\s/"}


def test_a_sum_that_is_cut_off_stays_in_its_range() -> None:
    slots = (slot(0, "points", ("ask", "proof"), 100), slot(1, "distinct", ("ask", "proof"), 2))
    domain = domain_of(Part(slots=slots, lexicons=lexicons()))
    found = reachable(domain, [])
    assert found == {
        (min(distinct, 2), max(-100, min(points, 100)))
        for distinct, points in expected(over(("distinct", "proof"), ("points", "proof")), {})
    }


def test_lexicons_beyond_the_limit_are_loose() -> None:
    domain = over(("points", "proof"), ("points", "twice"), ("distinct", "cjk"), ("matches", "cjk"))
    made = symbols(domain)
    names = [variable.text for variable in domain.variables]
    assert names == [
        "distinct(ask, cjk)",
        "matches(ask, cjk)",
        "points(ask, proof)",
        "points(ask, twice)",
    ]
    assert terms(domain, *made).loose == frozenset()
    # The short one first; `proof` shares its entry, and the third does not fit.
    few = terms(domain, *made, most=4)
    assert few.loose == {2}
    assert terms(domain, *made, most=0).loose == {0, 2, 3}
    assert terms(domain, *made, most=0).constraints == []


def test_a_word_is_needed_where_the_automaton_says_so() -> None:
    slots = (
        slot(0, "ask.words", (), None),
        slot(1, "matches", ("ask", "odd"), None),
    )
    entry = Entry(pattern="/a[!]?/", weight64=64)
    lexicon = Lexicon(id=LexiconId(0), name="odd", entries=(entry,), first=0)
    domain = domain_of(Part(slots=slots, lexicons=(lexicon,)))
    made = symbols(domain)
    assert violated(domain, (0, 1)) == ()
    assert is_possible(terms(domain, *made).constraints, made, (0, 1))
    part = Scanned(lexicons=(lexicon,), automaton=build_automaton([[parse(entry.pattern)]]))
    found = terms(domain, *made, [part])
    assert not is_possible(found.constraints, made, (0, 1))
    assert is_possible(found.constraints, made, (1, 1))


# -- entries against the reference -----------------------------------------------------------


@tried(150)
@given(drawn=st.lists(drawn_entries, min_size=1, max_size=6, unique=True), text=texts)
def test_what_is_said_of_entries_is_true_of_the_reference(drawn: list[str], text: str) -> None:
    patterns = [parse(one) for one in drawn]
    lexicon = Lexicon(
        id=LexiconId(0),
        name="drawn",
        entries=tuple(Entry(pattern=one, weight64=64) for one in drawn),
        first=0,
    )
    part = Scanned(lexicons=(lexicon,), automaton=build_automaton([patterns]))
    shape = shape_of([part], set(drawn))
    folded = fold_text(text)
    present = {one.text for one in patterns if any(True for _ in matches(one, folded))}
    has_word = any(map(is_word, folded))
    for name in present:
        assert shape.implies.get(name, frozenset()) <= present
        assert has_word or name not in shape.in_words
        assert has_word or not holds_word(name)
    # What the entry's text shows, the automaton shows too.
    assert {name for name in drawn if holds_word(name)} <= shape.in_words


def test_the_automaton_of_the_samples_is_searched() -> None:
    assert automaton().accepts[0] == ()
    assert {group.text for group in groups_of(rig(0).domain)} == {"ask", "history", "envelope"}
    assert violated(rig(0).domain, rig(0).point(conversation(said("hi")))) == ()
