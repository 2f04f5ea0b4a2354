"""What a usage log says of a spec, as values; `lynkrc.quality.outcomes` makes them.

An outcome is a weak label (`lynkrc.quality.outcome_labels`): what is thought of an answer, by what
served it. What another tier would have made of the request nobody has seen.
"""

from dataclasses import dataclass
from typing import final

from lynkrc.diff.replayed import BadLine
from lynkrc.quality.results import Figure


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """So many of them, for this reason."""

    what: str
    count: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TierOutcomes:
    """One tier: how many requests it gets now and got as logged, and how those ended.

    Of `judged` requests that it was to serve something is thought, of `bad` of them that the answer
    was bad (`rate`, None where none is judged), by `reasons`: what the label rests on, or how the
    request failed. Intervals are Wilson's.
    """

    tier: str
    now: int
    now_share: Figure
    logged: int
    logged_share: Figure
    judged: int
    bad: int
    rate: Figure | None
    reasons: tuple[Count, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Requests of a kind: so many judged, so many of them bad; `rate` None for none."""

    judged: int
    bad: int
    rate: Figure | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class WeakOutcomes:
    """Requests that tiers below `strong_from` served and that are judged.

    `auroc`: how often a bad one stands above a good one, by the spec's order (0.5 by chance), each
    counted by its label's weight. `length` is the same by the slot `length_slot`, and `difference`
    the first less the second on the same draws; None where no length was logged, or all or none
    are bad.
    `kept` and `raised`: those that the spec leaves below `strong_from` now, and the others.
    """

    tiers: tuple[str, ...]
    judged: int
    bad: int
    auroc: Figure | None
    length_slot: str | None
    length: Figure | None
    difference: Figure | None
    kept: Rate
    raised: Rate


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Mean cost of a request in USD, of one way to route, on the tokens that were logged."""

    name: str
    cost: Figure
    less: Figure | None
    """The spec's cost less this one's, on the same draws; None for the spec's own."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """A log against a spec.

    ``records == decided + sum of left_out``. `ways`: the spec, what was paid (failed attempts too),
    `weakest` and `strongest`: the targets that stand for all-weak and all-strong. They are of
    `costed` requests; `uncosted` says why others are not in them. `unjudged` are decided requests
    of whose answers nothing is thought, `strays` judgements of requests that are not in the log.
    """

    spec: str
    digest: str
    strong_from: str
    records: int
    decided: int
    first: str | None
    last: str | None
    tiers: tuple[TierOutcomes, ...]
    weak: WeakOutcomes
    weakest: str
    strongest: str
    costed: int
    ways: tuple[Way, ...]
    left_out: tuple[Count, ...]
    unjudged: tuple[Count, ...]
    uncosted: tuple[Count, ...]
    strays: int
    bad_lines: tuple[BadLine, ...]
    bad: int
    """All lines that are no records; `bad_lines` are the first of them."""
    seed: int
    resamples: int
