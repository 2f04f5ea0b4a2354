"""The prover on random small specs against trying all that can be: no verdict differs."""

from hypothesis import given

from lynkrc.ir.table import RouteTable
from tests.property.changed_tables import changed_tables
from tests.property.effort import tried
from tests.property.prover_trials import check_moves, check_verdicts, check_what_may_happen
from tests.property.small_specs import SmallSpec, small_specs, small_tables


@tried(180)
@given(small_specs())
def test_every_verdict_is_what_trying_finds(spec: SmallSpec) -> None:
    assert check_verdicts(spec)["specs"] == 1


@tried(40)
@given(small_tables())
def test_what_may_happen_is_what_happens(table: RouteTable) -> None:
    assert check_what_may_happen(table)["questions"] > 0


@tried(60)
@given(changed_tables())
def test_every_difference_is_found_and_none_made_up(
    both: tuple[RouteTable, RouteTable],
) -> None:
    assert check_moves(*both)["pairs of tables"] == 1
