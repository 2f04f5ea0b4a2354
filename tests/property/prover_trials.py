"""A small spec to every word the prover has on it, held against all its points tried one by one.

Each function raises AssertionError where the two differ and returns what it compared, counted by
name: the property tests and ``make fuzz`` ask the same questions.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

import z3

from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.moves import moves
from lynkrc.analysis.order import first_in_order
from lynkrc.analysis.relations import Relation, broken, relations
from lynkrc.analysis.solver import Found
from lynkrc.analysis.study import study
from lynkrc.analysis.verdicts import Status, Verdict, decide
from lynkrc.diff.classify import Difference, Group, classify, group_of
from lynkrc.diff.identity import pair_of
from lynkrc.diff.plan import Category
from lynkrc.diff.search import compared
from lynkrc.interp.assertions import Decided, decided, may_occur
from lynkrc.interp.evaluate import holds, objections
from lynkrc.ir.assertion import Assertion, Kind
from lynkrc.ir.domain import Domain, Part, Point, domain_of
from lynkrc.ir.table import RouteTable
from lynkrc.proofs.prove import Shows, prove
from lynkrc.testing.synthesize import Synthesized
from lynkrc_runtime.decide import RULE_PIN, RULE_SCORE
from tests.property import oracle
from tests.property.small_specs import SmallSpec

STATUS = {True: Status.PROVED, False: Status.REFUTED, None: Status.UNKNOWN}
Fact: TypeAlias = tuple[str, int]
BOUNDS = (Kind.MAX_COST_USD, Kind.MAX_LATENCY)


class Possible:
    """Whether the facts about features allow a point; a domain's relations are read once."""

    def __init__(self) -> None:
        self._known: dict[Domain, Sequence[Relation]] = {}

    def __call__(self, domain: Domain, point: Point) -> bool:
        if domain not in self._known:
            self._known[domain] = relations(domain)
        return not broken(domain, self._known[domain], point)


# -- verdicts ----------------------------------------------------------------------------------


def check_verdicts(spec: SmallSpec) -> Counter[str]:
    """Every assertion of a spec, decided by the solver and by trying."""
    subject = study(spec.table, spec.assertions)
    told = oracle.world(spec.table, spec.assertions, occurs=Possible())
    count: Counter[str] = Counter(specs=1, points=len(told.points))
    for assertion in spec.assertions.items:
        found = decide(subject, assertion)
        wanted = oracle.verdict(told, assertion)
        assert found.status is STATUS[wanted], (assertion, found, wanted)
        _check_witness(told, assertion, found)
        if assertion.kind in BOUNDS:
            _check_worst(told, found)
        count[f"{assertion.kind.value} {found.status.value}"] += 1
    for proof in prove(subject, _as_asked, _other_spec):
        status = STATUS[oracle.verdict(told, proof.assertion)]
        assert proof.status is status, (proof.assertion, proof.verdict, status)
        count["proofs"] += 1
    return count


def _check_witness(told: oracle.World, assertion: Assertion, found: Verdict) -> None:
    if assertion.kind is Kind.MONOTONE:
        if found.points:
            assert found.points in oracle.sinking(told, assertion), found
        return
    shown = found.status is (Status.PROVED if assertion.kind is Kind.REACHABLE else Status.REFUTED)
    assert bool(found.points) is shown, found
    assert all(point in oracle.witnesses(told, assertion) for point in found.points), found


def _check_worst(told: oracle.World, found: Verdict) -> None:
    """The bound that is told is the most that occurs."""
    if found.assertion.kind is Kind.MAX_LATENCY:
        most: Fraction = oracle.slowest(told)
        assert found.is_exact, found
    else:
        most = oracle.dearest(told)
        if found.worst is None:
            assert found.status is Status.UNKNOWN, found
            return
        assert found.is_exact is not bool(oracle.unpriced(told)), found
    assert found.worst == most, (found, most)


def _as_asked(point: Point, shows: Shows) -> Synthesized:
    """Stands in for a request that came out as it was wanted: small tables have no gateway."""
    return Synthesized(
        surface="", path="", headers={}, body={}, missed=(), point=point, realised=shows(point)
    )


def _other_spec(assertion: Assertion) -> Verdict:
    raise AssertionError(f"{assertion.source}: small specs are not compared with others")


# -- what may happen ---------------------------------------------------------------------------


def check_what_may_happen(table: RouteTable) -> Counter[str]:
    """Each part of a decision occurs, and fails to occur, by the solver just when it does."""
    subject = study(table)
    told = oracle.world(table, occurs=Possible())
    seen = [_of_decision(table, one) for one in told.decisions]
    count: Counter[str] = Counter()
    for what, formula in _of_formulas(subject.encoded).items():
        for wanted in (True, False):
            answer = subject.solver.ask(formula if wanted else z3.Not(formula))
            occurs = any((what in one) is wanted for one in seen)
            assert isinstance(answer, Found) is occurs, (what, wanted, answer)
            if isinstance(answer, Found):
                found = decided(table, subject.vector(answer.points[0]))
                assert (what in _of_decision(table, found)) is wanted, (what, answer)
            count["questions"] += 1
    return count


def _of_decision(table: RouteTable, found: Decided) -> set[Fact]:
    outcome, tier, rule, chain = found.verdict[:4]
    v = found.vector
    return {
        ("outcome", outcome),
        ("tier", tier),
        ("rule", rule),
        ("final", chain),
        *(("attempted", pair.target) for pair in found.pairs),
        *(("first", pair.target) for pair in found.pairs if pair.first),
        *(("kept", one.id) for one in table.targets if not objections(table, v, one.id)),
        *(("matches", one.id) for one in table.rules if holds(one.guard, v)),
    }


def _of_formulas(encoded: Encoded) -> dict[Fact, z3.BoolRef]:
    tiers = [z3.And(encoded.has_tier, one) for one in encoded.tier]
    rules = [RULE_SCORE, RULE_PIN, *range(len(encoded.table.rules))]
    numbered = {
        "tier": tiers,
        "final": encoded.final,
        "attempted": encoded.attempted,
        "first": first_in_order(encoded),
        "kept": encoded.kept,
        "matches": encoded.matches,
    }
    return {
        **{("outcome", int(one)): when for one, when in encoded.outcome.items()},
        **{("rule", one): encoded.rule_is(one) for one in rules},
        **{(name, i): one for name, every in numbered.items() for i, one in enumerate(every)},
    }


# -- two tables --------------------------------------------------------------------------------


def check_moves(old: RouteTable, new: RouteTable) -> Counter[str]:
    """The groups of differences of two tables: none is missing, none is made up."""
    pair = pair_of(old, new)
    domain = domain_of(
        Part(slots=old.slots, lexicons=old.lexicons), Part(slots=new.slots, lexicons=new.lexicons)
    )
    before, after = domain.views
    found = moves(compared(pair, domain))
    assert not found.unknown, found.unknown

    def groups(points: Iterable[Point]) -> dict[Group, Point]:
        shown: dict[Group, Point] = {}
        for point in points:
            one = classify(pair, before.vector(point), after.vector(point))
            if one is not None and one.category is not Category.COSMETIC:
                shown.setdefault(_without_rules(one), point)
        return shown

    occurs = Possible()
    every = [
        point
        for point in oracle.points_of(domain, {})
        if may_occur(old, domain, point) and may_occur(new, domain, point) and occurs(domain, point)
    ]
    assert {move.point for move in found.found} <= set(every), "the solver found what cannot be"
    tried, solved = groups(every), groups(move.point for move in found.found)
    assert tried.keys() == solved.keys(), (
        [(one, tried[one]) for one in tried.keys() - solved.keys()],
        [(one, solved[one]) for one in solved.keys() - tried.keys()],
    )
    _, otherwise = oracle.differences(old, new, occurs=occurs)
    for point in otherwise:
        one = classify(pair, before.vector(point), after.vector(point))
        assert one is not None and one.category is not Category.COSMETIC, (
            point,
            oracle.treated(old, before.vector(point)),
            oracle.treated(new, after.vector(point)),
            one,
        )
    return Counter({"pairs of tables": 1, "differences": len(tried), "points": len(every)})


def _without_rules(one: Difference) -> Group:
    """What changes, whoever decides it: a rule that the plan names is one of several at times."""
    return group_of(
        replace(one, before=replace(one.before, rule=""), after=replace(one.after, rule=""))
    )
