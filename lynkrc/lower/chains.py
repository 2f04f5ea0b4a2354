"""Targets and tiers to what surrounds the rules: chains, pins, derived needs, calls, models."""

from collections.abc import Mapping, Sequence

from lynkrc.ir.guard import ClassTest, Guard
from lynkrc.ir.table import (
    Call,
    Chain,
    ChainId,
    Need,
    Pick,
    Pin,
    Slot,
    TargetId,
    TierId,
)
from lynkrc.lower.guards import lower_guard
from lynkrc.lower.slots import ABSENT, Layout, classes_of
from lynkrc.sema.comparisons import normal_text
from lynkrc.sema.typed import (
    Bool,
    Constant,
    Feature,
    Flag,
    Least,
    Number,
    NumberTest,
    Order,
    Reading,
    StringOp,
    StringTest,
    Sum,
)
from lynkrc.sema.typed_config import TypedChain, TypedConfig, TypedMapping, TypedTarget
from lynkrc.sema.types import BoolType, IntType, StringType
from lynkrc.source.text import SourceFile, Span
from lynkrc_runtime.feature_table import EMBEDDINGS, FEATURES, SURFACES, FeatureType

AUTO = "auto"
"""The model name that is always routed."""

RESERVED_OUTPUT = 4_000
"""Most tokens of `max_tokens` that count against the window (design: "Derived needs")."""

_NOWHERE = Span(file=SourceFile(path="(derived)", text=""), start=0, end=0)


# -- chains ------------------------------------------------------------------------------------


def lower_chains(typed: TypedConfig) -> tuple[Chain, ...]:
    """The tiers' chains, then one alone for each target that can be pinned, then the rules'."""
    rows = [(tier.name, tier.chain) for tier in typed.tiers]
    rows += [(f"pin:{target.name}", _alone(target.name)) for target in typed.targets]
    rows += [(f"rule:{rule.name}", rule.chain) for rule in typed.rules if rule.chain is not None]
    ids = {target.name: TargetId(i) for i, target in enumerate(typed.targets)}
    return tuple(_chain(ChainId(i), name, chain, ids) for i, (name, chain) in enumerate(rows))


def rule_chains(typed: TypedConfig) -> dict[str, ChainId]:
    """The chains of the rules that have one, by the rule's name."""
    first = len(typed.tiers) + len(typed.targets)
    owners = (rule.name for rule in typed.rules if rule.chain is not None)
    return {name: ChainId(first + i) for i, name in enumerate(owners)}


def _alone(target: str) -> TypedChain:
    return TypedChain(groups=((target,),), pick="order", weights=(), spans=())


def _chain(chain_id: ChainId, name: str, chain: TypedChain, ids: Mapping[str, TargetId]) -> Chain:
    weights = {ids[target]: weight for target, weight in chain.weights}
    pick = Pick(chain.pick)
    if pick is Pick.WEIGHTED:
        # A target without a weight counts once.
        weights = {ids[target]: weights.get(ids[target], 1) for target in chain.targets}
    return Chain(
        id=chain_id,
        name=name,
        groups=tuple(tuple(ids[target] for target in group) for group in chain.groups),
        pick=pick,
        weights=tuple(sorted(weights.items())),
        spans=chain.spans,
    )


# -- pins --------------------------------------------------------------------------------------


def pinned_names(typed: TypedConfig) -> tuple[TypedMapping, ...]:
    """Every name that pins: exact ones of the spec, those lynkrc gives, prefixes of the spec."""
    tiers = [TypedMapping(pattern=t.name, tier=t.name, target=None) for t in typed.tiers]
    targets = [TypedMapping(pattern=t.name, tier=None, target=t.name) for t in typed.targets]
    given = [
        TypedMapping(pattern=prefix + one.pattern, tier=one.tier, target=one.target)
        for prefix in ("lynkr/", "claude-lynkr-")
        for one in (*tiers, *targets)
    ]
    exact = [mapping for mapping in typed.models if not mapping.pattern.endswith("*")]
    prefixes = [mapping for mapping in typed.models if mapping.pattern.endswith("*")]
    return (*exact, *given, *prefixes)


def pin_tests(typed: TypedConfig) -> list[StringTest]:
    """The tests of the requested name that pins need classes for."""
    literals = {normal_text(m.pattern) for m in pinned_names(typed) if not m.pattern.endswith("*")}
    prefixes = {normal_text(m.pattern[:-1]) for m in typed.models if m.pattern.endswith("*")}
    tests = [_model_test(StringOp.EQUALS, tuple(sorted(literals | {AUTO})))]
    if prefixes - {""}:
        tests.append(_model_test(StringOp.STARTS, tuple(sorted(prefixes - {""}))))
    return tests


def lower_pins(typed: TypedConfig, layout: Layout) -> tuple[Pin, ...]:
    """The pins in the order they are tried."""
    tiers = {tier.name: TierId(i) for i, tier in enumerate(typed.tiers)}
    chains = {t.name: ChainId(len(typed.tiers) + i) for i, t in enumerate(typed.targets)}
    slot = layout.slot(_model())
    return tuple(
        Pin(
            pattern=mapping.pattern,
            guard=_asks_for(mapping.pattern, slot),
            tier=None if mapping.tier is None else tiers[mapping.tier],
            chain=None if mapping.target is None else chains[mapping.target],
        )
        for mapping in pinned_names(typed)
    )


def _asks_for(pattern: str, slot: Slot) -> Guard:
    """The requested name is `pattern`, or begins like it and is not ``auto``."""
    folded = normal_text(pattern)
    if not folded.endswith("*"):
        return ClassTest(slot=slot.id, classes=classes_of(slot, StringOp.EQUALS, (folded,)))
    auto = classes_of(slot, StringOp.EQUALS, (AUTO,))
    if folded == "*":
        classes = tuple(i for i in range(len(slot.classes)) if i != ABSENT)
    else:
        classes = classes_of(slot, StringOp.STARTS, (folded[:-1],))
    return ClassTest(slot=slot.id, classes=tuple(i for i in classes if i not in auto))


def listed_models(typed: TypedConfig) -> tuple[str, ...]:
    """The names of ``GET /v1/models``: ``auto``, then every pin that is a whole name."""
    names = [m.pattern for m in pinned_names(typed) if not m.pattern.endswith("*")]
    return (AUTO, *names)


def _model() -> Feature:
    return Feature(name="model", args=(), type=StringType(name="model"), span=_NOWHERE)


def _model_test(op: StringOp, values: tuple[str, ...]) -> StringTest:
    return StringTest(
        leaf=_model(), type=StringType(name="model"), op=op, values=values, span=_NOWHERE
    )


# -- needs -------------------------------------------------------------------------------------


def needs(typed: TypedConfig) -> list[tuple[str, Bool, tuple[TargetId, ...]]]:
    """Each derived hard need: its name, the condition it arises on, the targets that meet it."""
    found = [
        (name, condition, _with_capability(typed.targets, name))
        for name, condition in (
            ("tools", _some("tools.count")),
            ("vision", _some("images.count")),
            ("documents", _some("documents.count")),
            ("json_schema", Flag(leaf=_feature("wants.json_schema"))),
        )
    ]
    if "thinking" in typed.hard_needs:
        wanted = Flag(leaf=_feature("wants.thinking"))
        found.append(("thinking", wanted, _with_capability(typed.targets, "thinking")))
    if "max_tokens" in typed.hard_needs:
        for limit in sorted({target.max_output for target in typed.targets}):
            more = tuple(TargetId(i) for i, t in enumerate(typed.targets) if t.max_output > limit)
            found.append((f"max_tokens {limit}", _some("request.max_tokens", limit), more))
    for window in sorted({target.context for target in typed.targets}):
        larger = tuple(TargetId(i) for i, t in enumerate(typed.targets) if t.context > window)
        found.append((f"context {window}", _exceeds(window), larger))
    return found


def lower_needs(typed: TypedConfig, layout: Layout) -> tuple[Need, ...]:
    """The derived needs as guards."""
    return tuple(
        Need(name=name, guard=lower_guard(condition, layout), met_by=met_by)
        for name, condition, met_by in needs(typed)
    )


def _with_capability(targets: Sequence[TypedTarget], name: str) -> tuple[TargetId, ...]:
    return tuple(TargetId(i) for i, target in enumerate(targets) if name in target.capabilities)


def _some(name: str, more_than: int = 0) -> Bool:
    right = _constant(more_than)
    return NumberTest(op=Order.GT, left=_reading(name), right=right, span=_NOWHERE)


def _exceeds(window: int) -> Bool:
    """The input and the room kept for the answer do not fit a window of so many tokens."""
    tokens, output = _reading("context.tokens"), _reading("request.max_tokens")
    kept = Least(
        operands=(output, _constant(RESERVED_OUTPUT)), type=IntType(low=0, high=RESERVED_OUTPUT)
    )
    used = Sum(
        left=tokens, right=kept, type=IntType(low=0, high=tokens.type.high + RESERVED_OUTPUT)
    )
    return NumberTest(op=Order.GT, left=used, right=_constant(window), span=_NOWHERE)


def _feature(name: str) -> Feature:
    known = FEATURES[name]
    is_flag = known.type is FeatureType.BOOL
    type_ = BoolType() if is_flag else IntType(low=known.low, high=known.high, saturates=True)
    return Feature(name=name, args=(), type=type_, span=_NOWHERE)


def _reading(name: str) -> Reading:
    leaf = _feature(name)
    known = FEATURES[name]
    return Reading(leaf=leaf, type=IntType(low=known.low, high=known.high, saturates=True))


def _constant(value: int) -> Number:
    return Constant(value=value, type=IntType(low=value, high=value))


# -- calls -------------------------------------------------------------------------------------


def lower_calls() -> tuple[Call, ...]:
    """Every kind of call the runtime makes, by the surface the request came to.

    An embedding goes to the target that was declared, and only if the decision allows it: another
    model's vectors differ, so it never fails over.
    """
    rows = [
        (surface, call)
        for surface in SURFACES
        for call in ("primary", "retry", "failover", "fix-up")
    ]
    rows += [(EMBEDDINGS, "primary"), (EMBEDDINGS, "retry")]
    rows += [("messages", "count_tokens"), ("responses", "count_tokens")]
    return tuple(Call(surface=surface, call=call, source="decision") for surface, call in rows)
