"""Chains of rules under filters that empty them: what follows is worked out here once more.

Random tables rarely empty a rule's chain and go on, so here every rule with a chain matches often,
few targets are left, and nothing ends the decision early.
"""

from dataclasses import replace

from hypothesis import HealthCheck, event, given
from hypothesis import strategies as st

from lynkrc.codegen.explain import print_explain
from lynkrc.codegen.scorer import print_scorer
from lynkrc.interp.evaluate import (
    choose_tier,
    evaluate,
    first_pin,
    holds,
    keep,
    lowest_ceiling,
    score,
)
from lynkrc.interp.trace import as_json, trace
from lynkrc.ir.guard import ALWAYS
from lynkrc.ir.table import Need, Otherwise, RouteTable
from lynkrc.ir.verify import verify
from lynkrc.passes import run_passes
from lynkrc_runtime.decide import RULE_PIN
from tests.property.effort import tried
from tests.property.random_tables import tables, vectors
from tests.property.test_engines_agree import python_function


@st.composite
def scarce(draw: st.DrawFn) -> RouteTable:
    """A table that escalates, whose rules with a chain match, and one of whose chains is emptied.

    Where that chain has every target, nothing is dropped.
    """
    table = draw(tables())
    everyone = tuple(target.id for target in table.targets)
    emptied = draw(st.sampled_from([c for c in table.chains if not c.name.startswith("pin:")]))
    left = tuple(target for target in everyone if target not in emptied.targets) or everyone
    return replace(
        table,
        otherwise=Otherwise.ESCALATE,
        needs=(Need(name="scarce", guard=ALWAYS, met_by=left),),
        rules=tuple(
            replace(
                rule,
                deny=None,
                respond=None,
                require=None,
                require_source="",
                # A rule that loses its effects must keep one.
                add64=rule.add64 or 64,
                guard=rule.guard if rule.chain is None else ALWAYS,
            )
            for rule in table.rules
        ),
    )


@tried(50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(scarce(), st.lists(vectors, min_size=4, max_size=10))
def test_an_emptied_chain_goes_on_with_the_other_tiers(
    table: RouteTable, found: list[list[int]]
) -> None:
    assert verify(table) == []
    printed = run_passes(table)
    decide = python_function(print_scorer(printed)[0], "decide")
    explain = python_function(print_explain(printed), "explain")
    for vector in found:
        verdict = evaluate(table, vector)
        assert decide(vector) == verdict
        assert explain(vector) == as_json(trace(printed, vector))
        event(_checked(table, vector, verdict[0], verdict[3]))


def _checked(table: RouteTable, vector: list[int], outcome: int, chain: int) -> str:
    """Check the chain against steps 6 to 8 as they are written; which way the request went."""
    pin = first_pin(table, vector)
    if pin is not None and pin.chain is not None:
        assert chain in (pin.chain, -1)
        return "pinned"
    tier, rule = choose_tier(table, vector, score(table, vector), pin)
    ruled = [r.chain for r in table.rules if r.chain is not None and holds(r.guard, vector)]
    first = ruled[0] if ruled and rule != RULE_PIN else table.tiers[tier].chain
    ceiling = lowest_ceiling(table, vector)
    top = len(table.tiers) - 1 if ceiling is None else ceiling.ceiling
    assert top is not None
    higher = [t.chain for t in table.tiers if tier < t.id <= top]
    lower = [t.chain for t in reversed(table.tiers) if t.id < tier and t.id <= top]
    left = [c for c in (first, *higher, *lower) if keep(table, vector, table.chains[c].targets)]
    assert (outcome == 0) == bool(left)
    if not left:
        return "refused"
    assert chain == left[0]
    start = "rule chain" if first != table.tiers[tier].chain else "tier"
    return start if chain == first else f"after {start}"
