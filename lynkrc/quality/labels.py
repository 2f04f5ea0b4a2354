"""Decided rows to labels: whether a request needed the strong model, and how much that counts.

Where labels come from is told here alone: what fits weights reads labels, whatever they rest on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.quality.decided import Decided


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is known of the row with this id, and how much that counts (above 0).

    `source` is what it was measured on; sources weigh alike, however many labels they have.
    """

    row: str
    is_strong_better: bool
    weight: float
    source: str


def labels_of(
    decided: Sequence[Decided], weak: str | None, strong: str | None
) -> tuple[Label, ...]:
    """Labels of graded rows, in their order; a row without scores of both models has none.

    `weak` and `strong` override the models that rows name. Where answers are graded in parts, a
    label counts as much as the two are apart: half a point says half as much. Answers graded alike
    say that the strong model is not needed.
    """
    found: list[Label] = []
    for one in decided:
        gap = gap_of(one, weak, strong)
        if gap is not None:
            found.append(
                Label(
                    row=one.row.id,
                    is_strong_better=gap > 0,
                    weight=abs(gap) or 1.0,
                    source=one.row.suite,
                )
            )
    return tuple(found)


def gap_of(one: Decided, weak: str | None, strong: str | None) -> float | None:
    """The strong model's score less the weak one's; None where one of the two is not known."""
    scores = one.row.scores or {}
    lesser, better = (scores.get(name or "") for name in pair_of(one, weak, strong))
    return None if lesser is None or better is None else better - lesser


def pair_of(one: Decided, weak: str | None, strong: str | None) -> tuple[str | None, str | None]:
    """The two models that are compared on a row."""
    return weak or one.row.weak, strong or one.row.strong
