"""What ``inspect``, ``verify`` and ``sign`` say of bundles and signatures made to fool them."""

import json
import os
from pathlib import Path

import pytest

from lynkrc.cli import verify
from lynkrc.cli.main import main
from lynkrc_runtime.bundle import MANIFEST, OpenedBundle, archive
from lynkrc_runtime.bundle_archive import unzip
from tests.runtime.test_bundle_load import replace_honestly
from tests.signing_keys import write_pair
from tests.unit.cli_sample import SPEC

Say = pytest.CaptureFixture[str]
BUNDLE = Path("out", "sample.lynkr")
SIGNATURE = Path("out", "sample.lynkr.intoto.jsonl")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a spec, a pair of keys and a bundle."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing.yaml").write_text(SPEC)
    write_pair(tmp_path, "our", 1)
    write_pair(tmp_path, "their", 2)
    assert main(["build", "-o", "out", "--quiet"]) == 0
    return tmp_path


def told(capsys: Say, code: int, *words: str) -> tuple[str, str]:
    """What a command prints that ends with this code."""
    capsys.readouterr()
    assert main(words) == code, capsys.readouterr()
    return capsys.readouterr()


def test_a_terminal_shows_names_and_does_no_more(folder: Path, capsys: Say) -> None:
    """Names could clear the screen, or write a verdict of their own."""
    files = unzip(BUNDLE, BUNDLE.read_bytes())
    evil = "native/\x1b[2Jx\n  rebuilt  99 files/scorer.so"
    replace_honestly(files, evil, b"\x7fELF")
    manifest = json.loads(files[MANIFEST])
    manifest["native"] = [evil.split("/")[1]]
    files[MANIFEST] = json.dumps(manifest).encode()
    BUNDLE.write_bytes(archive(files))
    for code, words in (
        (0, ("inspect", "out")),
        (1, ("verify", "out", "--rebuild")),
        (0, ("verify", "out", "--rebuild", "--without", "native")),
        (1, ("sign", "out", "--key", "our.pem")),
    ):
        out, err = told(capsys, code, *words)
        assert "\x1b" not in out + err
        assert "\\u{1b}[2Jx" in out + err
        assert "\n  rebuilt  99 files" not in out


def test_a_report_that_is_none_is_said(folder: Path, capsys: Say) -> None:
    whole = unzip(BUNDLE, BUNDLE.read_bytes())
    for report in (b"no JSON", b"[]", b"{}", b'{"warnings": 1, "assumptions": []}'):
        files = dict(whole)
        replace_honestly(files, "report.json", report)
        BUNDLE.write_bytes(archive(files))
        _, err = told(capsys, 2, "inspect", "out")
        assert err.startswith(f"error: {BUNDLE}: report.json: ")


def test_what_is_told_of_a_signature_is_what_is_signed(
    folder: Path, capsys: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the file is replaced between its verification and the telling."""
    assert main(["sign", "out", "--key", "their.pem", "--builder", "https://lies.example"]) == 0
    lie = SIGNATURE.read_text()
    assert main(["sign", "out", "--key", "our.pem", "-o", "whole.jsonl"]) == 0
    whole = Path("whole.jsonl").read_text()
    theirs, ours = (json.loads(text)["signatures"][0]["keyid"] for text in (lie, whole))
    opened = verify.open_bundle
    later: list[str] = []

    def replaced(*given: object, **named: object) -> OpenedBundle:
        bundle = opened(*given, **named)  # type: ignore[arg-type]  # passed on as they come
        SIGNATURE.write_text(later[-1])
        return bundle

    monkeypatch.setattr(verify, "open_bundle", replaced)
    for text, why in (
        (lie.replace(theirs, ours), "not signed by the key it names"),
        ("nonsense\n", "no JSON"),
    ):
        SIGNATURE.write_text(whole)
        later.append(text)
        out, err = told(capsys, 1, "verify", "out", "--trusted-key", "our.pub.pem")
        assert "lies.example" not in out
        assert err.startswith(f"error: {SIGNATURE}: ") and why in err


def test_a_pipe_is_not_waited_for(folder: Path, capsys: Say) -> None:
    os.mkfifo(SIGNATURE)
    for code, words in (
        (1, ("verify", "out")),
        (1, ("verify", "out", "--trusted-key", "our.pub.pem")),
        (2, ("verify", "out", "--signature", str(SIGNATURE))),
        (2, ("sign", "out", "--key", "our.pem")),
    ):
        assert "not a plain file" in told(capsys, code, *words)[1]
    assert "not a plain file" in told(capsys, 0, "inspect", "out")[0]
    BUNDLE.unlink()
    os.mkfifo(BUNDLE)
    for words in (("verify", "out"), ("sign", "out", "--key", "our.pem"), ("inspect", "out")):
        assert "not a plain file" in told(capsys, 2, *words)[1]


def test_what_is_no_bundle_is_said(folder: Path, capsys: Say) -> None:
    Path("empty").mkdir()
    Path("text.lynkr").write_text("text")
    for name, code in (("none.lynkr", 2), ("empty", 2), ("text.lynkr", 1), ("routing.yaml", 1)):
        _, err = told(capsys, code, "verify", name)
        assert err.startswith("error: ") and name in err and err.count("\n") == 1
        _, err = told(capsys, 2, "sign", name, "--key", "our.pem")
        assert err.startswith("error: ") and name in err and err.count("\n") == 1
