"""The result of comparing two specs: which requests move, how far, and one witness each.

A plan speaks of *attempts*: pairs of a request and a destination (an address, an account and a
model) that the final chain of the request holds. It is data alone; `lynkrc.diff.compare` makes it,
the reports print it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import final

from lynkrc.diff.replayed import Replay

VERSION = 1
"""Of the plan's JSON form (``schema/plan.schema.json``)."""


class Relation(Enum):
    """How the attempts of the new spec relate to those of the old one.

    Attempts say nothing of tier, order and cost: two specs may be equivalent here and still
    differ in meaning.
    """

    EQUIVALENT = "equivalent"
    """The same attempts."""
    NARROWER = "narrower"
    """Every attempt of the new spec is one of the old spec, and some are gone."""
    WIDER = "wider"
    """Every attempt of the old spec is one of the new spec, and some came."""
    INCOMPARABLE = "incomparable"
    """Some are gone and some came."""


class Category(Enum):
    """How grave a difference is, the gravest first; a difference has the gravest that applies."""

    PRIVACY = "privacy"
    """Some request may attempt a target of a less trusted class than any before."""
    OUTCOME = "outcome"
    """Another outcome, tier or first target; or requests are read, answered or sent otherwise."""
    COST = "cost"
    """A higher worst case."""
    CHAIN = "chain"
    """Only later targets differ, or the worst case is lower."""
    COSMETIC = "cosmetic"
    """Names, texts and what is reported; the meaning is equal."""

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return _RANKS[self]


class What(Enum):
    """What becomes otherwise, in the first of these respects that applies."""

    TRUST = "trust class"
    OUTCOME = "outcome"
    ANSWER = "answer"
    UP = "higher tier"
    DOWN = "lower tier"
    PINNED = "pinned"
    """To a target that the client names, past all tiers, or no longer so."""
    FIRST = "first target"
    LATER = "later targets"
    ADDRESS = "address"
    """The same words, and a target that lies elsewhere."""
    PRICE = "worst case"
    """The same targets at another price."""
    NAME = "name"
    """Only what things are called."""


_RANKS = {category: rank for rank, category in enumerate(Category)}

GATES: tuple[str, ...] = tuple(
    category.value for category in Category if category is not Category.COSMETIC
)
"""What ``--fail-on`` may name."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one spec does with the requests of a region, in words.

    `tier` is None where the request ended before it had one. `chain` is the order of the attempts
    as text, `targets` their names, `first` those that may be tried first, `trust` the least
    trusted class among them. `answer` is what is said where no target is asked. `cost` is the
    worst case for the witness in micro-dollars, None where a price is not known.
    """

    outcome: str
    tier: str | None
    rule: str
    first: tuple[str, ...]
    targets: tuple[str, ...]
    chain: str
    trust: str | None
    answer: str | None
    cost: int | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A part of the spec that changed: `kind` (rule, tier, target, ...), `change` is added,
    removed, changed or renamed; `before` and `after` say from what to what, None where absent."""

    kind: str
    name: str
    change: str
    before: str | None
    after: str | None

    @property
    def title(self) -> str:
        """``rule legal``."""
        return self.kind if not self.name else f"{self.kind} {self.name}"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SentRequest:
    """A whole request that shows a difference, replayed through the extractor.

    `headers` are pairs, `body` is JSON text, `curl` a shell command without credentials, `test` a
    case for ``routing.test.yaml``.
    """

    surface: str
    headers: tuple[tuple[str, str], ...]
    body: str
    curl: str
    test: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One request of a region, as a point of the joint domain of both tables.

    `features` are those that the difference needs, with the value nearest to a plain request's that
    shows it, as the language writes them. `request` is None where none was built; where that was
    tried, `missed` says what came out otherwise.
    """

    features: tuple[tuple[str, str], ...]
    point: tuple[int, ...]
    request: SentRequest | None = None
    missed: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The requests that one spec treats as `before` says and the other as `after` says.

    The sides are those of the witness, where `what` becomes otherwise. `rules` are all that were
    seen to set the tier or end the request afterwards. `items` are the changed parts that take part
    at the witness. `gains`: there is an attempt that was not one before; `loses`: one is gone.
    """

    category: Category
    what: What
    before: Side
    after: Side
    rules: tuple[str, ...]
    items: tuple[Item, ...]
    witness: Witness
    gains: bool
    loses: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Regions that people take for one change: of one category, by the same changed parts, in the
    same respect. The first has the plainest witness."""

    regions: tuple[Region, ...]

    @property
    def leader(self) -> Region:
        """The region that stands for all."""
        return self.regions[0]


def groups_of(regions: Iterable[Region]) -> tuple[Group, ...]:
    """The groups of sorted regions, in the order of their first ones."""
    found: dict[object, list[Region]] = {}
    for one in regions:
        found.setdefault((one.category, one.what, one.items), []).append(one)
    return tuple(Group(regions=tuple(members)) for members in found.values())


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference outside the decision: how requests are read, sent, charged or served."""

    category: Category
    item: Item
    words: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One of the two: `label` is how the user named it, `routes` its route table as text."""

    label: str
    name: str
    digest: str
    routes: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What changes from `old` to `new`.

    `relation` is None where nothing is known of it. `unknown` says what was not decided; the plan
    is complete where that is nothing: then every difference lies in one of the regions and changes.
    `cost_before` and `cost_after` are the worst case of the dearest request there can be, in
    micro-dollars, None where a price is not known. Regions and changes are sorted, the gravest
    first.
    """

    old: Spec
    new: Spec
    relation: Relation | None
    unknown: tuple[str, ...]
    regions: tuple[Region, ...]
    changes: tuple[Change, ...]
    items: tuple[Item, ...]
    cost_before: int | None
    cost_after: int | None
    replay: Replay | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing was left undecided."""
        return not self.unknown

    @property
    def groups(self) -> tuple[Group, ...]:
        """The regions as people take them, the gravest first."""
        return groups_of(self.regions)

    @property
    def others(self) -> tuple[Change, ...]:
        """The changes that no group of their category names as its reason."""
        told = {(one.leader.category, item) for one in self.groups for item in one.leader.items}
        return tuple(one for one in self.changes if (one.category, one.item) not in told)

    @property
    def categories(self) -> tuple[Category, ...]:
        """The category of each region and change."""
        regions = (region.category for region in self.regions)
        return (*regions, *(change.category for change in self.changes))

    @property
    def same_meaning(self) -> bool:
        """Whether no request is treated otherwise, and that is certain."""
        return self.complete and all(one is Category.COSMETIC for one in self.categories)

    @property
    def worst(self) -> Category | None:
        """The gravest category there is."""
        return min(self.categories, key=lambda one: one.rank, default=None)

    def count(self, category: Category) -> int:
        """How many differences of the category are told: groups of regions, and other changes."""
        found = [group.leader.category for group in self.groups]
        return [*found, *(change.category for change in self.others)].count(category)


def fails(plan: Plan, named: Iterable[str] | None) -> bool:
    """Whether a gate stays shut: `named` are categories (`GATES`), None means any difference.

    What is undecided may be of any category, so it never passes.
    """
    if not plan.complete:
        return True
    if named is None:
        return not plan.same_meaning
    return any(category.value in set(named) for category in plan.categories)


def ordered(regions: Iterable[Region]) -> tuple[Region, ...]:
    """Regions, the gravest first, then routed requests and the plainest witness; the rest so that
    it never varies."""
    return tuple(
        sorted(
            regions,
            key=lambda one: (
                one.category.rank,
                one.before.answer is not None,
                one.after.answer is not None,
                len(one.witness.features),
                tuple(_key(one.before)),
                tuple(_key(one.after)),
                one.witness.point,
            ),
        )
    )


def _key(side: Side) -> Iterator[str]:
    yield from (side.outcome, side.tier or "", side.rule, side.chain, side.answer or "")
