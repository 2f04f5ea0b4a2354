"""What a tuning is said to be worth: nothing is claimed whose interval holds 0."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lynkrc.quality.compiled import first_difference
from lynkrc.quality.decided import Decided
from lynkrc.quality.patch import patch
from lynkrc.quality.results import Figure
from lynkrc.quality.rows import Place, Row, Sending
from lynkrc.quality.tune_report import TierMove, TuneReport, sentences, warnings
from lynkrc.quality.tune_report_json import render_json
from lynkrc.quality.tune_report_text import COLUMNS, render_text
from lynkrc.quality.tuned import Elsewhere, RowScore, Term, Tuned
from lynkrc.source.resources import read_schema
from tests.unit.tune_sample import (
    COMMAS,
    HEAD,
    LENGTH_WEIGHT,
    SCORE,
    SERVED,
    TIERS,
    figure,
    proposed,
    tuned_score,
)

VALIDATOR = Draft202012Validator(json.loads(read_schema("tune")))


def report(tmp_path: Path, tuned: Tuned, *, findings: tuple[str, ...] = ()) -> TuneReport:
    path = tmp_path / "routing.yaml"
    path.write_text(HEAD + SERVED + SCORE + TIERS, encoding="utf-8")
    proposal, _ = proposed(path, tuned)
    return TuneReport(
        spec="routing.yaml",
        tuned=tuned,
        proposal=proposal,
        sources=(("made", tuned.labels),),
        tiers=(
            TierMove(tier="LOW", before=900, after=600),
            TierMove(tier="HIGH", before=300, after=600),
        ),
        findings=findings,
        patch=patch([replace(proposal.spec, path="routing.yaml")]),
    )


@pytest.mark.parametrize(
    ("gain", "first"),
    [
        (
            Figure(value=0.031, low=0.012, high=0.049),
            "better than the current spec on held-out requests: APGR +0.031 (+0.012 to +0.049)",
        ),
        (
            Figure(value=0.02, low=0.0, high=0.04),
            "no gain shown: APGR +0.020 (+0.000 to +0.040) against the current spec on held-out "
            "requests; the diff is printed, but nothing says that it helps",
        ),
        (
            Figure(value=-0.02, low=-0.03, high=-0.01),
            "worse than the current spec on held-out requests: APGR -0.020 (-0.030 to -0.010)",
        ),
    ],
)
def test_a_claim_is_made_only_where_its_interval_is_above_zero(gain: Figure, first: str) -> None:
    assert sentences(tuned_score(gain=gain))[0] == first


def test_length_is_always_beside_it() -> None:
    assert sentences(tuned_score())[1] == (
        "no gain shown over the length of the prompt: APGR +0.000 (-0.010 to +0.010)"
    )
    better = tuned_score(over_length=figure(0.05))
    assert sentences(better)[1].startswith("better than the length of the prompt: APGR +0.050 (")
    worse = tuned_score(over_length=figure(-0.05))
    assert sentences(worse)[1].startswith("worse than the length of the prompt: APGR -0.050 (")


def test_what_must_not_be_overlooked_is_a_warning(tmp_path: Path) -> None:
    assert warnings(report(tmp_path, tuned_score())) == ()
    far = Elsewhere(
        source="far",
        requests=300,
        tuned=figure(0.51),
        current=figure(0.5),
        length=figure(0.55),
        gain=figure(0.01),
    )
    near = replace(far, source="near", tuned=figure(0.6))
    tuned = tuned_score(labels=999, elsewhere=(far, near))
    found = warnings(report(tmp_path, tuned, findings=("LK211 odd",)))
    assert len(found) == 3
    assert found[0] == "only 999 labels: of fewer than 1,000 little can be told"
    assert "without far " in found[1]
    assert "on traffic unlike this it does worse than the length of the prompt" in found[1]
    assert found[2] == "the proposed spec has a new finding: LK211 odd"


def test_the_text_fits_a_terminal_and_ends_with_the_diff(tmp_path: Path) -> None:
    terms = [Term(pattern=f"w{n}", points=n / 64) for n in range(-20, 20) if n]
    tuned = tuned_score([LENGTH_WEIGHT, COMMAS], terms=terms, labels=20)
    told = report(tmp_path, tuned)
    text = render_text(told, colour=False, diff=True)
    assert text.endswith(f"\n\n{told.patch}")
    above = text.removesuffix(told.patch)
    assert above == render_text(told, colour=False, diff=False) + "\n"
    lines = above.splitlines()
    assert max(map(len, lines)) <= COLUMNS
    assert "  length                60     41.27" in lines
    assert "  commas               new        12" in lines
    assert "  gone: questions (-7.5)" in lines
    assert "  LOW     3 -> 15          900 (75.0%)       600 (50.0%)" in lines
    assert "  39 terms (lexicon tuned_terms)" in lines
    assert any(line.startswith("  up: w19 +0.3, w18 +0.28, ") for line in lines)
    coloured = render_text(told, colour=True, diff=False)
    assert coloured.count("\x1b[1m") == coloured.count("\x1b[0m") > 0


def test_nothing_to_change_is_said(tmp_path: Path) -> None:
    told = replace(report(tmp_path, tuned_score()), patch="")
    text = render_text(told, colour=False, diff=True)
    assert text.endswith("\nNothing changes: the spec says already what was tuned.\n")


def test_the_json_is_as_its_schema_says(tmp_path: Path) -> None:
    far = Elsewhere(
        source="far",
        requests=300,
        tuned=figure(0.51),
        current=figure(0.5),
        length=figure(0.55),
        gain=figure(0.01),
    )
    terms = [Term(pattern="prove", points=1.5)]
    told = report(tmp_path, tuned_score(terms=terms, elsewhere=(far,)))
    document = json.loads(render_json(told))
    VALIDATOR.validate(document)
    assert document["verdicts"][0]["verdict"] == "better"
    assert document["verdicts"][1]["verdict"] == "no gain shown"
    assert document["patch"] == told.patch
    assert {"name": "questions", "value": "steps(ask.questions, [[1, 40], [3, 100]])"} | {
        "before": -7.5,
        "after": None,
    } in document["weights"]


def decided(id_: str, score: int, tier: int) -> Decided:
    row = Row(
        id=id_,
        suite="made",
        task="t",
        group=id_,
        prompt="p",
        request=Sending(surface="chat", headers={}, body=b"{}"),
        scores=None,
        costs=None,
        weak=None,
        strong=None,
        split=None,
        tier=None,
        why=None,
        place=Place(file="d", line=1),
    )
    return Decided(
        row=row, tier=tier, rule="score", score=score, points=0, chars=1, vector=(), ask="p"
    )


def test_a_row_that_is_decided_otherwise_is_told() -> None:
    rows = [decided("a", 10, 0), decided("b", 20, 1)]
    fitted = [RowScore(row="b", score=20, tier=1), RowScore(row="a", score=10, tier=0)]
    assert first_difference(fitted, rows) is None
    other = [replace(fitted[0], score=21)]
    said = "row b has score 20 and tier 1, where the fit says 21 and 1"
    assert first_difference(other, rows) == said
    lost = [replace(fitted[0], row="c")]
    assert first_difference(lost, rows) == "row c is not decided, where the fit says 20 and 1"
