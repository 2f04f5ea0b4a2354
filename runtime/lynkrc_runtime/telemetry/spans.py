"""Outcomes to spans of a collector, by a thread of its own: a request only puts its outcome aside.

What OpenTelemetry brings is imported by `spans_otlp` alone, and that only where traces are on.
What the collector does not take is counted and told, never in a request's way.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self, final
from urllib.parse import urlsplit

from msgspec import Struct

from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.outcome import Outcome
from lynkrc_runtime.telemetry.spans_context import Context, begin

WAITING = 4_096
"""Requests that wait to be sent, at most."""
BATCH = 128
"""Requests that are sent at once, at most."""
DELAY = 2.0
"""Seconds until what waits is sent, be it ever so little."""
END_WITHIN = 5.0
"""Seconds the end waits for the collector, once."""
_LET_GO = 0.5
"""Seconds the thread then has to give up what it tries."""


@final
class Ended(Struct, frozen=True, kw_only=True, gc=False):
    """A recorded request that has ended.

    `moment` is when, in Unix nanoseconds; `arrived` is on the clock of its attempts.
    """

    tracing: "Tracing"
    context: Context
    outcome: Outcome
    arrived: float
    moment: int

    @property
    def spans(self) -> int:
        """Its own, and one for each call of a target."""
        return 1 + self.outcome.calls


@final
class Lost(Struct, frozen=True, gc=False):
    """How many spans did not arrive, and why."""

    spans: int
    reason: str


class Exporter(Protocol):
    """The way to a collector."""

    def send(self, requests: Sequence[Ended]) -> Lost | None:
        """Send their spans, waiting as long as it takes; None where all of them arrived."""
        ...

    def close(self) -> None:
        """Give up what is tried."""
        ...


@final
class Spans:
    """What waits for a collector; closed by leaving the `with` block, within END_WITHIN seconds."""

    __slots__ = (
        "_ends",
        "_exporter",
        "_fails",
        "_log",
        "_most",
        "_sending",
        "_thread",
        "_waiting",
        "_wake",
        "lost",
    )

    def __init__(
        self, exporter: Exporter, *, log: Log, most: int = WAITING, end_within: float = END_WITHIN
    ) -> None:
        self._exporter, self._log, self._most, self._ends = exporter, log, most, end_within
        self._waiting: deque[Ended] = deque()
        self._wake = threading.Event()
        self._sending: Sequence[Ended] = ()
        self._fails = False
        self.lost = 0
        """Spans that no collector has, since the start."""
        self._thread: threading.Thread | None = threading.Thread(
            target=self._send_all, name="spans", daemon=True
        )
        self._thread.start()

    def put(self, ended: Ended) -> None:
        """Have it sent; never waits, and never fails."""
        waiting = self._waiting
        if len(waiting) >= self._most or self._thread is None:
            self.lost += ended.spans
            return
        waiting.append(ended)
        if len(waiting) == BATCH:
            self._wake.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        thread, self._thread = self._thread, None
        assert thread is not None, "it is closed once"
        self._wake.set()
        thread.join(self._ends)
        is_late = thread.is_alive()
        self._exporter.close()
        if is_late:
            thread.join(_LET_GO)
        left = (*self._sending, *self._waiting)
        if left:
            self.lost += sum(one.spans for one in left)
            self._log.line(Level.ERROR, "traces", reason="the gateway stopped", requests=len(left))

    def _send_all(self) -> None:
        while self._thread is not None:
            self._wake.wait(DELAY)
            self._wake.clear()
            self._send_waiting()
        self._send_waiting()

    def _send_waiting(self) -> None:
        waiting = self._waiting
        while waiting:
            self._sending = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
            lost = self._exporter.send(self._sending)
            if lost is not None:
                # Both threads may count at once; a count a few off is still told.
                self.lost += lost.spans
                if not self._fails:
                    count = len(self._sending)
                    self._log.line(Level.ERROR, "traces", reason=lost.reason, requests=count)
            self._fails, self._sending = lost is not None, ()


@final
class Tracing(Struct, frozen=True, kw_only=True):
    """What a bundle's requests are recorded with.

    `percent` of those without a parent are. `servers` are host and port of each target, `models`
    the names that the policy knows: what else a client asks for is in no span's name.
    """

    spans: Spans
    percent: int
    dispatch: Dispatch
    digest: str
    servers: Sequence[tuple[str | None, int | None]]
    models: frozenset[str]

    def begins(
        self, headers: Mapping[str, str], repeated: frozenset[str], arrived: float
    ) -> "Recorded | None":
        """A request that is recorded, else None; `arrived` is on the clock of its attempts."""
        context = begin(headers, repeated, self.percent)
        return None if context is None else Recorded(self, context, arrived)


@final
class Recorded(Struct, frozen=True):
    """A request that is recorded, until it has ended."""

    tracing: Tracing
    context: Context
    arrived: float

    def settled(self, outcome: Outcome) -> None:
        """It has ended, just now."""
        self.tracing.spans.put(
            Ended(
                tracing=self.tracing,
                context=self.context,
                outcome=outcome,
                arrived=self.arrived,
                moment=time.time_ns(),
            )
        )


def tracing_of(
    dispatch: Dispatch, digest: str, bases: Sequence[str], spans: Spans | None
) -> Tracing | None:
    """What the requests of a bundle are recorded with; `bases` are the addresses of its targets."""
    if spans is None:
        return None
    return Tracing(
        spans=spans,
        percent=dispatch.settings.observability.traces.sample,
        dispatch=dispatch,
        digest=digest,
        servers=[server_of(base) for base in bases],
        models=frozenset(("auto", *dispatch.models, *dispatch.settings.embeddings)),
    )


def server_of(base: str) -> tuple[str | None, int | None]:
    """Host and port of an address.

    >>> server_of("https://api.example.com/v1"), server_of("http://127.0.0.1:8000")
    (('api.example.com', 443), ('127.0.0.1', 8000))
    """
    found = urlsplit(base)
    if found.hostname is None:
        return None, None
    return found.hostname, found.port or (80 if found.scheme == "http" else 443)
