"""A usage log and two tables to who moves where, and what it costs.

Each record is decided anew by both tables on the features that were logged; no text of a request is
needed. Costs are the logged tokens at the prices of either table. A request that is treated alike
is charged at the target that served it, one that moves at its new first target (the mean, by
weight, where several may be first). What failed attempts cost is left aside on both sides.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from lynkrc.diff.decided import Decided, Place, decide, place_text
from lynkrc.diff.identity import Pair, pair_of
from lynkrc.diff.intervals import share_interval, total_interval
from lynkrc.diff.logged import (
    NOTHING_KNOWN,
    BundleLine,
    FeedbackLine,
    GapLine,
    Line,
    Notes,
    RequestLine,
    SignalLine,
    Slots,
    notes_of,
    slots_of,
)
from lynkrc.diff.replayed import BadLine, Missing, Move, Replay, ReplayCost
from lynkrc.ir.table import RouteTable, TargetId
from lynkrc_runtime.cost import Prices, cost_of, prices_of
from lynkrc_runtime.decide import Outcome
from lynkrc_runtime.dispatch import Price
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.protocol.conversation import Usage

BAD_LINES = 20
"""Lines that are no records, shown; the others are counted."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """One of the two specs: its table, its meaning digest, the prices of its targets."""

    table: RouteTable
    digest: str
    prices: tuple[Prices | None, ...]


def decider_of(table: RouteTable, digest: str) -> Decider:
    """A table ready to decide records."""
    prices: list[Prices | None] = []
    for target in table.targets:
        stated = target.price
        if stated is None:
            prices.append(None)
            continue
        put_in, out, read, write = stated
        price = Price(input=put_in, output=out, cache_read=read, cache_write=write)
        prices.append(prices_of(price))
    return Decider(table=table, digest=digest, prices=tuple(prices))


@final
@dataclass(slots=True, kw_only=True)
class _Tally:
    """What was counted up to now."""

    records: int = 0
    replayed: int = 0
    moved: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    tiers: Counter[tuple[str, str]] = field(default_factory=Counter)
    targets: Counter[tuple[str, str]] = field(default_factory=Counter)
    before: int = 0
    after: int = 0
    differences: list[int] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    uncosted: Counter[str] = field(default_factory=Counter)
    bad_lines: list[BadLine] = field(default_factory=list)
    bad: int = 0


def replay(log: str, lines: Iterable[Line | BadLine], old: Decider, new: Decider) -> Replay:
    """Decide every record of a log by both specs; `log` is how the user named it.

    `lines` are as `lynkrc.diff.logged.read_lines` gives them.
    """
    pair = pair_of(old.table, new.table)
    notes = {old.digest: notes_of(old.table), new.digest: notes_of(new.table)}
    slots: dict[str, tuple[Slots, Slots]] = {}
    tally = _Tally()
    for line in lines:
        match line:
            case BadLine():
                tally.bad += 1
                tally.bad_lines += [line][: BAD_LINES - len(tally.bad_lines)]
            case BundleLine():
                notes[line.bundle] = Notes(slots=line.slots)
                slots.pop(line.bundle, None)
            case GapLine() if line.requests:
                tally.records += line.requests
                tally.missing["never logged: the gateway could not write them"] += line.requests
            case GapLine() | FeedbackLine() | SignalLine():
                pass  # what is said of requests decides nothing
            case RequestLine():
                if line.bundle not in slots:
                    described = notes.get(line.bundle, NOTHING_KNOWN)
                    slots[line.bundle] = (
                        slots_of(old.table, described),
                        slots_of(new.table, described),
                    )
                _count(tally, line, slots[line.bundle], pair, (old, new))
    return _told(log, tally)


def _count(
    tally: _Tally,
    record: RequestLine,
    slots: tuple[Slots, Slots],
    pair: Pair,
    deciders: tuple[Decider, Decider],
) -> None:
    tally.records += 1
    if record.slots is None:
        tally.missing["no features: the request ended before it was read"] += 1
        return
    if record.surface == EMBEDDINGS:
        tally.missing["embeddings: their targets are declared, not decided"] += 1
        return
    vectors = []
    for one, whose in zip(slots, ("old", "new"), strict=True):
        vector = one.vector(record)
        if isinstance(vector, tuple):
            tally.missing[f"{vector[0]} ({whose} spec reads it)"] += 1
            return
        vectors.append(vector)
    decisions = decide(pair.old, vectors[0]), decide(pair.new, vectors[1])
    tally.replayed += 1
    tally.moved += _is_moved(pair, *decisions)
    tables = pair.old, pair.new
    for counter, words in (
        (tally.outcomes, _outcome),
        (tally.tiers, _tier),
        (tally.targets, _first),
    ):
        before, after = (words(table, one) for table, one in zip(tables, decisions, strict=True))
        counter[before, after] += 1
    _charge(tally, record, pair, decisions, deciders)


def _is_moved(pair: Pair, old: Decided, new: Decided) -> bool:
    if old.outcome is not new.outcome or _tier_of(pair, old) != _new_tier(pair, new):
        return True
    return _places(old.places[:1], pair.old_places) != _places(new.places[:1], pair.new_places)


def _tier_of(pair: Pair, old: Decided) -> str | None:
    return None if old.tier is None else pair.old.tiers[old.tier].name


def _new_tier(pair: Pair, new: Decided) -> str | None:
    return None if new.tier is None else pair.tiers[pair.new.tiers[new.tier].name]


def _places(places: Sequence[Place], destinations: Sequence[object]) -> list[object]:
    return [
        (tuple(destinations[one] for one in place.targets), place.pick, place.weights)
        for place in places
    ]


def _outcome(_: RouteTable, one: Decided) -> str:
    return one.outcome.name.lower()


def _tier(table: RouteTable, one: Decided) -> str:
    return f"({one.outcome.name.lower()})" if one.tier is None else table.tiers[one.tier].name


def _first(table: RouteTable, one: Decided) -> str:
    if not one.places:
        return f"({one.outcome.name.lower()})"
    return place_text(one.places[0], [target.name for target in table.targets])


# -- costs ---------------------------------------------------------------------------------


def _charge(
    tally: _Tally,
    record: RequestLine,
    pair: Pair,
    decisions: tuple[Decided, Decided],
    deciders: tuple[Decider, Decider],
) -> None:
    """Add what the request costs on either side, or why that is not known."""
    is_asked = [one.outcome is Outcome.ROUTE for one in decisions]
    if not any(is_asked):
        tally.differences.append(0)
        return
    if record.tokens is None:
        tally.uncosted["no tokens were logged: no target served it"] += 1
        return
    tokens = record.tokens
    usage = Usage(
        input=tokens.input,
        output=tokens.output,
        cache_read=tokens.cache_read,
        cache_write=tokens.cache_write,
    )
    places = pair.old_places, pair.new_places
    served = [
        {table.targets[one].name: one for one in decided.targets}.get(record.target or "")
        for table, decided in zip((pair.old, pair.new), decisions, strict=True)
    ]
    is_alike = _places(decisions[0].places, places[0]) == _places(decisions[1].places, places[1])
    costs = []
    for side, (decider, decided, whose) in enumerate(
        zip(deciders, decisions, ("old", "new"), strict=True)
    ):
        stays = served[side] if side == 0 or is_alike else None
        charged = _charged(decided, stays)
        cost, unknown = _cost(decider, charged, usage)
        if unknown is not None:
            tally.uncosted[f"the {whose} spec states no price of {unknown}"] += 1
            return
        costs.append(cost)
    tally.before += costs[0]
    tally.after += costs[1]
    tally.differences.append(costs[1] - costs[0])


def _charged(decided: Decided, served: TargetId | None) -> Mapping[TargetId, int]:
    """Who is charged, with weights."""
    if served is not None:
        return {served: 1}
    if not decided.places:
        return {}
    first = decided.places[0]
    return dict(zip(first.targets, first.weights or (1,) * len(first.targets), strict=True))


def _cost(
    decider: Decider, charged: Mapping[TargetId, int], usage: Usage
) -> tuple[int, str | None]:
    """Micro-dollars, and the target whose price is not stated."""
    total = 0
    for target, weight in charged.items():
        cost = cost_of(usage, decider.prices[target])
        if cost is None:
            return 0, decider.table.targets[target].name
        total += weight * cost.total
    weights = sum(charged.values())
    return (total + weights // 2) // weights if weights else 0, None


# -- the result ----------------------------------------------------------------------------


def _told(log: str, tally: _Tally) -> Replay:
    return Replay(
        log=log,
        records=tally.records,
        replayed=tally.replayed,
        moved=tally.moved,
        moved_share=share_interval(tally.moved, tally.replayed),
        outcomes=_moves(tally.outcomes, tally.replayed),
        tiers=_moves(tally.tiers, tally.replayed),
        targets=_moves(tally.targets, tally.replayed),
        cost=ReplayCost(
            requests=len(tally.differences),
            before=tally.before,
            after=tally.after,
            difference=total_interval(tally.differences),
        ),
        missing=_missing(tally.missing),
        uncosted=_missing(tally.uncosted),
        bad_lines=tuple(tally.bad_lines),
        bad=tally.bad,
    )


def _moves(counted: Mapping[tuple[str, str], int], total: int) -> tuple[Move, ...]:
    ranked = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(
        Move(before=before, after=after, count=count, share=share_interval(count, total))
        for (before, after), count in ranked
    )


def _missing(counted: Mapping[str, int]) -> tuple[Missing, ...]:
    ranked = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(Missing(what=what, count=count) for what, count in ranked)
