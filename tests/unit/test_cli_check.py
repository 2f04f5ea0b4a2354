"""``lynkrc check``: exit codes, formats, where the report goes."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli.main import main
from lynkrc.diagnostics.formats import FORMATS
from lynkrc.source.resources import read_schema
from tests.unit.cli_sample import BROKEN, SPEC


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_sound_spec_is_fine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_text(SPEC)
    assert main(["check"]) == 0
    assert capsys.readouterr() == ("no findings\n", "")
    assert [path.name for path in folder.iterdir()] == ["routing.yaml"]


def test_errors_are_all_shown_and_exit_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mine.yaml").write_text(BROKEN)
    assert main(["check", "mine.yaml"]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert "mine.yaml:10:38" in out
    assert "did you mean `ask.words`?" in out
    assert "mine.yaml:12:36" in out
    assert "did you mean `small`?" in out
    assert out.endswith("\n2 errors\n")


def test_warnings_alone_are_fine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_text(SPEC + "  - {name: idle, when: wants.stream, add: 0}\n")
    assert main(["check"]) == 0
    assert "warning[LK508]" in capsys.readouterr().out


def test_json_is_one_document_as_its_schema_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text(BROKEN)
    assert main(["check", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(read_schema("diagnostics"))).validate(document)
    places = [(one["file"], one["line"], one["column"]) for one in document["diagnostics"]]
    assert places == [("routing.yaml", 10, 38), ("routing.yaml", 12, 36)]


def test_json_without_findings_is_still_a_document(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text(SPEC)
    assert main(["check", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"diagnostics": []}


def test_a_missing_file_cannot_be_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: cannot read routing.yaml: No such file or directory; name the")


def test_a_folder_is_not_a_spec(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder)]) == 2
    assert "is a folder; name the file in it" in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"\xff\xfe\x00", b"- 1\n", b"a: [\n"])
def test_any_bytes_give_findings_and_no_traceback(
    data: bytes, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_bytes(data)
    assert main(["check"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("error[LK")
    assert err == ""


def test_a_base_that_is_not_utf8_is_shown_as_such(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "base.yaml").write_bytes(b"version: 1\nname: b\xe4se\n")
    (folder / "routing.yaml").write_text(
        SPEC.replace("name: sample", "name: s\nextends: base.yaml")
    )
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert "the byte 0xE4 here is not UTF-8" in out
    assert "base.yaml:2:8" in out


def test_a_base_is_never_named_by_an_absolute_path(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = folder / "base.yaml"
    base.write_text("version: 1\nname: base\n")
    (folder / "routing.yaml").write_text(SPEC.replace("name: sample", f"name: s\nextends: {base}"))
    assert main(["check"]) == 1
    assert "a file relative to this one" in capsys.readouterr().out


def test_strict_refuses_what_only_warns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_text(SPEC + "  - {name: idle, when: wants.stream, add: 0}\n")
    assert main(["check", "--strict"]) == 1
    out = capsys.readouterr().out
    assert "error[LK508]" in out
    assert out.endswith("\n1 error\n")


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_can_go_to_a_file(
    form: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text(BROKEN)
    assert main(["check", "--format", form]) == 1
    printed = capsys.readouterr().out
    assert main(["check", "--format", form, "--output-file", "report"]) == 1
    assert (folder / "report").read_text(encoding="utf-8") == printed
    assert capsys.readouterr() == ("", "note: 2 errors; the report is in report\n")


def test_a_report_never_replaces_the_spec(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_text(BROKEN)
    assert main(["check", "--output-file", "./routing.yaml"]) == 2
    assert (folder / "routing.yaml").read_text() == BROKEN
    assert "is the spec itself" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_exits_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text(SPEC)
    assert main(["check", "--output-file", "missing/report.xml"]) == 2
    assert capsys.readouterr() == (
        "",
        "error: cannot write missing/report.xml: No such file or directory\n",
    )


def test_paths_in_reports_are_relative_to_the_working_directory(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "policy").mkdir()
    spec = folder / "policy" / "routing.yaml"
    spec.write_text(BROKEN)
    assert main(["check", str(spec), "--format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("policy/routing.yaml:10:38: error[LK401] ")
