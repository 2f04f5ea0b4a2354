"""A bundle's targets and the environment to routes: each ready to be called, worked out once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import final

from lynkrc_runtime.attempt import BACKOFF_BASE, BACKOFF_CAP, RETRIES, Candidate
from lynkrc_runtime.cost import FREE, Prices, prices_of
from lynkrc_runtime.dispatch import Dispatch, Provider, Target
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.protocol.dialect import TargetDialect, TargetFacts, Written
from lynkrc_runtime.protocol.embeddings.forms import FORMS, Form
from lynkrc_runtime.protocol.embeddings.takes import Takes
from lynkrc_runtime.protocol.shapes import completed
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.providers.address import (
    Address,
    UnresolvedProvider,
    embedding_url,
    resolve,
    url_of,
)
from lynkrc_runtime.providers.frames import FRAMES, PLAIN, Frame
from lynkrc_runtime.providers.kind import Endpoint
from lynkrc_runtime.providers.links import Links
from lynkrc_runtime.providers.signers import signer_of
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.providers.ways import chosen, ways
from lynkrc_runtime.simulator import UnknownBehaviour, parse_behaviour
from lynkrc_runtime.times import Times, declared_times
from lynkrc_runtime.upstream import DIRECT, Link, Signer, Upstream

SIMULATOR = "simulator"
"""The provider kind without a socket."""


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
class Way:
    """One of the dialects a target is called in: where, and what frames a written request.

    `same`: it is the client's own, and a request passes as it is, but for the edits its model
    needs; else `write` writes it anew. `count_url` is where tokens are counted, None where they
    cannot be. `stream_types` are the content types a stream may have, the first is asked for.
    """

    dialect: TargetDialect
    same: bool
    write: Callable[[Request, TargetFacts, Mapping[str, str]], Written]
    url: str
    stream_url: str
    count_url: str | None
    frame: Frame
    stream_types: tuple[str, ...]
    facts: TargetFacts


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingWay:
    """How a target is asked for embeddings, and where."""

    form: Form
    takes: Takes
    url: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A target ready to be called; times in seconds, `simulate` its provider's behaviour.

    `ways` has its way for each dialect a client may speak; `embedding` is None where the kind
    makes none. `lent`: it is called with the client's own credential. `whole` and `streamed` are
    what the attempt machine must know of it, by how the answer comes. `times` are those of the
    whole spec.
    """

    index: int
    target: Target
    provider: Provider
    address: Address
    ways: Mapping[str, Way]
    embedding: EmbeddingWay | None
    signer: Signer | None
    link: Link
    lent: bool
    prices: Prices | None
    upstream: Upstream
    whole: Candidate
    streamed: Candidate
    times: Times
    connect: float
    idle: float
    simulate: str | None


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
    signers: list[Signer | None] = []
    links: list[Link] = []
    maker = Links(environ)
    faults: list[str] = []
    for provider in dispatch.providers:
        try:
            address = _address(provider, environ, dry_run=settings.dry_run)
            signers.append(signer_of(provider, address))
            simulated = settings.dry_run or provider.kind == SIMULATOR
            links.append(DIRECT if simulated else maker.of(provider, address))
            addresses.append(address)
        except UnresolvedProvider as fault:
            faults.append(str(fault))
    if faults:
        raise UnresolvedProvider("\n".join(faults))
    times = declared_times(settings.times, dispatch.settings.resilience)
    routes = []
    for index, target in enumerate(dispatch.targets):
        provider, address = dispatch.providers[target.provider], addresses[target.provider]
        endpoints = _endpoints(provider, target)
        simulated = settings.dry_run or provider.kind == SIMULATOR
        patient = times.patience(provider.trust)
        routes.append(
            Route(
                index=index,
                target=target,
                provider=provider,
                address=address,
                ways=_ways(provider.kind, endpoints, target, address, dry_run=settings.dry_run),
                embedding=_embedding(provider, target, address, dry_run=settings.dry_run),
                signer=signers[target.provider],
                link=links[target.provider],
                lent=provider.rest.forwards_credentials and not simulated,
                # A simulated answer costs nothing, whatever its target's own would.
                prices=FREE if simulated else prices_of(target.price),
                upstream=simulator if simulated else http,
                whole=_candidate(index, provider, times, None),
                streamed=_candidate(
                    index,
                    provider,
                    times,
                    patient if provider.first_event is None else provider.first_event,
                ),
                times=times,
                connect=times.connect if provider.connect is None else provider.connect,
                idle=times.idle if provider.idle is None else provider.idle,
                simulate=provider.simulate,
            )
        )
    return tuple(routes)


def _endpoints(provider: Provider, target: Target) -> tuple[Endpoint, ...]:
    """Where the target may be called. Raises UnresolvedProvider where the kind does not speak the
    dialect the spec names.
    """
    endpoints = ways(KINDS[provider.kind], target.model, target.dialect, target.shape.dialects)
    if not endpoints:
        raise UnresolvedProvider(
            f"provider {provider.name}: kind {provider.kind} does not speak {target.dialect}"
        )
    return endpoints


def _ways(
    kind: str,
    endpoints: Sequence[Endpoint],
    target: Target,
    address: Address,
    *,
    dry_run: bool,
) -> Mapping[str, Way]:
    """The target's way for each dialect a client may speak.

    In a dry run a dialect that no client speaks is simulated as Messages.
    """
    version = address.api_version
    made: dict[str, Way] = {}
    for client in CLIENT_DIALECTS:
        endpoint = chosen(endpoints, client)
        name = endpoint.dialect
        if dry_run and name not in CLIENT_DIALECTS:
            name = KINDS[SIMULATOR].dialect
        path = (version and endpoint.versioned_path) or endpoint.path
        frame = FRAMES[endpoint.frame] if endpoint.frame and not dry_run else PLAIN
        place = partial(
            url_of,
            address.base,
            model=target.model,
            api_version=version,
            replaces=endpoint.replaces,
        )
        dialect = TARGET_DIALECTS[name]
        passing = dialect.pass_request if name == client else None
        made[client] = Way(
            dialect=dialect,
            same=name == client,
            write=passing or dialect.write_request,
            url=place(path),
            stream_url=place(endpoint.stream_path or path),
            count_url=place(endpoint.count_path) if endpoint.count_path else None,
            frame=frame,
            stream_types=frame.stream_types or dialect.stream_types,
            facts=TargetFacts(
                model=target.model,
                max_output=target.max_output,
                capabilities=frozenset(target.capabilities),
                shape=completed(target.shape, completed(endpoint.shape, KINDS[kind].shape)),
                maker=f"{kind}/{target.model}",
                context=target.context,
            ),
        )
    return made


def _embedding(
    provider: Provider, target: Target, address: Address, *, dry_run: bool
) -> EmbeddingWay | None:
    """A dry run simulates every form as OpenAI's."""
    row = KINDS[provider.kind].embedding
    if row is None:
        return None
    row = KINDS[SIMULATOR].embedding if dry_run else row
    assert row is not None, "the simulator makes embeddings"
    return EmbeddingWay(
        form=FORMS[row.form],
        takes=row.takes,
        url=embedding_url(
            address.base,
            (address.api_version and row.versioned_path) or row.path,
            target.model,
            address.api_version,
        ),
    )


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
