"""What a serving process has, whichever bundle it serves; with a bundle's policy, a gateway."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import final

from lynkrc_runtime.access.keyring import KeyRing, UnknownSecret
from lynkrc_runtime.attempt import Unwatched
from lynkrc_runtime.decide import Decider
from lynkrc_runtime.metering.interface import NoMeter
from lynkrc_runtime.pick import Rotation
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.providers.address import UnresolvedProvider
from lynkrc_runtime.resilience.places import Places
from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.fix_ups import FixUpMemory
from lynkrc_runtime.server.gateway import Gateway, Policy
from lynkrc_runtime.server.makers import Makers
from lynkrc_runtime.server.response_store import UnservedStore, open_store
from lynkrc_runtime.server.routes import Settings, build_routes
from lynkrc_runtime.server.trace_store import TraceStore
from lynkrc_runtime.sessions.interface import NoSessions
from lynkrc_runtime.simulator import Simulator
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.usage_log import UsageLog
from lynkrc_runtime.upstream import Upstream


@final
class CannotServe(Exception):
    """Why a bundle cannot be served; fit to print."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What outlives a bundle: connections, logs, and what is known of targets by their names.

    `environ` is what references are looked up in; `random` gives 0 <= x < 1.
    """

    settings: Settings
    environ: Mapping[str, str] = field(repr=False)
    http: Upstream
    log: Log
    metrics: Metrics
    usage_log: UsageLog | None = None
    simulator: Upstream = field(default_factory=lambda: Simulator(CLIENT_DIALECTS))
    places: Places = field(default_factory=Places)
    rotation: Rotation = field(default_factory=Rotation)
    makers: Makers = field(default_factory=lambda: Makers(time.monotonic))
    fix_ups: FixUpMemory = field(default_factory=lambda: FixUpMemory(time.monotonic))
    traces: TraceStore = field(default_factory=lambda: TraceStore(time.monotonic))
    stopping: Stopping = field(default_factory=Stopping)
    random: Callable[[], float] = random.random


def assemble(policy: Policy, process: Process) -> Gateway:
    """A gateway that is ready to serve; nothing of the process has changed yet (see `install`).

    Raises CannotServe, naming what lacks or is not served.
    """
    dispatch = policy.dispatch
    try:
        routes = build_routes(
            dispatch,
            process.environ,
            process.settings,
            http=process.http,
            simulator=process.simulator,
        )
        keys = KeyRing(dispatch.settings.keys, process.environ)
        responses = open_store(dispatch.settings)
    except (UnresolvedProvider, UnknownSecret, UnservedStore) as fault:
        raise CannotServe(str(fault)) from fault
    return Gateway(
        policy=policy,
        decider=Decider(dispatch, policy.scorer),
        routes=routes,
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
        meter=NoMeter(),
        watch=Unwatched(),
        places=process.places,
        sessions=NoSessions(),
        stopping=process.stopping,
        responses=responses,
        usage_log=process.usage_log,
    )


def install(gateway: Gateway, process: Process) -> None:
    """Tell the process that this gateway serves from now on. Cannot fail."""
    policy = gateway.policy
    dispatch = policy.dispatch
    process.places.declare(
        {provider.name: provider.rest.concurrency for provider in dispatch.providers}
    )
    process.metrics.serves(dispatch.name, policy.digest, policy.engine)
