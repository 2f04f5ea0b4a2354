"""The solver finds every difference of two tables that trying finds, and none that is not there."""

from dataclasses import replace

import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc.analysis.known import known_of
from lynkrc.analysis.solver import Impossible, Solver
from lynkrc.analysis.symbols import symbols_of
from lynkrc.diff.classify import classify
from lynkrc.diff.identity import pair_of
from lynkrc.diff.plan import Category
from lynkrc.diff.sample import sample
from lynkrc.diff.search import search
from lynkrc.ir.domain import Part, domain_of
from lynkrc.ir.table import RouteTable, RuleId
from tests.property.random_tables import tables


@st.composite
def changed(draw: st.DrawFn) -> tuple[RouteTable, RouteTable]:
    """A table, and the same with something else in it."""
    old, other = draw(tables()), draw(tables())
    new = old
    for part in draw(st.sets(st.sampled_from(["rules", "offset64", "dimensions", "order"]))):
        if part == "order":
            rules = draw(st.permutations(new.rules))
            numbered = (replace(rule, id=RuleId(i)) for i, rule in enumerate(rules))
            new = replace(new, rules=tuple(numbered))
        elif part == "rules":
            new = replace(new, rules=new.rules[:-1])
        else:
            new = replace(new, **{part: getattr(other, part)})
    return old, new


@settings(derandomize=True, deadline=None, max_examples=60)
@given(changed())
def test_what_trying_finds_is_found(both: tuple[RouteTable, RouteTable]) -> None:
    old, new = both
    pair = pair_of(old, new)
    domain = domain_of(
        Part(slots=old.slots, lexicons=old.lexicons), Part(slots=new.slots, lexicons=new.lexicons)
    )
    before, after = domain.views

    def categories(points: tuple[tuple[int, ...], ...]) -> set[Category]:
        found = (classify(pair, before.vector(p), after.vector(p)) for p in points)
        return {one.category for one in found if one is not None}

    found = search(pair, domain)
    shown = categories(found.points)
    if found.unknown:
        return
    tried = categories(sample(pair, domain).points[:400]) - {Category.COSMETIC} - shown
    if tried:
        # Trying knows no facts: what no request has is no difference that must be found.
        missed = [p for p in sample(pair, domain).points[:400] if categories((p,)) <= tried]
        symbols = symbols_of(domain, z3.Context())
        solver = Solver([symbols], known_of(symbols, both).constraints)
        for point in missed:
            fixed = [symbol == value for symbol, value in zip(symbols.ints, point, strict=True)]
            assert not categories((point,)) or isinstance(solver.ask(*fixed), Impossible), point
    # Every point the solver gives is a difference that the interpreter confirms.
    for point in found.points:
        assert classify(pair, before.vector(point), after.vector(point)) is not None
