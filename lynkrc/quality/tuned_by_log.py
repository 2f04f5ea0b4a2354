"""What `lynkrc tune --log` found, as values; `lynkrc.quality.tune_log` makes them."""

from dataclasses import dataclass
from typing import final

from lynkrc.diff.replayed import BadLine
from lynkrc.quality.outcome_labels import Source
from lynkrc.quality.outcome_results import Count
from lynkrc.quality.results import Figure
from lynkrc.quality.tuned import RowScore, Term, Weight


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCount:
    """Labels that rest on one thing: so many, so many of them bad, and what each counts."""

    source: Source
    labels: int
    bad: int
    weight: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class WeakOrder:
    """How often a bad one stands above a good one, by held-out orders (0.5 by chance).

    Each counts by its label's weight. `length` is of the slot `length_slot`; both and `over_length`
    are None where no length was logged of all. Differences are of the same draws of sessions.
    """

    tuned: Figure
    current: Figure
    over_current: Figure
    length_slot: str | None
    length: Figure | None
    over_length: Figure | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TunedByLog:
    """A score fitted to outcomes; it is written into a spec as `lynkrc.quality.tuned.Tuned` is.

    ``records == decided + left_out`` and ``decided == labels + unlabelled``. `unlabelled` requests
    are only counted for shares. `labels` are of tiers below `strong_from`, and `bad` of them bad,
    in so many `sessions`. `counts` are the logged ones that could be weighed. `lost` are dimensions
    of terms, which a log cannot weigh. `strays` are judgements of no request in the log,
    `bad_lines` the first of `lines` that are no records.
    """

    offset: float
    weights: tuple[Weight, ...]
    terms: tuple[Term, ...]
    up_to: tuple[int, ...]
    shares: tuple[float, ...]
    fitted: tuple[RowScore, ...]
    order: WeakOrder
    strong_from: str
    weak_tiers: tuple[str, ...]
    labels: int
    bad: int
    sessions: int
    sources: tuple[LabelCount, ...]
    counts: tuple[str, ...]
    lost: tuple[str, ...]
    records: int
    decided: int
    unlabelled: tuple[Count, ...]
    left_out: tuple[Count, ...]
    strays: int
    bad_lines: tuple[BadLine, ...]
    lines: int
    folds: int
    seed: int
    resamples: int
