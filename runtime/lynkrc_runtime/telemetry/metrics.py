"""Outcomes to Prometheus metrics. Label values come from the bundle and from enumerations only.

A client cannot add a time series: neither model names nor paths it sends become labels.
"""

from functools import cache
from typing import TypeVar, final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from lynkrc_runtime.cost import KINDS, Charge
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.state.guarded import Health
from lynkrc_runtime.telemetry.outcome import Outcome

_Metric = TypeVar("_Metric", Counter, Histogram)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NONE = "none"
"""The label of a tier or target a request did not get to."""

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@final
class Metrics:
    """One process's metrics, in a registry of their own."""

    __slots__ = (
        "_attempts",
        "_build",
        "_cost",
        "_in_flight",
        "_lossy",
        "_registry",
        "_requests",
        "_seconds",
        "_series",
        "_store_lost",
        "_store_up",
        "_store_waiting",
        "_tokens",
        "_unpriced",
        "_version",
    )

    def __init__(self, *, version: str) -> None:
        # The library's own look-up checks and joins the labels every time.
        self._series = cache(_labelled)
        self._registry = CollectorRegistry(auto_describe=False)
        self._requests = Counter(
            "lynkr_requests",
            "Requests by surface, tier, target that served, and how they ended",
            ["surface", "tier", "target", "class"],
            registry=self._registry,
        )
        self._attempts = Counter(
            "lynkr_attempts",
            "Attempts by target and how they ended",
            ["target", "result", "class"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "lynkr_request_seconds",
            "Seconds from a request's arrival to the end of its answer",
            ["surface", "stream"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._tokens = Counter(
            "lynkr_tokens",
            "Tokens the calls of a target were charged for, by kind",
            ["target", "kind"],
            registry=self._registry,
        )
        self._cost = Counter(
            "lynkr_cost_micro_usd",
            "Micro-dollars the calls of a target cost, by kind of token",
            ["target", "kind"],
            registry=self._registry,
        )
        self._unpriced = Counter(
            "lynkr_unpriced_calls",
            "Calls that used tokens of a target whose price is not known",
            ["target"],
            registry=self._registry,
        )
        self._lossy = Counter(
            "lynkr_lossy_answers",
            "Answers of a target that lost something on the way to the client's dialect",
            ["target"],
            registry=self._registry,
        )
        self._in_flight = Gauge(
            "lynkr_requests_in_flight", "Requests being served now", registry=self._registry
        )
        self._store_up = Gauge(
            "lynkr_store_up", "1 while the store answers", ["store"], registry=self._registry
        )
        self._store_waiting = Gauge(
            "lynkr_store_waiting_settlements",
            "Settlements that wait for the store to be back",
            ["store"],
            registry=self._registry,
        )
        self._store_lost = Gauge(
            "lynkr_store_lost_settlements",
            "Settlements since the start that the store never got",
            ["store"],
            registry=self._registry,
        )
        self._version = version
        self._build = Gauge(
            "lynkr_build_info",
            "The bundle and the runtime that serve",
            ["name", "bundle", "version", "engine"],
            registry=self._registry,
        )

    def serves(self, name: str, bundle: str, engine: str) -> None:
        """The bundle that serves from now on: its name, meaning digest, and native or python."""
        self._build.clear()
        self._build.labels(name, bundle, self._version, engine).set(1)

    def watches_store(self, kind: str, health: Health) -> None:
        """Tell of a store from now on, as it fares whenever somebody asks."""
        self._store_up.labels(kind).set_function(lambda: float(health.is_up))
        self._store_waiting.labels(kind).set_function(lambda: float(health.waiting))
        self._store_lost.labels(kind).set_function(lambda: float(health.lost))

    def arrived(self) -> None:
        """A request begins."""
        self._in_flight.inc()

    def settled(self, dispatch: Dispatch, outcome: Outcome) -> None:
        """A request that `arrived` has ended; `dispatch` is that of the bundle that served it."""
        self._in_flight.dec()
        names = dispatch.targets
        target = NONE if outcome.target is None else names[outcome.target].name
        tier = outcome.tier or NONE
        self._series(self._requests, outcome.surface, tier, target, outcome.ending.value).inc()
        self._series(self._seconds, outcome.surface, "yes" if outcome.stream else "no").observe(
            outcome.seconds
        )
        if outcome.losses:
            self._series(self._lossy, target).inc()
        for record in outcome.attempts:
            kind = NONE if record.failure is None else record.failure.kind.value
            name = names[record.target].name
            self._series(self._attempts, name, record.result.value, kind).inc()
            if record.charge is not None:
                self._spent(name, record.charge)

    def _spent(self, target: str, charge: Charge) -> None:
        for kind in KINDS:
            count = getattr(charge.usage, kind)
            if not count:
                continue
            self._series(self._tokens, target, kind).inc(count)
            if charge.cost is not None:
                self._series(self._cost, target, kind).inc(getattr(charge.cost, kind))
        if charge.cost is None:
            self._series(self._unpriced, target).inc()

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self._registry)


def _labelled(metric: _Metric, *labels: str) -> _Metric:
    return metric.labels(*labels)
