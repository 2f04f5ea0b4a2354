"""A loaded bundle and the environment to a gateway: everything a request needs, worked out once."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from lynkrc_runtime.access.keyring import KeyRing
from lynkrc_runtime.attempt import Watch
from lynkrc_runtime.bundle import BrokenBundle, OpenedBundle, load_opened, open_bundle
from lynkrc_runtime.decide import Decider, Scorer
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.features import Extractor
from lynkrc_runtime.metering.interface import Meter
from lynkrc_runtime.pick import Rotation
from lynkrc_runtime.protocol.conversation import MalformedRequest, Request
from lynkrc_runtime.protocol.dialect import ClientDialect
from lynkrc_runtime.protocol.repeated import repeated_member
from lynkrc_runtime.resilience.places import Places
from lynkrc_runtime.server.doors import Doors
from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.fix_ups import FixUpMemory
from lynkrc_runtime.server.makers import Makers
from lynkrc_runtime.server.plan import Plans
from lynkrc_runtime.server.response_store import ResponseStore
from lynkrc_runtime.server.routes import Route, Settings
from lynkrc_runtime.server.trace_store import TraceStore
from lynkrc_runtime.sessions.interface import Sessions
from lynkrc_runtime.sessions.steps import Noticing
from lynkrc_runtime.telemetry.board import Board
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.recent import Recent
from lynkrc_runtime.telemetry.spans import Tracing
from lynkrc_runtime.telemetry.usage_log import UsageLog

_NAME_LIMIT = 100
"""Characters of a client's member name that are told back."""


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
class Gateway:
    """What every request is served with.

    `random` gives 0 <= x < 1; `rotation` remembers where round robin is, `makers` who made which
    reasoning, `fix_ups` what a target takes requests by, `traces` why requests were decided as they
    were, `responses` answers of the Responses API, where the bundle declares a store. `recent`
    knows what the last requests used, `board` what the operators' page shows of them, `plans` what
    follows from decisions alone. `usage_log` gets a record of each request, where one is kept, and
    `noticing` what that tells of those before; `tracing` records requests for a collector. `keys`
    are whom it serves (nobody in particular, where there are none), `meter` counts what they take,
    `watch` knows how targets fare, `places` how many calls of a provider run, `sessions` which
    requests belong together, `doors` which operators and web pages are let in, `stopping` which
    requests run at all.
    """

    policy: Policy
    decider: Decider
    routes: tuple[Route, ...]
    plans: Plans
    dialects: Mapping[str, ClientDialect]
    settings: Settings
    metrics: Metrics
    log: Log
    random: Callable[[], float]
    rotation: Rotation
    makers: Makers
    fix_ups: FixUpMemory
    traces: TraceStore
    keys: KeyRing
    meter: Meter
    watch: Watch
    places: Places
    sessions: Sessions
    doors: Doors = field(default_factory=Doors)
    recent: Recent = field(default_factory=lambda: Recent(time.monotonic))
    board: Board = field(default_factory=Board)
    stopping: Stopping = field(default_factory=Stopping)
    responses: ResponseStore | None = None
    usage_log: UsageLog | None = None
    noticing: Noticing | None = None
    tracing: Tracing | None = None
    echoes: bool = field(init=False)
    """Whether answers name the model that was asked for, not the one that served."""

    def __post_init__(self) -> None:
        echoes = self.policy.dispatch.settings.server.echo_requested_model
        object.__setattr__(self, "echoes", echoes)

    def named(self, requested: str, served: str) -> str:
        """The model name of an answer."""
        return requested if self.echoes else served


def read_request(
    gateway: Gateway, dialect: str, body: bytes, headers: Mapping[str, str]
) -> Request:
    """A client's request, as every surface reads it. Raises MalformedRequest."""
    refuse_repeated(gateway, body)
    read = gateway.dialects[dialect].read_request
    return read(body, headers)


def refuse_repeated(gateway: Gateway, body: bytes) -> None:
    """MalformedRequest where a member stands twice and the spec asserts something."""
    if gateway.policy.dispatch.has_assertions:
        name = repeated_member(body)
        if name is not None:
            # Half a surrogate pair can be written, but not sent.
            shown = name[:_NAME_LIMIT].encode(errors="replace").decode()
            raise MalformedRequest(shown, f"{shown}: the member is repeated")


def read_policy(path: Path) -> Policy:
    """The policy of a bundle. Raises BrokenBundle, saying which bundle and what is wrong."""
    return policy_of(open_bundle(path))


def policy_of(opened: OpenedBundle) -> Policy:
    """The policy of a checked bundle, loaded beside any other. Raises BrokenBundle."""
    loaded = load_opened(opened)
    try:
        extractor = Extractor(loaded.dispatch, loaded.tables)
        routes_text = opened.files["routes.txt"].decode()
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
        routes_text=routes_text,
    )
