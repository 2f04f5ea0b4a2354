"""What the solver costs in the analysis of large specs, beside a fixed problem of the same run.

CPU time of this process. As seconds differ between machines and hours, each round of a step is also
given as a multiple (`times_yardstick`) of the yardstick that was solved just before it: z3 and
interpreter in about the mix an analysis has.
"""

import time
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import z3

from lynkrc.analysis.findings import find
from lynkrc.analysis.study import study
from lynkrc.cli.specs import check_bytes
from lynkrc.ir.table import RouteTable
from lynkrc.lower.assertions import lower_assertions
from lynkrc.lower.table import lower
from lynkrc.passes import run_passes
from lynkrc.pipeline import Checked
from lynkrc.proofs.run import run
from tests.bench.large_spec import ASSERTIONS, large_text

pytestmark = pytest.mark.benchmark(timer=time.process_time)

SIZES = [200, 1_000]
VARIABLES = 60


@cache
def large(rules: int) -> tuple[Checked, RouteTable]:
    """A large spec, checked, and its table as written."""
    checked = check_bytes(Path("routing.yaml"), large_text(rules, 0).encode())
    assert checked.typed is not None
    lowered, _ = lower(checked.typed)
    assert lowered is not None
    return checked, lowered


def yardstick() -> float:
    """Seconds of CPU that a problem takes which never changes."""
    began = time.process_time()
    context = z3.Context()
    solver = z3.SolverFor("QF_LIA", ctx=context)
    names = [z3.Int(f"x{i}", context) for i in range(VARIABLES)]
    for i, name in enumerate(names):
        for j in range(i % 7 + 1):
            other, third = names[(i * 7 + j) % VARIABLES], names[(i + 3) % VARIABLES]
            solver.add(z3.Or(name > other + j, third < 3 * j - i))
    for one, next_ in pairwise(names[:20]):
        assert solver.check(one + next_ > 5) == z3.sat
        solver.model()
    return time.process_time() - began


def measure(benchmark: Any, step: Callable[[], object]) -> None:
    """Two rounds of a step, with what each is in yardsticks."""
    ratios = []

    def timed() -> None:
        length = yardstick()
        began = time.process_time()
        step()
        ratios.append((time.process_time() - began) / length)

    benchmark.pedantic(timed, rounds=2)
    benchmark.extra_info["times_yardstick"] = round(median(ratios), 1)


@pytest.mark.parametrize("rules", SIZES)
def test_study_a_large_table(rules: int, benchmark: Any) -> None:
    _, table = large(rules)
    measure(benchmark, lambda: study(table))


@pytest.mark.parametrize("rules", SIZES)
def test_find_what_is_wrong_with_a_large_table(rules: int, benchmark: Any) -> None:
    checked, table = large(rules)
    assert checked.typed is not None
    path = checked.typed.path
    found: list[int] = []

    def step() -> None:
        found.append(len(find(study(table), path, checked.diagnostics)))

    measure(benchmark, step)
    assert len(set(found)) == 1
    benchmark.extra_info["findings"] = found[0]


@pytest.mark.parametrize("rules", SIZES)
def test_prove_the_assertions_of_a_large_table(rules: int, benchmark: Any) -> None:
    checked, table = large(rules)
    assert checked.typed is not None
    passed, assertions = run_passes(table), lower_assertions(checked.typed)
    assert len(assertions.items) == ASSERTIONS
    measure(benchmark, lambda: run(passed, assertions))
