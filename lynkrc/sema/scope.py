"""What a name can mean in an expression of one spec.

Names are looked up in this order: features of the runtime's table, attributes of the target (in a
requirement), named expressions. Lexicons and texts are only looked for in the argument lists that
take them, enumerators only opposite an enum, so none of these hides another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import final

from lynkrc.sema.types import BoolType, EnumType, FixedType, IntType, StringType, Type, to_64ths
from lynkrc.syntax.config import Lexicon, NamedExpression
from lynkrc_runtime.feature_table import (
    BIG,
    CAPABILITIES,
    FEATURES,
    NO_TIER,
    OTHER_CLIENT,
    Feature,
    FeatureType,
    Parameter,
)

FUNCTIONS: tuple[str, ...] = ("min", "max", "clamp", "when", "steps", "ramp", "saturate")
"""What can be called besides the parameterised features."""

ABSENT = "absent"
"""The value of a header or a member of `metadata` that the request does not have."""

DECIDED: tuple[str, ...] = ("tier", "outcome", "rule", "target.first")
"""Names of the decision itself, which only assertions can read."""

OUTCOMES: tuple[str, ...] = ("route", "deny", "respond", "refuse")
"""The enumerators of `outcome`."""

_PERCENT = 100


class Place(Enum):
    """Where an expression stands, which decides what it can read."""

    GUARD = "guard"
    REQUIREMENT = "requirement"
    """Beside the request, the target under test."""
    ASSERTION = "assertion"
    """Beside these, the decision."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconFacts:
    """What typing needs of a lexicon: its shown name, its size, the range of `points` in 1/64."""

    shown: str
    entries: int
    low64: int
    high64: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The names of one spec with everything it inherits."""

    lexicons: Mapping[str, LexiconFacts]
    features: Mapping[str, NamedExpression]
    clients: tuple[str, ...]
    targets: tuple[str, ...]
    providers: tuple[str, ...]
    trust_levels: tuple[str, ...]
    tiers: tuple[str, ...]
    """Cheapest first."""
    rules: tuple[str, ...]
    """In decision order, with their origin."""

    def names(self, place: Place) -> list[str]:
        """Every name an expression at `place` may begin with, for suggestions."""
        known = [*FEATURES, *self.features, *FUNCTIONS]
        return known if place is Place.GUARD else [*known, *self.beside(place)]

    def beside(self, place: Place) -> dict[str, Type]:
        """What is read beside the request at `place`, and the target even where it cannot be."""
        return self.attributes() | (self.decided() if place is Place.ASSERTION else {})

    def decided(self) -> dict[str, Type]:
        """The names of the decision and their types."""
        rules = (*self.rules, "score", "pin")
        return {
            "tier": EnumType(name="tier", members=self.tiers, ordered=True),
            "outcome": EnumType(name="outcome", members=OUTCOMES),
            "rule": EnumType(name="rule", members=tuple(dict.fromkeys(rules))),
            "target.first": BoolType(),
        }

    def attributes(self) -> dict[str, Type]:
        """The attributes of `target` and their types."""
        return {
            "target": EnumType(name="target", members=self.targets),
            "target.provider": EnumType(name="target.provider", members=self.providers),
            "target.trust": EnumType(name="target.trust", members=self.trust_levels, ordered=True),
            "target.context": IntType(low=1, high=BIG),
            "target.max_output": IntType(low=1, high=BIG),
            **{f"target.{capability}": BoolType() for capability in CAPABILITIES},
        }


def lexicon_facts(lexicon: Lexicon, shown: str) -> LexiconFacts:
    """The facts of a lexicon that is shown as `shown`."""
    weights = [to_64ths(entry.weight) for entry in lexicon.entries]
    return LexiconFacts(
        shown=shown,
        entries=len(weights),
        low64=sum(weight for weight in weights if weight < 0),
        high64=sum(weight for weight in weights if weight > 0),
    )


def type_of_feature(feature: Feature, scope: Scope, lexicon: LexiconFacts | None = None) -> Type:
    """The type of a feature, narrowed by its lexicon where it has one."""
    match feature.type:
        case FeatureType.BOOL:
            return BoolType()
        case FeatureType.STRING:
            return StringType(name=feature.name)
        case FeatureType.ENUM:
            return _enum(feature, scope)
        case FeatureType.FIXED:
            if lexicon is None:
                return FixedType(low=feature.low, high=feature.high)
            return FixedType(
                low=max(feature.low, lexicon.low64), high=min(feature.high, lexicon.high64)
            )
        case FeatureType.INT:
            if feature.name == "distinct" and lexicon is not None:
                return IntType(low=0, high=min(feature.high, lexicon.entries))
            # A percentage ends at 100; every other top means "this or more".
            return IntType(low=feature.low, high=feature.high, saturates=feature.high != _PERCENT)


def _enum(feature: Feature, scope: Scope) -> EnumType:
    if feature.name == "session.tier":
        return EnumType(name=feature.name, members=(NO_TIER, *scope.tiers), ordered=True)
    return EnumType(name=feature.name, members=feature.members or client_members(scope.clients))


def client_members(clients: tuple[str, ...]) -> tuple[str, ...]:
    """The enumerators of `client`: ``other`` first, then the profiles by name."""
    return (OTHER_CLIENT, *sorted(set(clients) - {OTHER_CLIENT}))


def usage(feature: Feature) -> str:
    """How a feature is written: ``count(TEXT, LEXICON)``."""
    match feature.parameter:
        case Parameter.NONE:
            return feature.name
        case Parameter.TEXT_AND_LEXICON:
            return f"{feature.name}(TEXT, LEXICON)"
        case Parameter.LITERAL:
            return f'{feature.name}("...")'
