"""Names of a spec to the findings about clashes and about definitions nothing refers to."""

from collections.abc import Collection, Iterable, Sequence

from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.sema_codes import NAME_TAKEN, OVERLAPPING_CLIENTS, UNUSED
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.chains import STRATEGIES
from lynkrc.sema.comparisons import normal_text
from lynkrc.sema.merge import Sources, Spec
from lynkrc.sema.scope import ABSENT, DECIDED, FUNCTIONS
from lynkrc.sema.types import TRUST_LEVELS
from lynkrc.source.fixes import fix_of
from lynkrc.source.parts import removal
from lynkrc.source.text import Span
from lynkrc.syntax.config import Client, Lexicon, Name, NamedExpression, Provider, Target
from lynkrc_runtime.feature_table import FEATURES, NO_TIER, OTHER_CLIENT, TEXTS
from lynkrc_runtime.settings import Settings


def check_names(spec: Spec) -> Iterable[Diagnostic]:
    """Names that would mean two things at one place."""
    taken: dict[str, tuple[str, Span | None]] = {}
    for level in spec.trust_levels:
        taken[level.value] = ("a trust level", level.span)
    for word in () if spec.trust_levels else TRUST_LEVELS:
        taken[word] = ("a trust level", None)
    for provider in spec.providers:
        taken[provider.name] = ("a provider", provider.item.name.span)
    for target in spec.targets:
        taken[target.name] = ("a target", target.item.name.span)
    for tier in spec.tiers:
        taken[tier.name.value] = ("a tier", tier.name.span)
    for name in (*FEATURES, *FUNCTIONS, *TEXTS, *DECIDED, ABSENT, "target"):
        taken[name] = ("a word of the language", None)
    for target in spec.targets:
        if target.name in STRATEGIES:
            yield _clash(target.item.name, "what `prefer` takes", None)
    for tier in spec.tiers:
        if tier.name.value == NO_TIER:
            yield _clash(tier.name, "the tier of a session that has none", None)
    for feature in spec.features:
        if feature.name in taken:
            what, span = taken[feature.name]
            yield _clash(feature.item.name, what, span)
    pinned: dict[str, Name] = {}
    for pin in (*(tier.name for tier in spec.tiers), *(t.item.name for t in spec.targets)):
        first = pinned.setdefault(normal_text(pin.value), pin)
        if first is not pin:
            # Both would be pinned by the same model name, whose case does not count.
            yield _clash(pin, f"pinned by the model name `lynkr/{first.value}`", first.span)
    for client in spec.clients:
        if client.name == OTHER_CLIENT:
            yield _clash(client.item.name, "what unknown clients are called", None)


def check_clients(clients: Sources[Client]) -> Iterable[Diagnostic]:
    """User agents that two profiles recognise: which one applies must not depend on order."""
    # Of two that overlap the later is told of: the document's own, rather than that of a base.
    prefixes = [
        (normal_text(prefix.value), (not one.origin, written), prefix, one.name)
        for written, (one, prefix) in enumerate(
            (one, prefix) for one in clients for prefix in one.item.user_agent
        )
    ]
    leading: list[tuple[str, tuple[bool, int], Name, str]] = []
    # Sorted, what begins with a prefix stands right behind it: each is looked at once.
    for prefix in sorted(prefixes, key=lambda one: one[:2]):
        while leading and not prefix[0].startswith(leading[-1][0]):
            leading.pop()
        other = next((one for one in leading[-2:] if one[3] != prefix[3]), None)
        if other is not None:
            first, second = sorted((other, prefix), key=lambda one: one[1])
            yield _overlap(*second[2:], *first[2:])
        if not leading or leading[-1][3] != prefix[3]:
            leading.append(prefix)


def _overlap(prefix: Name, owner: str, first: Name, other: str) -> Diagnostic:
    shorter = min(prefix.value, first.value, key=len)
    return Diagnostic(
        code=OVERLAPPING_CLIENTS,
        message=f"{shown(prefix.value)} of {shown(owner)} and {shown(first.value)} "
        f"of {shown(other)} recognise the same clients",
        span=prefix.span,
        help=f"neither may begin with the other: make {shown(shorter)} longer, or remove one",
        labels=(Label(span=first.span, message="the other one"),),
    )


def check_unused(
    spec: Spec,
    used_features: Collection[str],
    used_lexicons: Collection[str],
    settings: Settings,
) -> Iterable[Diagnostic]:
    """Definitions of the document itself that nothing reads; inherited ones are exempt."""
    rules = [one.item.chain for one in spec.rules if one.item.chain is not None]
    chains = {
        name.value
        for chain in (*(tier.chain for tier in spec.tiers), *rules)
        for name in chain.targets
    }
    called = set(settings.embeddings.values())
    if settings.cache is not None and settings.cache.semantic is not None:
        called.add(settings.cache.semantic.embedder)
    mapped = {one.item.target.value for one in spec.models if one.item.target is not None}
    served = {one.item.provider.value for one in spec.targets}
    kinds: Sequence[tuple[str, Sequence[tuple[str, str, Name]], Collection[str], str]] = (
        ("provider", _own(spec.providers), served, "no target is served by it"),
        (
            "target",
            _own(spec.targets),
            chains | mapped | called,
            "no chain and no mapped model names it",
        ),
        ("lexicon", _own(spec.lexicons), used_lexicons, "no rule and no dimension reads it"),
        ("feature", _own(spec.features), used_features, "no rule and no dimension reads it"),
    )
    for kind, own, used, why in kinds:
        for origin, name, written in own:
            if not origin and name not in used:
                edit = removal(written.span)
                yield Diagnostic(
                    code=UNUSED,
                    message=f"the {kind} {shown(name)} is unused: {why}",
                    span=written.span,
                    help="remove it, or use it",
                    fix=None if edit is None else fix_of(edit, "remove it", safe=False),
                )


def _own(
    sources: Sources[Provider] | Sources[Target] | Sources[Lexicon] | Sources[NamedExpression],
) -> list[tuple[str, str, Name]]:
    return [(one.origin, one.name, one.item.name) for one in sources]


def _clash(name: Name, what: str, first: Span | None) -> Diagnostic:
    return Diagnostic(
        code=NAME_TAKEN,
        message=f"the name {shown(name.value)} is taken: it is {what}",
        span=name.span,
        help="choose another name",
        labels=() if first is None else (Label(span=first, message="named here"),),
    )
