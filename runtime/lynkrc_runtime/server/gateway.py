"""A loaded bundle and the environment to a gateway: everything a request needs, worked out once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, final

from lynkrc_runtime.attempt import BACKOFF_BASE, BACKOFF_CAP, RETRIES, Candidate
from lynkrc_runtime.bundle import BrokenBundle, load_opened, open_bundle
from lynkrc_runtime.decide import Decider, Scorer
from lynkrc_runtime.dispatch import Dispatch, Provider, Target
from lynkrc_runtime.features import Extractor
from lynkrc_runtime.pick import Rotation
from lynkrc_runtime.protocol.dialect import ClientDialect, TargetDialect, TargetFacts, Written
from lynkrc_runtime.protocol.shapes import completed
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.providers.address import Address, UnresolvedProvider, resolve, url_of
from lynkrc_runtime.providers.frames import FRAMES
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.providers.ways import chosen, ways
from lynkrc_runtime.simulator import UnknownBehaviour, parse_behaviour
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.upstream import Signer, Upstream

SIMULATOR = "simulator"
"""The provider kind without a socket."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Defaults in seconds, where a provider does not say otherwise (design: "Attempts")."""

    connect: float = 5.0
    first_event: float = 120.0
    first_event_local: float = 600.0
    total: float = 600.0
    idle: float = 120.0
    max_stream: float = 3600.0
    commit_after: float = 45.0
    keep_alive: float = 15.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this gateway was started.

    `dry_run`: every provider is the simulator. `any_host`: opened to the network on purpose.
    """

    dry_run: bool = False
    any_host: bool = False
    times: Times = field(default_factory=Times)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The compiled part of a gateway.

    `digest` is the meaning digest; `engine` native or python, `notice` why it is not native.
    """

    dispatch: Dispatch
    extractor: Extractor
    scorer: Scorer
    explain: Callable[[list[int]], Mapping[str, Any]]
    digest: str
    engine: str
    notice: str | None
    routes_text: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One of the dialects a target is called in: where, and what frames a written request.

    `count_url` is where tokens are counted, None where they cannot be.
    """

    dialect: TargetDialect
    url: str
    stream_url: str
    count_url: str | None
    frame: Callable[[Written], Written] | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A target ready to be called; times in seconds, `simulate` its provider's behaviour.

    `ways` has its way for each dialect a client may speak. `whole` and `streamed` are what the
    attempt machine must know of it, by how the answer comes.
    """

    index: int
    target: Target
    provider: Provider
    address: Address
    ways: Mapping[str, Way]
    signer: Signer | None
    facts: TargetFacts
    upstream: Upstream
    whole: Candidate
    streamed: Candidate
    connect: float
    idle: float
    simulate: str | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """What every request is served with.

    `random` gives 0 <= x < 1; `rotation` remembers where round robin is.
    """

    policy: Policy
    decider: Decider
    routes: tuple[Route, ...]
    dialects: Mapping[str, ClientDialect]
    settings: Settings
    metrics: Metrics
    log: Log
    random: Callable[[], float]
    rotation: Rotation


def read_policy(path: Path) -> Policy:
    """The policy of a bundle. Raises BrokenBundle, saying which bundle and what is wrong."""
    opened = open_bundle(path)
    loaded = load_opened(opened)
    try:
        extractor = Extractor(loaded.dispatch, loaded.tables)
    except ValueError as error:
        raise BrokenBundle(f"{opened.path}: {error}") from error
    return Policy(
        dispatch=loaded.dispatch,
        extractor=extractor,
        scorer=loaded.scorer,
        explain=loaded.explain,
        digest=loaded.manifest.meaning_digest,
        engine=loaded.engine,
        notice=loaded.notice,
        routes_text=opened.files["routes.txt"].decode(),
    )


def build_routes(
    dispatch: Dispatch,
    environ: Mapping[str, str],
    settings: Settings,
    *,
    http: Upstream,
    simulator: Upstream,
) -> tuple[Route, ...]:
    """Every target as a route. Raises UnresolvedProvider, which lists every provider at fault."""
    addresses: list[Address] = []
    faults: list[str] = []
    for provider in dispatch.providers:
        try:
            addresses.append(_address(provider, environ, dry_run=settings.dry_run))
        except UnresolvedProvider as fault:
            faults.append(str(fault))
    if faults:
        raise UnresolvedProvider("\n".join(faults))
    routes = []
    for index, target in enumerate(dispatch.targets):
        provider, address = dispatch.providers[target.provider], addresses[target.provider]
        simulated = settings.dry_run or provider.kind == SIMULATOR
        times = settings.times
        patient = times.first_event_local if provider.trust == "local" else times.first_event
        routes.append(
            Route(
                index=index,
                target=target,
                provider=provider,
                address=address,
                ways=_ways(provider, target, address, dry_run=settings.dry_run),
                signer=None,
                facts=TargetFacts(
                    model=target.model,
                    max_output=target.max_output,
                    capabilities=frozenset(target.capabilities),
                    shape=completed(target.shape, KINDS[provider.kind].shape),
                    maker=f"{provider.kind}/{target.model}",
                ),
                upstream=simulator if simulated else http,
                whole=_candidate(index, provider, times, None),
                streamed=_candidate(
                    index,
                    provider,
                    times,
                    patient if provider.first_event is None else provider.first_event,
                ),
                connect=times.connect if provider.connect is None else provider.connect,
                idle=times.idle if provider.idle is None else provider.idle,
                simulate=provider.simulate,
            )
        )
    return tuple(routes)


def _ways(
    provider: Provider, target: Target, address: Address, *, dry_run: bool
) -> Mapping[str, Way]:
    """The target's way for each dialect a client may speak.

    In a dry run a dialect that no client speaks is simulated as Messages. Raises
    UnresolvedProvider where the kind does not speak the dialect the spec names.
    """
    endpoints = ways(KINDS[provider.kind], target.model, target.dialect, target.shape.dialects)
    if not endpoints:
        raise UnresolvedProvider(
            f"provider {provider.name}: kind {provider.kind} does not speak {target.dialect}"
        )
    made: dict[str, Way] = {}
    for client in CLIENT_DIALECTS:
        endpoint = chosen(endpoints, client)
        name = endpoint.dialect
        if dry_run and name not in CLIENT_DIALECTS:
            name = KINDS[SIMULATOR].dialect
        place = partial(url_of, address.base, model=target.model, replaces=endpoint.replaces)
        made[client] = Way(
            dialect=TARGET_DIALECTS[name],
            url=place(endpoint.path),
            stream_url=place(endpoint.stream_path or endpoint.path),
            count_url=place(endpoint.count_path) if endpoint.count_path else None,
            frame=FRAMES[endpoint.frame] if endpoint.frame and not dry_run else None,
        )
    return made


def _candidate(
    index: int, provider: Provider, times: Times, first_event: float | None
) -> Candidate:
    return Candidate(
        target=index,
        retries=RETRIES if provider.retries is None else provider.retries,
        backoff=BACKOFF_BASE if provider.backoff is None else provider.backoff,
        max_backoff=BACKOFF_CAP if provider.max_backoff is None else provider.max_backoff,
        first_event=first_event,
        total=times.total if provider.total is None else provider.total,
    )


def _address(provider: Provider, environ: Mapping[str, str], *, dry_run: bool) -> Address:
    """Without a socket to open, a dry run needs no credentials: only a dialect."""
    if provider.simulate is not None:
        try:
            parse_behaviour(provider.simulate)
        except UnknownBehaviour as unknown:
            raise UnresolvedProvider(f"provider {provider.name}: {unknown}") from unknown
    kind = KINDS.get(provider.kind)
    if dry_run and kind is not None:
        return Address(provider=provider.name, base="http://simulator.invalid", headers={})
    return resolve(provider, environ)
