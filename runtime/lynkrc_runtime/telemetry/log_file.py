"""Log lines to a file that is rotated; what cannot be written is counted and told, never raised."""

import sys
from pathlib import Path
from typing import final

from lynkrc_runtime.settings import Rotate
from lynkrc_runtime.telemetry.appender import Appender


@final
class LogFile:
    """A log's `write` that goes to a file. OSError where the file cannot be opened.

    `lost` is how many lines are in no file: the disk was full, or the folder gone. The first of
    them in a row is told on standard error, the number once lines can be written again.
    """

    __slots__ = ("_file", "_in_a_row", "lost")

    def __init__(self, path: Path, rotate: Rotate | None = None) -> None:
        self._file = Appender(path, rotate)
        self._in_a_row = 0
        self.lost = 0

    def __call__(self, line: str) -> None:
        """Append a line with its line end."""
        told = ""
        if self._in_a_row:
            told = f'{{"level":"error","event":"log-gap","lines":{self._in_a_row}}}\n'
        try:
            self._file.is_new()
            self._file.append((told + line).encode())
        except OSError as error:
            if not self._in_a_row:
                _tell(f"the log cannot be written: {error.strerror}")
            self._in_a_row += 1
            self.lost += 1
        else:
            self._in_a_row = 0


def _tell(message: str) -> None:
    try:
        sys.stderr.write(f"lynkrc-runtime: error: {message}\n")
        sys.stderr.flush()
    except OSError:
        # Nobody is left to tell; the count remains.
        return
