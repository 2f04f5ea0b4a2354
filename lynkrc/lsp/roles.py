"""Places of a document to the names that stand there: who is defined, who is meant.

The schema says which keys there are; what the text at a place names is a matter of meaning, and
this table is where the language server knows it from.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from lynkrc.lsp.spot import ITEM, Path

ANY = "*"


class Kind(Enum):
    """What a name names; the value is the word for it."""

    PROVIDER = "provider"
    TARGET = "target"
    TIER = "tier"
    TRUST = "trust level"
    LEXICON = "lexicon"
    FEATURE = "feature"
    CLIENT = "client"
    RULE = "rule"
    DIMENSION = "dimension"
    BASE = "base spec"
    LANGUAGE = "word of the language"
    MODEL = "model"
    PROVIDER_KIND = "provider kind"
    CODE = "finding"


DEFINING_KEYS: Mapping[Path, Kind] = MappingProxyType(
    {
        ("providers", ANY): Kind.PROVIDER,
        ("targets", ANY): Kind.TARGET,
        ("lexicons", ANY): Kind.LEXICON,
        ("features", ANY): Kind.FEATURE,
        ("clients", ANY): Kind.CLIENT,
        ("score", "dimensions", ANY): Kind.DIMENSION,
    }
)
"""Mappings whose keys are names that their entries define."""

DEFINING_VALUES: Mapping[Path, Kind] = MappingProxyType(
    {
        ("tiers", ITEM, "name"): Kind.TIER,
        ("rules", ITEM, "name"): Kind.RULE,
        ("trust_levels", ITEM): Kind.TRUST,
    }
)
"""Values that are names which their item defines."""

USING_VALUES: Mapping[Path, Kind] = MappingProxyType(
    {
        ("extends",): Kind.BASE,
        ("extends", ITEM): Kind.BASE,
        ("score", "use"): Kind.BASE,
        ("assert", ITEM, "same_as"): Kind.BASE,
        ("providers", ANY, "kind"): Kind.PROVIDER_KIND,
        ("providers", ANY, "trust"): Kind.TRUST,
        ("targets", ANY, "provider"): Kind.PROVIDER,
        ("targets", ANY, "model"): Kind.MODEL,
        ("models", ANY, "tier"): Kind.TIER,
        ("models", ANY, "target"): Kind.TARGET,
        ("embeddings", ANY, "target"): Kind.TARGET,
        ("score", "dimensions", ANY, "terms"): Kind.LEXICON,
        ("tiers", ITEM, "chain", ITEM): Kind.TARGET,
        ("tiers", ITEM, "chain", ITEM, ITEM): Kind.TARGET,
        ("rules", ITEM, "chain", ITEM): Kind.TARGET,
        ("rules", ITEM, "chain", ITEM, ITEM): Kind.TARGET,
        ("rules", ITEM, "tier"): Kind.TIER,
        ("rules", ITEM, "floor"): Kind.TIER,
        ("rules", ITEM, "ceiling"): Kind.TIER,
        ("rules", ITEM, "prefer"): Kind.TARGET,
        ("budgets", ITEM, "targets", ITEM): Kind.TARGET,
        ("keys", ANY, "tiers", ITEM): Kind.TIER,
        ("keys", ANY, "targets", ITEM): Kind.TARGET,
        ("cache", "semantic", "embedder"): Kind.TARGET,
        ("optimize", "tool_results", "tiers", ITEM): Kind.TIER,
    }
)
"""Values that name something defined elsewhere."""

USING_KEYS: Mapping[Path, Kind] = MappingProxyType(
    {
        ("tiers", ITEM, "weights", ANY): Kind.TARGET,
        ("rules", ITEM, "weights", ANY): Kind.TARGET,
    }
)
"""Mappings whose keys name something defined elsewhere."""

OWN_NAMES: frozenset[Path] = frozenset(
    {
        ("name",),
        ("assert", ITEM, "name"),
        ("limits", ITEM, "name"),
        ("budgets", ITEM, "name"),
    }
)
"""Values that are names nothing refers to."""


def role(table: Mapping[Path, Kind], path: Path) -> Kind | None:
    """What a table says of a place.

    >>> role(USING_VALUES, ("targets", "small", "provider"))
    <Kind.PROVIDER: 'provider'>
    """
    found = table.get(path)
    if found is not None:
        return found
    for pattern, kind in table.items():
        if len(pattern) == len(path) and all(
            step in (ANY, word) for step, word in zip(pattern, path, strict=True)
        ):
            return kind
    return None
