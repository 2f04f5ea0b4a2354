"""Ended requests to sums: each adds to rows that it finds by its labels, and nothing is worked out.

The metrics library is told of the sums when somebody asks for them: its own counters and
histograms take several times as long for every request.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import final

from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

from lynkrc_runtime.cost import Charge

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds: the upper bounds of a histogram's buckets."""


@final
class Spans:
    """How long something took, by bucket.

    >>> spans = Spans()
    >>> spans.add(0.05); spans.add(700.0)
    >>> spans.counts[0], spans.counts[-1], spans.total
    (1, 1, 700.05)
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0
        """Seconds."""

    def add(self, seconds: float) -> None:
        """It took so long."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


@final
class Histogram(Collector):
    """Spans by the values of labels, as the library shows a histogram."""

    __slots__ = ("_meaning", "_spans", "labels", "name")

    def __init__(self, name: str, meaning: str, labels: Sequence[str]) -> None:
        self.name, self._meaning, self.labels = name, meaning, tuple(labels)
        self._spans: dict[tuple[str, ...], Spans] = {}

    def of(self, *values: str) -> Spans:
        """Those with these values of the labels."""
        return self._spans.setdefault(values, Spans())

    def describe(self) -> Iterable[HistogramMetricFamily]:
        """Its names, so that no other metric gets them."""
        yield self._family()

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self.name, self._meaning, labels=self.labels)

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """See `Collector`."""
        family = self._family()
        for values, spans in self._spans.items():
            buckets, count = [], 0
            for bound, more in zip((*map(str, BOUNDS), "+Inf"), spans.counts, strict=True):
                count += more
                buckets.append((bound, float(count)))
            family.add_metric(values, buckets, spans.total)
        yield family


@final
class Requests:
    """Requests that ended alike: how many, and how long they took."""

    __slots__ = ("count", "labels", "seconds")

    def __init__(self, labels: tuple[str, ...], seconds: Spans) -> None:
        self.labels, self.seconds = labels, seconds
        self.count = 0


@final
class Calls:
    """Attempts that ended alike, and the tokens they were charged for, in the order of `KINDS`.

    `extra` are the values of declared labels. `tokens` count where the calls were charged for
    anything, `costs` where their price is known.
    """

    __slots__ = ("costs", "count", "ended", "extra", "is_charged", "is_priced", "target", "tokens")

    def __init__(
        self, ended: tuple[str, str, str], extra: tuple[str, ...], charge: Charge | None
    ) -> None:
        self.ended, self.extra = ended, extra
        self.target = ended[0]
        self.is_charged = charge is not None
        self.is_priced = charge is not None and charge.cost is not None
        self.count = 0
        self.tokens = [0, 0, 0, 0]
        self.costs = [0, 0, 0, 0]

    def add(self, charge: Charge | None) -> None:
        """One more attempt that ended so."""
        self.count += 1
        if charge is None:
            return
        # Mostly there is nothing of some kinds.
        usage, cost, tokens = charge.usage, charge.cost, self.tokens
        if usage.input:
            tokens[0] += usage.input
        if usage.output:
            tokens[1] += usage.output
        if usage.cache_read:
            tokens[2] += usage.cache_read
        if usage.cache_write:
            tokens[3] += usage.cache_write
        if cost is not None:
            costs = self.costs
            if cost.input:
                costs[0] += cost.input
            if cost.output:
                costs[1] += cost.output
            if cost.cache_read:
                costs[2] += cost.cache_read
            if cost.cache_write:
                costs[3] += cost.cache_write
