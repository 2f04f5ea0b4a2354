"""What a name can mean in an expression of one spec.

Names are looked up in this order: features of the runtime's table, attributes of the target (in a
requirement), named expressions. Lexicons and texts are only looked for in the argument lists that
take them, enumerators only opposite an enum, so none of these hides another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from lynkrc.sema.types import BoolType, EnumType, FixedType, IntType, StringType, Type, to_64ths
from lynkrc.syntax.config import Lexicon, NamedExpression
from lynkrc_runtime.feature_table import (
    BIG,
    CAPABILITIES,
    FEATURES,
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
"""Names of the decision itself, which no guard can read."""

_PERCENT = 100


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

    def names(self, *, of_target: bool) -> list[str]:
        """Every name an expression may begin with, for suggestions."""
        known = [*FEATURES, *self.features, *FUNCTIONS]
        return known + (list(self.attributes()) if of_target else [])

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
            members = feature.members or client_members(scope.clients)
            return EnumType(name=feature.name, members=members)
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
