"""``lynkrc test``: which files, which cases, what is rewritten, in which form, and how it ends."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema
import pytest

from lynkrc.cli.main import main
from lynkrc.source.resources import read_schema
from tests.native_tools import needs_compiler
from tests.unit.cli_sample import BROKEN, SPEC, program

TESTS = """\
# tests of the sample
version: 1
cases:
  - name: small talk
    request: {ask: "hello there"}
    expect: {tier: LOW, chain: [small]}  # one target
  - name: Long words
    features: {ask.words: 12}
    expect:
      # as was measured
      tier: HIGH
      target: large  # the first
      chain:
        - large
        - small
"""
WRONG = (
    TESTS.replace("tier: LOW, chain: [small]", "tier: 'HIGH', chain: [], score: 7")
    .replace("target: large", "target: small")
    .replace("        - large\n        - small\n", "        - small\n")
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing.yaml").write_text(SPEC)
    (tmp_path / "routing.test.yaml").write_text(TESTS)
    return tmp_path


def ran(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    found = main(["test", *words])
    out, err = capsys.readouterr()
    assert (found, err) == (code, "")
    return out


def test_the_file_beside_the_spec_is_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ran(capsys).splitlines()
    assert lines == [
        "routing.test.yaml",
        "  ok    small talk",
        "  ok    Long words",
        "",
        "2 cases: 2 passed",
    ]
    assert ran(capsys, "routing.yaml", "--quiet") == "2 cases: 2 passed\n"
    (folder / "team.yaml").write_text(SPEC)
    (folder / "team.test.yaml").write_text(TESTS)
    assert ran(capsys, "team.yaml").startswith("team.test.yaml\n")


def test_several_files_and_folders_are_run_each_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "more").mkdir()
    for name in ("b.test.yaml", "a.test.yaml", "no-tests.yaml"):
        (folder / "more" / name).write_text(TESTS)
    named = ("routing.test.yaml", "more", "more/b.test.yaml")
    out = ran(capsys, *(word for one in named for word in ("--tests", one)))
    files = [line for line in out.splitlines() if line.endswith(".yaml")]
    assert files == ["routing.test.yaml", "more/a.test.yaml", "more/b.test.yaml"]
    assert out.endswith("6 cases: 6 passed\n")
    # The spec may stand after the tests: it is not taken for one of them.
    assert ran(capsys, "--tests", "more", "routing.yaml").endswith("4 cases: 4 passed\n")


def test_the_filter_knows_no_case(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ran(capsys, "--filter", "long")
    assert "small talk" not in out
    assert out.endswith("1 case: 1 passed, 1 not asked for\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.yaml"], "cannot read nowhere.yaml"),
        (["--tests", "nowhere.yaml"], "cannot read nowhere.yaml"),
        (["--tests", "empty"], "the folder empty has no file *.test.yaml"),
        (["--filter", "nothing"], "no case has 'nothing' in its name"),
        (["--update", "--format", "json"], "leave --format out"),
        (["--suggest", "--format", "json"], "leave --format out"),
        (["--suggest", "--update"], "ask in turn"),
        (["other.yaml"], "there is no other.test.yaml"),
        (["other.yaml"], "or begin with those that --suggest prints"),
    ],
)
def test_what_cannot_be_run_ends_with_2(
    words: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty").mkdir()
    (folder / "other.yaml").write_text(SPEC)
    assert main(["test", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


@pytest.mark.parametrize("share", ["101", "-1", "x", "nan"])
def test_a_share_is_from_0_to_100(share: str, folder: Path) -> None:
    with pytest.raises(SystemExit) as end:
        main(["test", f"--fail-under={share}"])
    assert end.value.code == 2


def test_a_spec_with_errors_is_not_tested(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_text(BROKEN)
    assert "LK405" in ran(capsys, code=1)
    assert json.loads(ran(capsys, "--format", "json", code=1))["diagnostics"]


def test_findings_in_tests_are_told_in_the_form_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.test.yaml").write_text(TESTS.replace("tier: HIGH", "tier: HIHG"))
    assert "did you mean `HIGH`?" in ran(capsys, code=1)
    assert ran(capsys, "--format", "github", code=1).startswith(
        "::error file=routing.test.yaml,line=11,"
    )


def test_too_little_coverage_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "--fail-under", "100", "--quiet"]) == 1
    out, err = capsys.readouterr()
    assert err.endswith("% covered; --fail-under wants 100 %\n")
    assert "rules that took effect" in out
    ran(capsys, "--fail-under", "10")


def test_suggested_cases_make_a_file_of_tests_or_the_end_of_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = folder / "routing.test.yaml"
    for given in ("", TESTS):
        tests.unlink()
        if given:
            tests.write_text(given)
        assert main(["test", "--suggest"]) == 0
        out, err = capsys.readouterr()
        assert out.startswith("version: 1\n") == (given == "")
        assert "\ncoverage\n" in f"\n{err}"
        tests.write_text(given + out)
        assert "0 failed" not in ran(capsys, "--fail-under", "100")
        assert main(["test", "--suggest"]) == 0
        assert capsys.readouterr().out == ""


def test_features_that_no_request_has_are_found(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = SPEC.replace("ask.words", "ask.words + ask.chars", 1)
    (folder / "routing.yaml").write_text(spec)
    wrong = TESTS.replace("ask.words: 12", "ask.words: 12, ask.chars: 2")
    (folder / "routing.test.yaml").write_text(wrong)
    assert "LK654" in ran(capsys, code=1)


def test_update_makes_failing_cases_expect_what_is_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "routing.test.yaml"
    path.write_text(WRONG)
    ran(capsys, code=1)
    assert path.read_text() == WRONG
    out = ran(capsys, "--update")
    assert "-    expect: {tier: 'HIGH', chain: [], score: 7}  # one target\n" in out
    assert "+    expect: {tier: LOW, chain: [small], score: 10}  # one target\n" in out
    assert out.endswith("2 cases: 2 passed\n")
    updated = path.read_text()
    assert "      # as was measured\n" in updated
    assert "      target: large  # the first\n" in updated
    assert "[large, small]" in updated
    assert "---" not in ran(capsys, "--update")
    assert path.read_text() == updated


def test_update_keeps_line_ends_and_the_mark(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "routing.test.yaml"
    # A list with a line behind it: its own last line end is kept too.
    wrong = WRONG + "      score: 7\n"
    data = b"\xef\xbb\xbf" + wrong.replace("\n", "\r\n").encode()
    path.write_bytes(data)
    ran(capsys, "--update")
    updated = path.read_bytes()
    assert updated.startswith(b"\xef\xbb\xbf")
    assert updated.count(b"\r\n") == updated.count(b"\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tier:", "tier: LOW"),
        ("tier: null", "tier: LOW"),
        ("tier: |-\n        HIGH", "tier: LOW"),
        ('rule: "legal"', "rule: score"),
        ("headers:\n        x-lynkr-score: 3", 'headers:\n        x-lynkr-score: "10"'),
        ("points: {size: 12.55}", "points: {size: 10}"),
        ("score: null\n      outcome: deny", "score: 10\n      outcome: route"),
        ("outcome: deny\n      chain: [large]", "outcome: route\n      chain: [small]"),
    ],
)
def test_update_writes_every_value_in_its_place(
    before: str, after: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "routing.test.yaml"
    start = "version: 1\ncases:\n  - name: a\n    request: {ask: hello there}\n    expect:\n      "
    end = "\n  - name: b\n    features: {ask.words: 3}\n    expect: {outcome: route}\n"
    path.write_text(start + before + end)
    ran(capsys, "--update")
    assert path.read_text() == start + after + end


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ("{chain_has: [large]}", "`chain_has` says what is wanted"),
        ("{chain_lacks: [small]}", "`chain_lacks` says what is wanted"),
        ("{chain: [large,  # that one\n      small]}", "a comment stands in `chain`"),
    ],
)
def test_what_update_leaves_is_told_and_still_fails(
    expect: str, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "routing.test.yaml"
    text = f"version: 1\ncases:\n  - name: a\n    request: {{ask: hi you}}\n    expect: {expect}\n"
    path.write_text(text)
    assert main(["test", "--update"]) == 1
    out, err = capsys.readouterr()
    assert f"note: routing.test.yaml: case 'a': {reason}" in err
    assert "1 failed" in out
    assert path.read_text() == text


@pytest.mark.parametrize("words", [[], ["--coverage"], ["--filter", "long", "--coverage"]])
@pytest.mark.parametrize("text", [TESTS, WRONG])
def test_json_is_by_its_schema(
    words: list[str], text: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.test.yaml").write_text(text)
    code = main(["test", "--format", "json", *words])
    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(json.loads(read_schema("test-report"))).validate(document)
    assert (document["summary"]["failed"] > 0) == (text == WRONG) == (code == 1)
    assert (document["coverage"] is None) == (words == [])
    for coverage in filter(None, [document["coverage"]]):
        assert sum(kind["total"] for kind in coverage["kinds"]) == coverage["total"]
        assert sum(item["covered"] for item in coverage["items"]) == coverage["covered"]


def test_junit_and_github_stand_any_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = 'a <b> & "c" %0A \\u0001 \U0001f600: ,'
    (folder / "routing.test.yaml").write_text(
        WRONG.replace("small talk", json.dumps(name, ensure_ascii=False))
    )
    root = ElementTree.fromstring(ran(capsys, "--format", "junit", code=1))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "2", "0")
    assert [case.get("name") for case in root.iter("testcase")] == [name, "Long words"]
    lines = ran(capsys, "--format", "github", code=1).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::error", "::notice"]
    assert lines[0].startswith("::error file=routing.test.yaml,line=4,title=test%3A a <b> & ")


def test_the_program_runs_tests(folder: Path) -> None:
    done = program("test", "--quiet", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 cases: 2 passed\n", "")


@needs_compiler
def test_the_native_scorer_is_asked_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(capsys, "--native", "--quiet") == "2 cases: 2 passed\n"
