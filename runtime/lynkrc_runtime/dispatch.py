"""The shape of a bundle's ``dispatch.json``: all facts the runtime needs, none it must work out.

`lynkrc.codegen.dispatch` writes it, `lynkrc_runtime.bundle` reads it strictly (an unknown or
missing member is a broken bundle). Indices point into the lists of the same document.
"""

from typing import final

import msgspec

from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.settings import Breaker, Concurrency, Settings


@final
class StringClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One class of a string slot: kind absent, other, literal, prefix; or member of an enum."""

    kind: str
    text: str


@final
class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the feature vector."""

    feature: str
    args: list[str]
    type: str
    low: int
    high: int
    classes: list[StringClass]


@final
class Lexicon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Entries `first .. first + len(weights64) - 1` of the automaton, weights in 1/64."""

    name: str
    first: int
    patterns: list[str]
    weights64: list[int]


@final
class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client profile (see `lynkrc.syntax.config.Client`)."""

    name: str
    user_agent: list[str]
    injected_tags: list[str]
    injected_prefixes: list[str]
    injected_wrappers: list[str]
    baseline_tools: list[str]
    tool_weights: dict[str, int]


@final
class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What few providers state; None or false where one does not."""

    breaker: Breaker = Breaker()
    concurrency: Concurrency | None = None
    region: str | None = None
    project: str | None = None
    api_version: str | None = None
    proxy: str | None = None
    ca_file: str | None = None
    forwards_credentials: bool = False


@final
class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An API; times in seconds, None takes the runtime's default."""

    name: str
    kind: str
    trust: str
    base_url: str | None
    api_key: str | None
    headers: dict[str, str]
    connect: float | None
    first_event: float | None
    idle: float | None
    total: float | None
    retries: int | None
    backoff: float | None
    max_backoff: float | None
    simulate: str | None
    rest: ProviderSettings


@final
class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD per million tokens, decimal text."""

    input: str
    output: str
    cache_read: str
    cache_write: str


@final
class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider and a model; `provider` is an index.

    `dialect` is the one it is always called in, None where the kind chooses. `on_loss` is ``warn``
    or ``deny``: what a request does that the target's dialect cannot carry whole.
    """

    name: str
    provider: int
    model: str
    context: int
    max_output: int
    capabilities: list[str]
    price: Price | None
    shape: RequestShape
    dialect: str | None
    on_loss: str


@final
class Chain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Groups of targets (indices) in the order they are tried; `pick` orders inside a group.

    `pick` is ``order weighted cheapest fastest round_robin``; `weights` has a weight a target of
    the chain, in the order of the groups, where it is weighted, else it is empty.
    """

    name: str
    groups: list[list[int]]
    pick: str
    weights: list[int]


@final
class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tier; `chain` is an index."""

    name: str
    up_to: int | None
    chain: int


@final
class Deny(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Status and message of a deny rule."""

    status: int
    message: str


@final
class Prefer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another pick for every group (``cheapest``, ``fastest``), or the target that goes first."""

    pick: str | None
    target: int | None


@final
class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule's name, for headers and traces, what it answers, and how it orders."""

    name: str
    deny: Deny | None
    respond: str | None
    prefer: Prefer | None


@final
class Dispatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole document.

    `has_assertions`: something is asserted of the spec, so no request may be read in two ways.
    """

    name: str
    slots: list[Slot]
    lexicons: list[Lexicon]
    clients: list[Client]
    providers: list[Provider]
    targets: list[Target]
    chains: list[Chain]
    tiers: list[Tier]
    rules: list[Rule]
    needs: list[str]
    dimensions: list[str]
    models: list[str]
    settings: Settings
    has_assertions: bool = False
