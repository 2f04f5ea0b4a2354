"""What a usage log says of a change: counts, shares and costs. Data alone; see `replay`."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A 95 % confidence interval, `low` to `high`, both included."""

    low: float
    high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """`count` logged requests go from `before` to `after`; `share` of those replayed."""

    before: str
    after: str
    count: int
    share: Interval


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """`count` records could not be replayed for want of `what`."""

    what: str
    count: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line of the log that is no record: its number, from 1, and what is wrong with it."""

    line: int
    problem: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCost:
    """What the replayed requests cost, in micro-dollars, on the tokens that were logged.

    `before` by the old spec's prices, `after` by the new one's; `requests` is how many are in it.
    `difference` is the interval of ``after - before`` for a log of this length.
    """

    requests: int
    before: int
    after: int
    difference: Interval


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A log, replayed.

    ``records == replayed + sum of missing`` and ``moved`` of the replayed ones are treated
    otherwise (outcome, tier or first target). `tiers`, `targets` and `outcomes` count all of the
    replayed ones, those that stay included, the most frequent first. `uncosted` says why a
    replayed request is not part of the cost.
    """

    log: str
    records: int
    replayed: int
    moved: int
    moved_share: Interval
    outcomes: tuple[Move, ...]
    tiers: tuple[Move, ...]
    targets: tuple[Move, ...]
    cost: ReplayCost
    missing: tuple[Missing, ...]
    uncosted: tuple[Missing, ...]
    bad_lines: tuple[BadLine, ...]
    bad: int
    """All lines that are no records; `bad_lines` are the first of them."""
