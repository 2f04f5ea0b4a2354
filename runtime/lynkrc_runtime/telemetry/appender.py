"""Bytes to the end of a file that may be put aside meanwhile: by us, a neighbour, or logrotate.

Several processes may append to one file. Each write is one call on a file opened for appending, so
lines stay whole. A process whose file was put aside goes on in the one that has its name now, as it
does in one that was emptied under its hands (logrotate's `copytruncate`).
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import final

from lynkrc_runtime.settings import Rotate

KEEP = 5
"""Files put aside that are kept, where nobody says how many."""

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


@final
class Appender:
    """A file that is appended to. OSError where it cannot be opened.

    `write` writes bytes to an open file. The file is readable by its owner alone.
    """

    __slots__ = ("_file", "_inode", "_is_torn", "_path", "_rotate", "_size", "_write")

    def __init__(
        self,
        path: Path,
        rotate: Rotate | None = None,
        *,
        write: Callable[[int, bytes], None] | None = None,
    ) -> None:
        self._path = path
        self._rotate = rotate
        self._write = write or _write_all
        self._file, self._inode, self._is_torn = self._open()
        self._size = 0
        """Bytes there were after the last write."""

    def is_new(self) -> bool:
        """Go on in the file that has the name now; whether that is another, or was emptied.

        Raises OSError where it cannot be opened.
        """
        moved = self._is_moved()
        if self._rotate is not None and not moved:
            moved = os.fstat(self._file).st_size >= self._rotate.size and self._put_aside()
        if moved:
            before = self._file
            self._file, self._inode, self._is_torn = self._open()
            self._size = 0
            os.close(before)
            return True
        if os.fstat(self._file).st_size >= self._size:
            return False
        self._size, self._is_torn = 0, False
        return True

    def append(self, data: bytes) -> None:
        """Write whole lines. Raises OSError; a piece of a line that is left then is ended later."""
        begin = b"\n" if self._is_torn else b""
        # Unless it is written whole.
        self._is_torn = True
        self._write(self._file, begin + data)
        self._is_torn = False
        self._size = os.fstat(self._file).st_size

    def close(self) -> None:
        """Nothing more is written."""
        os.close(self._file)

    def _open(self) -> tuple[int, tuple[int, int], bool]:
        """The file, what tells it from another, and whether its last line was cut off."""
        file = os.open(self._path, _FLAGS, 0o600)
        found = os.fstat(file)
        # A device or a pipe has no last line.
        torn = bool(found.st_size) and os.pread(file, 1, found.st_size - 1) != b"\n"
        return file, (found.st_dev, found.st_ino), torn

    def _is_moved(self) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return True
        return (found.st_dev, found.st_ino) != self._inode

    def _put_aside(self) -> bool:
        """Rename the full file, unless a neighbour was faster."""
        assert self._rotate is not None, "it is asked for"
        lock = os.open(self._path.with_name(f"{self._path.name}.lock"), _FLAGS, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._is_moved():
                return True
            for number in range(self._rotate.keep or KEEP, 0, -1):
                older = self._path if number == 1 else self._aside(number - 1)
                with suppress(FileNotFoundError):
                    older.replace(self._aside(number))
        finally:
            os.close(lock)
        return True

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _write_all(file: int, data: bytes) -> None:
    """All of it; a disk that is full takes a part first, and fails then."""
    while data:
        data = data[os.write(file, data) :]
