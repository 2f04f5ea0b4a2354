"""The solver finds every difference of two tables that trying finds, and none that is not there.

Small tables are tried whole: then what it finds is all there is. Of larger ones a sample is.
"""

from dataclasses import replace

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from lynkrc.analysis.moves import attempts, dearest, moves
from lynkrc.analysis.relations import broken, relations
from lynkrc.diff.classify import Difference, classify
from lynkrc.diff.cost import value_of, worst_case
from lynkrc.diff.decided import decide
from lynkrc.diff.identity import Pair, pair_of
from lynkrc.diff.plan import Category
from lynkrc.diff.search import compared
from lynkrc.ir.domain import Domain, Part, Point, domain_of
from lynkrc.ir.table import RouteTable, RuleId
from tests.property.diff_sampling import sample
from tests.property.effort import tried
from tests.property.oracle import points_of
from tests.property.random_tables import tables
from tests.property.small_specs import small_tables

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@st.composite
def changed(draw: st.DrawFn, whole: st.SearchStrategy[RouteTable]) -> tuple[RouteTable, RouteTable]:
    """A table, and the same with something else in it."""
    old, other = draw(whole), draw(whole)
    new = old
    parts = ["rules", "offset64", "otherwise", "order", "tiers", "prices", "pins", "needs"]
    if old.slots == other.slots:
        parts.append("dimensions")
    for part in sorted(draw(st.sets(st.sampled_from(parts), min_size=1, max_size=2))):
        match part:
            case "order":
                rules = draw(st.permutations(new.rules))
                numbered = (replace(rule, id=RuleId(i)) for i, rule in enumerate(rules))
                new = replace(new, rules=tuple(numbered))
            case "rules":
                new = replace(new, rules=new.rules[:-1])
            case "prices":
                prices = [one.price for one in new.targets]
                turned = zip(new.targets, [*prices[1:], prices[0]], strict=True)
                new = replace(
                    new, targets=tuple(replace(one, price=price) for one, price in turned)
                )
            case "pins" | "needs":
                new = replace(new, **{part: ()})
            case "tiers":
                moved = [
                    tier if tier.up_to is None else replace(tier, up_to=tier.up_to + 5)
                    for tier in new.tiers
                ]
                new = replace(new, tiers=tuple(moved))
            case _:
                new = replace(new, **{part: getattr(other, part)})
    return old, new


def joint(old: RouteTable, new: RouteTable) -> tuple[Pair, Domain]:
    parts = (Part(slots=one.slots, lexicons=one.lexicons) for one in (old, new))
    return pair_of(old, new), domain_of(*parts)


def shown(pair: Pair, domain: Domain, point: Point) -> Difference | None:
    before, after = domain.views
    return classify(pair, before.vector(point), after.vector(point))


@tried(15, suppress_health_check=SLOW)
@given(changed(tables()))
def test_what_trying_finds_is_found(both: tuple[RouteTable, RouteTable]) -> None:
    pair, domain = joint(*both)
    found = moves(compared(pair, domain))
    differences = [shown(pair, domain, move.point) for move in found.found]
    # Every point the solver gives is a difference that the interpreter confirms.
    assert None not in differences
    if found.unknown:
        return
    facts = relations(domain)
    tried = {
        one.category
        for point in sample(pair, domain).points[:400]
        if not broken(domain, facts, point) and (one := shown(pair, domain, point)) is not None
    }
    assert tried - {Category.COSMETIC} <= {one.category for one in differences if one is not None}


@tried(30, suppress_health_check=SLOW)
@given(changed(small_tables()))
def test_what_is_found_is_all_there_is(both: tuple[RouteTable, RouteTable]) -> None:
    old, new = both
    pair, domain = joint(old, new)
    two = compared(pair, domain)
    found = moves(two)
    assert found.unknown == ()
    facts = relations(domain)
    every = [one for one in points_of(domain, {}) if not broken(domain, facts, one)]
    there = {one.category for point in every if (one := shown(pair, domain, point)) is not None}
    categories = set()
    for move in found.found:
        one = shown(pair, domain, move.point)
        assert one is not None
        categories.add(one.category)
    assert categories == there - {Category.COSMETIC}
    # Attempts and the dearest request, exactly.
    gains = loses = False
    costs: dict[str, list[object]] = {"old": [], "new": []}
    before, after = domain.views
    for point in every:
        vectors = before.vector(point), after.vector(point)
        went = decide(old, vectors[0]).targets
        goes = decide(new, vectors[1]).targets
        gains |= bool({pair.new_places[t] for t in goes} - {pair.old_places[t] for t in went})
        loses |= bool({pair.old_places[t] for t in went} - {pair.new_places[t] for t in goes})
        asked = {
            name: max(
                (
                    value
                    for table, v in zip(both, vectors, strict=True)
                    if (value := value_of(table, v, feature)) is not None
                ),
                default=None,
            )
            for name, feature in (("context", "context.tokens"), ("output", "request.max_tokens"))
        }
        for side, table, targets in (("old", old, went), ("new", new, goes)):
            costs[side].append(worst_case(table, targets, **asked))
    reached = attempts(two)
    assert (reached.gains, reached.loses) == (gains, loses)
    for side, decision in (("old", two.before), ("new", two.after)):
        known = [one for one in costs[side] if one is not None]
        most = max(known) if len(known) == len(costs[side]) else None
        assert dearest(two, decision) == most
