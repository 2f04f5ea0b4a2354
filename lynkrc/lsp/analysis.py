"""A document, whole or broken, to what is known of its names: the state every answer is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

from lynkrc.lsp.names import Occurrence, occurrences
from lynkrc.lsp.roles import DEFINING_KEYS, DEFINING_VALUES, Kind, role
from lynkrc.lsp.spot import entries_of
from lynkrc.sema.catalog import ModelFacts
from lynkrc.sema.loader import Loader
from lynkrc.sema.merge import Spec, merge
from lynkrc.sema.resolve import scope_of
from lynkrc.sema.scope import Scope
from lynkrc.sema.trust import levels_of
from lynkrc.sema.types import TRUST_LEVELS
from lynkrc.source.decode_text import decode_source
from lynkrc.source.nodes import Node
from lynkrc.source.text import SourceFile, Span
from lynkrc.source.yaml_nodes import read_nodes
from lynkrc.syntax.config import Config, Name
from lynkrc.syntax.read import read_config

_NOTHING = Scope(
    lexicons={},
    features={},
    clients=(),
    targets=(),
    providers=(),
    trust_levels=(),
    tiers=(),
    rules=(),
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What one version of a document says. Parts that cannot be read are None."""

    file: SourceFile
    root: Node | None
    config: Config | None
    spec: Spec | None
    """With everything inherited; of a broken text, that of the last version that could be read."""
    catalog: tuple[ModelFacts, ...]
    found: tuple[Occurrence, ...]
    """Every name of a text that is YAML."""
    own: Mapping[Kind, tuple[str, ...]] = field(repr=False)
    """Names the document defines itself, found in any text."""

    @property
    def scope(self) -> Scope:
        """The names of expressions, with those that only stand in a text that is broken."""
        known = _NOTHING if self.spec is None else scope_of(self.spec)
        return replace(
            known,
            clients=self.names(Kind.CLIENT),
            targets=self.names(Kind.TARGET),
            providers=self.names(Kind.PROVIDER),
            trust_levels=self.names(Kind.TRUST) or TRUST_LEVELS,
            tiers=self.names(Kind.TIER),
        )

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Every name of a kind, the document's own first."""
        inherited = () if self.spec is None else tuple(_inherited(self.spec, kind))
        return tuple(dict.fromkeys((*self.own.get(kind, ()), *inherited)))


def analyse(
    path: str,
    text: str,
    *,
    loader: Loader,
    catalog: Sequence[ModelFacts],
    before: Analysis | None = None,
) -> Analysis:
    """What is known of a document; `before` is what was known of its last version."""
    # As bytes the text meets the limits and marks of a file.
    file, findings = decode_source(path, text.encode("utf-8", "replace"))
    root, config = None, None
    if not findings:
        root, _ = read_nodes(file)
        config, _ = read_config(file)
    spec = None if before is None else before.spec
    if config is not None:
        spec, _ = merge(config, loader)
    own = _own_names(text)
    features = {*own.get(Kind.FEATURE, ())}
    if spec is not None:
        features |= {one.name for one in spec.features}
    return Analysis(
        file=file,
        root=root,
        config=config,
        spec=spec,
        catalog=tuple(catalog),
        found=() if root is None else tuple(occurrences(root, features)),
        own=own,
    )


def defined_at(spec: Spec, kind: Kind, name: str) -> Span | None:
    """Where a spec, with what it inherits, defines a name."""
    return next((one.span for one in _definitions(spec, kind) if one.value == name), None)


def _own_names(text: str) -> Mapping[Kind, tuple[str, ...]]:
    found: dict[Kind, dict[str, None]] = {}
    for entry in entries_of(text):
        kind = role(DEFINING_KEYS if entry.is_key else DEFINING_VALUES, entry.path)
        if kind is not None and entry.text:
            found.setdefault(kind, {})[entry.text] = None
    return {kind: tuple(names) for kind, names in found.items()}


def _inherited(spec: Spec, kind: Kind) -> list[str]:
    if kind is Kind.TRUST:
        return list(levels_of(spec))
    return [one.value for one in _definitions(spec, kind)]


def _definitions(spec: Spec, kind: Kind) -> list[Name]:
    match kind:
        case Kind.PROVIDER:
            return [one.item.name for one in spec.providers]
        case Kind.TARGET:
            return [one.item.name for one in spec.targets]
        case Kind.LEXICON:
            return [one.item.name for one in spec.lexicons]
        case Kind.FEATURE:
            return [one.item.name for one in spec.features]
        case Kind.CLIENT:
            return [one.item.name for one in spec.clients]
        case Kind.RULE:
            return [one.item.name for one in spec.rules]
        case Kind.DIMENSION:
            return [one.item.name for one in spec.dimensions]
        case Kind.TIER:
            return [tier.name for tier in spec.tiers]
        case Kind.TRUST:
            return list(spec.trust_levels)
        case Kind.BASE | Kind.LANGUAGE | Kind.MODEL | Kind.PROVIDER_KIND | Kind.CODE:
            return []
