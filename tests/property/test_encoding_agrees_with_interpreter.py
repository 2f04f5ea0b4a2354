"""The solver's formulas of a table decide every request as the reference interpreter does."""

import z3
from hypothesis import given

from lynkrc.analysis.encode import Encoder
from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.order import first_in_order
from lynkrc.analysis.solver import Found, Impossible, Solver
from lynkrc.analysis.symbols import Symbols, symbols_of
from lynkrc.interp import evaluate as steps
from lynkrc.ir.domain import Part, domain_of
from lynkrc.ir.table import RouteTable
from lynkrc_runtime.decide import Outcome
from tests.property.effort import tried
from tests.property.random_tables import tables, vectors


def encoded(table: RouteTable) -> tuple[Symbols, Encoded]:
    domain = domain_of(Part(slots=table.slots, lexicons=table.lexicons))
    symbols = symbols_of(domain, z3.Context())
    return symbols, Encoder(table, symbols, domain.views[0]).encode()


def facts_of(table: RouteTable, found: Encoded, vector: list[int]) -> list[z3.BoolRef]:
    """What the interpreter says of a vector, as formulas."""
    outcome, tier, rule, chain, mask, score, _ = steps.evaluate(table, vector)
    facts = [found.outcome[Outcome(outcome)], found.rule_is(rule)]
    facts.append(found.tier[tier] if tier >= 0 else z3.Not(found.has_tier))
    for one in table.chains:
        facts.append(found.final[one.id] == (one.id == chain))
    for target in table.targets:
        facts.append(found.attempted[target.id] == bool(mask >> target.id & 1))
        facts.append(found.kept[target.id] == (not steps.objections(table, vector, target.id)))
    first = steps.first_pin(table, vector)
    for pin, is_first in zip(table.pins, found.first_pin, strict=True):
        facts.append(is_first == (pin is first))
    for one in table.rules:
        facts.append(found.matches[one.id] == steps.holds(one.guard, vector))
    if score >= 0:
        total = 6400 * score - 3200
        facts += [] if score == 0 else [found.sum >= total]
        facts += [] if score == 100 else [found.sum < total + 6400]
    return facts


@tried(60)
@given(tables(), vectors)
def test_every_step_is_as_in_the_interpreter(table: RouteTable, vector: list[int]) -> None:
    symbols, found = encoded(table)
    point = [0] * len(vector)
    for slot, variable in enumerate(symbols.domain.views[0].variables):
        point[variable] = vector[slot]
    fixed = [symbol == value for symbol, value in zip(symbols.ints, point, strict=True)]
    solver = Solver([symbols], [*symbols.ranges, *found.definitions, *fixed])
    facts = facts_of(table, found, vector)
    assert isinstance(solver.ask(*facts), Found)
    assert isinstance(solver.ask(z3.Not(z3.And(*facts))), Impossible)


@tried(25)
@given(tables())
def test_what_is_found_for_an_outcome_has_it(table: RouteTable) -> None:
    symbols, found = encoded(table)
    solver = Solver([symbols], [*symbols.ranges, *found.definitions])
    view = symbols.domain.views[0]
    for outcome, formula in found.outcome.items():
        answer = solver.smallest(formula)
        if isinstance(answer, Found):
            (point,) = answer.points
            assert steps.evaluate(table, view.vector(point))[0] == outcome
    first = first_in_order(found)
    for target in table.targets:
        answer = solver.ask(first[target.id])
        if isinstance(answer, Found):
            mask = steps.evaluate(table, view.vector(answer.points[0]))[4]
            assert mask >> target.id & 1
    routed = solver.ask(found.outcome[Outcome.ROUTE], *(z3.Not(one) for one in first))
    assert isinstance(routed, Impossible)
