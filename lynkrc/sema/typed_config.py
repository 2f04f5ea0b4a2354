"""The typed spec: every name resolved, every expression typed, every fact known.

`lynkrc.sema.resolve` makes it of sound specs only, so `lynkrc.lower` can be total. Names of rules,
dimensions and lexicons carry their origin (``builtin/greetings``).
"""

from dataclasses import dataclass, field
from typing import final

from lynkrc.sema.allows import OpenAllow
from lynkrc.sema.typed import Bool, Feature, Number
from lynkrc.source.text import Span
from lynkrc.syntax.config import AssertionKind, Client, Deny, Lexicon, Price, Provider
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.settings import Settings


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TypedLexicon:
    """A lexicon some expression reads."""

    name: str
    lexicon: Lexicon


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TypedTarget:
    """A target with the catalog's facts where it stated none. Windows are tokens."""

    name: str
    provider: str
    kind: str
    trust: str
    model: str
    context: int
    max_output: int
    capabilities: tuple[str, ...]
    price: Price
    shape: RequestShape
    dialect: str | None
    on_loss: str
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TypedChain:
    """Groups of target names; `pick` is written out, `weights` is empty unless it is weighted."""

    groups: tuple[tuple[str, ...], ...]
    pick: str
    weights: tuple[tuple[str, int], ...]
    spans: tuple[Span, ...] = field(compare=False, repr=False)
    """Where each target is named."""

    @property
    def targets(self) -> tuple[str, ...]:
        """All targets, in the order written."""
        return tuple(name for group in self.groups for name in group)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TypedTier:
    """A step of the ladder."""

    name: str
    up_to: int | None
    chain: TypedChain
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TypedMapping:
    """A requested model name (a trailing ``*`` matches any rest), pinned to a tier or a target."""

    pattern: str
    tier: str | None
    target: str | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TypedDimension:
    """One addend of the score: `weight64` times `value`, or the `points` feature in `terms`."""

    name: str
    weight64: int
    value: Number | None
    terms: Feature | None
    source: str
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRule:
    """A guard and its effects. `keeps` says, in target order, when each target stays."""

    name: str
    guard: Bool
    deny: Deny | None
    tier: str | None
    floor: str | None
    ceiling: str | None
    add64: int | None
    keeps: tuple[Bool, ...] | None
    respond: str | None
    chain: TypedChain | None
    prefer: str | None
    """``cheapest``, ``fastest`` or a target's name."""
    source: str
    require_source: str
    span: Span = field(compare=False, repr=False)
    name_span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TypedAssertion:
    """A property to be proved; `condition` may read the decision and the target.

    `condition` is that of never, always and reachable; `feature` that of monotone; `amount` USD or
    seconds; `file` the path of same_as. `source` is its canonical text.
    """

    name: str | None
    kind: AssertionKind
    condition: Bool | None
    feature: Feature | None
    amount: float | None
    file: str | None
    waive: str | None
    source: str
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TypedConfig:
    """A sound spec. Providers, targets, lexicons and clients are sorted by name."""

    path: str
    """Of the document itself; what other files gave has another."""
    name: str
    trust_levels: tuple[str, ...]
    lexicons: tuple[TypedLexicon, ...]
    clients: tuple[Client, ...]
    providers: tuple[Provider, ...]
    targets: tuple[TypedTarget, ...]
    models: tuple[TypedMapping, ...]
    tiers: tuple[TypedTier, ...]
    rules: tuple[TypedRule, ...]
    definitions: tuple[tuple[str, str], ...]
    """Named expressions in use: name with origin, canonical text; sorted."""
    dimensions: tuple[TypedDimension, ...]
    offset64: int
    otherwise: str | None
    hard_needs: frozenset[str]
    """Of `thinking` and `max_tokens`, those the spec makes hard."""
    assertions: tuple[TypedAssertion, ...]
    settings: Settings
    allows: tuple[OpenAllow, ...] = field(compare=False, repr=False)
