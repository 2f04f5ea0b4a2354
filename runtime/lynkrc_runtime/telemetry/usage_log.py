"""Outcomes to lines of a usage log, by a thread of its own: a request only puts its outcome aside.

A line is one write to a file opened for appending, so several gateways may share it. What cannot
be written is counted and told, in the log of the gateway and, when it can be again, in the file.
"""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import Full, Queue
from types import TracebackType
from typing import Self, final

import msgspec

from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.outcome import Outcome
from lynkrc_runtime.usage_record import VERSION, GapLine, Line, bundle_line, request_line

WAITING = 10_000
"""Outcomes that wait to be written, at most."""


@final
class UsageLog:
    """A usage log. OSError where the file cannot be opened, or not written to.

    Closed by leaving the `with` block: what waits is written first. `clock` gives Unix seconds,
    `append` writes bytes to an open file.
    """

    __slots__ = (
        "_append",
        "_clock",
        "_fails",
        "_file",
        "_log",
        "_lost",
        "_queue",
        "_thread",
    )

    def __init__(
        self,
        path: Path,
        dispatch: Dispatch,
        digest: str,
        *,
        log: Log,
        clock: Callable[[], float] = time.time,
        waiting: int = WAITING,
        append: Callable[[int, bytes], None] | None = None,
    ) -> None:
        self._append = append or _write
        self._fails = False
        self._log, self._clock = log, clock
        self._queue: Queue[Callable[[], Line] | None] = Queue(waiting)
        self._lost = 0
        # Readable by its owner alone: who asked how much, and when, is nobody else's matter.
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._begin(dispatch, digest)
        except OSError:
            os.close(self._file)
            raise
        self._thread = threading.Thread(target=self._write_all, name="usage-log", daemon=True)
        self._thread.start()

    def serves(self, dispatch: Dispatch, digest: str) -> None:
        """Another bundle serves from now on: have it described."""
        self._wait_for(partial(bundle_line, dispatch, digest, self._now()))

    def settled(self, dispatch: Dispatch, digest: str, outcome: Outcome) -> None:
        """Have the line of an ended request written; never waits, and never fails.

        `dispatch` and `digest` are of the bundle that served it.
        """
        self._wait_for(partial(request_line, dispatch, digest, self._now(), outcome))

    def _wait_for(self, line: Callable[[], Line]) -> None:
        try:
            self._queue.put_nowait(line)
        except Full:
            # Both threads may count at once; a count a few off is still told.
            self._lost += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._queue.put(None)
        self._thread.join()
        os.close(self._file)

    def _begin(self, dispatch: Dispatch, digest: str) -> None:
        """The bundle's line, behind what stands there; a line cut off by a crash is ended first."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            self._append(self._file, b"\n")
        self._put(bundle_line(dispatch, digest, self._now()))

    def _write_all(self) -> None:
        while True:
            waiting = self._queue.get()
            if waiting is not None:
                self._try(waiting(), requests=1)
            if self._lost and (waiting is None or self._queue.empty()):
                lost, self._lost = self._lost, 0
                self._try(GapLine(version=VERSION, time=self._now(), requests=lost), requests=lost)
            if waiting is None:
                return

    def _try(self, line: Line, *, requests: int) -> None:
        """Write a line; where that fails the requests it is about are lost, which is told once."""
        try:
            self._put(line)
        except OSError as error:
            if not self._fails:
                self._log.line(Level.ERROR, "usage-log", reason=error.strerror)
            self._fails = True
            self._lost += requests
        else:
            self._fails = False

    def _put(self, line: Line) -> None:
        # What failed may have left a piece of a line: it is ended first.
        begin = b"\n" if self._fails else b""
        self._append(self._file, begin + msgspec.json.encode(line) + b"\n")

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")


def _write(file: int, data: bytes) -> None:
    """All of it; a disk that is full takes a part first, and fails then."""
    while data:
        data = data[os.write(file, data) :]
