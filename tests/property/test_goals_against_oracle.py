"""Goals of small tables: unreachable where trying every request shows so, and nowhere else."""

from hypothesis import given

from lynkrc.analysis.reached import goals_met, plainest, reached
from lynkrc.analysis.relations import violated
from lynkrc.analysis.study import study
from lynkrc.interp.goals import is_met, seen
from lynkrc.ir.table import RouteTable
from lynkrc.testing.coverage import coverage_items
from tests.property import oracle
from tests.property.effort import tried
from tests.property.small_specs import small_tables


@tried(15)
@given(small_tables())
def test_trying_every_request_says_the_same(table: RouteTable) -> None:
    goals = [item.goal for item in coverage_items(table)]
    found = reached(study(table), goals)
    assert found.unknown == frozenset()
    told = oracle.world(table, occurs=lambda domain, point: not violated(domain, point))
    shown = [seen(table, tuple(one.vector)) for one in told.decisions]
    met = {i for i, goal in enumerate(goals) if any(is_met(goal, table, by) for by in shown)}
    assert found.unreachable == set(range(len(goals))) - met


@tried(8)
@given(small_tables())
def test_the_points_found_meet_all_that_is_reachable(table: RouteTable) -> None:
    goals = [item.goal for item in coverage_items(table)]
    known = study(table)
    found = reached(known, goals)
    every = range(len(goals))
    by_point = [set(goals_met(known, goals, point, every)) for point in found.points]
    assert set().union(*by_point) == set(every) - found.unreachable
    for met in by_point[:2]:
        wanted = sorted(met)[:5]
        plain = plainest(known, [goals[one] for one in wanted])
        assert plain is not None
        assert goals_met(known, goals, plain, wanted) == wanted
