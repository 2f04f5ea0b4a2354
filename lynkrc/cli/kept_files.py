"""A name to bytes that an earlier run of this user has kept, or to nothing.

Every kind of file has a folder of its own below ``LYNKRC_CACHE``, else below
``$XDG_CACHE_HOME/lynkrc``, else below ``~/.cache/lynkrc``; with ``LYNKRC_CACHE=`` empty, or for a
user without a home, nothing is kept. What others could have put there counts for nothing, and is no
error: folder and file are no links, belong to the effective user, and nobody else may write to
them; the file is as it was written, by the digest in its first line. In a folder that is not so,
nothing is kept.
"""

import errno
import hashlib
import os
import re
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_DIGEST: Final = 64
_SCRATCH: Final = ".lynkrc-"
_OURS: Final = re.compile(rf"[0-9a-f]{{{_DIGEST}}}|{re.escape(_SCRATCH)}.*")
"""Names that are ours to remove: somebody may keep files of their own in such a folder."""


def kept_folder(kind: str) -> Path | None:
    """Where files of a kind are kept; None to keep none."""
    if sys.platform == "win32":
        # Whose files are whose cannot be told there.
        return None
    chosen = os.environ.get("LYNKRC_CACHE")
    if chosen is not None:
        return Path(chosen) / kind if chosen else None
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        # A user that the system does not know, as in many containers.
        return None
    return Path(base) / "lynkrc" / kind


def read_kept(kind: str, name: str) -> bytes | None:
    """What is kept under a name, a digest; None where there is nothing that can be believed."""
    place = kept_folder(kind)
    if place is None:
        return None
    try:
        folder = _open(place)
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
                found = os.fstat(file.fileno())
                if not (stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and _is_ours(found)):
                    return None
                data = file.read()
        finally:
            os.close(folder)
    except OSError:
        return None
    digest, body = data[:_DIGEST], data[_DIGEST + 1 :]
    return body if hashlib.sha256(body).hexdigest().encode() == digest else None


def keep_file(kind: str, name: str, body: bytes, *, most: int) -> None:
    """Keep bytes under a name, a digest, and of the kind no more than the `most` newest files.

    Where that cannot be, nothing is kept.
    """
    place = kept_folder(kind)
    if place is None:
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        os.close(_open(place))
        # Made with rights for this user alone, whatever the umask is.
        with tempfile.NamedTemporaryFile(dir=place, prefix=_SCRATCH, delete=False) as file:
            scratch = Path(file.name)
            try:
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
                file.close()
                scratch.replace(place / name)
            except OSError:
                scratch.unlink(missing_ok=True)
                raise
        _leave(place, most)
    except OSError:
        return


def _leave(place: Path, most: int) -> None:
    """Remove all but the newest; what was left half written is as old as anything else."""
    named = [one for one in place.iterdir() if _OURS.fullmatch(one.name)]
    found = [(one.lstat().st_mtime_ns, one.name) for one in named]
    for _, name in sorted(found)[:-most]:
        # Another build may have removed it by now.
        with suppress(FileNotFoundError):
            (place / name).unlink()


def _open(place: Path) -> int:
    """A folder of ours. OSError where it is not."""
    folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if not _is_ours(os.fstat(folder)):
        os.close(folder)
        raise PermissionError(errno.EPERM, "others could write there", str(place))
    return folder


def _is_ours(found: os.stat_result) -> bool:
    writable = stat.S_IWGRP | stat.S_IWOTH
    return found.st_uid == os.geteuid() and not found.st_mode & writable
