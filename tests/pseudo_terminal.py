"""A program at a terminal of its own, whose screen is as pyte draws it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pyte

PATIENCE = 60
"""Seconds until what is waited for must have come."""

_TAKE = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " os.execvp(sys.argv[1], sys.argv[1:])"
)


@dataclass
class Terminal:
    """The program, and everything it has written; `screen` is what one would see."""

    process: "subprocess.Popen[bytes]"
    master: int
    screen: pyte.Screen
    stream: pyte.ByteStream
    written: bytes = b""
    _ended: bool = field(default=False)

    @property
    def rows(self) -> list[str]:
        return [row.rstrip() for row in self.screen.display]

    @property
    def text(self) -> str:
        return self.written.decode("utf-8", "replace")

    def until(self, found: Callable[["Terminal"], object]) -> None:
        """Read on until something is so. AssertionError where it never is."""
        deadline = time.monotonic() + PATIENCE
        while not found(self):
            left = deadline - time.monotonic()
            assert left > 0 and not self._ended, self.text
            self._read(left)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self) -> int:
        """Its exit code, once it has ended by itself; all that it wrote is read."""
        self.until(lambda it: it._ended)
        return self.process.wait(PATIENCE)

    def _read(self, within: float) -> None:
        if not select.select([self.master], [], [], within)[0]:
            return
        data = b""
        with suppress(OSError):  # on Linux, nobody holds the other end any more
            data = os.read(self.master, 65536)
        self._ended = not data
        self.written += data
        self.stream.feed(data)


@contextmanager
def terminal(
    words: Sequence[str], environ: Mapping[str, str], *, columns: int = 80, rows: int = 24
) -> Iterator[Terminal]:
    """A program that has a terminal of this size as its own."""
    master, slave = pty.openpty()
    screen = pyte.Screen(columns, rows)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-IS", "-c", _TAKE, *words],
        env={"TERM": "linux", **environ},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master, screen, pyte.ByteStream(screen))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(master)
