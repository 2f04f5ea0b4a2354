"""``lynkrc fmt``: what is written, what is only shown, and what is left alone."""

import io
import stat
import sys
from pathlib import Path

import pytest

from lynkrc.cli.main import main

LOOSE = "name: tiny\nversion:   1   # the first\n"
CANONICAL = "version: 1  # the first\nname: tiny\n"
BROKEN = "version: 1\nname: tiny\ntires: []\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def test_a_file_is_written_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "routing.yaml"
    path.write_text(LOOSE)
    path.chmod(0o640)
    assert main(["fmt"]) == 0
    assert capsys.readouterr() == ("formatted routing.yaml\n", "")
    assert path.read_text() == CANONICAL
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    number = path.stat().st_ino
    assert main(["fmt"]) == 0
    assert capsys.readouterr() == ("", "")
    assert path.stat().st_ino == number
    assert [one.name for one in folder.iterdir()] == ["routing.yaml"]


def test_a_file_of_tests_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.test.yaml").write_text(LOOSE)
    assert main(["fmt", "routing.test.yaml"]) == 0
    assert "file of tests" in capsys.readouterr().err
    assert (folder / "routing.test.yaml").read_text() == LOOSE


def test_a_link_stays_a_link(folder: Path) -> None:
    (folder / "real.yaml").write_text(LOOSE)
    (folder / "routing.yaml").symlink_to("real.yaml")
    assert main(["fmt"]) == 0
    assert (folder / "routing.yaml").is_symlink()
    assert (folder / "real.yaml").read_text() == CANONICAL


def test_line_ends_and_the_byte_order_mark(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "routing.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + CANONICAL.replace("\n", "\r\n").encode())
    assert main(["fmt", "--diff"]) == 1
    assert "CRLF line ends become LF" in (out := capsys.readouterr().out)
    assert "the byte order mark is removed" in out
    assert main(["fmt"]) == 0
    assert path.read_bytes() == CANONICAL.encode()


def test_check_names_the_files_that_would_change(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "one.yaml").write_text(LOOSE)
    (folder / "two.yaml").write_text(CANONICAL)
    assert main(["fmt", "--check", "one.yaml", "two.yaml"]) == 1
    assert capsys.readouterr() == ("would change: one.yaml\n", "")
    assert (folder / "one.yaml").read_text() == LOOSE
    assert main(["fmt", "--check", "two.yaml"]) == 0


def test_diff_shows_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_text(LOOSE.rstrip("\n"))
    assert main(["fmt", "--diff"]) == 1
    assert capsys.readouterr().out == (
        "--- routing.yaml\n+++ routing.yaml\n@@ -1,2 +1,2 @@\n+version: 1  # the first\n"
        " name: tiny\n-version:   1   # the first\n\\ No newline at end of file\n"
    )
    assert (folder / "routing.yaml").read_text() == LOOSE.rstrip("\n")


def test_a_file_with_errors_is_left_alone_and_the_others_are_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.yaml").write_text(BROKEN)
    (folder / "good.yaml").write_text(LOOSE)
    assert main(["fmt", "bad.yaml", "good.yaml"]) == 1
    out, err = capsys.readouterr()
    assert out == "formatted good.yaml\n"
    assert "bad.yaml:3:1" in err
    assert (folder / "bad.yaml").read_text() == BROKEN


def test_a_file_that_cannot_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "good.yaml").write_text(LOOSE)
    assert main(["fmt", "none.yaml", "good.yaml"]) == 2
    out, err = capsys.readouterr()
    assert out == "formatted good.yaml\n"
    assert err.startswith("error: cannot read none.yaml")


def test_bytes_that_are_no_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "routing.yaml").write_bytes(b"version: \xff\n")
    assert main(["fmt"]) == 1
    assert "LK002" in capsys.readouterr().err


def test_standard_input_to_standard_output(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    feed(monkeypatch, LOOSE.replace("tiny", "tiny  # é").encode())
    assert main(["fmt", "-"]) == 0
    wanted = "version: 1  # the first\nname: tiny  # é\n"
    assert capfdbinary.readouterr() == (wanted.encode(), b"")
    feed(monkeypatch, BROKEN.encode())
    assert main(["fmt", "-"]) == 1
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert b"<stdin>:3:1" in err
