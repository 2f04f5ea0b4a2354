"""The records of a usage log to what a bundle decides about each, by exactly the code that serves.

A record holds what was read of the request, so no text of it is needed. What cannot be decided, or
got no tier, is counted by reason.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import final

from lynkrc.diff.logged import NOTHING_KNOWN, Notes, Slots, notes_of, slots_of
from lynkrc.diff.replayed import BadLine
from lynkrc.ir.table import RouteTable
from lynkrc_runtime.bundle import LoadedBundle
from lynkrc_runtime.decide import Decider, Decision, Outcome
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.usage_record import BundleLine, GapLine, Line, RequestLine

GOOD = frozenset(("served",))
BAD: Mapping[str, str] = MappingProxyType(
    {
        "broken": "broke off",
        "transient": "upstream failed",
        "throttled": "upstream throttled",
        "misfit": "upstream refused it",
        "ours": "upstream refused us",
        "unavailable": "store down",
        "internal": "gateway failed",
    }
)
"""Endings that are bad outcomes, in words. All others are neither good nor bad."""
LENGTHS = ("ask.chars", "ask.tokens", "ask.words")
"""Slots that tell the length of the ask, the first of them that was logged."""
BAD_LINES = 20
"""Lines that are no records, kept; the others are counted."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """A logged request that the bundle routes to a tier.

    `tier` is the bundle's, by index, `points` its score in 1/6400 point. `is_bad` is None where the
    ending tells nothing, `reason` why it is bad. `lengths` are those logged of `LENGTHS`.
    """

    record: RequestLine
    decision: Decision
    tier: int
    points: int
    is_bad: bool | None
    reason: str
    lengths: Mapping[str, int]

    @property
    def key(self) -> tuple[int, int]:
        """Greater: sooner to the strong model."""
        return self.tier, self.points


@final
@dataclass(slots=True, kw_only=True)
class LoggedRequests:
    """A log. ``records == len(requests) + left_out.total()``; `bad` lines are no records."""

    records: int = 0
    requests: list[LoggedRequest] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    bad_lines: list[BadLine] = field(default_factory=list)
    bad: int = 0


def decide_log(
    lines: Iterable[Line | BadLine], bundle: LoadedBundle, table: RouteTable
) -> LoggedRequests:
    """Decide every request of a log anew; `table` is what the bundle was made from."""
    found = LoggedRequests()
    decider = Decider(bundle.dispatch, bundle.scorer)
    tiers = {tier.name: number for number, tier in enumerate(bundle.dispatch.tiers)}
    notes = {bundle.manifest.meaning_digest: notes_of(table)}
    slots: dict[str, Slots] = {}
    for line in lines:
        match line:
            case BadLine():
                found.bad += 1
                found.bad_lines += [line][: BAD_LINES - len(found.bad_lines)]
            case BundleLine():
                notes[line.bundle] = Notes(slots=line.slots)
                slots.pop(line.bundle, None)
            case GapLine():
                found.records += line.requests
                found.left_out["never logged: the gateway could not write them"] += line.requests
            case RequestLine():
                found.records += 1
                if line.bundle not in slots:
                    slots[line.bundle] = slots_of(table, notes.get(line.bundle, NOTHING_KNOWN))
                one = _decided(line, slots[line.bundle], decider, bundle, tiers)
                if isinstance(one, str):
                    found.left_out[one] += 1
                else:
                    found.requests.append(one)
    return found


def _decided(
    record: RequestLine,
    slots: Slots,
    decider: Decider,
    bundle: LoadedBundle,
    tiers: Mapping[str, int],
) -> LoggedRequest | str:
    """The request, or why it is left out."""
    if record.slots is None:
        return "no features: the request ended before it was read"
    if record.surface == EMBEDDINGS:
        return "embeddings: their targets are declared, not decided"
    vector = slots.vector(record)
    if isinstance(vector, tuple):
        return f"{vector[0]}, which this spec reads"
    decision = decider.decide(vector)
    if decision.outcome is not Outcome.ROUTE:
        return f"the outcome is {decision.outcome.name.lower()} now (rule {decision.rule})"
    if decision.tier is None:
        return "pinned to a target: no tier"
    ending = record.ending
    return LoggedRequest(
        record=record,
        decision=decision,
        tier=tiers[decision.tier],
        points=bundle.explain(vector)["points"]["sum"],
        is_bad=True if ending in BAD else False if ending in GOOD else None,
        reason=BAD.get(ending, ""),
        lengths={
            name: value for name in LENGTHS if isinstance(value := record.slots.get(name), int)
        },
    )
