"""What a picture of a RouteTable shows: groups of rules, tiers, chains, trust classes.

Everything is here in full; who draws shortens what is too long. An item is known by its kind and
name (``rule:greetings``), which is also how notes refer to it.
"""

from dataclasses import dataclass
from typing import final

from lynkrc.ir.table import ChainId, TargetId, TierId


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a group: a rule's part in it, a derived need, or a requested model name.

    `effect` is a few words; `tier` or `chain` is where it leads, `target` what it is about.
    `second` is shown under it, for what would not fit beside the condition.
    """

    key: str
    name: str
    when: str
    effect: str
    second: str = ""
    tier: TierId | None = None
    chain: ChainId | None = None
    target: TargetId | None = None
    kept: tuple[TargetId, ...] = ()
    """The targets that stay, where some do and some do not."""
    binds: bool = True
    """Whether it names the tier, or only bounds or hints at something."""
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules with the same effect, in the order that counts.

    `scores` marks the score's own; `filters` those that drop or reorder targets of the chain.
    """

    key: str
    title: str
    hint: str
    rows: tuple[Row, ...]
    scores: bool = False
    filters: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A tier of the ladder and the scores that lead to it; empty where `low` exceeds `high`."""

    key: str
    id: TierId
    name: str
    low: int
    high: int
    chain: ChainId
    note: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A target's place in a chain: `order` counts groups from 1, `how` says how a group picks."""

    target: TargetId
    order: int
    how: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A chain that is drawn: a tier's (no title) or a rule's."""

    id: ChainId
    title: str
    links: tuple[Link, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A target or a provider: its name, one line about it, and its trust class as a rank."""

    key: str
    name: str
    about: str
    trust: int
    provider: int
    """Index of the provider (its own, for a provider)."""
    note: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A trust class with something in it; `closed_by` are the rules that let nothing into it."""

    rank: int
    name: str
    closed_by: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """All that is drawn; targets and providers in the order of the table."""

    name: str
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]
    paths: tuple[Path, ...]
    lanes: tuple[Lane, ...]
    targets: tuple[Place, ...]
    providers: tuple[Place, ...]
    otherwise: str
    classes: int
    """How many trust classes the spec has."""
