"""What the fit says of rows against what the spec written of it decides: they are the same.

What is measured would otherwise not be what is proposed.
"""

from collections.abc import Sequence

from lynkrc.quality.decided import Decided
from lynkrc.quality.tuned import RowScore


def first_difference(fitted: Sequence[RowScore], decided: Sequence[Decided]) -> str | None:
    """The first row on which score or tier differ, in words; None where all are the same.

    Every row that was fitted must be decided.
    """
    compiled = {one.row.id: (one.score, one.tier) for one in decided}
    for said in fitted:
        got = compiled.get(said.row)
        if got != (said.score, said.tier):
            found = "is not decided" if got is None else f"has score {got[0]} and tier {got[1]}"
            return f"row {said.row} {found}, where the fit says {said.score} and {said.tier}"
    return None
