"""The large specs that measurements and proofs are made on: sound, as large as they say."""

import pytest

from lynkrc.diagnostics.model import Severity
from lynkrc.ir.assertion import Kind
from lynkrc.ir.verify import verify
from lynkrc.lower.assertions import lower_assertions
from lynkrc.lower.table import lower_decision
from lynkrc.pipeline import check_spec
from tests.bench.large_spec import ASSERTIONS, DIMENSIONS, LEXICONS, TARGETS, large_text
from tests.unit.sema_sample import Files, catalog


@pytest.mark.parametrize(("rules", "seed"), [(20, 0), (60, 1), (60, 2), (200, 0)])
def test_a_large_spec_is_sound(rules: int, seed: int) -> None:
    data = large_text(rules, seed).encode()
    checked = check_spec("routing.yaml", data, loader=Files(), catalog=catalog())
    wrong = [one.message for one in checked.diagnostics if one.severity is Severity.ERROR]
    assert wrong == []
    assert checked.typed is not None
    table, assertions = lower_decision(checked.typed), lower_assertions(checked.typed)
    assert len(table.rules) == rules
    assert (len(table.dimensions), len(table.lexicons)) == (DIMENSIONS, LEXICONS)
    assert (len(table.targets), len(assertions.items)) == (TARGETS, ASSERTIONS)
    assert {one.kind for one in assertions.items} == set(Kind) - {Kind.SAME_AS}
    # No patterns were put into an automaton, which is all that `verify` may miss.
    assert [line for line in verify(table) if "automaton" not in line] == []


def test_a_seed_gives_one_text() -> None:
    assert large_text(30, 4) == large_text(30, 4)
    assert large_text(30, 4) != large_text(30, 5)
