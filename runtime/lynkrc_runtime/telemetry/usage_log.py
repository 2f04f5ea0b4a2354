"""Outcomes and judgements to lines of a usage log, by a thread of its own: a request only puts its
outcome aside.

Several gateways may share a file or a database (`usage_sinks`). What cannot be written is counted
and told, in the log of the gateway and, when it can be again, in the file.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import Full, Queue
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias, final

from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.settings import Rotate, is_database
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.outcome import Outcome
from lynkrc_runtime.usage_record import (
    VERSION,
    FeedbackLine,
    GapLine,
    Judgement,
    Line,
    Signal,
    SignalLine,
    bundle_line,
    request_line,
)

if TYPE_CHECKING:
    from lynkrc_runtime.telemetry.usage_sinks import Sink

WAITING = 10_000
"""Records that wait to be written, at most."""
END_WITHIN = 5.0
"""Seconds after which the end tries no more, once a record could not be written."""

_Waiting: TypeAlias = tuple[Dispatch, str, str, Outcome, str | None] | Judgement
"""The bundle that served, its digest, the time, what became of a request, and its session; or what
is said of one."""


@final
class UsageLog:
    """A usage log. OSError where the file cannot be opened, or not written to.

    Closed by leaving the `with` block: what waits is written first. `clock` gives Unix seconds,
    `ticks` seconds that never run backwards; `append` writes bytes to an open file.
    """

    __slots__ = (
        "_clock",
        "_described",
        "_ends",
        "_fails",
        "_log",
        "_lost",
        "_lost_judgements",
        "_queue",
        "_sink",
        "_thread",
        "_ticks",
        "lost",
    )

    def __init__(
        self,
        path: Path,
        dispatch: Dispatch,
        digest: str,
        *,
        log: Log,
        store: str | None = None,
        rotate: Rotate | None = None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        waiting: int = WAITING,
        append: Callable[[int, bytes], None] | None = None,
    ) -> None:
        # Late: it brings SQLite, and most gateways keep no usage log.
        from lynkrc_runtime.telemetry.usage_sinks import DatabaseSink, FileSink

        self._fails = False
        self._log, self._clock, self._ticks = log, clock, ticks
        self._queue: Queue[_Waiting | None] = Queue(waiting)
        self._lost = self._lost_judgements = 0
        self.lost = 0
        """Records that were lost since the start, those told in the file included."""
        self._ends: float | None = None
        """When the end began, in ticks: it must not last for hours where a clock is set back."""
        self._described: set[str] = set()
        self._sink: Sink = (
            DatabaseSink(path)
            if is_database(str(path), store)
            else FileSink(path, rotate, write=append)
        )
        try:
            self._put(dispatch, digest, ())
        except OSError:
            self._sink.close()
            raise
        self._thread = threading.Thread(target=self._write_all, name="usage-log", daemon=True)
        self._thread.start()

    def settled(
        self, dispatch: Dispatch, digest: str, outcome: Outcome, session: str | None = None
    ) -> None:
        """Have the line of an ended request written; never waits, and never fails.

        `dispatch` and `digest` are of the bundle that served it, which is described before.
        """
        self._submit((dispatch, digest, self._now(), outcome, session))

    def judged(self, request_id: str, bundle: str, key: str | None, score: float) -> bool:
        """Have a caller's feedback written; whether there was room for it. Never waits."""
        line = FeedbackLine(
            version=VERSION,
            time=self._now(),
            request_id=request_id,
            bundle=bundle,
            key=key,
            score=score,
        )
        return self._submit(line)

    def signalled(self, request_id: str, bundle: str, key: str | None, signal: Signal) -> None:
        """Have a signal about a request written; never waits, and never fails."""
        line = SignalLine(
            version=VERSION,
            time=self._now(),
            request_id=request_id,
            bundle=bundle,
            key=key,
            signal=signal,
        )
        self._submit(line)

    def _submit(self, waiting: _Waiting) -> bool:
        try:
            self._queue.put_nowait(waiting)
        except Full:
            self._lose(waiting)
            return False
        return True

    def _lose(self, waiting: _Waiting) -> None:
        # Both threads may count at once; a count a few off is still told.
        if isinstance(waiting, tuple):
            self._lost += 1
        else:
            self._lost_judgements += 1
        self.lost += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends = self._ticks()
        self._queue.put(None)
        self._thread.join()
        self._sink.close()

    def _write_all(self) -> None:
        while True:
            waiting = self._queue.get()
            if waiting is not None and (
                self._is_in_vain() or not self._try(partial(self._write, waiting))
            ):
                self._lose(waiting)
            if (self._lost or self._lost_judgements) and (waiting is None or self._queue.empty()):
                lost, self._lost = self._lost, 0
                judgements, self._lost_judgements = self._lost_judgements, 0
                gap = GapLine(
                    version=VERSION, time=self._now(), requests=lost, judgements=judgements
                )
                if not self._try(partial(self._append, (gap,))):
                    self._lost += lost
                    self._lost_judgements += judgements
            if waiting is None:
                return

    def _write(self, waiting: _Waiting) -> None:
        if isinstance(waiting, tuple):
            dispatch, digest, moment, outcome, session = waiting
            line = request_line(dispatch, digest, moment, outcome, session)
            self._put(dispatch, digest, (line,))
        else:
            self._append((waiting,))

    def _is_in_vain(self) -> bool:
        """Whether the end has waited enough: for a database that another program locks, say."""
        ends = self._ends
        return self._fails and ends is not None and self._ticks() - ends > END_WITHIN

    def _try(self, write: Callable[[], None]) -> bool:
        """Whether it could be written; that it could not is told once."""
        try:
            write()
        except OSError as error:
            if not self._fails:
                self._log.line(Level.ERROR, "usage-log", reason=error.strerror or str(error))
            self._fails = True
            return False
        self._fails = False
        return True

    def _put(self, dispatch: Dispatch, digest: str, lines: Sequence[Line]) -> None:
        """Write records, behind a line of their bundle where the file has none of ours."""
        self._look()
        if digest not in self._described:
            lines = (bundle_line(dispatch, digest, self._now()), *lines)
        self._sink.put(lines)
        self._described.add(digest)

    def _append(self, lines: Sequence[Line]) -> None:
        """Write records that need no bundle."""
        self._look()
        self._sink.put(lines)

    def _look(self) -> None:
        """Before each write, or nobody would know that the file is another than before."""
        if self._sink.is_new():
            self._described.clear()

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
