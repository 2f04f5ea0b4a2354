"""`lynkrc eval`: what it makes of specs, data and pictures, and what it refuses."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli import eval as eval_command
from lynkrc.cli import labelled
from lynkrc.cli.built import load_built
from lynkrc.cli.main import main
from lynkrc.cli.specs import compile_file
from lynkrc.quality.decided import decide_rows
from lynkrc.quality.rows import read_rows
from lynkrc.source.resources import read_schema
from tests.unit.cli_sample import BROKEN, SPEC

SCHEMA = Draft202012Validator(json.loads(read_schema("eval")))
BACKWARDS = SPEC.replace('"ramp(ask.words, 0, 20)"', '"100 - ramp(ask.words, 0, 20)"')
"""The fewer words, the more points."""


def line(number: int, suite: str = "made") -> dict[str, Any]:
    """Of 1 to 20 words; more than 10 need the strong model. All words together are as long."""
    words = number % 20 + 1
    return {
        "id": f"{suite}-{number}",
        "suite": suite,
        "task": "count",
        "prompt": " ".join(["x" * (60 // words)] * words),
        "scores": {"tiny": float(words <= 10), "huge": 1.0},
        "cost": {"tiny": 0.001, "huge": 0.01},
        "weak": "tiny",
        "strong": "huge",
        "tier": "HIGH" if words > 10 else "LOW",
    }


def write(path: Path, lines: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "routing.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "data.jsonl", [line(number) for number in range(40)])


def told(
    capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0, draws: int = 100
) -> tuple[str, str]:
    assert main(["eval", *map(str, words), "--resamples", str(draws)]) == code
    out, err = capsys.readouterr()
    return out, err


def test_the_report(spec: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, spec, data)
    assert err == ""
    assert "made: 40 requests in 20 groups\n  tiny 0.500 -> huge 1.000\n" in out
    apgr = next(one for one in out.splitlines() if one.startswith("  APGR"))
    assert apgr.startswith("  APGR  0.750 (") and apgr.endswith(")  0.500")
    assert "  length      +" in out
    assert "40 requests with the tier a person chose" in out
    assert "Strong from tier HIGH." in " ".join(out.split())


def test_json_is_as_its_schema_says_and_the_same_each_time(
    spec: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write(tmp_path / "more.jsonl", [line(number, "more") for number in range(20)])
    words = (spec, data, other, "--format", "json", "--seed", "7")
    out, _ = told(capsys, *words)
    found = json.loads(out)
    SCHEMA.validate(found)
    assert [one["suite"] for one in found["suites"]] == ["made", "more"]
    assert found["mean"]["requests"] == found["rows"] == 60
    assert (found["seed"], found["resamples"], found["old"]) == (7, 100, None)
    assert told(capsys, *words)[0] == out


def test_one_suite_of_the_data(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line(number, suite) for suite in ("made", "more") for number in range(20)]
    both = write(tmp_path / "both.jsonl", lines)
    out, _ = told(capsys, spec, both, "--suite", "more", "--format", "json")
    assert [one["suite"] for one in json.loads(out)["suites"]] == ["more"]
    _, err = told(capsys, spec, both, "--suite", "mor", code=2)
    assert "--suite `mor`: no row is of it" in err and "more" in err


def test_the_first_strong_tier_may_be_named(
    spec: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = told(capsys, spec, data, "--strong-from", "LOW", "--format", "json")
    [suite] = json.loads(out)["suites"]
    assert suite["spending"][2]["share"] == 1
    _, err = told(capsys, spec, data, "--strong-from", "HIHG", code=2)
    assert "--strong-from `HIHG`" in err and "HIGH" in err


def test_models_may_be_named(spec: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, spec, data, "--weak", "huge", "--strong", "tiny")
    assert "left out: 40 (made: tiny is not shown to be better than huge" in out
    assert "APGR" not in out


def test_an_older_spec_from_a_file(
    spec: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old.yaml"
    old.write_text(BACKWARDS)
    out, _ = told(capsys, spec, data, "--against", old, "--fail-if-worse", "older")
    assert "  older spec  +0.500 (" in out
    _, err = told(capsys, old, data, "--against", spec, "--fail-if-worse", "older", code=1)
    assert err == "error: the spec is worse than the older spec (--fail-if-worse older)\n"
    words = (old, data, "--fail-if-worse", "length", "--fail-if-worse", "older")
    _, err = told(capsys, *words, "--against", old, code=1)
    assert err == "error: the spec is worse than length (--fail-if-worse length)\n"
    _, err = told(capsys, spec, data, "--fail-if-worse", "older", code=2)
    assert "name the older spec by --against" in err


def test_a_gate_that_compares_nothing_is_not_passed(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(tmp_path / "few.jsonl", [line(0)])
    told(capsys, spec, data)
    _, err = told(capsys, spec, data, "--fail-if-worse", "length", code=2)
    assert err.startswith("error: --fail-if-worse: no suite has scores of two models")


def test_an_older_spec_from_git(spec: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *words], cwd=spec.parent, check=True, capture_output=True)

    git("init", "-q")
    spec.write_text(BACKWARDS)
    git("add", "routing.yaml")
    git("commit", "-qm", "old")
    spec.write_text(SPEC)
    out, _ = told(capsys, spec, data, "--against", "git:HEAD", "--format", "json")
    found = json.loads(out)
    assert found["old"] == "git:HEAD"
    old = next(one for one in found["suites"][0]["policies"] if one["name"] == "older spec")
    assert old["figures"]["apgr"]["value"] == pytest.approx(0.25)
    _, err = told(capsys, spec, data, "--against", "git:nowhere", code=2)
    assert "git knows no commit 'nowhere'" in err


@pytest.mark.parametrize("is_older", [False, True])
def test_findings_of_a_spec_are_printed(
    is_older: bool, spec: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(BROKEN)
    words = (spec, data, "--against", broken) if is_older else (broken, data)
    out, _ = told(capsys, *words, code=1)
    assert "smal" in out and "APGR" not in out


def test_data_with_mistakes_is_refused_whole(
    spec: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"id": "a"}\nnot json\n' * 10)
    _, err = told(capsys, spec, data, wrong, code=2)
    assert f"{wrong}:1: `suite` is missing" in err
    assert err.count("\n") == labelled.PROBLEMS + 1 and " more\n" in err
    _, err = told(capsys, spec, data, data, code=2)
    assert f"{data}:1: the id `made-0` is taken by {data}:1" in err
    _, err = told(capsys, spec, tmp_path / "none.jsonl", code=2)
    assert err == f"error: cannot read {tmp_path / 'none.jsonl'}: No such file or directory\n"
    _, err = told(capsys, spec, write(tmp_path / "empty.jsonl", []), code=2)
    assert "empty.jsonl: no rows; `lynkrc schema eval-data`" in err


@pytest.mark.parametrize(("draws", "why"), [("99", "fewer than 100"), ("many", "no"), ("-1", "no")])
def test_too_few_draws_are_refused(
    draws: str, why: str, spec: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["eval", str(spec), str(data), f"--resamples={draws}"])
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_what_the_gateway_refuses_is_left_out_with_its_reason(spec: Path, tmp_path: Path) -> None:
    body: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}

    def asked(name: str, surface: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        request = {"surface": surface, "headers": headers, "body": body}
        return {"id": name, "suite": "made", "task": "any", "request": request, "tier": "LOW"}

    lines = [
        asked("good", "chat", body),
        asked("no messages", "chat", {"model": "auto"}),
        asked("no bound", "messages", body),
        asked("bound", "messages", {**body, "max_tokens": 9}),
        asked("denied", "chat", body, **{"X-Team": "legal"}),
    ]
    rows, problems = read_rows(write(tmp_path / "data.jsonl", lines))
    assert not problems
    bundle, _ = load_built(compile_file(spec))
    decided, undecided = decide_rows(bundle, rows)
    assert [one.row.id for one in decided] == ["good", "bound"]
    assert [(one.tier, one.rule, one.chars) for one in decided] == [(0, "score", 5)] * 2
    assert decided[0].key == (0, decided[0].points) and decided[0].points == 5 * 6400
    reasons = {one.row.id: one.reason for one in undecided}
    assert reasons["no messages"].startswith("the gateway answers 400: ")
    assert "max_tokens" in reasons["no bound"]
    assert reasons["denied"] == "the outcome is deny (rule legal)"


def test_curves_are_drawn_with_the_same_bytes_each_time(
    spec: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    svg, png, again = tmp_path / "a.svg", tmp_path / "a.png", tmp_path / "b.svg"
    words = [word for path in (svg, png, again) for word in ("--plot", str(path))]
    told(capsys, spec, data, "--against", spec, *words)
    assert svg.read_bytes() == again.read_bytes()
    picture = svg.read_text()
    assert "<svg " in picture and "<dc:date>" not in picture
    header = png.read_bytes()[:24]
    assert header.startswith(b"\x89PNG") and int.from_bytes(header[16:20]) == 1280
    assert b"matplotlib" not in png.read_bytes()


def test_a_picture_that_cannot_be_is_refused(
    spec: Path,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, err = told(capsys, spec, data, "--plot", "curve.jpg", code=2)
    assert "--plot `curve.jpg`: name a file that ends in .svg or .png" in err
    out, err = told(capsys, spec, data, "--plot", tmp_path / "none" / "a.svg", code=2)
    assert "cannot write" in err and out == ""
    labels = write(
        tmp_path / "l.jsonl", [{**line(0), "scores": None, "weak": None, "strong": None}]
    )
    _, err = told(capsys, spec, labels, "--plot", tmp_path / "a.svg", code=2)
    assert "no suite has scores" in err
    monkeypatch.setattr(eval_command, "find_spec", {}.get)
    _, err = told(capsys, spec, data, "--plot", tmp_path / "a.svg", code=2)
    assert err == "error: --plot needs matplotlib; install it with: pip install 'lynkrc[quality]'\n"
    assert not (tmp_path / "a.svg").exists()


def test_help_says_what_orders_requests(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["eval", "--help"])
    assert "Requests stand in the order of their tier" in " ".join(capsys.readouterr().out.split())
