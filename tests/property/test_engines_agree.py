"""One meaning: interpreter, passes, Python scorer, native scorer and explanation always agree."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from lynkrc.bundle.pack import pack
from lynkrc.codegen.artifacts import SpecSource, generate
from lynkrc.codegen.dispatch import dispatch_of
from lynkrc.codegen.explain import print_explain
from lynkrc.codegen.scorer import print_scorer
from lynkrc.interp.evaluate import evaluate, holds
from lynkrc.interp.trace import as_json, trace
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.table import RouteTable
from lynkrc.ir.verify import has_normal_guards, verify
from lynkrc.native.build import NativeBuilt, build_native
from lynkrc.passes import PASSES, run_passes
from lynkrc.passes.fold_constants import fold_guard
from lynkrc.passes.merge_class_tests import merge_in
from lynkrc.passes.normalize_guards import normal_form
from lynkrc.testing.validate import validate
from lynkrc_runtime.bundle import LoadedBundle, load_opened, open_bundle
from lynkrc_runtime.decide import Decider
from lynkrc_runtime.pick import Rotation, order
from tests.native_tools import needs_compiler
from tests.property import random_tables
from tests.property.effort import tried
from tests.property.random_tables import guards, tables, vectors, vectors_of
from tests.runtime.unwatched import Unwatched
from tests.unit.full_table import FULL
from tests.unit.sample_table import SPEC

moderate = tried(50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
several_vectors = st.lists(vectors, min_size=4, max_size=12)


def python_function(text: str, name: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(compile(text, name, "exec"), namespace)
    return namespace[name]


FULL_DECIDE = python_function(print_scorer(run_passes(FULL))[0], "decide")
FULL_EXPLAIN = python_function(print_explain(run_passes(FULL)), "explain")


@moderate
@given(tables(), several_vectors)
def test_every_pass_keeps_the_meaning(table: RouteTable, found: list[list[int]]) -> None:
    assert verify(table) == []
    for rewrite in PASSES:
        rewritten = rewrite(table)
        assert verify(rewritten) == []
        for vector in found:
            assert evaluate(rewritten, vector) == evaluate(table, vector)
        table = rewritten
    assert has_normal_guards(table)


@moderate
@given(guards, several_vectors)
def test_each_pass_keeps_a_guard(guard: Any, found: list[list[int]]) -> None:
    slots = random_tables.SLOTS
    normal = normal_form(guard, slots)
    for rewritten in (
        normal,
        merge_in(normal),
        fold_guard(normal, slots),
        fold_guard(guard, slots),
    ):
        for vector in found:
            assert holds(rewritten, vector) == holds(guard, vector)


@moderate
@given(tables(), several_vectors, st.booleans())
def test_generated_python_decides_as_the_interpreter(
    table: RouteTable, found: list[list[int]], optimised: bool
) -> None:
    printed = run_passes(table) if optimised else table
    decide = python_function(print_scorer(printed)[0], "decide")
    explain = python_function(print_explain(printed), "explain")
    for vector in found:
        verdict = evaluate(table, vector)
        assert decide(vector) == verdict
        assert explain(vector) == as_json(trace(printed, vector))
        assert explain(vector)["verdict"] == list(verdict)


@moderate
@given(vectors_of(FULL.slots))
def test_generated_python_decides_the_full_table_as_the_interpreter(vector: list[int]) -> None:
    verdict = evaluate(FULL, vector)
    assert FULL_DECIDE(vector) == verdict
    assert FULL_EXPLAIN(vector) == as_json(trace(run_passes(FULL), vector))


@moderate
@given(tables(), several_vectors)
def test_what_is_decided_is_a_subset_of_one_chain(
    table: RouteTable, found: list[list[int]]
) -> None:
    for vector in found:
        outcome, tier, _, chain, mask, score, prefer = evaluate(table, vector)
        members = sum(1 << t for t in table.chains[chain].targets) if chain >= 0 else 0
        assert mask & ~members == 0
        assert (outcome == 0) == (mask != 0) == (chain >= 0)
        assert -1 <= tier < len(table.tiers) and -1 <= score <= 100
        assert prefer == -1 or (outcome == 0 and table.rules[prefer].prefer is not None)


@moderate
@given(tables(), several_vectors, st.integers(0, 2**32))
def test_what_is_attempted_is_the_decided_set_in_an_order_of_its_groups(
    table: RouteTable, found: list[list[int]], seed: int
) -> None:
    decider = Decider(dispatch_of(table), lambda vector: evaluate(table, vector))
    random, rotation = Random(seed).random, Rotation()
    for vector in found * 3:
        outcome, _, _, chain, mask, _, prefer = evaluate(table, vector)
        decision = decider.decide(vector)
        assert decision.outcome == outcome
        if chain < 0:
            assert decision.targets == ()
            continue
        tried = list(
            order(
                decision,
                random=random,
                rotation=rotation,
                watch=Unwatched(),
                now=0.0,
                streams=False,
            )
        )
        assert sorted(tried) == [one for one in range(len(table.targets)) if mask >> one & 1]
        preferred = None
        if prefer >= 0:
            preference = table.rules[prefer].prefer
            assert preference is not None
            preferred = preference.target
        if preferred in tried:
            assert tried.pop(0) == preferred
        for group in table.chains[chain].groups:
            left = {one for one in group if mask >> one & 1} - {preferred}
            assert set(tried[: len(left)]) == left
            del tried[: len(left)]


@needs_compiler
# Each example is a run of the C compiler: a smaller one is not worth minutes of them.
@tried(2, phases=(Phase.explicit, Phase.generate))
@given(tables(), st.lists(vectors, min_size=60, max_size=80))
def test_native_code_decides_as_the_interpreter(
    tmp_path_factory: pytest.TempPathFactory, table: RouteTable, found: list[list[int]]
) -> None:
    loaded = native(table, tmp_path_factory.mktemp("native"))
    # These, and from each of them every edge of every slot and its neighbours.
    mismatch, tried = validate(
        run_passes(table), {"native": loaded.scorer}, loaded.explain, found, written=table
    )
    assert mismatch is None
    assert tried >= len({tuple(vector) for vector in found})


@needs_compiler
def test_native_code_decides_the_full_table_as_the_interpreter(tmp_path: Path) -> None:
    loaded, random = native(FULL, tmp_path), Random(11)
    outcomes = set()
    for _ in range(3000):
        vector = [
            max(slot.low, min(slot.high, random.choice([-9, 0, 1, 2, 3, 6, 31, 41])))
            for slot in FULL.slots
        ]
        verdict = evaluate(FULL, vector)
        assert loaded.scorer(vector) == verdict
        outcomes.add((verdict[0], verdict[3] >= 5, verdict[6] >= 0))
    # Answers, denials and routes, by chains of rules and others, with a preference and without.
    assert outcomes >= {(1, False, False), (2, False, False)}
    assert outcomes >= {(0, ruled, prefers) for ruled in (True, False) for prefers in (True, False)}


def native(table: RouteTable, folder: Path) -> LoadedBundle:
    """The table as a bundle with native code, loaded."""
    sources = (SpecSource(path="routing.yaml", name="routing.yaml", data=SPEC),)
    digest = meaning_digest(table)
    artifacts = generate(
        run_passes(table), sources=sources, source_digest=digest, meaning_digest=digest
    )
    built = build_native(artifacts)
    assert isinstance(built, NativeBuilt), built
    path = folder / "table.lynkr"
    path.write_bytes(pack(artifacts, report=b"{}\n", native={built.path: built.library}))
    loaded = load_opened(open_bundle(path), is_just_built=True)
    assert loaded.engine == "native"
    return loaded


@moderate
@given(tables())
def test_the_same_table_gives_the_same_bytes(table: RouteTable) -> None:
    table = run_passes(table)
    assert print_scorer(table) == print_scorer(table)
    assert run_passes(table) == table
