"""`lynkrc bench`: what it prints of a spec and of a bundle, and what it refuses."""

import json
from functools import partial
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli import bench as bench_command
from lynkrc.cli.main import main
from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc.source.resources import read_schema
from lynkrc_runtime.bundle_archive import archive, unzip
from tests.native_tools import needs_compiler
from tests.runtime.test_bundle_load import replace_honestly
from tests.unit.cli_sample import BROKEN, SPEC

LEXICONS = """\
lexicons:
  words: [alpha, "omega*"]
  more: ["/on [a-z ]{0,8} earth/"]
features:
  busy: matches(ask, words) or matches(ask, more)
"""
QUICK = ("--seconds", "0.1")
SIZES = (200, 2_000, 5_000)
SCHEMA = Draft202012Validator(json.loads(read_schema("bench")))


@pytest.fixture(autouse=True)
def small_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_command, "bench", partial(bench_command.bench, sizes=SIZES))


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "routing.yaml"
    rule = "  - {name: busy, when: busy, tier: HIGH}\n"
    path.write_text(SPEC.replace("score:", LEXICONS + "score:") + rule)
    return path


def test_a_spec_is_measured_as_json(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(spec), *QUICK, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    SCHEMA.validate(found)
    assert found["engine"] == "python" and found["notice"] is None
    assert [one["engine"] for one in found["decisions"]] == ["interpreted"]
    assert {one["lexicon"] for one in found["table"]["lexicons"]} == {"words", "more"}
    assert found["table"]["entries"] == 3 == len(found["table"]["dearest"])
    assert found["table"]["dearest"][0]["entry"] == "/on [a-z ]{0,8} earth/"
    kinds = {one["kind"] for one in found["scans"]}
    assert {"prose", "cjk", "letter", "entries"} <= kinds
    portable = [one for one in found["scans"] if one["engine"] == "portable"]
    assert len(portable) == 3 * len(kinds)
    assert all(one["least_ns"] <= one["median_ns"] <= one["most_ns"] for one in portable)
    assert len(found["requests"]) == 6


def test_a_bundle_is_measured_as_text(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed, _ = pack_bundle(compile_file(spec), native=False)
    (spec.parent / "sample.lynkr").write_bytes(packed)
    assert main(["bench", str(spec.parent), *QUICK]) == 0
    out = capsys.readouterr().out
    assert out.startswith("sample, meaning ")
    for part in (
        "byte classes",
        "  words",
        "  interpreted scorer",
        "portable scan, MB/s at",
        "omega*",
    ):
        assert part in out
    assert max(map(len, out.splitlines())) <= 80
    assert "native scorer" not in out


def test_a_missing_kernel_is_told(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_command, "kernel_notice", lambda: "the portable scan kernel serves")
    assert main(["bench", str(spec), *QUICK, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert err == "note: the portable scan kernel serves\n" and json.loads(out)["scans"]


@needs_compiler
def test_a_native_scorer_is_one_more_row(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(spec), "--native", *QUICK, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    SCHEMA.validate(found)
    assert found["engine"] == "native"
    assert [one["engine"] for one in found["decisions"]] == ["native", "interpreted"]


def test_a_spec_without_lexicons_has_a_small_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(SPEC)
    assert main(["bench", str(path), *QUICK, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    SCHEMA.validate(found)
    assert found["table"]["lexicons"] == [] and found["table"]["entries"] == 0
    assert main(["bench", str(path), *QUICK]) == 0
    assert "dearest" not in capsys.readouterr().out


def test_columns_stand_below_each_other_in_every_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "routing.yaml"
    long = "安全审计" * 8
    rule = '  - {name: hard, when: "matches(ask, hard)", floor: HIGH}\n'
    path.write_text(f"{SPEC}{rule}lexicons: {{hard: [~证明, '~{long}', prove, 'e\u0301tude']}}\n")
    assert main(["bench", str(path), *QUICK]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("dearest"))
    rows = lines[start : start + 5]
    assert "…" in rows[1] and "  ~证明 " in "".join(rows)
    wide = [len(row) + sum("\u4e00" <= c <= "\u9fff" for c in row) - row.count("\u0301")
            for row in rows]  # fmt: skip
    assert wide == [78] * 5


def test_what_cannot_be_measured_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "routing.yaml"
    broken.write_text(BROKEN)
    assert main(["bench", str(broken)]) == 1
    assert "smal" in capsys.readouterr().out
    assert main(["bench", str(tmp_path / "none.yaml")]) == 2
    assert "cannot read" in capsys.readouterr().err
    assert main(["bench", str(tmp_path / "none.lynkr")]) == 2
    assert "none.lynkr" in capsys.readouterr().err
    assert main(["bench", str(tmp_path / "none.lynkr"), "--native"]) == 2
    assert "build --native" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["bench", "--seconds", "0"])
    assert "0.1 to 600" in capsys.readouterr().err


def test_a_pattern_of_another_version_is_said(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed, _ = pack_bundle(compile_file(spec), native=False)
    path = tmp_path / "later.lynkr"
    files = unzip(path, packed)
    dispatch = json.loads(files["dispatch.json"])
    dispatch["lexicons"][0]["patterns"][0] = "(((("
    replace_honestly(files, "dispatch.json", json.dumps(dispatch).encode())
    path.write_bytes(archive(files))
    assert main(["bench", str(path), *QUICK]) == 2
    out, err = capsys.readouterr()
    assert out == "" and f"error: {path}: " in err
    assert err.endswith("measure it with the lynkrc that built it\n")
