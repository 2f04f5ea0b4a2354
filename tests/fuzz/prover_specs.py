"""Random small specs by the thousand: the prover against trying, seed by seed.

The trials are those of the property tests (`tests.property.prover_trials`). A seed stands for
`BATCH` specs; one that fails is told with what to type to see it again, shrunk.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis.strategies import SearchStrategy

from tests.property.changed_tables import changed_tables
from tests.property.prover_trials import check_moves, check_verdicts, check_what_may_happen
from tests.property.small_specs import small_specs, small_tables

BATCH = 100
"""Specs whose verdicts are compared for one seed."""


def run(specs: int, first_seed: int) -> None:
    """Try seeds from the first one on until so many specs were compared; SystemExit at a fault."""
    count: Counter[str] = Counter()
    begun, seed = time.monotonic(), first_seed
    while count["specs"] < specs:
        try:
            count += trial(seed)
        except BaseException:
            print(f"seed {seed} fails; again with: FUZZ_SEED={seed} FUZZ_SPECS=1 ", end="")
            print("python -m tests.fuzz prover", flush=True)
            raise
        seed += 1
        print(f"seed {seed - 1}: {count['specs']:,} specs so far", flush=True)
    print(
        f"{count.pop('specs'):,} specs in {time.monotonic() - begun:.0f} s, none refutes the prover"
    )
    for name, number in sorted(count.items()):
        print(f"  {number:>9,} {name}")


def trial(seed: int) -> Counter[str]:
    """All trials of one seed; the seed alone says which specs they are made of."""
    count: Counter[str] = Counter()
    _try(seed, BATCH, small_specs(), lambda one: count.update(check_verdicts(one)))
    _try(seed, BATCH // 5, small_tables(), lambda one: count.update(check_what_may_happen(one)))
    _try(seed, BATCH // 3, changed_tables(), lambda two: count.update(check_moves(*two)))
    return count


def _try(
    seed: int, examples: int, strategy: SearchStrategy[Any], check: Callable[[Any], None]
) -> None:
    @seeded(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(strategy)
    def trying(one: Any) -> None:
        check(one)

    trying()
