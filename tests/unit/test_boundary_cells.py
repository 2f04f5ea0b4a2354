"""A scorer that is wrong at one value of one slot alone is found by what every build tries."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import z3

from lynkrc.analysis.cells import cells_of_guards, cells_of_steps, chosen_vectors
from lynkrc.analysis.logic import all_of, not_
from lynkrc.analysis.solver import Found, Impossible, Solver
from lynkrc.analysis.study import Study, study
from lynkrc.cli.specs import compile_file
from lynkrc.cli.verified import try_out
from lynkrc.pipeline import Compilation, pack_bundle, prove_compiled
from tests.unit.cli_sample import SPEC

RULES = "  - {name: hard, when: turns > 9, tier: HIGH}\n"


@pytest.fixture(scope="module", params=["compiled", "proved"])
def compilation(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Compilation:
    """Where what was proved is an old proof, and where it was asked just now."""
    spec = tmp_path_factory.mktemp("cells") / "routing.yaml"
    spec.write_text(SPEC + RULES, encoding="utf-8")
    compiled = compile_file(spec)
    if request.param == "compiled":
        return compiled
    proved, _ = prove_compiled(compiled)
    assert proved.study is not None
    return proved


def tried(compilation: Compilation, written: str, instead: str) -> str | None:
    """What is said of a bundle whose scorer has this text instead."""
    artifacts = compilation.artifacts
    assert artifacts is not None and written in artifacts.scorer
    changed = replace(artifacts, scorer=artifacts.scorer.replace(written, instead))
    packed, _ = pack_bundle(replace(compilation, artifacts=changed), native=False)
    requests, said = try_out(compilation, packed)
    assert requests > 0
    return said


def test_the_right_scorer_passes(compilation: Compilation) -> None:
    assert tried(compilation, "turns > 9", "turns > 9") is None


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("turns > 9:", "turns >= 9:"),
        ("turns > 9:", "turns > 10:"),
        ("score <= 50:", "score <= 49:"),
        ("score <= 50:", "score <= 55:"),  # a word is worth five points
    ],
)
def test_one_value_beside_a_comparison_is_enough(
    compilation: Compilation, written: str, instead: str
) -> None:
    said = tried(compilation, written, instead)
    assert said is not None
    assert "engine python decides otherwise than the policy means" in said


def test_the_reasons_are_tried_too(compilation: Compilation) -> None:
    artifacts = compilation.artifacts
    assert artifacts is not None and "turns > 9" in artifacts.explain
    changed = replace(artifacts, explain=artifacts.explain.replace("turns > 9", "turns > 10"))
    packed, _ = pack_bundle(replace(compilation, artifacts=changed), native=False)
    assert try_out(compilation, packed)[1] is not None


def test_a_build_that_proves_knows_its_policy_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = tmp_path / "routing.yaml"
    spec.write_text(SPEC + RULES, encoding="utf-8")
    proved, _ = prove_compiled(compile_file(spec))
    monkeypatch.setattr("lynkrc.analysis.study.study", None)
    assert tried(proved, "turns > 9", "turns > 9") is None
    assert tried(proved, "turns > 9:", "turns >= 9:") is not None


def test_each_cell_that_occurs_has_a_vector(compilation: Compilation) -> None:
    """One that was found for another cell is taken for all it is in."""
    assert compilation.table is not None
    subject = study(compilation.table)
    vectors = chosen_vectors(compilation.study or subject)
    of_guards = [cell for cell, _ in cells_of_guards(subject)]
    cells = [*cells_of_steps(subject), *of_guards]
    assert len(vectors) < len(cells)
    decided = any_vector(subject)
    is_at = [decided.name(at(subject, vector)) for vector in vectors]
    for cell in cells:
        found = [isinstance(decided.ask(cell, here), Found) for here in is_at]
        assert any(found) or not isinstance(subject.solver.ask(cell), Found), cell


def test_the_first_vector_stands_at_a_bound(compilation: Compilation) -> None:
    """What is tried at most is little more than the edges around a few: those far from plain."""
    assert compilation.table is not None
    subject = study(compilation.table)
    first = chosen_vectors(compilation.study or subject)[0]
    decided = any_vector(subject)
    bound = next(cells_of_steps(subject))
    assert isinstance(decided.ask(bound, at(subject, first)), Found)


def test_a_plain_vector_is_in_the_cell_it_is_taken_for(compilation: Compilation) -> None:
    assert compilation.table is not None
    subject = study(compilation.table)
    decided = any_vector(subject)
    plain = [(cell, vector) for cell, vector in cells_of_guards(subject) if vector is not None]
    assert len({vector for _, vector in plain}) > 1
    for cell, vector in plain:
        assert isinstance(decided.ask(not_(cell), at(subject, vector)), Impossible), cell


def any_vector(subject: Study) -> Solver:
    """A solver that knows what the table decides, and not which vectors requests have."""
    # The first definition is about embeddings: which of them are put to the decision.
    known = [*subject.symbols.ranges, *subject.encoded.definitions[1:]]
    return Solver([subject.symbols], known)


def at(subject: Study, vector: Sequence[int]) -> z3.BoolRef:
    """That a request has this vector."""
    return all_of(*(a == b for a, b in zip(subject.symbols.ints, vector, strict=True)))
