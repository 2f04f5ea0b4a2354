"""The surface tree: what was written in one ``routing.yaml``, with the span of every part.

Nothing is resolved here: names are strings with spans, expressions are parsed but untyped,
and a spec that `extends` another still holds only its own words.
"""

from dataclasses import dataclass, field
from typing import Generic, TypeVar, final

from lynkrc.source.text import Span
from lynkrc.syntax.expr import Expr
from lynkrc.syntax.pattern import Pattern

T = TypeVar("T")


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
class Timeouts:
    """Seconds; None takes the runtime's default (design: "Attempts", Time)."""

    connect: float | None = None
    first_event: float | None = None
    idle: float | None = None
    total: float | None = None


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
    retries: int | None
    simulate: Name | None
    """Behaviour of a `simulator` provider (runtime: simulator.py); None elsewhere."""
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
    """A named set of patterns."""

    name: Name
    entries: tuple[LexiconEntry, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NamedExpression:
    """An entry of `features`."""

    name: Name
    expression: Expr
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
class Tier:
    """One step of the ladder, cheapest first; the last has no `up_to`."""

    name: Name
    up_to: Located[int] | None
    chain: tuple[Name, ...]
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
    deny: Deny | None
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One document, whole. Sections that were not written are empty or None."""

    version: int
    name: Name
    extends: tuple[Name, ...]
    providers: tuple[Provider, ...]
    targets: tuple[Target, ...]
    models: tuple[ModelMapping, ...]
    lexicons: tuple[Lexicon, ...]
    features: tuple[NamedExpression, ...]
    clients: tuple[Client, ...]
    score: Score | None
    tiers: tuple[Tier, ...]
    otherwise: Name | None
    rules: tuple[Rule, ...]
    span: Span = field(compare=False, repr=False)
