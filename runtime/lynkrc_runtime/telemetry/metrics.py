"""Outcomes to Prometheus metrics. Label values come from the bundle and from enumerations only.

A client cannot add a time series: neither model names nor paths it sends become labels, and a team
or tenant that the spec does not name (a key made later) is `other`.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import TypeAlias, final

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.registry import Collector

from lynkrc_runtime.cost import KINDS
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.resilience.breaker import State
from lynkrc_runtime.state.guarded import Health
from lynkrc_runtime.telemetry.outcome import Outcome
from lynkrc_runtime.telemetry.tallies import Calls, Histogram, Requests

Sample: TypeAlias = tuple[str, dict[str, str], float]
Family: TypeAlias = tuple[str, str, str, list[Sample]]
"""Name, type (counter, gauge, histogram), what it means, and its samples."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NONE = "none"
"""The label of a tier or target a request did not get to, or of a team it has not."""
OTHER = "other"
"""The label of a team or tenant that the spec does not name."""

_BREAKER = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


@final
class Metrics:
    """One process's metrics, in a registry of their own.

    `registry` takes collectors of others too. `tells_client`: outcomes must name the client.
    """

    __slots__ = (
        "_alerts",
        "_attempts",
        "_breaker_opened",
        "_breakers",
        "_build",
        "_calls",
        "_cost",
        "_extra",
        "_fallbacks",
        "_first_byte",
        "_in_flight",
        "_judgements",
        "_lossy",
        "_lost",
        "_refused",
        "_requests",
        "_retries",
        "_rows",
        "_running",
        "_seconds",
        "_series",
        "_sessions_lost",
        "_settlements_lost",
        "_shed",
        "_side",
        "_store_lost",
        "_store_up",
        "_store_waiting",
        "_teams",
        "_tenants",
        "_tokens",
        "_unpriced",
        "_version",
        "_waiting",
        "registry",
        "tells_client",
    )

    def __init__(self, *, version: str) -> None:
        # The library's own look-up checks and joins the labels every time.
        self._series = cache(_labelled)
        self.registry = CollectorRegistry(auto_describe=False)
        self._waiting: dict[tuple[Counter, tuple[str, ...]], float] = {}
        self._rows: dict[tuple[object, ...], Requests] = {}
        self._calls: dict[tuple[object, ...], Calls] = {}
        # Asked first, so that the others know what has been counted.
        self.registry.register(_First(self._tell))
        self._running = 0
        self.tells_client = False
        self._teams = self._tenants = frozenset[str]()
        self._attempts = self._counter(
            "lynkr_attempts",
            "Attempts by target and how they ended",
            ["target", "result", "class"],
        )
        self._retries = self._counter(
            "lynkr_retries", "Attempts that were retries of the same target", ["target"]
        )
        self._breakers = Gauge(
            "lynkr_breaker_state",
            "The breaker of a target: 0 closed, 1 half-open, 2 open",
            ["target"],
            registry=self.registry,
        )
        self._breaker_opened = self._counter(
            "lynkr_breaker_opened", "How often the breaker of a target opened", ["target"]
        )
        self._fallbacks = self._counter(
            "lynkr_fallbacks", "Requests served by another target than the first", ["target"]
        )
        self._first_byte = Histogram(
            "lynkr_first_byte_seconds",
            "Seconds from a request's arrival to the begin of its streamed answer",
            ["surface"],
        )
        self.registry.register(self._first_byte)
        self._unpriced = self._counter(
            "lynkr_unpriced_calls",
            "Calls that used tokens of a target whose price is not known",
            ["target"],
        )
        self._lossy = self._counter(
            "lynkr_lossy_answers",
            "Answers of a target that lost something on the way to the client's dialect",
            ["target"],
        )
        self._side = self._counter(
            "lynkr_side_calls",
            "Requests that are no conversation, such as counting tokens, and how they ended",
            ["surface", "outcome"],
        )
        self._refused = self._counter(
            "lynkr_refused",
            "Requests that were turned away before they were read, by HTTP status",
            ["status"],
        )
        self._lost = Gauge(
            "lynkr_records_lost",
            "Log lines, usage records and spans that could not be written, since the start",
            ["of"],
            registry=self.registry,
        )
        self._alerts = self._counter(
            "lynkr_budget_alerts",
            "Times that the spend of a budget's owner reached a share (percent) of it",
            ["budget", "percent"],
        )
        self._settlements_lost = self._counter(
            "lynkr_settlements_lost", "Calls whose cost did not reach the store of budgets", ()
        )
        self._sessions_lost = self._counter(
            "lynkr_sessions_lost",
            "Times a session was not read or not kept, since the store was down",
            (),
        )
        self._shed = self._counter(
            "lynkr_shed",
            "Requests refused before they were read, by what there is too much of",
            ["reason"],
        )
        self._judgements = self._counter(
            "lynkr_judgements",
            "What was recorded of how good answers were: by callers, or by what came after",
            ["source"],
        )
        tasks = Gauge("lynkr_tasks", "Tasks of the event loop", registry=self.registry)
        tasks.set_function(_tasks)
        self._in_flight = Gauge(
            "lynkr_requests_in_flight", "Requests being served now", registry=self.registry
        )
        self._in_flight.set_function(lambda: float(self._running))
        self._store_up = Gauge(
            "lynkr_store_up", "1 while the store answers", ["store"], registry=self.registry
        )
        self._store_waiting = Gauge(
            "lynkr_store_settlements_waiting",
            "Settlements that wait for the store to be back",
            ["store"],
            registry=self.registry,
        )
        self._store_lost = Gauge(
            "lynkr_store_settlements_lost",
            "Settlements since the start that the store never got",
            ["store"],
            registry=self.registry,
        )
        self._version = version
        self._build = Gauge(
            "lynkr_build_info",
            "The bundle and the runtime that serve",
            ["name", "bundle", "version", "engine", "kernel"],
            registry=self.registry,
        )
        self._label(())

    def _counter(self, name: str, meaning: str, labels: Sequence[str]) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def _label(self, extra: tuple[str, ...]) -> None:
        """The metrics with declared labels, with these."""
        self._extra = extra
        self._requests = self._counter(
            "lynkr_requests",
            "Requests by surface, tier, target that served, and how they ended",
            ["surface", "tier", "target", "class", *_without(extra, "tier", "target")],
        )
        self._seconds = Histogram(
            "lynkr_request_seconds",
            "Seconds from a request's arrival to the end of its answer",
            ["surface", "stream", *extra],
        )
        self.registry.register(self._seconds)
        self._tokens = self._counter(
            "lynkr_tokens",
            "Tokens the calls of a target were charged for, by kind",
            ["target", "kind", *_without(extra, "target")],
        )
        self._cost = self._counter(
            "lynkr_cost_micro_usd",
            "Micro-dollars the calls of a target cost, by kind of token",
            ["target", "kind", *_without(extra, "target")],
        )

    def serves(self, dispatch: Dispatch, bundle: str, engine: str, kernel: str) -> None:
        """The bundle that serves from now on: its meaning digest, a scorer that is native or
        python, and a kernel that is native or portable.

        Where it declares other labels than before, the metrics that have them begin anew.
        """
        declared = dispatch.settings
        extra = tuple(sorted(declared.observability.metrics.labels))
        if extra != self._extra:
            self._tell()
            for metric in (self._requests, self._seconds, self._tokens, self._cost):
                self.registry.unregister(metric)
            self._series = cache(_labelled)
            self._rows.clear()
            self._label(extra)
        self.tells_client = "client" in extra
        self._teams = frozenset(key.team for key in declared.keys.values() if key.team)
        self._tenants = frozenset(key.tenant for key in declared.keys.values() if key.tenant)
        self._build.clear()
        self._build.labels(dispatch.name, bundle, self._version, engine, kernel).set(1)

    def watches(self, breakers: Mapping[str, State]) -> None:
        """The breakers of the bundle that serves from now on, by target."""
        self._breakers.clear()
        for target, state in breakers.items():
            self._breakers.labels(target).set(_BREAKER[state])
            # A series that is there from the start shows the first opening as an increase.
            self._breaker_opened.labels(target)

    def turned(self, target: str, state: State) -> None:
        """The breaker of a target has come into another state."""
        self._breakers.labels(target).set(_BREAKER[state])
        if state is State.OPEN:
            self._breaker_opened.labels(target).inc()

    def shed(self, reason: str) -> None:
        """A request was refused before it was read."""
        self._series(self._shed, reason).inc()

    def budget_alert(self, budget: str, percent: int) -> None:
        """What an owner of a budget has spent has reached a share of it that the spec names."""
        self._series(self._alerts, budget, str(percent)).inc()

    def settlement_lost(self) -> None:
        """A cost could not be written to the store of budgets."""
        self._settlements_lost.inc()

    def session_lost(self) -> None:
        """A session could not be read, or not be kept: its request was served without."""
        self._sessions_lost.inc()

    def judged(self, source: str) -> None:
        """Something was recorded of how good an answer was; the source is a word of the gateway."""
        self._series(self._judgements, source).inc()

    def watches_store(self, kind: str, health: Health) -> None:
        """Tell of a store from now on, as it fares whenever somebody asks."""
        self._store_up.labels(kind).set_function(lambda: float(health.is_up))
        self._store_waiting.labels(kind).set_function(lambda: float(health.waiting))
        self._store_lost.labels(kind).set_function(lambda: float(health.lost))

    def arrived(self) -> None:
        """A request begins."""
        self._running += 1

    def settled(self, dispatch: Dispatch, outcome: Outcome) -> None:
        """A request that `arrived` has ended; `dispatch` is that of the bundle that served it."""
        self._running -= 1
        names, place = dispatch.targets, outcome.target
        target = NONE if place is None else names[place].name
        extra = self._told(dispatch, outcome, place) if self._extra else ()
        key = (outcome.surface, outcome.stream, outcome.tier, target, outcome.ending, extra)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self._row(dispatch, outcome, target)
        row.count += 1
        row.seconds.add(outcome.seconds)
        if outcome.first_byte is not None:
            self._first_byte.of(outcome.surface).add(outcome.first_byte)
        if outcome.losses:
            self._add(self._lossy, (target,))
        if outcome.fallback:
            self._add(self._fallbacks, (target,))
        for record in outcome.attempts:
            failure, charge = record.failure, record.charge
            kind = NONE if failure is None else failure.kind.value
            name = target if record.target == place else names[record.target].name
            if record.is_retry:
                self._add(self._retries, (name,))
            extra = self._told(dispatch, outcome, record.target, "target") if self._extra else ()
            cost = None if charge is None else charge.cost is not None
            called = (name, record.result, kind, cost, extra)
            calls = self._calls.get(called)
            if calls is None:
                calls = Calls((name, record.result, kind), extra, charge)
                self._calls[called] = calls
            calls.add(charge)

    def _row(self, dispatch: Dispatch, outcome: Outcome, target: str) -> Requests:
        """Where requests that end as this one are counted."""
        surface, tier = outcome.surface, outcome.tier or NONE
        extra = self._told(dispatch, outcome, outcome.target, "tier", "target")
        stream = "yes" if outcome.stream else "no"
        return Requests(
            (surface, tier, target, outcome.ending, *extra),
            self._seconds.of(surface, stream, *self._told(dispatch, outcome, outcome.target)),
        )

    def side_call(self, surface: str, outcome: str) -> None:
        """A call that is no conversation has ended; both are words of the gateway."""
        self._series(self._side, surface, outcome).inc()

    def refused(self, status: int) -> None:
        """A request was turned away."""
        self._series(self._refused, str(status)).inc()

    def lost(self, of: str, count: int) -> None:
        """So many records `of` log, usage or span were lost since the start."""
        self._lost.labels(of).set(count)

    def _add(self, counter: Counter, labels: tuple[str, ...], amount: float = 1) -> None:
        """Count; the library, whose counters are dear, is told when somebody asks."""
        one = counter, labels
        self._waiting[one] = self._waiting.get(one, 0) + amount

    def _tell(self) -> None:
        waiting = list(self._waiting.items())
        self._waiting.clear()
        for (counter, labels), amount in waiting:
            self._series(counter, *labels).inc(amount)
        for row in self._rows.values():
            self._series(self._requests, *row.labels).inc(row.count)
            row.count = 0
        for calls in self._calls.values():
            self._tell_calls(calls)
        self._calls.clear()

    def _tell_calls(self, calls: Calls) -> None:
        self._series(self._attempts, *calls.ended).inc(calls.count)
        for kind, tokens, cost in zip(KINDS, calls.tokens, calls.costs, strict=True):
            if tokens:
                labels = (calls.target, kind, *calls.extra)
                self._series(self._tokens, *labels).inc(tokens)
                if calls.is_priced:
                    self._series(self._cost, *labels).inc(cost)
        if calls.is_charged and not calls.is_priced:
            self._series(self._unpriced, calls.target).inc(calls.count)

    def _told(
        self, dispatch: Dispatch, outcome: Outcome, target: int | None, *but: str
    ) -> tuple[str, ...]:
        """The values of the declared labels, without those that stand there anyway."""
        if not self._extra:
            return ()
        found = None if target is None else dispatch.targets[target]
        values = {
            "tier": outcome.tier or NONE,
            "target": NONE if found is None else found.name,
            "provider": NONE if found is None else dispatch.providers[found.provider].name,
            "client": outcome.client or NONE,
            "team": _known(outcome.team, self._teams),
            "tenant": _known(outcome.tenant, self._tenants),
        }
        return tuple(values[label] for label in _without(self._extra, *but))

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self.registry)

    def samples(self) -> list[Family]:
        """The same as plain data, to be sent elsewhere and added to those of other processes.

        When a series was created is left out: it says nothing of a sum.
        """
        return [
            (
                family.name,
                family.type,
                family.documentation,
                [
                    (sample.name, dict(sample.labels), sample.value)
                    for sample in family.samples
                    if not sample.name.endswith("_created")
                ],
            )
            for family in self.registry.collect()
        ]


@final
class _First(Collector):
    """Has no metrics of its own: being asked is its use."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        self._tell()
        return ()


def _labelled(counter: Counter, *labels: str) -> Counter:
    return counter.labels(*labels)


def _without(labels: Sequence[str], *but: str) -> list[str]:
    return [label for label in labels if label not in but]


def _known(name: str | None, names: Collection[str]) -> str:
    return NONE if name is None else name if name in names else OTHER


def _tasks() -> float:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # rendered outside an event loop
        return 0.0
