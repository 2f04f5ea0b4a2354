"""The sha256 of a native library to whether this user has built it on this machine.

``lynkrc build --native`` notes the digest of the library it has compiled in a folder that nobody
else can write to, ``$XDG_STATE_HOME/lynkrc/native`` (``~/.local/state`` without the variable). A
library without a trusted signature runs only where its note is found there.

A note counts when all of this holds: ``lynkrc`` and ``native`` are folders and no links, belong
to the effective user, and neither their group nor others may write to them; the note is a plain
file with one name, with the same owner and no wider rights; and it says this digest and this
machine.
"""

import hashlib
import os
import platform
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MACHINE_IDS: Final = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_LONGEST: Final = 4096
_FOLDERS: Final = ("lynkrc", "native")


class NotOurs(Exception):
    """Why a library does not count as built here; fit to print."""


def state_home(environ: Mapping[str, str]) -> Path:
    """The user's folder for state, by the XDG base directory specification. Raises NotOurs."""
    chosen = environ.get("XDG_STATE_HOME", "")
    # A relative path counts for nothing, the specification says.
    if chosen and Path(chosen).is_absolute():
        return Path(chosen)
    home = environ.get("HOME", "")
    if not home or not Path(home).is_absolute():
        raise NotOurs("neither XDG_STATE_HOME nor HOME names a folder")
    return Path(home) / ".local" / "state"


def check_built_here(library: bytes, environ: Mapping[str, str]) -> None:
    """NotOurs, saying why, unless this user has built this library on this machine."""
    _only_where_owners_are_known()
    base = state_home(environ)
    digest = hashlib.sha256(library).hexdigest()
    with _folder(base) as folder:
        try:
            note = os.open(digest, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except FileNotFoundError:
            raise NotOurs("it is not among what this user has built here") from None
        except OSError as error:
            raise NotOurs(f"its note cannot be read: {error.strerror}") from error
        try:
            found = os.fstat(note)
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise NotOurs("its note is no plain file")
            _check_owner(found, "its note")
            said = os.read(note, _LONGEST)
        finally:
            os.close(note)
    if said != _note(digest):
        raise NotOurs("its note is another machine's, or damaged")


def record_built_here(library: bytes, environ: Mapping[str, str]) -> None:
    """Note that this user has built this library on this machine. NotOurs where that cannot be."""
    _only_where_owners_are_known()
    base = state_home(environ)
    digest = hashlib.sha256(library).hexdigest()
    place = base.joinpath(*_FOLDERS)
    try:
        base.mkdir(parents=True, exist_ok=True)
        for folder in (place.parent, place):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise NotOurs(f"{place} cannot be made: {error.strerror}") from error
    with _folder(base):
        pass
    scratch = None
    try:
        # Made with rights for this user alone, whatever the umask is.
        with tempfile.NamedTemporaryFile(dir=place, prefix=".", delete=False) as file:
            scratch = Path(file.name)
            file.write(_note(digest))
        scratch.replace(place / digest)
    except OSError as error:
        if scratch is not None:
            scratch.unlink(missing_ok=True)
        raise NotOurs(f"{place} cannot be written: {error.strerror}") from error


def _note(digest: str) -> bytes:
    # Machine ids are not to be shown (machine-id(5)): what is kept is a digest of it and us.
    machine = hashlib.sha256(b"lynkrc native 1\n" + machine_id().encode()).hexdigest()
    return f"lynkrc native 1\nlibrary {digest}\nmachine {machine}\n".encode()


def machine_id() -> str:
    """What tells this machine from others: its machine id, else its name."""
    for path in _MACHINE_IDS:
        try:
            found = path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if found and found != "uninitialized":
            return found
    return platform.node()


@contextmanager
def _folder(base: Path) -> Iterator[int]:
    """The folder of notes, held open; every step of ours is checked as it is entered."""
    flags = os.O_RDONLY | os.O_DIRECTORY
    opened: list[int] = []
    path = base
    try:
        opened.append(os.open(base, flags))
        for name in _FOLDERS:
            path = path / name
            opened.append(os.open(name, flags | os.O_NOFOLLOW, dir_fd=opened[-1]))
            _check_owner(os.fstat(opened[-1]), str(path))
        yield opened[-1]
    except FileNotFoundError:
        raise NotOurs(f"there is no {path}") from None
    except OSError as error:
        raise NotOurs(f"{path}: {error.strerror}") from error
    finally:
        for one in opened:
            os.close(one)


def _check_owner(found: os.stat_result, what: str) -> None:
    if found.st_uid != os.geteuid():
        raise NotOurs(f"{what} belongs to another user")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise NotOurs(f"{what} can be written by others")


def _only_where_owners_are_known() -> None:
    if sys.platform == "win32":
        raise NotOurs("whose files are whose cannot be told on this system")
