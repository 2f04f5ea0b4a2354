"""Unsigned native code runs only where this user has built it on this machine."""

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lynkrc_runtime import native_trust
from lynkrc_runtime.native_trust import (
    NotOurs,
    check_built_here,
    machine_id,
    record_built_here,
    state_home,
)

LIBRARY = b"\x7fELF of ours"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def place(environ: Mapping[str, str]) -> Path:
    return state_home(environ) / "lynkrc" / "native"


def note(environ: Mapping[str, str]) -> Path:
    (found,) = place(environ).iterdir()
    return found


def why(environ: Mapping[str, str], library: bytes = LIBRARY) -> str:
    with pytest.raises(NotOurs) as caught:
        check_built_here(library, environ)
    return str(caught.value)


def test_what_was_built_here_is_ours(environ: Mapping[str, str]) -> None:
    before = os.umask(0)
    try:
        record_built_here(LIBRARY, environ)
    finally:
        os.umask(before)
    check_built_here(LIBRARY, environ)
    record_built_here(LIBRARY, environ)
    check_built_here(LIBRARY, environ)
    assert stat.S_IMODE(place(environ).stat().st_mode) == 0o700
    assert stat.S_IMODE(place(environ).parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(note(environ).stat().st_mode) == 0o600
    assert machine_id() not in note(environ).read_text()


def test_another_library_is_not(environ: Mapping[str, str]) -> None:
    assert why(environ) == f"there is no {state_home(environ)}"
    record_built_here(LIBRARY, environ)
    assert why(environ, LIBRARY + b"\0") == "it is not among what this user has built here"


def test_a_note_of_another_machine_is_none(
    environ: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_built_here(LIBRARY, environ)
    other = tmp_path / "machine-id"
    other.write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr(native_trust, "_MACHINE_IDS", (other,))
    assert why(environ) == "its note is another machine's, or damaged"


def test_without_a_machine_id_its_name_stands_for_it(
    environ: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = tmp_path / "machine-id"
    fresh.write_text("uninitialized\n")
    monkeypatch.setattr(native_trust, "_MACHINE_IDS", (tmp_path / "none", fresh))
    monkeypatch.setattr(native_trust.platform, "node", lambda: "one")
    record_built_here(LIBRARY, environ)
    check_built_here(LIBRARY, environ)
    monkeypatch.setattr(native_trust.platform, "node", lambda: "two")
    assert why(environ) == "its note is another machine's, or damaged"


def damage(environ: Mapping[str, str]) -> None:
    note(environ).write_bytes(note(environ).read_bytes()[:-1])


def open_up(which: Callable[[Mapping[str, str]], Path], mode: int) -> Callable[..., None]:
    return lambda environ: which(environ).chmod(mode)


def link(which: Callable[[Mapping[str, str]], Path]) -> Callable[..., None]:
    def change(environ: Mapping[str, str]) -> None:
        path = which(environ)
        real = state_home(environ) / "real"
        path.rename(real)
        path.symlink_to(real)

    return change


def second_name(environ: Mapping[str, str]) -> None:
    (state_home(environ) / "second").hardlink_to(note(environ))


def folder_as_note(environ: Mapping[str, str]) -> None:
    path = note(environ)
    path.unlink()
    path.mkdir()


def pipe_as_note(environ: Mapping[str, str]) -> None:
    path = note(environ)
    path.unlink()
    os.mkfifo(path)


OURS = "can be written by others"
CHANGES: dict[str, tuple[Callable[[Mapping[str, str]], None], str]] = {
    "group may write the folder": (open_up(place, 0o770), f"native {OURS}"),
    "others may write the folder": (open_up(place, 0o702), f"native {OURS}"),
    "group may write above": (open_up(lambda e: place(e).parent, 0o770), f"lynkrc {OURS}"),
    "group may write the note": (open_up(note, 0o660), f"its note {OURS}"),
    "the folder is a link": (link(place), "native: Not a directory"),
    "the folder above is a link": (link(lambda e: place(e).parent), "lynkrc: Not a directory"),
    "the note is a link": (link(note), "its note cannot be read: Too many levels"),
    "the note has two names": (second_name, "its note is no plain file"),
    "the note is a folder": (folder_as_note, "its note is no plain file"),
    "the note is a pipe": (pipe_as_note, "its note is no plain file"),
    "the note is damaged": (damage, "its note is another machine's, or damaged"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_note_others_may_have_made_is_none(environ: Mapping[str, str], case: str) -> None:
    change, reason = CHANGES[case]
    record_built_here(LIBRARY, environ)
    check_built_here(LIBRARY, environ)
    change(environ)
    assert reason in why(environ)


@needs_root
@pytest.mark.parametrize("which", [note, place, lambda e: place(e).parent])
def test_a_note_of_another_user_is_none(
    environ: Mapping[str, str], which: Callable[[Mapping[str, str]], Path]
) -> None:
    record_built_here(LIBRARY, environ)
    os.chown(which(environ), 65534, 65534)
    assert why(environ).endswith("belongs to another user")


def test_what_others_can_write_is_not_written_to(environ: Mapping[str, str]) -> None:
    place(environ).mkdir(parents=True)
    place(environ).chmod(0o777)
    with pytest.raises(NotOurs, match="native can be written by others"):
        record_built_here(LIBRARY, environ)
    assert list(place(environ).iterdir()) == []


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotOurs, match=r"lynkrc/native cannot be made: Not a directory"):
        record_built_here(LIBRARY, {"XDG_STATE_HOME": str(tmp_path / "file" / "state")})
    with pytest.raises(NotOurs, match="neither XDG_STATE_HOME nor HOME names a folder"):
        record_built_here(LIBRARY, {})


def test_a_read_only_home_is_said(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record_built_here(LIBRARY, environ)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(native_trust.tempfile, "NamedTemporaryFile", refuse)
    with pytest.raises(NotOurs, match="cannot be written: Read-only file system"):
        record_built_here(b"another", environ)
    check_built_here(LIBRARY, environ)


def test_where_state_is_kept() -> None:
    assert state_home({"HOME": "/people/one"}) == Path("/people/one/.local/state")
    assert state_home({"HOME": "/people/one", "XDG_STATE_HOME": "/state"}) == Path("/state")
    relative = {"HOME": "/people/one", "XDG_STATE_HOME": "state"}
    assert state_home(relative) == Path("/people/one/.local/state")
