"""What says the same in other words is proved the same, and is the same to a comparison."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.analysis.study import study
from lynkrc.analysis.verdicts import Status, decide
from lynkrc.diff.compare import compare
from lynkrc.diff.plan import Category, Spec
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.guard import And, Guard, Not, Or
from lynkrc.ir.table import RouteTable, Rule
from lynkrc.passes import run_passes
from tests.property import oracle
from tests.property.changed_tables import by_one, numbered
from tests.property.effort import tried
from tests.property.prover_trials import Possible
from tests.property.small_specs import SmallSpec, small_specs, small_tables
from tests.unit.cli_sample import environment

Rewording: TypeAlias = Callable[[RouteTable], RouteTable]


def swapped(guard: Guard) -> Guard:
    """The guard with its operands the other way round."""
    match guard:
        case And(operands=operands):
            return And(operands=tuple(swapped(one) for one in operands[::-1]))
        case Or(operands=operands):
            return Or(operands=tuple(swapped(one) for one in operands[::-1]))
        case Not(operand=operand):
            return Not(operand=swapped(operand))
        case _:
            return guard


def _renamed(table: RouteTable) -> RouteTable:
    return replace(
        table,
        rules=tuple(replace(one, name=f"other {one.name}") for one in table.rules),
        dimensions=tuple(replace(one, name=f"other {one.name}") for one in table.dimensions),
    )


def _swapped(table: RouteTable) -> RouteTable:
    return replace(
        table,
        rules=tuple(replace(one, guard=swapped(one.guard)) for one in table.rules),
        dimensions=table.dimensions[::-1],
    )


def _shadowed(table: RouteTable) -> RouteTable:
    """Each rule that is the only one to have its way, written twice."""
    once = [one for one in table.rules if one.add64 is None]
    return numbered(
        table, [*table.rules, *(replace(one, name=f"{one.name} again") for one in once)]
    )


def _effect(rule: Rule) -> str:
    kinds = ("deny", "respond", "tier", "floor", "ceiling", "add64", "require", "chain", "prefer")
    return next(kind for kind in kinds if getattr(rule, kind) is not None)


def _apart(table: RouteTable) -> RouteTable:
    """Rules of different effects have no order among each other."""
    return numbered(table, sorted(table.rules, key=_effect))


REWORDINGS: Mapping[str, Rewording] = {
    "names": _renamed,
    "operands": _swapped,
    "shadowed rules": _shadowed,
    "order of effects": _apart,
    "passes": run_passes,
}


def spec_of(table: RouteTable, label: str) -> Spec:
    """As the command line would say it; the digest of the label, so that all of it is compared."""
    return Spec(label=label, name=table.name, digest=label, routes="")


@tried(15)
@given(small_specs(most_assertions=3), st.sampled_from(sorted(REWORDINGS)))
def test_no_verdict_changes_with_the_words(spec: SmallSpec, how: str) -> None:
    table = REWORDINGS[how](spec.table)
    plan = compare(spec.table, table, specs=(spec_of(spec.table, "old"), spec_of(table, "new")))
    assert plan.same_meaning, [(one.category, one.before, one.after) for one in plan.regions]
    if how == "names":
        # Assertions may speak of rules by name.
        return
    both = [study(one, spec.assertions) for one in (spec.table, table)]
    for assertion in spec.assertions.items:
        old, new = (decide(one, assertion) for one in both)
        assert (old.status, old.worst, old.is_exact) == (new.status, new.worst, new.is_exact)


@tried(12)
@given(small_tables(), st.data())
def test_a_literal_that_is_one_more_is_found_wherever_it_matters(
    old: RouteTable, data: st.DataObject
) -> None:
    at = data.draw(st.sampled_from(old.rules))
    delta = data.draw(st.sampled_from([-1, 1]))
    rules = [replace(r, guard=by_one(r.guard, delta)) if r is at else r for r in old.rules]
    new = numbered(old, rules)
    plan = compare(old, new, specs=(spec_of(old, "old"), spec_of(new, "new")))
    _, differing = oracle.differences(old, new, occurs=Possible())
    gravest = [one.category for one in plan.regions if one.category is not Category.COSMETIC]
    assert plan.complete and bool(gravest) is bool(differing)
    assert meaning_digest(old) != meaning_digest(new) or not differing


@tried(5)
@given(small_specs())
def test_what_was_asked_before_changes_no_verdict(spec: SmallSpec) -> None:
    fresh = [decide(study(spec.table, spec.assertions), one) for one in spec.assertions.items]
    subject = study(spec.table, spec.assertions)
    backwards = [decide(subject, one) for one in spec.assertions.items[::-1]][::-1]
    for one, other in zip(fresh, backwards, strict=True):
        assert (one.status, one.worst, one.is_exact) == (other.status, other.worst, other.is_exact)
        assert one.status is not Status.UNKNOWN or one.reason == other.reason


_ALONE = """
from hypothesis import Phase, given, seed, settings
from lynkrc.analysis.study import study
from lynkrc.analysis.verdicts import decide
from tests.property.effort import EFFORT
from tests.property.small_specs import small_specs
@seed(7)
@settings(max_examples=8 * EFFORT, database=None, deadline=None, phases=[Phase.generate])
@given(small_specs())
def told(spec):
    subject = study(spec.table, spec.assertions)
    for one in spec.assertions.items:
        found = decide(subject, one)
        print(found.status.value, found.points, found.worst)
told()
"""


def test_two_processes_say_the_same() -> None:
    """Witnesses and all, however their hashes fall."""
    said = [
        subprocess.run(
            [sys.executable, "-c", _ALONE],
            env=environment(PYTHONHASHSEED=seed),
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] and len(said[0].splitlines()) > 5
