"""What a serving process has, whichever bundle it serves; with a bundle's policy, a gateway."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import final

from lynkrc_runtime.access.keyring import KeyRing, UnknownSecret, usable
from lynkrc_runtime.decide import Decider
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.metering.expected import Expected
from lynkrc_runtime.metering.meter import Till, meter_of
from lynkrc_runtime.metering.settling import Settling
from lynkrc_runtime.pick import Rotation
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.providers.address import UnresolvedProvider
from lynkrc_runtime.resilience.health import Health
from lynkrc_runtime.resilience.places import Places
from lynkrc_runtime.scan.engines import kernel_name
from lynkrc_runtime.server.breakers import tell
from lynkrc_runtime.server.doors import UnusableDoor, doors_of
from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.fix_ups import FixUpMemory
from lynkrc_runtime.server.gateway import Gateway, Policy
from lynkrc_runtime.server.makers import Makers
from lynkrc_runtime.server.plan import Plans
from lynkrc_runtime.server.response_store import response_store
from lynkrc_runtime.server.routes import Settings, build_routes
from lynkrc_runtime.server.trace_store import TraceStore
from lynkrc_runtime.sessions.remembered import open_sessions
from lynkrc_runtime.sessions.steps import Noticing, Placing
from lynkrc_runtime.settings import Key
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.simulator import Simulator
from lynkrc_runtime.state.open import Stores, in_memory, kinds
from lynkrc_runtime.telemetry.board import Board
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.recent import Recent
from lynkrc_runtime.telemetry.signals import Signals
from lynkrc_runtime.telemetry.spans import Spans, tracing_of
from lynkrc_runtime.telemetry.usage_log import UsageLog
from lynkrc_runtime.upstream import Upstream


@final
class CannotServe(Exception):
    """Why a bundle cannot be served; fit to print."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What outlives a bundle: connections, logs, and what is known of targets by their names.

    `environ` is what references are looked up in; `random` gives 0 <= x < 1. `stores` are those
    that `opened_as` declares: the settings the process began with.
    """

    settings: Settings
    environ: Mapping[str, str] = field(repr=False)
    http: Upstream
    log: Log
    metrics: Metrics
    usage_log: UsageLog | None = None
    spans: Spans | None = None
    stores: Stores = field(default_factory=in_memory)
    opened_as: Declared = field(default_factory=Declared)
    simulator: Upstream = field(default_factory=lambda: Simulator(CLIENT_DIALECTS))
    places: Places = field(default_factory=Places)
    health: Health = field(default_factory=Health)
    rotation: Rotation = field(default_factory=Rotation)
    makers: Makers = field(default_factory=lambda: Makers(time.monotonic))
    fix_ups: FixUpMemory = field(default_factory=lambda: FixUpMemory(time.monotonic))
    traces: TraceStore = field(default_factory=lambda: TraceStore(time.monotonic))
    settling: Settling = field(default_factory=Settling)
    remembering: Settling = field(default_factory=Settling)
    expected: Expected = field(default_factory=Expected)
    recent: Recent = field(default_factory=lambda: Recent(time.monotonic))
    board: Board = field(default_factory=Board)
    signals: Signals = field(default_factory=lambda: Signals(time.monotonic))
    stopping: Stopping = field(default_factory=Stopping)
    random: Callable[[], float] = random.random


def assemble(policy: Policy, process: Process) -> Gateway:
    """A gateway that is ready to serve; nothing of the process has changed yet (see `install`).

    Raises CannotServe, naming what lacks or is not served.
    """
    dispatch = policy.dispatch
    _same_stores(dispatch.settings, process.opened_as)
    try:
        routes = build_routes(
            dispatch,
            process.environ,
            process.settings,
            http=process.http,
            simulator=process.simulator,
        )
        keys = KeyRing(_keys(dispatch.settings, process), process.environ)
        doors = doors_of(dispatch.settings.server, process.environ)
    except (UnresolvedProvider, UnknownSecret, UnusableDoor) as fault:
        raise CannotServe(str(fault)) from fault
    return Gateway(
        policy=policy,
        decider=Decider(dispatch, policy.scorer),
        routes=routes,
        plans=Plans(routes, policy.digest),
        rotation=process.rotation,
        makers=process.makers,
        fix_ups=process.fix_ups,
        traces=process.traces,
        dialects=CLIENT_DIALECTS,
        settings=process.settings,
        metrics=process.metrics,
        log=process.log,
        random=process.random,
        keys=keys,
        meter=meter_of(
            dispatch,
            Till(
                store=process.stores.state,
                settling=process.settling,
                log=process.log,
                metrics=process.metrics,
                expected=process.expected,
            ),
        ),
        watch=process.health.watch(dispatch, partial(tell, process.metrics, process.log)),
        places=process.places,
        sessions=open_sessions(
            dispatch,
            process.stores.state,
            metrics=process.metrics,
            log=process.log,
            clock=time.time,
            writes=process.remembering,
        ),
        doors=doors,
        stopping=process.stopping,
        responses=response_store(dispatch.settings.responses_store, process.stores.kept),
        recent=process.recent,
        board=process.board,
        usage_log=process.usage_log,
        noticing=_noticing(dispatch, process),
        tracing=tracing_of(
            dispatch, policy.digest, [route.address.base for route in routes], process.spans
        ),
    )


def _noticing(dispatch: Dispatch, process: Process) -> Noticing | None:
    """None where nothing is recorded, or signals are not wanted."""
    usage = dispatch.settings.observability.usage
    if process.usage_log is None or (usage is not None and not usage.signals):
        return None
    return Noticing(placing=Placing(dispatch), signals=process.signals)


def _keys(declared: Declared, process: Process) -> Mapping[str, Key]:
    """The declared keys; a dry run goes without those nobody could show. Raises UnknownSecret."""
    if not process.settings.dry_run:
        return declared.keys
    keys, lacking = usable(declared.keys, process.environ)
    for name, variable in lacking.items():
        process.log.line(Level.WARNING, "key-left-out", key=name, variable=variable)
    return keys


def _same_stores(declared: Declared, opened: Declared) -> None:
    """Raises CannotServe where a bundle wants other stores than the process has open."""
    if (declared.state, kinds(declared)) != (opened.state, kinds(opened)):
        raise CannotServe(
            "`state`, or the store of `responses_store`, is not what it was when the gateway "
            "started; that needs a restart"
        )


def install(gateway: Gateway, process: Process) -> None:
    """Tell the process that this gateway serves from now on. Cannot fail."""
    policy = gateway.policy
    dispatch = policy.dispatch
    process.places.declare(
        {provider.name: provider.rest.concurrency for provider in dispatch.providers}
    )
    process.log.follow(dispatch.settings.observability.log)
    process.metrics.serves(dispatch, policy.digest, policy.engine, kernel_name())
    process.metrics.watches(process.health.serves(gateway.watch))
