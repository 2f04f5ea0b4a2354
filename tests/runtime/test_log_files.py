"""Log lines in files: rotation by us and by others, several writers, a disk that is full."""

import json
import threading
from pathlib import Path

import pytest

from lynkrc_runtime.server.logs import open_log
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.settings import Log as Declared
from lynkrc_runtime.settings import Observability, Rotate
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.log_file import LogFile


def all_lines(folder: Path) -> list[str]:
    files = [path for path in folder.iterdir() if not path.name.endswith(".lock")]
    return sorted(line for path in files for line in path.read_text().splitlines())


def test_a_full_file_is_put_aside_and_the_oldest_is_dropped(tmp_path: Path) -> None:
    write = LogFile(tmp_path / "log", Rotate(size=20, keep=2))
    for number in range(8):
        write(f"line {number} .....\n")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["log", "log.1", "log.2", "log.lock"]
    assert (tmp_path / "log").read_text() == "line 6 .....\nline 7 .....\n"
    assert (tmp_path / "log.1").read_text() == "line 4 .....\nline 5 .....\n"
    assert (tmp_path / "log.2").read_text() == "line 2 .....\nline 3 .....\n"


def test_a_file_that_somebody_else_moved_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    write = LogFile(path)
    write("one\n")
    path.rename(tmp_path / "log.aside")
    write("two\n")
    path.unlink()
    write("three\n")
    assert (tmp_path / "log.aside").read_text() == "one\n"
    assert path.read_text() == "three\n"
    assert write.lost == 0


def test_several_writers_share_a_file_and_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    wanted = [f"writer {who} line {number:03}" for who in range(4) for number in range(200)]

    def writer(who: int) -> None:
        # What each worker has: a file of its own on the same name.
        write = LogFile(path, Rotate(size=2_000, keep=1000))
        for number in range(200):
            write(f"writer {who} line {number:03}\n")

    threads = [threading.Thread(target=writer, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all_lines(tmp_path) == sorted(wanted)
    assert len(list(tmp_path.iterdir())) > 5


def test_what_cannot_be_written_is_counted_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log = Log(write=LogFile(folder / "log"))
    (folder / "log").unlink()
    folder.rmdir()
    log.line(Level.INFO, "one")
    log.line(Level.INFO, "two")
    assert log.lost == 2
    assert capsys.readouterr().err.count("the log cannot be written") == 1
    folder.mkdir()
    log.line(Level.INFO, "three")
    events = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    assert [(line["event"], line.get("lines")) for line in events] == [
        ("log-gap", 2),
        ("three", None),
    ]


def test_the_command_line_comes_before_the_spec(tmp_path: Path) -> None:
    stated = Observability(log=Declared(level="warning", file=str(tmp_path / "declared")))
    open_log(stated, level=Level.DEBUG, file=tmp_path / "chosen").line(Level.DEBUG, "kept")
    open_log(stated, level=None, file=None).line(Level.INFO, "dropped")
    open_log(stated, level=None, file=None).line(Level.ERROR, "kept")
    assert "kept" in (tmp_path / "chosen").read_text()
    assert json.loads((tmp_path / "declared").read_text())["event"] == "kept"


def test_a_level_follows_the_bundle_unless_it_was_chosen(tmp_path: Path) -> None:
    said: list[str] = []
    free, chosen = Log(write=said.append), Log(write=said.append, level=Level.INFO)
    for log in (free, chosen):
        log.follow(Declared(level="error"))
        log.line(Level.INFO, "here")
    assert len(said) == 1


def test_a_log_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match="cannot write the log"):
        open_log(Observability(), level=None, file=tmp_path / "nowhere" / "log")
