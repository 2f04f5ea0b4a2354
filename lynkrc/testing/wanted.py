"""A point of a domain, to what each part of a request has to be, with bounds for numbers.

The top of a variable's range means "this or more", its bottom "this or less" (`points` alone may
be negative): a request need not hit a number that the range cut off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.ir.assertion import is_beside
from lynkrc.ir.domain import Domain, Point, Variable
from lynkrc.ir.table import Entry, Lexicon, Slot, StringClass

OVER_LEXICON = ("count", "matches", "distinct", "points")
"""Features that read a text with a lexicon."""

SESSION_STATE = (
    "key.team",
    "key.tenant",
    "session.turn",
    "session.tier",
    "session.warm_tokens",
    "budget.used_pct",
)
"""Features that no body or header carries: the gateway's own memory and the caller's key."""

OF_KEY = ("key.team", "key.tenant")
"""Those of them that a request of a spec with `keys` has by the key it is sent with."""


@final
@dataclass(frozen=True, slots=True)
class Bounds:
    """Which numbers will do, both ends included; None is no end."""

    least: int | None = None
    most: int | None = None

    def allows(self, value: int) -> bool:
        """Whether the number will do."""
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )

    def nearest(self, value: int) -> int:
        """The number that will do nearest to this one."""
        if self.least is not None and value < self.least:
            return self.least
        return self.most if self.most is not None and value > self.most else value

    def moved(self, by: int) -> "Bounds":
        """The same for numbers that are this much greater, none below 0."""
        return Bounds(
            None if self.least is None else max(0, self.least + by),
            None if self.most is None else max(0, self.most + by),
        )


ANY = Bounds()
"""No wish."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LexiconWish:
    """What one text has to hold of one lexicon; `number` is its index in the known lexicons."""

    number: int
    count: Bounds = ANY
    distinct: Bounds = ANY
    points: Bounds = ANY


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StringWish:
    """A string and the class it has to be of: an index into `classes`."""

    classes: tuple[StringClass, ...]
    wanted: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A point, sorted by what a request is made of; what is not named may be anything.

    `numbers` are features without arguments, `tools` whether a tool of that name is offered,
    `key` the caller's team and tenant by feature,
    `headers` and `metadata` strings by lower-case and by exact name, `lexicons` wishes by text.
    """

    numbers: Mapping[str, Bounds]
    client: str | None
    dialect: str | None
    surface: str | None
    model: StringWish | None
    key: Mapping[str, StringWish]
    headers: Mapping[str, StringWish]
    metadata: Mapping[str, StringWish]
    tools: Mapping[str, bool]
    lexicons: Mapping[str, tuple[LexiconWish, ...]]

    def of(self, feature: str) -> Bounds:
        """The bounds of a feature without arguments."""
        return self.numbers.get(feature, ANY)

    def least(self, feature: str) -> int:
        """The smallest number that will do, at least 0."""
        return max(0, self.of(feature).least or 0)


def wanted_of(domain: Domain, point: Point, lexicons: Sequence[Lexicon]) -> Wanted:
    """Sort the point. Variables beside the request, and of lexicons not known, have no wish."""
    numbers: dict[str, Bounds] = {}
    members: dict[str, str] = {}
    strings: dict[tuple[str, str], StringWish] = {}
    caller: dict[str, StringWish] = {}
    tools: dict[str, bool] = {}
    texts: dict[str, dict[int, dict[str, Bounds]]] = {}
    known = numbers_of(lexicons)
    for variable, value in zip(domain.variables, point, strict=True):
        slot = variable.slot
        if slot.feature in OF_KEY:
            caller[slot.feature] = StringWish(classes=slot.classes, wanted=value)
        if is_beside(slot) or slot.feature in SESSION_STATE:
            continue
        match slot.feature:
            case "client" | "dialect" | "surface":
                members[slot.feature] = slot.classes[value].text
            case "model" | "header" | "metadata":
                name = slot.args[0] if slot.args else ""
                key = (slot.feature, name.lower() if slot.feature == "header" else name)
                strings[key] = StringWish(classes=slot.classes, wanted=value)
            case "tools.named":
                tools[slot.args[0]] = bool(value)
            case over if over in OVER_LEXICON:
                number = lexicon_of(variable, known)
                if number is not None:
                    wishes = texts.setdefault(slot.args[0], {}).setdefault(number, {})
                    _add_wish(wishes, slot, value)
            case _:
                numbers[slot.feature] = _bounds(slot, value)
    return Wanted(
        numbers=numbers,
        client=members.get("client"),
        dialect=members.get("dialect"),
        surface=members.get("surface"),
        model=strings.get(("model", "")),
        key=caller,
        headers={name: wish for (kind, name), wish in strings.items() if kind == "header"},
        metadata={name: wish for (kind, name), wish in strings.items() if kind == "metadata"},
        tools=tools,
        lexicons={
            text: tuple(LexiconWish(number=number, **wishes[number]) for number in sorted(wishes))
            for text, wishes in texts.items()
        },
    )


def numbers_of(lexicons: Sequence[Lexicon]) -> dict[tuple[Entry, ...], int]:
    """The index of each lexicon by its entries, which is how a domain knows it."""
    return {
        tuple(sorted(one.entries, key=lambda entry: (entry.pattern, entry.weight64))): number
        for number, one in enumerate(lexicons)
    }


def lexicon_of(variable: Variable, known: Mapping[tuple[Entry, ...], int]) -> int | None:
    """The index of the lexicon that a variable reads, None where none has its entries."""
    return known.get(variable.entries)


def _bounds(slot: Slot, value: int) -> Bounds:
    return Bounds(None if value <= slot.low else value, None if value >= slot.high else value)


def _add_wish(wishes: dict[str, Bounds], slot: Slot, value: int) -> None:
    match slot.feature:
        case "matches":
            bounds = Bounds(1, None) if value else Bounds(0, 0)
            wishes["count"] = _both(wishes.get("count", ANY), bounds)
        case feature:
            wishes[feature] = _both(wishes.get(feature, ANY), _bounds(slot, value))


def _both(one: Bounds, other: Bounds) -> Bounds:
    leasts = [bound.least for bound in (one, other) if bound.least is not None]
    mosts = [bound.most for bound in (one, other) if bound.most is not None]
    return Bounds(max(leasts, default=None), min(mosts, default=None))
