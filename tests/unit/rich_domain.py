"""A domain that asks everything a request can be asked, and smaller ones cut out of it."""

from collections.abc import Sequence

from lynkrc.ir.domain import Domain, Part, Point, Variable, View, domain_of
from lynkrc.ir.guard import SlotId
from lynkrc.ir.table import RouteTable, Slot, SlotType, StringClass
from lynkrc_runtime.feature_table import (
    FEATURES,
    OTHER_CLIENT,
    TEXTS,
    Feature,
    FeatureType,
    Parameter,
)

TYPES = {
    FeatureType.BOOL: SlotType.BOOL,
    FeatureType.INT: SlotType.INT,
    FeatureType.FIXED: SlotType.FIXED,
    FeatureType.STRING: SlotType.CLASS,
    FeatureType.ENUM: SlotType.CLASS,
}
FIXED_CLASSES = (StringClass(kind="absent"), StringClass(kind="other"))
TOOLS = ("look", "Bash", "patch")


def strings(literals: Sequence[str], prefixes: Sequence[str]) -> tuple[StringClass, ...]:
    """The classes of a string."""
    return (
        *FIXED_CLASSES,
        *(StringClass(kind="literal", text=one) for one in sorted(literals)),
        *(StringClass(kind="prefix", text=one) for one in sorted(prefixes)),
    )


def members(names: Sequence[str]) -> tuple[StringClass, ...]:
    return tuple(StringClass(kind="member", text=name) for name in names)


def slot(feature: str, *args: str, classes: tuple[StringClass, ...] = ()) -> Slot:
    """A slot with the whole range of its feature; the id is given by the domain."""
    about = FEATURES[feature]
    return Slot(
        id=SlotId(0),
        feature=feature,
        args=args,
        type=TYPES[about.type],
        low=0 if classes else about.low,
        high=len(classes) - 1 if classes else about.high,
        classes=classes,
    )


def rich_domain(table: RouteTable, lexicons: Sequence[str]) -> Domain:
    """Every feature, over the named lexicons of the table, and over a few strings."""
    slots: list[Slot] = []
    for feature in FEATURES.values():
        slots += _slots(feature, table, lexicons)
    return domain_of(Part(slots=tuple(slots), lexicons=table.lexicons))


def _slots(feature: Feature, table: RouteTable, lexicons: Sequence[str]) -> list[Slot]:
    name = feature.name
    if feature.parameter is Parameter.TEXT_AND_LEXICON:
        return [slot(name, text, one) for text in TEXTS for one in lexicons]
    match name:
        case "client":
            names = (OTHER_CLIENT, *(client.name for client in table.clients))
            return [slot(name, classes=members(names))]
        case "session.tier":
            return [slot(name, classes=members(("none", "LOW", "HIGH")))]
        case "dialect" | "surface":
            return [slot(name, classes=members(feature.members))]
        case "model":
            return [slot(name, classes=strings(("asked", "gpt-5"), ("claude-", "gpt-")))]
        case "header":
            sorts = strings(("secret", "public"), ("team-", "team-a"))
            agents = strings(("curl/8",), ("claude-cli/", "codex"))
            return [
                slot(name, "x-data-class", classes=sorts),
                slot(name, "user-agent", classes=agents),
            ]
        case "metadata":
            return [slot(name, "user_id", classes=strings(("someone",), ("some",)))]
        case "key.team" | "key.tenant":
            return [slot(name, classes=strings(("core",), ()))]
        case "tools.named":
            return [slot(name, tool) for tool in TOOLS]
        case _:
            return [slot(name)]


def cut(domain: Domain, point: Point, places: Sequence[int]) -> tuple[Domain, Point]:
    """The domain and the point of these variables alone."""
    kept = tuple(
        Variable(
            slot=_numbered(domain.variables[place].slot, n), entries=domain.variables[place].entries
        )
        for n, place in enumerate(places)
    )
    view = View(variables=tuple(range(len(kept))), classes=(None,) * len(kept))
    return Domain(variables=kept, views=(view,)), tuple(point[place] for place in places)


def _numbered(one: Slot, number: int) -> Slot:
    return Slot(
        id=SlotId(number),
        feature=one.feature,
        args=one.args,
        type=one.type,
        low=one.low,
        high=one.high,
        classes=one.classes,
    )
