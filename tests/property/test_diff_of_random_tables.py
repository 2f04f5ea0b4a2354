"""Plans between random tables: never a difference from itself, and every region is a true one."""

from dataclasses import replace

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from lynkrc.diff.classify import classify
from lynkrc.diff.compare import compare
from lynkrc.diff.identity import pair_of
from lynkrc.diff.plan import Category, Plan, Relation, Spec
from lynkrc.interp.evaluate import evaluate
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.domain import Part, domain_of
from lynkrc.ir.table import RouteTable
from tests.property.effort import tried
from tests.property.random_tables import tables, vectors

FEW = tried(6, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def plan_of(old: RouteTable, new: RouteTable) -> Plan:
    specs = [
        Spec(label="a", name="a", digest=meaning_digest(table), routes="") for table in (old, new)
    ]
    return compare(old, new, specs=(specs[0], specs[1]))


@FEW
@given(tables())
def test_a_table_does_not_differ_from_itself(table: RouteTable) -> None:
    renamed = replace(
        table, rules=tuple(replace(rule, name=f"{rule.name}-x") for rule in table.rules)
    )
    for other in (table, renamed):
        plan = plan_of(table, other)
        assert plan.same_meaning
        assert plan.relation is Relation.EQUIVALENT


@FEW
@given(tables(), tables())
def test_every_region_is_one_that_its_witness_shows(old: RouteTable, new: RouteTable) -> None:
    plan = plan_of(old, new)
    domain = domain_of(*(Part(slots=one.slots, lexicons=one.lexicons) for one in (old, new)))
    pair = pair_of(old, new)
    for region in plan.regions:
        vectors = [view.vector(region.witness.point) for view in domain.views]
        shown = classify(pair, vectors[0], vectors[1])
        assert shown is not None
        assert (shown.category, shown.before, shown.after) == (
            region.category,
            region.before,
            region.after,
        )
    ranks = [region.category.rank for region in plan.regions]
    assert ranks == sorted(ranks)


@FEW
@given(tables(), tables(), st.lists(vectors, min_size=3, max_size=3))
def test_no_difference_means_the_same_decision(
    old: RouteTable, new: RouteTable, tried: list[list[int]]
) -> None:
    pair = pair_of(old, new)
    for v in tried:
        before, after = evaluate(old, v), evaluate(new, v)
        shown = classify(pair, v, v)
        if shown is None:
            assert before[0] == after[0]
            names = [
                None if v[1] < 0 else t.tiers[v[1]].name for t, v in ((old, before), (new, after))
            ]
            assert names[0] == names[1]
        if shown is not None and shown.category is not Category.PRIVACY:
            # Every target of the random tables is of one class.
            assert shown.before.trust in (None, "local")
        # What is compared the other way round gains what was lost.
        other = classify(pair_of(new, old), v, v)
        assert (shown is None) == (other is None)
        if shown is not None and other is not None:
            assert (shown.gains, shown.loses) == (other.loses, other.gains)
