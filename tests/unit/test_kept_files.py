"""What is kept is read back; what others could have written, or what is damaged, is nothing."""

import os
import pwd
from pathlib import Path

import pytest

from lynkrc.cli.kept_files import keep_file, kept_folder, read_kept


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LYNKRC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "things"


def test_what_is_kept_is_read_by_its_user_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        keep_file("things", "one", b"\0body\n", most=9)
    finally:
        os.umask(before)
    assert read_kept("things", "one") == b"\0body\n"
    assert read_kept("things", "two") is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "one").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["one"]


def test_only_the_newest_stay(folder: Path) -> None:
    names = [str(number) * 64 for number in range(5)]
    for number, name in enumerate(names[:4]):
        keep_file("things", name, b"", most=2)
        os.utime(folder / name, ns=(number, number))
    keep_file("things", names[4], b"", most=2)
    assert sorted(path.name for path in folder.iterdir()) == names[3:]


def test_what_somebody_else_put_there_stays(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("notes.txt", ".hidden"):
        (folder / name).write_text("mine")
    (folder / "more").mkdir()
    keep_file("things", "0" * 64, b"", most=1)
    keep_file("things", "1" * 64, b"", most=1)
    assert {path.name for path in folder.iterdir()} == {"notes.txt", ".hidden", "more", "1" * 64}


@pytest.mark.parametrize("how", ["linked", "shared"])
def test_where_others_write_nothing_is_kept(folder: Path, how: str) -> None:
    folder.mkdir(parents=True)
    if how == "linked":
        folder.rename(folder.with_name("elsewhere"))
        folder.symlink_to("elsewhere")
    else:
        folder.chmod(0o707)
    keep_file("things", "0" * 64, b"", most=1)
    assert list(folder.iterdir()) == []


def shared_file(file: Path) -> None:
    file.chmod(0o620)


def shared_folder(file: Path) -> None:
    file.parent.chmod(0o702)


def link(file: Path) -> None:
    file.replace(file.with_name("real"))
    file.symlink_to("real")


def second_name(file: Path) -> None:
    file.with_name("other").hardlink_to(file)


def linked_folder(file: Path) -> None:
    file.parent.rename(file.parent.with_name("elsewhere"))
    file.parent.symlink_to("elsewhere")


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def changed(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize(
    "spoil",
    [
        *(shared_file, shared_folder, link, second_name, linked_folder),
        *(pipe, directory, changed, cut, emptied),
    ],
)
def test_what_others_could_have_written_is_nothing(folder: Path, spoil: object) -> None:
    assert callable(spoil)
    keep_file("things", "one", b"body", most=9)
    spoil(folder / "one")
    assert read_kept("things", "one") is None


@pytest.mark.parametrize("whose", ["file", "folder"])
def test_what_belongs_to_another_is_nothing(
    folder: Path, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_file("things", "one", b"body", most=9)
    if os.geteuid() == 0:
        os.chown(folder if whose == "folder" else folder / "one", 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert read_kept("things", "one") is None


def test_where_nothing_can_be_kept_nothing_is(folder: Path) -> None:
    folder.parent.write_text("in the way")
    keep_file("things", "one", b"body", most=9)
    assert read_kept("things", "one") is None


def test_where_files_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LYNKRC_CACHE", "")
    assert kept_folder("things") is None
    keep_file("things", "one", b"body", most=9)
    assert read_kept("things", "one") is None
    monkeypatch.delenv("LYNKRC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kept_folder("things") == tmp_path / "lynkrc" / "things"


def test_a_user_without_a_home_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    for name in ("LYNKRC_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert kept_folder("things") is None
