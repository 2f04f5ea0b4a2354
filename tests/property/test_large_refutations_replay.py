"""Large specs: every refutation is decided so by the interpreter and by the generated scorer.

Where a request was built of it, its vector is the one the real extractor reads of that request.
"""

import pytest

from lynkrc.analysis.study import study
from lynkrc.analysis.verdicts import Status
from lynkrc.codegen.scorer import print_scorer
from lynkrc.interp.assertions import Claim, Decided, decided
from lynkrc.interp.evaluate import evaluate
from lynkrc.ir.assertion import Kind
from lynkrc.ir.domain import Point
from lynkrc.passes import run_passes
from lynkrc.pipeline import check_spec, claims_of
from lynkrc.proofs.run import run
from tests.bench.large_spec import large_text
from tests.property.effort import EFFORT
from tests.property.test_engines_agree import python_function
from tests.unit.sema_sample import Files, catalog

MORE = """\
  - never: outcome == deny
  - never: target.trust == cloud and header("x-vip") == "yes"
  - always: tier <= MEDIUM
  - never: rule == score and tier == REASONING
  - max_cost_usd: 0.01
  - max_latency: 5s
  - monotone: turns
  - monotone: 'points(ask, lex1)'
"""


@pytest.mark.parametrize("seed", range(1, 3 * EFFORT + 1))
def test_every_refutation_replays(seed: int) -> None:
    text = large_text(40, seed).replace("assert:\n", "assert:\n" + MORE)
    checked = check_spec("routing.yaml", text.encode(), loader=Files(), catalog=catalog())
    assert checked.typed is not None, [one.message for one in checked.diagnostics]
    claimed = claims_of(checked.typed)
    assert claimed is not None
    table, assertions = claimed
    subject = study(table, assertions)
    scorer = python_function(print_scorer(run_passes(table))[0], "decide")

    def decision(point: Point) -> Decided:
        vector = subject.vector(point)
        assert scorer(vector) == evaluate(table, vector)
        return decided(table, vector)

    refuted = realised = 0
    for proof in run(table, assertions).proofs:
        if proof.status is not Status.REFUTED or not proof.witnesses:
            continue
        refuted += 1
        claim = Claim(table, assertions, proof.assertion, subject.domain)
        shown = [(one.point, decision(one.point)) for one in proof.witnesses]
        if proof.assertion.kind is Kind.MONOTONE:
            assert claim.sinks(shown[0], shown[1])
        else:
            assert claim.breaks(*shown[0])
        if proof.realised:
            realised += 1
            assert all(one.request.point == one.point for one in proof.witnesses)
    assert refuted >= 5 and realised >= 4
