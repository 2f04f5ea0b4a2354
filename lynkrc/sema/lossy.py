"""A sound spec to the findings about what clients of one dialect lose at targets of another.

One for each client dialect and target dialect, that names the targets. Which targets a client
reaches is told by rules that read `surface` or `dialect`; pins by name are not looked at.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import LOSSY_PAIR
from lynkrc.diagnostics.wording import listed
from lynkrc.sema.emptiness import NEEDED, serves
from lynkrc.sema.merge import Spec
from lynkrc.sema.partial import Facts, residue
from lynkrc.sema.reach import reached_tiers, scores_of
from lynkrc.sema.typed import ALWAYS, NEVER, Bool, Feature, Logic, MemberTest, Negation, Truth
from lynkrc.sema.typed_config import TypedChain, TypedDimension, TypedRule, TypedTarget, TypedTier
from lynkrc_runtime.feature_table import DIALECTS, SURFACES
from lynkrc_runtime.protocol.losses import FEATURES, Does, lossy, pair_table
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.providers.ways import chosen, ways

_SIMULATOR = "simulator"
_DENY = "deny"
_SHOWN = 3
"""Losses that a finding names."""

_FIRST = (
    "cache_control",
    "server tools",
    "hosted tools",
    "citations",
    "context_management",
    "parallel_tool_calls: false",
    "seed",
    "logprobs",
)
"""Of what matters, what is missed soonest; the rest in the order of the page."""

SPOKEN = {
    "anthropic-messages": "Messages",
    "openai-chat": "Chat",
    "openai-responses": "Responses",
    "gemini": "Gemini",
    "bedrock-converse": "Converse",
    "ollama-chat": "Ollama",
}
"""Dialects as people call them."""

_HELP = "`lynkrc explain LK602` says where all are listed, and how to keep such requests away"


def check_losses(
    spec: Spec,
    tiers: Sequence[TypedTier],
    rules: Sequence[TypedRule],
    dimensions: Sequence[TypedDimension],
    offset64: int,
    targets: Sequence[TypedTarget],
) -> Iterable[Diagnostic]:
    """A note for each client dialect and target dialect between which something is lost."""
    allowing = {
        one.name
        for one in spec.targets
        if any(allow.code.value == LOSSY_PAIR.id for allow in one.item.allow)
    }
    told: list[tuple[str, Diagnostic]] = []
    for surface, dialect in zip(SURFACES, DIALECTS, strict=True):
        seen = [_seen(rule, {"surface": surface, "dialect": dialect}) for rule in rules]
        groups: dict[tuple[str, bool, str], list[TypedTarget]] = {}
        for target in _reached(spec, tiers, seen, dimensions, offset64, targets):
            way = _way(target, dialect)
            if way is not None and lossy(dialect, way):
                # What one target allows is not said of it to the others.
                apart = target.name if target.name in allowing else ""
                groups.setdefault((way, target.on_loss == _DENY, apart), []).append(target)
        for (way, denies, apart), found in sorted(groups.items()):
            told.append((apart, _finding(spec, dialect, way, found, denies=denies)))
    # One page tells the way out of all of them: the first that is shown names it.
    first = min((one for apart, one in told if not apart), key=_place, default=None)
    return [replace(one, help=_HELP) if one is first else one for _, one in told]


def _place(finding: Diagnostic) -> tuple[str, int]:
    return finding.span.file.path, finding.span.start


def _finding(
    spec: Spec, client: str, way: str, found: Sequence[TypedTarget], *, denies: bool
) -> Diagnostic:
    names = [target.name for target in found]
    written = min(
        (one.item.name for one in spec.targets if one.name in names),
        key=lambda name: (name.span.file.path, name.span.start),
    )
    where = f"{SPOKEN[client]} to {SPOKEN[way]} on {listed(names, 'and')}"
    lost = _lost(client, way)
    return Diagnostic(
        code=LOSSY_PAIR,
        message=f"{where}: requests with {lost} are turned away, as `on_loss` is `deny`"
        if denies
        else f"{where}: {lost} do not arrive",
        span=written.span,
    )


def _lost(client: str, way: str) -> str:
    """What is lost, in words: what matters and is always lost comes first, the rest is counted."""
    table = pair_table(client, way)
    names = sorted(
        lossy(client, way),
        key=lambda name: (
            not FEATURES[name].matters,
            table[name].does is not Does.DROPS,
            _FIRST.index(name) if name in _FIRST else len(_FIRST),
        ),
    )
    words = [f"`{name}`" if "_" in name else name for name in names[:_SHOWN]]
    return f"{', '.join(words)} and {len(names) - _SHOWN} more"


def _way(target: TypedTarget, client: str) -> str | None:
    """The dialect a target is called in for a client, None where nothing can be lost."""
    kind = KINDS[target.kind]
    found = ways(kind, target.model, target.dialect, target.shape.dialects)
    if target.kind == _SIMULATOR or not found:
        return None
    return chosen(found, client).dialect


# -- which targets a client reaches ------------------------------------------------------------


def _seen(rule: TypedRule, facts: Facts) -> TypedRule:
    """The rule as requests of one surface meet it."""
    keeps = rule.keeps
    return replace(
        rule,
        guard=residue(_known(rule.guard, facts)),
        keeps=None if keeps is None else tuple(residue(_known(keep, facts)) for keep in keeps),
    )


def _known(expr: Bool, facts: Facts) -> Bool:
    match expr:
        case MemberTest(leaf=Feature(name=name), members=members) if name in facts:
            return Truth(value=facts[name] in members)
        case Negation(operand=operand):
            return Negation(operand=_known(operand, facts))
        case Logic(op=op, left=left, right=right):
            return Logic(op=op, left=_known(left, facts), right=_known(right, facts))
        case _:
            return expr


def _reached(
    spec: Spec,
    tiers: Sequence[TypedTier],
    rules: Sequence[TypedRule],
    dimensions: Sequence[TypedDimension],
    offset64: int,
    targets: Sequence[TypedTarget],
) -> Iterator[TypedTarget]:
    """The targets that requests are sent to, of those that rules without a condition leave."""
    if any(rule.guard == ALWAYS and (rule.deny or rule.respond is not None) for rule in rules):
        return
    names = reached_tiers(tiers, rules, scores_of(dimensions, rules, offset64))
    names |= {one.item.tier.value for one in spec.models if one.item.tier is not None}
    chains = list(_chains([tier for tier in tiers if tier.name in names], rules))
    escalates = spec.otherwise is not None and spec.otherwise.value == "escalate"
    if escalates and any(_may_run_empty(chain, rules, targets) for chain in chains):
        chains += [tier.chain for tier in tiers]
    reached = {name for chain in chains for name in chain.targets}
    reached |= {one.item.target.value for one in spec.models if one.item.target is not None}
    for index, target in enumerate(targets):
        gone = any(rule.guard == ALWAYS and _keep(rule, index) == NEVER for rule in rules)
        if target.name in reached and not gone:
            yield target


def _chains(tiers: Sequence[TypedTier], rules: Sequence[TypedRule]) -> Iterator[TypedChain]:
    """The chains of rules, to the first that always matches, else those of the tiers too."""
    for rule in rules:
        if rule.chain is not None and rule.guard != NEVER:
            yield rule.chain
            if rule.guard == ALWAYS:
                return
    yield from (tier.chain for tier in tiers)


def _may_run_empty(
    chain: TypedChain, rules: Sequence[TypedRule], targets: Sequence[TypedTarget]
) -> bool:
    """Whether needs or requirements can drop every target of a chain."""
    return not any(
        target.name in chain.targets
        and all(rule.guard == NEVER or _keep(rule, index) == ALWAYS for rule in rules)
        and all(serves(target, other, NEEDED) for other in targets)
        for index, target in enumerate(targets)
    )


def _keep(rule: TypedRule, target: int) -> Bool:
    return ALWAYS if rule.keeps is None else rule.keeps[target]
