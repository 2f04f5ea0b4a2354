"""A scorer that is wrong at one value of one slot alone is found by what every build tries."""

from dataclasses import replace

import pytest

from lynkrc.cli.specs import compile_file
from lynkrc.cli.verified import try_out
from lynkrc.pipeline import Compilation, pack_bundle
from tests.unit.cli_sample import SPEC

RULES = "  - {name: hard, when: turns > 9, tier: HIGH}\n"


@pytest.fixture(scope="module")
def compilation(tmp_path_factory: pytest.TempPathFactory) -> Compilation:
    spec = tmp_path_factory.mktemp("cells") / "routing.yaml"
    spec.write_text(SPEC + RULES, encoding="utf-8")
    return compile_file(spec)


def tried(compilation: Compilation, written: str, instead: str) -> str | None:
    """What is said of a bundle whose scorer has this text instead."""
    artifacts = compilation.artifacts
    assert artifacts is not None and written in artifacts.scorer
    changed = replace(artifacts, scorer=artifacts.scorer.replace(written, instead))
    packed, _ = pack_bundle(replace(compilation, artifacts=changed), native=False)
    return try_out(compilation, packed)


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
    assert try_out(compilation, packed) is not None
