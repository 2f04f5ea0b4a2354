"""The surface tree: what was written in one ``routing.yaml``, with the span of every part.

Nothing is resolved here: names are strings with spans, expressions are parsed but untyped,
and a spec that `extends` another still holds only its own words.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar, final

from lynkrc.source.nodes import Node
from lynkrc.source.text import Span
from lynkrc.syntax.expr import Expr
from lynkrc.syntax.pattern import Pattern

T = TypeVar("T")

SETTINGS: tuple[str, ...] = (
    "embeddings",
    "sessions",
    "state",
    "server",
    "resilience",
    "limits",
    "budgets",
    "keys",
    "cache",
    "optimize",
    "memory",
    "mcp",
    "responses_store",
    "observability",
)
"""Sections that say how requests are served, not where they go, in canonical order."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Located(Generic[T]):
    """A value and where it stands."""

    value: T
    span: Span = field(compare=False, repr=False)


Name = Located[str]
Number = Located[float]
"""A number as written, with ``k``/``M`` applied; integral where the schema says so."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """Silences one code on the item it stands in; `reason` is for the reader."""

    code: Name
    reason: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds; None takes that of `resilience`, else the runtime's (design: "Attempts", Time)."""

    connect: float | None = None
    first_event: float | None = None
    idle: float | None = None
    total: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Retries of one target; backoffs in seconds. None as in `Timeouts`."""

    times: int | None = None
    backoff: float | None = None
    max_backoff: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When a target is left alone; seconds. None as in `Timeouts`."""

    failures: int | None = None
    within: float | None = None
    open_for: float | None = None
    successes: int | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """Most calls of a provider at once, most that wait for one to end, and how long (seconds)."""

    limit: int
    queue: int | None = None
    wait: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An API with credentials and a dialect."""

    name: Name
    kind: Name
    trust: Name
    base_url: Name | None
    api_key: Name | None
    headers: tuple[tuple[Name, Name], ...]
    timeouts: Timeouts
    retry: Retry
    breaker: Breaker
    concurrency: Concurrency | None
    region: Name | None
    """Of kinds whose address holds one."""
    project: Name | None
    """Of kinds whose address holds one."""
    api_version: Name | None
    """Of kinds whose addresses may hold one."""
    dialect: Name | None
    """Of its targets that name none."""
    proxy: Name | None
    ca_file: Name | None
    forwards_credentials: bool
    """``credentials: caller``: the client's own key goes to this provider, and to no other."""
    simulate: Name | None
    """Behaviour of a `simulator` provider (runtime: simulator.py); None elsewhere."""
    allow: tuple[Allow, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A provider and a model, with the facts the author states; None is left to the catalog."""

    name: Name
    provider: Name
    model: Name
    context: Located[int] | None
    max_output: Located[int] | None
    capabilities: tuple[Name, ...] | None
    price: Price | None
    dialect: Name | None
    """The one it is always called in."""
    on_loss: Name | None
    """``warn`` or ``deny``."""
    allow: tuple[Allow, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMapping:
    """A requested name (a trailing ``*`` matches any rest) pinned to a tier or a target."""

    pattern: Name
    tier: Name | None
    target: Name | None
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconEntry:
    """One pattern of a lexicon; `weight` is 1 unless written."""

    pattern: Pattern
    weight: float
    weighted: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """A named set of patterns, written here or in a file of terms (`file`, relative to this one).

    Of a file's entries nothing is known before `lynkrc.sema` has read it: `entries` is empty.
    """

    name: Name
    entries: tuple[LexiconEntry, ...]
    file: Name | None
    allow: tuple[Allow, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NamedExpression:
    """An entry of `features`."""

    name: Name
    expression: Expr
    allow: tuple[Allow, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinary:
    """What the first request of an ordinary session with a client looks like; for reports alone.

    `context` and `max_tokens` are tokens (0: sets no limit), `tools` are of the client's own.
    `surface` is None where the client can use any.
    """

    surface: Name | None
    context: int
    max_tokens: int
    tools: int
    thinking: bool
    stream: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client profile: how to know the client, what it injects, which tools are its own.

    `tool_weights` are integer percentages 0..100 of how complex a call of the tool is.
    """

    name: Name
    user_agent: tuple[Name, ...]
    """Prefixes of the User-Agent header, ASCII case folded."""
    injected_tags: tuple[Name, ...]
    """Names of tags whose whole element is client text (``<system-reminder>...``)."""
    injected_prefixes: tuple[Name, ...]
    """A text block that starts with one of these is client text."""
    injected_wrappers: tuple[Name, ...]
    """Names of tags around the user's words; the rest of their block is client text."""
    baseline_tools: tuple[Name, ...]
    tool_weights: tuple[tuple[Name, int], ...]
    ordinary: Ordinary | None
    allow: tuple[Allow, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One addend of the score: either `weight` times `value`, or the `terms` of a lexicon."""

    name: Name
    weight: Number | None
    value: Expr | None
    terms: Name | None
    over: Name | None
    allow: tuple[Allow, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How a request is scored."""

    use: Name | None
    offset: Number | None
    dimensions: tuple[Dimension, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Groups of targets, tried from left to right; `pick` orders the targets within a group.

    A target written outside an inner list is a group of its own. `pick` None is ``order``.
    """

    groups: tuple[tuple[Name, ...], ...]
    pick: Name | None
    weights: tuple[tuple[Name, int], ...]
    span: Span = field(compare=False, repr=False)

    @property
    def targets(self) -> tuple[Name, ...]:
        """All targets, in the order written."""
        return tuple(name for group in self.groups for name in group)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One step of the ladder, cheapest first; the last has no `up_to`."""

    name: Name
    up_to: Located[int] | None
    chain: Chain
    allow: tuple[Allow, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """Refuse the request with this status (400, 403 or 429) and message."""

    status: int
    message: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`when` a guard holds, each effect that is not None applies; no `when` means always."""

    name: Name
    when: Expr | None
    tier: Name | None
    floor: Name | None
    ceiling: Name | None
    add: Number | None
    require: Expr | None
    prefer: Name | None
    """``cheapest``, ``fastest`` or a target."""
    chain: Chain | None
    deny: Deny | None
    respond: Name | None
    """The text of an answer given without a model."""
    allow: tuple[Allow, ...]
    span: Span = field(compare=False, repr=False)


class AssertionKind(Enum):
    """What an assertion says of all requests (design: "Assertions")."""

    NEVER = "never"
    ALWAYS = "always"
    REACHABLE = "reachable"
    MAX_COST_USD = "max_cost_usd"
    MAX_LATENCY = "max_latency"
    MONOTONE = "monotone"
    SAME_AS = "same_as"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A property to be proved.

    `expression` is that of never, always, reachable, and the feature of monotone; `amount` USD or
    seconds; `file` that of same_as. `waive` says why an unknown verdict may pass.
    """

    name: Name | None
    kind: AssertionKind
    expression: Expr | None
    amount: Number | None
    file: Name | None
    waive: Name | None
    allow: tuple[Allow, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of settings as written, its durations and sizes not yet numbers.

    `lynkrc.sema.settings` makes `lynkrc_runtime.settings` of them. `text` is the section as JSON
    with sorted keys: sections that differ in the order of their keys alone are equal.
    """

    key: Name
    text: str = field(repr=False)
    node: Node = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One document, whole. Sections that were not written are empty or None."""

    version: int
    name: Name
    extends: tuple[Name, ...]
    trust_levels: tuple[Name, ...]
    """From the most to the least trusted; empty takes the default."""
    providers: tuple[Provider, ...]
    targets: tuple[Target, ...]
    models: tuple[ModelMapping, ...]
    lexicons: tuple[Lexicon, ...]
    features: tuple[NamedExpression, ...]
    clients: tuple[Client, ...]
    score: Score | None
    tiers: tuple[Tier, ...]
    otherwise: Name | None
    needs: tuple[tuple[Name, Name], ...]
    """``thinking`` and ``max_tokens``, each ``hard`` or ``soft``."""
    rules: tuple[Rule, ...]
    settings: tuple[Section, ...]
    """Sections the decision does not read: `SETTINGS`, as far as they are written."""
    assertions: tuple[Assertion, ...]
    allow: tuple[Allow, ...]
    """Of the document as a whole."""
    span: Span = field(compare=False, repr=False)
