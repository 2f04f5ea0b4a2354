"""The parts of a bench by themselves: its texts, its clock, and the table taken apart."""

import pytest

from lynkrc.bench.engines import engines
from lynkrc.bench.examples import example
from lynkrc.bench.measure import FEWEST_ROUNDS, ROUNDS, measure
from lynkrc.bench.requests import BODIES, DIALECT
from lynkrc.bench.table import DEAREST, shape_of
from lynkrc.bench.texts import KINDS, SAMPLED, SIZES, kinds, text_of
from lynkrc.codegen.tables import tables_of
from lynkrc.lower.patterns import build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.scan.engines import kernel_name
from lynkrc_runtime.scan.matcher import Matcher

SPAN = Span(file=SourceFile(path="-", text=""), start=0, end=0)


def parse(text: str) -> Pattern:
    pattern, findings = parse_pattern(text, SPAN, None)
    assert pattern is not None, findings
    return pattern


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_has_its_size_and_is_always_the_same(kind: str) -> None:
    entries = ["first thing", "größe"]
    for size in (1, 17, 2_000):
        text = text_of(kind, size, entries)
        assert size - 3 <= len(text.encode()) <= size
        assert text == text_of(kind, size, entries)


def test_samples_are_of_the_scripts_they_are_called_by() -> None:
    assert text_of("prose", 20_000, ()).isascii() and text_of("code", 20_000, ()).isascii()
    cjk = text_of("cjk", 20_000, ())
    assert sum(char > "\u2e80" for char in cjk) > 0.8 * len(cjk)
    assert len({text_of(kind, 2_000, ()) for kind in SAMPLED}) == len(SAMPLED)


def test_without_entries_no_text_is_made_of_them() -> None:
    assert set(KINDS) - set(kinds(())) == {"entries", "near-misses"}
    assert kinds(["a"]) == KINDS
    with pytest.raises(ValueError, match="empty pieces"):
        text_of("entries", 10, ())
    with pytest.raises(KeyError):
        text_of("poems", 10, ())


@pytest.mark.parametrize(
    "entry",
    [
        "plain",
        "two words",
        "(a|b)c*",
        "/[^a-z]{2,3}x/",
        "~suffix",
        "/colou?r(ed)?/",
        "größe",
        "分析",
        "ภาษา",
        "/[ก-ฮ]{2}x?/",
    ],
)
def test_an_example_is_matched_by_its_entry(entry: str) -> None:
    pattern = parse(entry)
    matcher = Matcher(tables_of(build_automaton([[pattern]]), [1]))
    assert matcher.scan(example(pattern)).counts == (1,)


def test_every_engine_finds_the_same() -> None:
    lexicons = [[parse("alpha"), parse("beta*")], [parse("gamma ray*")]]
    tables = tables_of(build_automaton(lexicons), [2, 1])
    made = engines(tables)
    assert [one.name for one in made] == list(dict.fromkeys((kernel_name(), "portable")))
    found = [one.scan("Alpha, betas and gamma-rays") for one in made]
    assert found[0].counts == (2, 1) and all(one == found[0] for one in found)


@pytest.mark.parametrize("kind", sorted(BODIES))
@pytest.mark.parametrize("size", SIZES)
def test_bodies_are_requests_of_about_their_size(kind: str, size: int) -> None:
    body = BODIES[kind](size)
    assert 0.85 * size < len(body) < 1.15 * size
    assert CLIENT_DIALECTS[DIALECT].read_request(body, {}).messages


# -- measuring ---------------------------------------------------------------------------------


class Clock:
    """A clock that work moves by hand."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def test_costs_are_medians_of_rounds_in_turn() -> None:
    clock = Clock()
    order: list[str] = []

    def quick() -> None:
        clock.now += 1_000
        order.append("quick")

    def slow() -> None:
        clock.now += 50_000_000
        order.append("slow")

    costs = measure({"quick": quick, "slow": slow}, 1.0, clock)
    assert costs["quick"].median == 1_000 and costs["slow"].median == 50_000_000
    assert costs["slow"].spread == 0.0
    turns = [one for one, before in zip(order, [None, *order], strict=False) if one != before]
    assert turns == ["quick", "slow"] * (1 + ROUNDS)
    assert clock.now < 1.5e9
    assert costs["quick"].each(10).median == 100


def test_what_takes_too_long_has_fewer_rounds() -> None:
    clock = Clock()
    runs = 0

    def endless() -> None:
        nonlocal runs
        clock.now += 10_000_000_000
        runs += 1

    measure({"endless": endless}, 1.0, clock)
    assert runs == 2 + FEWEST_ROUNDS
    assert measure({}, 1.0, clock) == {}


# -- the table ---------------------------------------------------------------------------------


def test_a_part_is_what_is_saved_without_it() -> None:
    one, two = [parse("alpha"), parse("alphabet")], [parse("omega"), parse("alpha ray")]
    shape = shape_of([("one", one), ("two", two)], 1_000)
    whole = build_automaton([one, two])
    assert (shape.states, shape.classes, shape.entries) == (whole.states, whole.classes, 4)
    parts = {part.lexicon: part for part in shape.lexicons}
    assert parts["one"].states == whole.states - build_automaton([two]).states
    assert parts["two"].states == whole.states - build_automaton([one]).states
    assert all(part.is_exact for part in (*shape.lexicons, *shape.dearest))
    dearest = {part.entry: part for part in shape.dearest}
    rest = build_automaton([one, [parse("alpha ray")]])
    assert dearest["omega"].states == whole.states - rest.states
    sizes = [part.bytes for part in shape.dearest]
    assert sizes == sorted(sizes, reverse=True)


def test_an_entry_that_multiplies_the_others_is_found() -> None:
    words = [parse(word) for word in ("considerable", "interesting", "wonderful", "magnificent")]
    far = parse("/on [a-z ]{0,5} earth/")
    shape = shape_of([("words", words), ("far", [far])], 1_000)
    assert shape.dearest[0].entry == far.text
    assert shape.dearest[0].states > build_automaton([[far]]).states


def test_a_table_too_large_to_take_apart_is_told_by_what_is_in_it() -> None:
    lexicons = [("one", [parse("alpha")]), ("two", [parse("alpha"), parse("omega")])]
    shape = shape_of(lexicons, 1_000, most_cells=1)
    assert not any(part.is_exact for part in (*shape.lexicons, *shape.dearest))
    assert [part.lexicon for part in shape.lexicons] == ["two", "one"]
    assert all(part.bytes > 0 for part in shape.lexicons)
    assert len(shape.dearest) == 3 <= DEAREST


def test_no_lexicons_have_no_parts() -> None:
    shape = shape_of([], 300)
    assert (shape.entries, shape.lexicons, shape.dearest) == (0, (), ())
