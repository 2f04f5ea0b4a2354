"""``lynkrc prove``: verdicts, questions, files of requests, forms, exit codes."""

import json
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli.main import main
from lynkrc.source.resources import read_schema
from tests.unit.cli_sample import BROKEN, SPEC

CLAIMS = """\
assert:
  - {name: no-lawyers, never: 'header("x-team") == "legal" and target == small'}
  - {name: tops, never: tier == HIGH and target == large}
  - {name: big, never: context.tokens > 3000 and target == large}
  - {name: reached, reachable: tier == LOW and ask.words > 2}
  - {name: known, reachable: 'key.team == "legal" and tier == LOW'}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing.yaml").write_text(SPEC)
    return tmp_path


def ran(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["prove", *words]) == code
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_a_spec_without_claims_says_how_to_ask(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prove"]) == 0
    out, err = capsys.readouterr()
    assert out == "no assertions\n"
    assert err == (
        "note: routing.yaml asserts nothing: write claims under `assert`, or ask one, as in "
        "`lynkrc prove 'never: target.trust == cloud'`\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "first"),
    [
        (["never: tier == LOW and target == large"], 0, "proved    never: tier == LOW and target"),
        (["tier == LOW"], 1, "refuted   always: tier == LOW"),
        (["reachable: rule == legal"], 0, "proved    reachable: rule == legal"),
        (["--", "-ask.words < 1"], 0, "proved    always: -ask.words < 1"),
        (["max_cost_usd: 0"], 0, "proved    max_cost_usd: 0"),
        (["max_latency: 5m"], 1, "refuted   max_latency: 300s"),
    ],
)
def test_a_question_is_answered(
    words: list[str], code: int, first: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(capsys, *words, code=code).startswith(first)


@pytest.mark.parametrize(
    ("question", "place", "code"),
    [
        ("never: matches(ask, unheard)", "<question>:1:21", "LK403"),
        ("never: ask.words and wants.stream", "<question>:1:8", "LK310"),
        ("never: target.trust == cluod", "<question>:1:24", "LK402"),
    ],
)
def test_what_is_wrong_with_a_question_is_shown_in_it(
    question: str, place: str, code: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ran(capsys, question, code=1)
    assert f"error[{code}]" in out
    assert f" --> {place}\n" in out


def test_of_a_question_no_fix_is_offered_as_no_command_makes_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ran(capsys, 'never: team == "x"', code=1)
    assert "did you mean `key.team`?" in out
    assert "--fix" not in out


def test_a_narrow_screen_has_narrow_lines(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lynkrc.cli.prove.columns_of", lambda _: 60)
    out = ran(capsys, "max_cost_usd: 0")
    assert "assumed" in out and max(map(len, out.splitlines())) <= 60


def test_json_stays_json_where_the_spec_is_broken(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text(BROKEN)
    assert json.loads(ran(capsys, "--format", "json", code=1))["diagnostics"]


def test_a_broken_spec_and_a_missing_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_text(BROKEN)
    assert "2 errors" in ran(capsys, code=1)
    assert main(["prove", "--spec", "missing.yaml"]) == 2
    said = capsys.readouterr().err
    assert "cannot read missing.yaml" in said
    assert "name the spec you mean, or write a first one with `lynkrc init`" in said


def test_json_has_its_schema(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_text(SPEC + CLAIMS)
    document = json.loads(ran(capsys, "--format", "json", code=1))
    schema = json.loads(read_schema("proof"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document)
    told = {one["name"]: one["told"] for one in document["assertions"]}
    assert told == {
        "no-lawyers": "proved",
        "tops": "refuted (request)",
        "big": "refuted (request)",
        "reached": "proved",
        "known": "proved",
    }
    (witness,) = document["assertions"][4]["witnesses"]
    assert witness["given"] == ['key.team = "legal"']
    assert witness["realised"] is True


def test_a_long_body_is_told_in_short(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ran(capsys, "never: context.tokens > 30k and tier == HIGH", code=1)
    assert "`--requests DIR` writes it" in out
    assert max(map(len, out.splitlines())) < 1_000
    assert "curl" not in out.replace("curl command", "")


def test_requests_are_written_and_tests_of_them_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text(SPEC + CLAIMS)
    assert main(["prove", "--requests", "found/here"]) == 1
    out, err = capsys.readouterr()
    assert err == "note: wrote 12 files to found/here\n"
    names = {path.name for path in (folder / "found" / "here").iterdir()}
    parts = {"tops", "big", "reached", "known"}
    assert names == {f"{one}{end}" for one in parts for end in (".json", ".sh", ".test.yaml")}
    for path in (folder / "found" / "here").glob("*.sh"):
        checked = subprocess.run(["sh", "-n", str(path)], check=False, capture_output=True)
        assert (checked.returncode, checked.stderr) == (0, b"")
        assert path.stat().st_mode & 0o111
    (folder / "plain.yaml").write_text(SPEC)
    assert main(["test", "plain.yaml", "--tests", "found/here"]) == 1
    out, _ = capsys.readouterr()
    # What shows a claim passes; what refutes one fails until it is mended.
    assert out.endswith("4 cases: 3 passed, 1 failed\n")


def test_a_folder_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "tier == LOW", "--requests", "routing.yaml/here"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: cannot write routing.yaml")


SAME = "assert:\n  - {name: as-before, same_as: before.yaml}\n"


@pytest.mark.parametrize(
    ("before", "code", "said"),
    [
        (None, 1, "there is no before.yaml; `same_as` names a file from the folder of the spec"),
        (BROKEN, 1, "before.yaml has errors: `lynkrc check before.yaml` shows them"),
        (SPEC, 0, "proved    same_as: before.yaml"),
        (SPEC.replace("up_to: 50", "up_to: 40"), 1, "was routed in tier HIGH to large -> small"),
    ],
)
def test_the_spec_of_same_as(
    before: str | None, code: int, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text(SPEC + SAME)
    if before is not None:
        (folder / "before.yaml").write_text(before)
    assert said in " ".join(ran(capsys, code=code).split()).replace("proved same", "proved    same")


def test_a_bundle_of_same_as(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "-o", "out", "--quiet"]) == 0
    capsys.readouterr()
    (folder / "routing.yaml").write_text(SPEC + SAME.replace("before.yaml", "out/sample.lynkr"))
    assert ran(capsys).startswith("proved    same_as: out/sample.lynkr")
