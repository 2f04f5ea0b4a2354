"""A scorer that is wrong at one value of one slot alone is found by what every build tries."""

from dataclasses import replace
from pathlib import Path

import pytest

from lynkrc.analysis.cells import cells_of, chosen_points
from lynkrc.analysis.logic import all_of
from lynkrc.analysis.solver import Found
from lynkrc.analysis.study import study
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


def test_each_cell_that_occurs_has_a_point(compilation: Compilation) -> None:
    """One that was found for another cell is taken for all it is in."""
    assert compilation.table is not None
    subject = study(compilation.table)
    points = chosen_points(compilation.study or subject)
    cells = list(cells_of(subject))
    assert len(points) < len(cells)
    is_at = [
        subject.solver.name(
            all_of(*(a == b for a, b in zip(subject.symbols.ints, point, strict=True)))
        )
        for point in points
    ]
    for cell in cells:
        found = [isinstance(subject.solver.ask(cell, here), Found) for here in is_at]
        assert any(found) == isinstance(subject.solver.ask(cell), Found), cell
