"""A build of what has not changed compiles nothing, and writes and says what the first one did."""

import hashlib
import json
import os
import shlex
import shutil
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from lynkrc import pipeline
from lynkrc.cli import kept_build
from lynkrc.cli.kept_files import keep_file
from lynkrc.cli.main import main
from lynkrc.cli.specs import DiskLoader
from lynkrc.native import build as native_build
from lynkrc.native import toolchain
from tests.native_tools import needs_compiler
from tests.signing_keys import write_pair
from tests.unit.cli_sample import SPEC

BASE = "version: 1\nname: shared\nlexicons:\n  secret: [hidden]\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LYNKRC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "routing.yaml").write_text(SPEC)
    return tmp_path


def built(out: str, *words: str) -> dict[str, bytes]:
    """Every file of a build."""
    shutil.rmtree(out, ignore_errors=True)
    assert main(["build", "-o", out, *words]) == 0
    return {path.name: path.read_bytes() for path in Path(out).iterdir()}


class Compiled(Exception):
    """It was not taken from what is kept."""


def stop(monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(*_: object, **__: object) -> None:
        raise Compiled

    monkeypatch.setattr(pipeline, "compile_spec", compiled)


def test_what_is_unchanged_is_not_compiled_and_all_is_as_it_was(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = built("out")
    told = capsys.readouterr()
    assert built("anew", "--no-cache") == first
    capsys.readouterr()
    stop(monkeypatch)
    assert built("out") == first
    assert capsys.readouterr() == told
    for words in (["--no-cache"], ["--check"], ["--strict", "--check"]):
        with pytest.raises(Compiled):
            main(["build", "-o", "out", *words])


def test_what_is_signed_was_compiled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pair(folder, "our", 1)
    built("out", "--sign", "our.pem")
    built("out")
    stop(monkeypatch)
    built("out")
    with pytest.raises(Compiled):
        main(["build", "-o", "out", "--sign", "our.pem"])


def test_findings_are_told_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that only the solver finds."""
    warned = SPEC + "assert:\n  - {name: one, never: outcome == respond, waive: who knows}\n"
    (folder / "routing.yaml").write_text(warned)
    built("out")
    told = capsys.readouterr().out
    assert "warning[LK532]" in told
    main(["build", "-o", "out", "--format", "json", "--no-cache"])
    document = json.loads(capsys.readouterr().out)
    stop(monkeypatch)
    built("out")
    assert capsys.readouterr().out == told
    assert main(["build", "-o", "out", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == document
    shutil.rmtree("out")
    assert main(["build", "-o", "out", "--strict"]) == 1
    assert "error[LK532]" in capsys.readouterr().out
    assert not Path("out").exists()


@pytest.mark.parametrize("change", ["spec", "base", "no base", "program", "path"])
def test_what_changed_is_compiled(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    (folder / "routing.yaml").write_text(SPEC + "extends: base.yaml\n")
    (folder / "base.yaml").write_text(BASE)
    first = built("out")
    stop(monkeypatch)
    assert built("out") == first
    spec = "routing.yaml"
    match change:
        case "spec":
            (folder / spec).write_text(SPEC + "extends: base.yaml\n\n")
        case "base":
            (folder / "base.yaml").write_text(BASE + "\n")
        case "no base":
            (folder / "base.yaml").unlink()
        case "program":
            monkeypatch.setattr(kept_build, "program_digest", lambda: "another")
        case _:
            spec = "./other.yaml"
            shutil.copy("routing.yaml", spec)
    with pytest.raises(Compiled):
        main(["build", spec, "-o", "out"])


def test_a_file_written_while_it_is_read_twice_is_read_again(
    folder: Path,
) -> None:
    (folder / "base.yaml").write_text(BASE)
    loader = kept_build.Noting(DiskLoader())
    first = loader.load("base.yaml", "left.yaml")
    (folder / "base.yaml").write_text(BASE + "\n")
    second = loader.load("base.yaml", "left.yaml")
    assert first is not None and second is not None and first.data != second.data
    ((_, _, answer),) = loader.asked()
    assert answer == (first.path, hashlib.sha256(first.data).hexdigest())


@pytest.mark.parametrize(
    "junk",
    [b"", b"[]", b"{}", b'{"asked": [[1]]}', b'{"asked": [], "diagnostics": {}}', b"[" * 9_999],
)
def test_what_is_no_build_is_compiled(
    folder: Path, monkeypatch: pytest.MonkeyPatch, junk: bytes
) -> None:
    first = built("out")
    (kept,) = (folder / "cache" / "builds").iterdir()
    keep_file("builds", kept.name, junk, most=9)
    assert built("out") == first
    stop(monkeypatch)
    assert built("out") == first


def test_what_rests_on_another_file_is_compiled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = "assert:\n  - {name: one, same_as: missing.yaml, waive: not written yet}\n"
    (folder / "routing.yaml").write_text(SPEC + claim)
    built("out")
    assert not (folder / "cache" / "builds").exists()


@needs_compiler
def test_a_native_build_is_the_same_kept_compiled_and_compiled_in_part(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[object] = []
    # That the compilers make the same bytes each time is a test of its own.
    compile_anew = native_build._built
    known: dict[str, Any] = {}

    def counted(*words: Any) -> Any:
        compiled.append(words)
        if repr(words) not in known:
            known[repr(words)] = compile_anew(*words)
        return known[repr(words)]

    monkeypatch.setattr(native_build, "_built", counted)
    first = built("out", "--native")
    assert len(compiled) == 1
    assert built("out", "--native") == first
    # Another spec with the same arithmetic.
    (folder / "routing.yaml").write_text(SPEC + "# a remark\n")
    built("out", "--native")
    (folder / "routing.yaml").write_text(SPEC)
    shutil.rmtree(folder / "cache" / "builds")
    assert built("out", "--native") == first
    assert len(compiled) == 1
    # Without the note that this user has built it here, it is no library of ours.
    shutil.rmtree(folder / "state")
    assert built("out", "--native") == first
    assert len(compiled) == 2
    assert built("out", "--native", "--no-cache") == first
    assert len(compiled) == 3


@needs_compiler
def test_compilers_are_known_by_what_they_say_are_and_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = toolchain.toolchain_digest()
    assert known is not None and toolchain.toolchain_digest() == known
    with monkeypatch.context() as patch:
        patch.setenv("CPATH", "/elsewhere")
        assert toolchain.toolchain_digest() != known
    wrapped = tmp_path / "cc"
    wrapped.write_text(f'#!/bin/sh\nexec {shlex.join(toolchain.compiler())} "$@"\n')
    wrapped.chmod(0o700)
    monkeypatch.setattr(sysconfig, "get_config_var", {"CC": str(wrapped)}.get)
    wrapper = toolchain.toolchain_digest()
    assert wrapper not in (None, known)
    os.utime(wrapped, (1, 1))
    assert toolchain.toolchain_digest() not in (None, known, wrapper)
    wrapped.write_text("#!/bin/sh\nexit 1\n")
    assert toolchain.toolchain_digest() is None
    monkeypatch.setattr(toolchain, "find_spec", lambda _: None)
    assert toolchain.toolchain_digest() is None
