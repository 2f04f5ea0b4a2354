"""A path to the moments a new bundle lies there, whole: it changed, and then stayed as it was."""

from pathlib import Path
from typing import TypeAlias, final

from lynkrc_runtime.bundle import SUFFIX

Stamp: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Name, modification time, size and inode of every file that may be the bundle."""


@final
class Watcher:
    """Looks at a bundle's path: a file, or the folder that holds it."""

    __slots__ = ("_last", "_path", "_served")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._served = self._last = self._stamp()

    def look(self) -> bool:
        """Whether there is something new since the last True, unchanged since the last look.

        A file that is still being written changes between two looks; one that was renamed into
        its place does not. Nothing there is nothing new.
        """
        now, before = self._stamp(), self._last
        self._last = now
        if not now or now == self._served or now != before:
            return False
        self._served = now
        return True

    def _stamp(self) -> Stamp:
        paths = sorted(self._path.glob(f"*{SUFFIX}")) if self._path.is_dir() else [self._path]
        return tuple(stamp for path in paths if (stamp := _stamp_of(path)) is not None)


def _stamp_of(path: Path) -> tuple[str, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return path.name, found.st_mtime_ns, found.st_size, found.st_ino
