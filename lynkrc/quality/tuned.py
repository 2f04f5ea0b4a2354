"""What `lynkrc tune` found, as values: a score to write into a spec, and what is known of it.

`lynkrc.quality.tuning` makes it from data, `lynkrc.quality.proposal` turns it into edits of
routing.yaml, the reports say what it is worth.
"""

from dataclasses import dataclass
from typing import Protocol, final

from lynkrc.quality.results import Evaluation, Figure


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A dimension of the tuned score: `value` as the language writes it (0 to 100).

    `weight` is in points at a value of 100, a multiple of 1/64. `declared` names the dimension of
    the spec that it keeps (``length``, ``builtin/length``), None for a new one.
    """

    name: str
    value: str
    weight: float
    declared: str | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """An entry of the learned lexicon, as the language writes it, and its points (1/64 each)."""

    pattern: str
    points: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Fitted on the other sources, measured on this one: what a score is worth on new traffic.

    `tuned`, `current` and `length` are APGRs on the source; `gain` is tuned less current.
    """

    source: str
    requests: int
    tuned: Figure
    current: Figure
    length: Figure
    gain: Figure


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RowScore:
    """What the fit says of a row: the score, and the tier by its index from the cheapest."""

    row: str
    score: int
    tier: int


class FittedScore(Protocol):
    """What is written into a spec, whatever it was fitted to; see `Tuned`."""

    @property
    def offset(self) -> float:
        """In points."""
        ...

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The dimensions."""
        ...

    @property
    def terms(self) -> tuple[Term, ...]:
        """The learned lexicon; empty for none."""
        ...

    @property
    def up_to(self) -> tuple[int, ...]:
        """The bounds of all tiers but the last."""
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """A fitted score.

    `weights` and `terms` replace the dimensions of the spec, with `offset` in points; `up_to` are
    the bounds of all tiers but the last. `held_out` is measured on requests that the weights were
    not fitted on (grouped folds): its spec is the tuned one, its older spec the current one.
    `elsewhere` has an entry for each source, where there are two or more. `labels` are the requests
    fitted on, `folds` how often it was fitted to measure it. `fitted` has an entry for each row:
    the spec that is written of this must say the same, or it is not what was measured.
    """

    offset: float
    weights: tuple[Weight, ...]
    terms: tuple[Term, ...]
    up_to: tuple[int, ...]
    shares: tuple[float, ...]
    """Of each tier, on the data."""
    fitted: tuple[RowScore, ...]
    held_out: Evaluation
    elsewhere: tuple[Elsewhere, ...]
    labels: int
    folds: int
    seed: int
