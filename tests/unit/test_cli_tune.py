"""``lynkrc tune``: labelled requests to a diff, and every reason why there is none."""

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.main import main
from lynkrc.quality import tuning
from lynkrc.quality.results import Figure
from lynkrc.quality.tuned import RowScore, Term, Tuned
from lynkrc.source.resources import read_schema
from tests.unit.tune_sample import (
    COMMAS,
    HEAD,
    LENGTH_WEIGHT,
    SCORE,
    SERVED,
    TIERS,
    figure,
    tuned_score,
)

WORDS = ("sum", "list", "make", "file", "read", "give", "word", "page", "line", "name")
SPEC = HEAD + SERVED + SCORE + TIERS


def labelled(count: int = 48) -> list[dict[str, Any]]:
    """Requests of two sources, for half of which a word tells that the strong model is needed."""
    drawn = random.Random(3)
    rows = []
    for number in range(count):
        words = [f"n{number}", *drawn.choices(WORDS, k=drawn.randrange(4, 12))]
        is_hard = number % 4 < 2
        if is_hard:
            words.insert(drawn.randrange(len(words)), "prove")
        rows.append(
            {
                "id": f"r{number}",
                "suite": "one" if number % 2 else "two",
                "task": "t",
                "prompt": " ".join(words),
                "scores": {"small": 0.0 if is_hard else 1.0, "large": 1.0},
                "weak": "small",
                "strong": "large",
            }
        )
    return rows


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing.yaml").write_text(SPEC, encoding="utf-8")
    write(tmp_path, labelled())
    return tmp_path


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "data.jsonl").write_text(lines, encoding="utf-8")


def tune(*words: str) -> int:
    return main(["tune", "routing.yaml", "data.jsonl", "--resamples", "100", *words])


def made_up(monkeypatch: pytest.MonkeyPatch, tuned: Tuned) -> None:
    """Let this be what was fitted."""

    def fitted(_: tuning.TuneQuestion) -> Tuned:
        return tuned

    monkeypatch.setattr(tuning, "tune", fitted)


def test_the_same_data_and_seed_give_the_same_diff_which_is_what_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What is proposed is compiled, and decides each row as the fit does, or this raises.
    assert tune("--shares", "50,50", "--folds", "3") == ExitCode.OK
    text = capsys.readouterr().out
    assert "better than the current spec on held-out requests:\nAPGR +" in text
    assert "only 48 labels" in text
    assert (folder / "routing.yaml").read_text(encoding="utf-8") == SPEC
    aim = ("--shares", "50,50", "--folds", "3")
    code = tune(*aim, "--format", "json", "-o", "x.patch", "--write", "--require-gain")
    assert code == ExitCode.OK
    found = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(read_schema("tune"))).validate(found)
    assert found["patch"].startswith("--- a/routing.yaml\n+++ b/routing.yaml\n@@ ")
    assert text.endswith("\n\n" + found["patch"])
    assert (folder / "x.patch").read_text(encoding="utf-8") == found["patch"]
    written = (folder / "routing.yaml").read_text(encoding="utf-8")
    assert written != SPEC
    assert "\n    prove: " in written
    assert [one["labels"] for one in found["sources"]] == [24, 24]
    assert [one["source"] for one in found["elsewhere"]] == ["one", "two"]
    assert sum(one["after"] for one in found["tiers"]) == 48


def test_a_gain_that_is_not_shown_is_told_and_can_be_required(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up(monkeypatch, tuned_score(gain=Figure(value=0.01, low=-0.01, high=0.03)))
    assert tune() == ExitCode.OK
    assert "no gain shown: APGR +0.010 (-0.010 to +0.030)" in capsys.readouterr().out
    assert tune("--require-gain") == ExitCode.FINDINGS
    assert "--require-gain" in capsys.readouterr().err
    made_up(monkeypatch, tuned_score(gain=figure(0.05)))
    assert tune("--require-gain") == ExitCode.OK


def test_a_spec_elsewhere_is_patched_in_its_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up(monkeypatch, tuned_score())
    (folder / "work").mkdir()
    monkeypatch.chdir(folder / "work")
    assert main(["tune", "../routing.yaml", "../data.jsonl"]) == ExitCode.OK
    told = capsys.readouterr()
    assert "--- a/routing.yaml\n" in told.out
    assert "the diff is to be applied in .." in told.err


def test_terms_are_written_beside_the_spec_and_its_mark_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [Term(pattern=f"w{n}", points=1.0) for n in range(101)]
    made_up(monkeypatch, tuned_score(terms=many))
    (folder / "specs").mkdir()
    spec = folder / "specs" / "routing.yaml"
    spec.write_text("\ufeff" + SPEC, encoding="utf-8")
    assert main(["tune", "specs/routing.yaml", "data.jsonl", "--write"]) == ExitCode.OK
    assert (folder / "specs" / "terms.tsv").read_text(encoding="utf-8").startswith("w0\t1\nw1\t")
    assert spec.read_bytes().startswith(b"\xef\xbb\xbfversion: 1\n")
    assert main(["check", "specs/routing.yaml"]) == ExitCode.OK


def test_a_profile_whose_words_are_read_becomes_a_base(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = "version: 1\nname: p\nlexicons: {hard: [prove]}\n" + SCORE
    (folder / "p.yaml").write_text(profile, encoding="utf-8")
    rule = '\nrules:\n  - {name: r, when: "matches(ask, hard)", floor: HIGH}\n'
    spec = HEAD + SERVED + "\nscore:\n  use: p.yaml\n" + TIERS
    made_up(monkeypatch, tuned_score([COMMAS, LENGTH_WEIGHT]))
    for text, is_base in ((spec, False), (spec + rule, True)):
        (folder / "routing.yaml").write_text(text, encoding="utf-8")
        assert tune() == ExitCode.OK
        assert ("+extends: p.yaml\n" in capsys.readouterr().out) == is_base


def test_a_lexicon_that_nothing_reads_any_more_goes_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lexicons = "\nlexicons:\n  # moods\n  mood: {urgent: 3}\n"
    spec = HEAD + SERVED + lexicons + SCORE + "    mood: {terms: mood}\n" + TIERS
    (folder / "routing.yaml").write_text(spec, encoding="utf-8")
    made_up(monkeypatch, tuned_score())
    assert tune("--write") == ExitCode.OK
    assert "no longer read, and so removed: mood" in capsys.readouterr().out
    assert "mood" not in (folder / "routing.yaml").read_text(encoding="utf-8")
    assert main(["check", "routing.yaml"]) == ExitCode.OK


def test_what_does_not_decide_as_it_was_fitted_is_our_mistake(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up(monkeypatch, tuned_score(fitted=[RowScore(row="r1", score=99, tier=1)]))
    with pytest.raises(RuntimeError, match="not what was fitted: row r1 has score"):
        tune()


def test_a_score_that_leaves_a_tier_empty_is_not_proposed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up(monkeypatch, tuned_score(up_to=(99,)))
    assert tune("--write") == ExitCode.CANNOT_RUN
    told = capsys.readouterr().err
    assert "LK505: no request gets the tier `HIGH`" in told
    assert "--shares" in told
    assert (folder / "routing.yaml").read_text(encoding="utf-8") == SPEC


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        ({"scores": None, "weak": None, "strong": None}, (), "data.jsonl: no request has the"),
        ({"weak": None}, ("--weak", "large"), "data.jsonl:1: weak and strong are both `large`"),
        ({}, ("--weak", "small", "--strong", "small"), "--weak and --strong are both `small`"),
        ({"group": "talk"}, (), "data.jsonl: 1 requests that are independent are too few"),
        ({"scores": {"small": 1, "large": 1}}, (), "data.jsonl: the strong model is better on no"),
        ({"scores": {"small": 1, "large": 0.5}}, (), "data.jsonl: the strong model is better on"),
        ({}, ("--suite", "on"), "--suite `on`: no row is of it; did you mean `one`?"),
        ({}, ("--strong-from", "HIHG"), "--strong-from `HIHG`; did you mean `HIGH`?"),
        ({}, ("--shares", "50,30,20"), "--shares: 3 for 2 tiers; give one for each of LOW, HIGH"),
        ({}, ("--max-terms", "10001"), "--max-terms 10001: at most 10,000"),
        ({"id": ""}, (), "data.jsonl:1: `id` is no text"),
    ],
)
def test_every_reason_why_nothing_is_fitted_has_a_place(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    words: tuple[str, ...],
    said: str,
) -> None:
    write(folder, [row | change for row in labelled(24)])
    assert tune(*words) == ExitCode.CANNOT_RUN
    assert f"error: {said}" in capsys.readouterr().err


def test_a_spec_with_errors_is_not_tuned(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_text(SPEC + "rules: 3\n", encoding="utf-8")
    assert tune() == ExitCode.FINDINGS
    assert "routing.yaml:" in capsys.readouterr().out


def test_without_the_extra_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert tune() == ExitCode.CANNOT_RUN
    assert "pip install 'lynkrc[quality]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--shares", "50,40"), "`50,40` adds up to 90, not to 100"),
        (("--shares", "a,b"), "is no list of percents, as in 40,30,20,10"),
        (("--budget-usd", "0"), "is no amount above 0, such as 12.5"),
        (("--budget-usd", "1", "--shares", "50,50"), "not allowed with argument"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        tune(*words)
    assert ended.value.code == ExitCode.CANNOT_RUN
    assert said in capsys.readouterr().err
