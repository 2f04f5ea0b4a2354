"""A path to the moments a new bundle lies there, whole: it changed, and then stayed as it was.

Where signatures count, a bundle that was signed anew is a new one: what was refused may now serve.
"""

from pathlib import Path
from typing import TypeAlias, final

from lynkrc_runtime.bundle import SUFFIX
from lynkrc_runtime.signature import signature_path

Stamp: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Name, modification time, size and inode of every file that may be the bundle or sign it."""


@final
class Watcher:
    """Looks at a bundle's path: a file, or the folder that holds it; and at its signatures."""

    __slots__ = ("_last", "_path", "_served", "_with_signatures")

    def __init__(self, path: Path, *, with_signatures: bool) -> None:
        self._path = path
        self._with_signatures = with_signatures
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
        bundles = sorted(self._path.glob(f"*{SUFFIX}")) if self._path.is_dir() else [self._path]
        stamps: list[tuple[str, int, int, int]] = []
        for path in bundles:
            found = _stamp_of(path)
            if found is None:
                continue
            stamps.append(found)
            signatures = _stamp_of(signature_path(path)) if self._with_signatures else None
            if signatures is not None:
                stamps.append(signatures)
        return tuple(stamps)


def _stamp_of(path: Path) -> tuple[str, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return path.name, found.st_mtime_ns, found.st_size, found.st_ino
