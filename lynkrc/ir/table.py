"""The RouteTable: the contract of the project. Order, guards, chains, targets; no YAML notions.

`lynkrc.lower` makes it, `lynkrc.passes` rewrite it, `lynkrc.interp` gives it its meaning,
`lynkrc.codegen` prints it. `lynkrc.ir.verify` lists what always holds.

Names shown to people carry the origin prefix (``builtin/greetings``). Ids are indices into the
table's own tuples. A `span` is the whole item as written, a `name_span` its name.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType, final

from lynkrc.ir.automaton import Automaton
from lynkrc.ir.guard import Guard, IntExpr, SlotId
from lynkrc.source.text import Span

TargetId = NewType("TargetId", int)
TierId = NewType("TierId", int)
ChainId = NewType("ChainId", int)
RuleId = NewType("RuleId", int)
LexiconId = NewType("LexiconId", int)


class SlotType(Enum):
    """What a slot's integer stands for."""

    BOOL = "bool"  # 0 or 1
    INT = "int"  # the number
    FIXED = "fixed"  # 1/64 units
    CLASS = "class"  # index into `classes`


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StringClass:
    """One class of values of a string or enum slot.

    kind ``absent`` (always class 0 of a string), ``other`` (class 1 of a string: no literal and no
    prefix), ``literal`` (exactly `text`, ASCII-folded and trimmed), ``prefix`` (starts with `text`,
    the longest such prefix, and is no literal), ``member`` (an enumerator, for enums).
    """

    kind: str
    text: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One entry of the feature vector; every value lies in ``low..high`` after clamping."""

    id: SlotId
    feature: str
    """Name in `lynkrc_runtime.feature_table`: ``ask.words``, ``count``, ``header``."""
    args: tuple[str, ...]
    """``("ask", "greeting")`` for count, ``("x-data-class",)`` for header; else empty."""
    type: SlotType
    low: int
    high: int
    classes: tuple[StringClass, ...] = ()

    @property
    def text(self) -> str:
        """How the slot is written in the language: ``count(ask, greeting)``."""
        if not self.args:
            return self.feature
        if self.feature in ("header", "metadata", "tools.named"):
            return f'{self.feature}("{self.args[0]}")'
        return f"{self.feature}({', '.join(self.args)})"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One pattern of a lexicon: its text as written and its weight in 1/64."""

    pattern: str
    weight64: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """A named set of patterns; its entries are numbered from `first` in the automaton."""

    id: LexiconId
    name: str
    entries: tuple[Entry, ...]
    first: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One addend of the score, in 1/6400 points.

    Weighted: ``weight64 * clamp(value, 0, 100)``. Terms (`terms` given, `value` None):
    ``100 *`` the fixed slot `terms`, which counts 1/64 points.
    """

    name: str
    weight64: int
    value: IntExpr | None
    terms: SlotId | None
    source: str
    """Canonical text, for printing: ``saturate(count(ask, proof), 2)``."""
    span: Span = field(compare=False, repr=False)
    name_span: Span | None = field(default=None, compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A step of the ladder; `up_to` is an inclusive score, None on the last."""

    id: TierId
    name: str
    up_to: int | None
    chain: ChainId
    span: Span = field(compare=False, repr=False)
    name_span: Span | None = field(default=None, compare=False, repr=False)


class Pick(Enum):
    """How the targets of a group are ordered (design: language.md, step 9)."""

    ORDER = "order"
    WEIGHTED = "weighted"
    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    ROUND_ROBIN = "round_robin"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Groups in the order they are tried; `pick` orders the targets inside each.

    `name` is the tier's, ``pin:TARGET`` or ``rule:RULE``. `weights` has a positive weight for each
    target where `pick` is WEIGHTED, else it is empty.
    """

    id: ChainId
    name: str
    groups: tuple[tuple[TargetId, ...], ...]
    pick: Pick
    weights: tuple[tuple[TargetId, int], ...]
    spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    """Where each target of the chain is named; empty where nobody wrote it."""

    @property
    def targets(self) -> tuple[TargetId, ...]:
        """All targets, in the order written."""
        return tuple(target for group in self.groups for target in group)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """End with this HTTP status and message."""

    status: int
    message: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """End with this text, answered without a model."""

    text: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Prefer:
    """Order the groups by `pick` (CHEAPEST or FASTEST), or put `target` first; one of the two."""

    pick: Pick | None
    target: TargetId | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """While the rule matches, `target` stays in the chain only where `guard` holds."""

    target: TargetId
    guard: Guard


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A guard and its effects (design: "The decision"); absent effects are None.

    `require` holds one `Keep` a target, in target order, None when the rule requires nothing.
    """

    id: RuleId
    name: str
    guard: Guard
    deny: Deny | None
    tier: TierId | None
    floor: TierId | None
    ceiling: TierId | None
    add64: int | None
    require: tuple[Keep, ...] | None
    respond: Respond | None
    chain: ChainId | None
    prefer: Prefer | None
    source: str
    """Canonical text of the guard."""
    require_source: str
    """Canonical text of the requirement, empty when there is none."""
    span: Span = field(compare=False, repr=False)
    name_span: Span | None = field(default=None, compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A named expression that guards or values read: shown to reviewers, already inlined in them.

    `name` carries the origin prefix, `source` is the canonical text. It has no meaning of its own.
    """

    name: str
    source: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A requested model name that fixes the tier, or the one target, in place of steps 4 and 5.

    The first pin whose guard holds applies. A pinned target has a chain of its own and no
    fallback; needs, `require` and `deny` still apply.
    """

    pattern: str
    guard: Guard
    tier: TierId | None
    chain: ChainId | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A derived hard need: where `guard` holds, only the targets in `met_by` can serve.

    `guard` is the need's presence (``tools.count > 0``). For the context window, and for the output
    limit where the spec makes it hard, there is one Need a distinct size, met by the targets whose
    own is larger than the guard's literal.
    """

    name: str
    guard: Guard
    met_by: tuple[TargetId, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A provider and a model, with every fact the runtime needs (catalog applied).

    `context` and `max_output` are tokens; prices USD per million tokens as decimal text, None
    where nobody stated one. `shape` is the catalog's request shape as canonical JSON. `dialect` is
    the one it is always called in, None where the kind chooses; `on_loss` is warn or deny.
    """

    id: TargetId
    name: str
    provider: str
    model: str
    trust: str
    context: int
    max_output: int
    capabilities: tuple[str, ...]
    price: tuple[str, str, str, str] | None
    """input, output, cache_read, cache_write."""
    shape: str
    dialect: str | None
    on_loss: str
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An API as written; `base_url`, `api_key` and header values may hold ``${NAME}``."""

    name: str
    kind: str
    trust: str
    base_url: str | None
    api_key: str | None
    headers: tuple[tuple[str, str], ...]
    connect: float | None
    first_event: float | None
    idle: float | None
    total: float | None
    retries: int | None
    backoff: float | None
    max_backoff: float | None
    rest: str
    """`lynkrc_runtime.dispatch.ProviderSettings` as canonical JSON: what is not of every kind."""
    simulate: str | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ordinary:
    """What an ordinary request of a client looks like (see `lynkrc.syntax.config.Ordinary`)."""

    surface: str | None
    context: int
    max_tokens: int
    tools: int
    thinking: bool
    stream: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client profile, as data for the extractor; `ordinary` is for reports alone."""

    name: str
    user_agent: tuple[str, ...]
    injected_tags: tuple[str, ...]
    injected_prefixes: tuple[str, ...]
    injected_wrappers: tuple[str, ...]
    baseline_tools: tuple[str, ...]
    tool_weights: tuple[tuple[str, int], ...]
    ordinary: Ordinary | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One kind of upstream call and where its target comes from.

    `surface` is where the request came in, ``embeddings`` among them. `call` is ``primary retry
    failover fix-up count_tokens``; `source` is ``decision`` (a target of
    the decided chain) or ``local`` (nothing leaves the gateway).
    """

    surface: str
    call: str
    source: str


class Otherwise(Enum):
    """What happens to a request whose filtered chain is empty though some target could serve."""

    ESCALATE = "escalate"
    DENY = "deny"
    NONE = "none"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable:
    """A spec, compiled: everything that decides and nothing else."""

    name: str
    trust_levels: tuple[str, ...]
    slots: tuple[Slot, ...]
    lexicons: tuple[Lexicon, ...]
    automaton: Automaton
    clients: tuple[Client, ...]
    providers: tuple[Provider, ...]
    targets: tuple[Target, ...]
    chains: tuple[Chain, ...]
    tiers: tuple[Tier, ...]
    pins: tuple[Pin, ...]
    needs: tuple[Need, ...]
    rules: tuple[Rule, ...]
    definitions: tuple[Definition, ...]
    """Sorted by name."""
    dimensions: tuple[Dimension, ...]
    offset64: int
    otherwise: Otherwise
    models: tuple[str, ...]
    """Names listed by ``GET /v1/models``: ``auto``, pins, mapped names without ``*``."""
    calls: tuple[Call, ...]
    settings: str
    """`lynkrc_runtime.settings.Settings` as canonical JSON."""
    assertions: tuple[str, ...]
    """Canonical texts, as written. They change no route, so they have no part in the meaning."""
