"""``lynkrc build``: what is written, when nothing is, staleness, and the same bytes anywhere."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from lynkrc.cli.main import main
from lynkrc_runtime.bundle import load_bundle
from tests.unit.cli_sample import BROKEN, REVIEWED, SPEC


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing.yaml").write_text(SPEC)
    return tmp_path


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and time of change of every file under a folder."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_build_writes_the_reviewed_files_and_the_bundle(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build"]) == 0
    out, err = capsys.readouterr()
    written = sorted(path.name for path in (folder / "generated" / "sample").iterdir())
    assert written == sorted([*REVIEWED, "sample.lynkr"])
    manifest = load_bundle(folder / "generated" / "sample").manifest
    assert f"meaning {manifest.meaning_digest}" in out
    assert "(portable, " in out
    assert err == ""


def test_quiet_says_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--quiet", "-o", "out"]) == 0
    assert capsys.readouterr() == ("", "")


def test_json_holds_the_findings_and_nothing_else(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "--format", "json", "-o", "out"]) == 0
    assert json.loads(capsys.readouterr().out) == {"diagnostics": []}


def test_a_broken_spec_touches_no_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "-o", "out"]) == 0
    before = state(folder / "out")
    (folder / "routing.yaml").write_text(BROKEN)
    capsys.readouterr()
    assert main(["build", "-o", "out"]) == 1
    assert "2 errors" in capsys.readouterr().out
    assert state(folder / "out") == before


def test_a_broken_spec_makes_no_folder(folder: Path) -> None:
    (folder / "routing.yaml").write_text(BROKEN)
    assert main(["build", "-o", "out"]) == 1
    assert not (folder / "out").exists()


def test_a_folder_that_cannot_be_written_is_no_finding(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("in the way")
    assert main(["build", "-o", "file/out"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: cannot write file/out: Not a directory\n"
    assert main(["build", "-o", "file"]) == 2
    assert (folder / "file").read_text() == "in the way"


def test_a_missing_spec_cannot_be_built(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "nowhere.yaml"]) == 2
    assert "cannot read nowhere.yaml" in capsys.readouterr().err
    assert not (folder / "generated").exists()


def test_fresh_files_pass_the_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "-o", "out", "--quiet"]) == 0
    before = state(folder)
    assert main(["build", "-o", "out", "--check"]) == 0
    assert "out is what routing.yaml compiles to" in capsys.readouterr().out
    assert state(folder) == before


def test_stale_files_are_shown_and_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "-o", "out", "--quiet"]) == 0
    (folder / "routing.yaml").write_text(SPEC.replace("up_to: 50", "up_to: 60"))
    (folder / "out" / "ir.txt").unlink()
    before = state(folder)
    assert main(["build", "-o", "out", "--check"]) == 1
    out = capsys.readouterr().out
    assert f"stale: {Path('out') / 'ir.txt'} (missing)\n" in out
    assert f"stale: {Path('out') / 'routes.txt'}\n--- committed/routes.txt\n" in out
    assert "\n-  LOW           0..50 " in out
    assert "\n+  LOW           0..60 " in out
    assert out.endswith(
        "help: lynkrc build routing.yaml -o out, review the difference and commit it\n"
    )
    assert state(folder) == before


def test_the_check_of_a_broken_spec_is_about_the_spec(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text(BROKEN)
    assert main(["build", "-o", "out", "--check"]) == 1
    out = capsys.readouterr().out
    assert "stale" not in out
    assert "2 errors" in out


def test_stale_files_leave_json_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "-o", "out", "--check", "--format", "json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {"diagnostics": []}
    assert err.count("(missing)") == len(REVIEWED)


def test_a_check_cannot_be_native(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["build", "--check", "--native"])
    assert ended.value.code == 2
    assert "not allowed with argument --check" in capsys.readouterr().err


def test_a_comment_changes_the_source_and_not_the_meaning(folder: Path) -> None:
    assert main(["build", "-o", "one", "--quiet"]) == 0
    (folder / "routing.yaml").write_text("# a note\n" + SPEC)
    assert main(["build", "-o", "two", "--quiet"]) == 0
    assert main(["build", "-o", "one", "--check", "--quiet"]) == 0
    one, two = load_bundle(folder / "one").manifest, load_bundle(folder / "two").manifest
    assert one.meaning_digest == two.meaning_digest
    assert one.source_digest != two.source_digest


BASES = {
    "team/base.yaml": "version: 1\nname: base\nextends: ./more.yaml\nlexicons:\n  rush: [urgent]\n",
    "team/more.yaml": "version: 1\nname: more\nrules:\n"
    "  - {name: hurry, when: 'matches(ask, rush)', floor: HIGH}\n",
    "other/more.yaml": "version: 1\nname: more\nrules:\n"
    "  - {name: patience, when: 'ask.words > 400', add: 5}\n",
    "plain.yaml": "version: 1\nname: plain\nrules:\n"
    "  - {name: streams, when: 'wants.stream and ask.lines > 90', add: 1}\n",
}


def tree(top: Path) -> Path:
    """A spec in a folder of its own, with bases below, beside and above it."""
    for name, text in BASES.items():
        path = top / ("app/" + name if name.startswith("team") else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    extends = "extends: [./team/base.yaml, ../other/more.yaml, ../plain.yaml]"
    spec = top / "app" / "routing.yaml"
    spec.write_text(SPEC.replace("name: sample", f"name: sample\n{extends}"))
    return spec


def test_the_same_source_gives_the_same_bytes_from_any_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / "somewhere" / "deep"
    spec = tree(top)
    tree(tmp_path / "b")
    calls = [
        (top, "app/routing.yaml"),
        (top, "./app/../app/routing.yaml"),
        (top / "app", "routing.yaml"),
        (top / "app" / "team", "../routing.yaml"),
        (tmp_path, str(spec)),
        (tmp_path / "b", "app/routing.yaml"),
    ]
    bundles = []
    for number, (cwd, name) in enumerate(calls):
        monkeypatch.chdir(cwd)
        out = tmp_path / f"out-{number}"
        assert main(["build", name, "-o", str(out), "--quiet"]) == 0
        bundles.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
    assert all(bundle == bundles[0] for bundle in bundles)


def test_a_bundle_with_bases_can_be_loaded_and_holds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["build", str(spec), "-o", "out", "--quiet"]) == 0
    assert load_bundle(tmp_path / "out").manifest.name == "sample"
    with zipfile.ZipFile(tmp_path / "out" / "sample.lynkr") as archive:
        held = {name: archive.read(name) for name in archive.namelist() if "source/" in name}
    assert held.pop("source/routing.yaml") == spec.read_bytes()
    assert held == {
        "source/extends/team/base.yaml": BASES["team/base.yaml"].encode(),
        "source/extends/team/more.yaml": BASES["team/more.yaml"].encode(),
        "source/extends/_up_/other/more.yaml": BASES["other/more.yaml"].encode(),
        "source/extends/_up_/plain.yaml": BASES["plain.yaml"].encode(),
    }


def test_no_bundle_holds_a_path_or_a_time_of_this_machine(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["build", str(folder / "routing.yaml"), "-o", "one", "--quiet"]) == 0
    data = (folder / "one" / "sample.lynkr").read_bytes()
    assert os.fsencode(folder) not in data
    with zipfile.ZipFile(folder / "one" / "sample.lynkr") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_strict_build_refuses_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "routing.yaml"
    spec.write_text(SPEC + "  - {name: idle, when: wants.stream, add: 0}\n")
    out = tmp_path / "out"
    assert main(["build", str(spec), "-o", str(out), "--strict"]) == 1
    assert "error[LK508]" in capsys.readouterr().out
    assert not out.exists()
    assert main(["build", str(spec), "-o", str(out), "--quiet"]) == 0


def test_a_report_of_a_build_is_alone_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "routing.yaml"
    spec.write_text(SPEC)
    assert main(["build", str(spec), "-o", str(tmp_path), "--format", "sarif"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"] == []
