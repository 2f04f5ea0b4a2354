"""What calls for a duty is the same to the solver and to the steps of the interpreter."""

from hypothesis import given

from lynkrc.analysis.duties import atoms_of, duties_of
from lynkrc.analysis.duty_formulas import DutyFormulas
from lynkrc.analysis.duty_seen import Seen
from lynkrc.analysis.solver import Found, Solver
from lynkrc.analysis.study import study
from lynkrc.ir.table import RouteTable
from tests.property.effort import tried
from tests.property.random_tables import tables, vectors


@tried(30)
@given(tables(), vectors)
def test_formulas_and_steps_call_for_the_same(table: RouteTable, vector: list[int]) -> None:
    known = study(table)
    atoms = atoms_of(table)
    formulas = DutyFormulas(known.encoded, atoms)
    point = [0] * len(vector)
    for slot, variable in enumerate(known.domain.views[0].variables):
        point[variable] = vector[slot]
    fixed = [s == value for s, value in zip(known.symbols.ints, point, strict=True)]
    solver = Solver([known.symbols], [*known.encoded.definitions, *fixed])
    if not isinstance(solver.ask(), Found):
        return  # no request is like that: embeddings without a target
    found = Seen(table, vector)
    for duty in duties_of(table, atoms):
        answer = isinstance(solver.ask(formulas.calls_for(duty)), Found)
        assert answer == found.calls_for(duty, atoms), duty
    for chain in table.chains:
        empty = isinstance(solver.ask(formulas.emptied(chain.id)), Found)
        assert empty == found.emptied(chain.id)
