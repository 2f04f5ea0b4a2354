"""A spec and asks to what a tuned score may weigh: its dimensions, and the structure of the ask.

Every candidate is an expression of the language with its values, worked out by the same integer
arithmetic as the compiled spec: 0 to 100 each.

>>> steps_of(LogScale(feature="ask.quotes", first=1, last=20, count=4))
((1, 25), (3, 50), (7, 75), (20, 100))
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from lynkrc.interp.evaluate import value
from lynkrc.interp.expressions import Vector
from lynkrc.ir.ranges import step_value
from lynkrc.ir.table import RouteTable
from lynkrc.quality.decided import Decided
from lynkrc_runtime.feature_table import FEATURES, FeatureType
from lynkrc_runtime.text_counts import COUNTS, counts_of

Values: TypeAlias = NDArray[np.int64]
"""A row a request, a column a candidate."""

Steps: TypeAlias = tuple[tuple[int, int], ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What may become a dimension; `value` is as in the language, `declared` as in `Weight`.

    `weight64` is what a declared one weighs so far, in 1/64 point.
    """

    name: str
    value: str
    declared: str | None
    weight64: int = 0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LogScale:
    """A feature by even steps of its logarithm: from `first`, the first step, to `last`, 100."""

    feature: str
    first: int
    last: int
    count: int = 20


SCALES: tuple[LogScale, ...] = (
    LogScale(feature="ask.bytes", first=20, last=8000),
    LogScale(feature="ask.chars", first=20, last=8000),
    LogScale(feature="ask.tokens", first=5, last=2000),
    LogScale(feature="ask.words", first=3, last=1500),
    LogScale(feature="ask.sentences", first=1, last=100),
    LogScale(feature="ask.longest_sentence", first=15, last=1000),
    LogScale(feature="ask.mean_sentence", first=15, last=600),
    LogScale(feature="ask.lines", first=1, last=200),
    LogScale(feature="ask.commas", first=1, last=60),
    LogScale(feature="ask.periods", first=1, last=60),
    LogScale(feature="ask.numbers", first=1, last=60),
    LogScale(feature="ask.parens", first=1, last=40),
    LogScale(feature="ask.quotes", first=1, last=40),
    LogScale(feature="ask.questions", first=1, last=12, count=10),
    LogScale(feature="ask.code_blocks", first=1, last=8, count=5),
    LogScale(feature="ask.non_ascii_pct", first=1, last=100, count=10),
)
"""Every count of the ask; where the steps lie does not depend on data."""

DISTINCT_WORDS = "ask.distinct_word_pct"


def steps_of(scale: LogScale) -> Steps:
    """The pairs of ``steps``, equal thresholds made one."""
    found: dict[int, int] = {}
    for number in range(scale.count):
        part = number / (scale.count - 1)
        threshold = round(scale.first * (scale.last / scale.first) ** part)
        found[threshold] = 100 * (number + 1) // scale.count
    return tuple(found.items())


def candidates_of(
    table: RouteTable, decided: Sequence[Decided]
) -> tuple[tuple[Candidate, ...], Values]:
    """The candidates, those that the spec declares first, and their values on rows with an ask.

    Of candidates with the same values the first one stays: asks in ASCII have as many bytes as
    characters. One that is the same for all rows tells nothing; a declared one stays even so, for
    the weight that it has. A dimension that adds the points of terms is no candidate: its value has
    no bounds, and the words of asks are candidates of their own.
    """
    return candidates_from(
        table, [one.vector for one in decided], [_counts(one) for one in decided]
    )


def candidates_from(
    table: RouteTable, vectors: Sequence[Vector], counted: Sequence[Mapping[str, int]]
) -> tuple[tuple[Candidate, ...], Values]:
    """The same of requests whose asks are gone: of each the vector, and the counts that are known.

    A count that is not known of all of them is no candidate. ValueError for no requests.
    """
    if not vectors:
        raise ValueError("no requests")
    known = frozenset.intersection(*map(frozenset, counted))
    found: list[Candidate] = []
    columns: list[list[int]] = []
    for dimension in table.dimensions:
        if dimension.value is not None:
            name = dimension.name.rpartition("/")[2]
            found.append(
                Candidate(
                    name=name,
                    value=dimension.source,
                    declared=dimension.name,
                    weight64=dimension.weight64,
                )
            )
            columns.append([min(100, max(0, value(dimension.value, one))) for one in vectors])
    taken = {one.name for one in found}
    for candidate, feature, steps in _structure():
        if feature not in known:
            continue
        name = candidate.name
        while name in taken:
            name = f"{name}_steps"
        found.append(Candidate(name=name, value=candidate.value, declared=None))
        columns.append([_stepped(counts[feature], steps) for counts in counted])
    kept = {
        tuple(column): number
        for number, column in reversed([*enumerate(columns)])
        if len(set(column)) > 1
    }
    idle = (
        at
        for at, column in enumerate(columns)
        if found[at].declared is not None and len(set(column)) <= 1
    )
    places = sorted((*kept.values(), *idle))
    values = np.array([columns[at] for at in places], dtype=np.int64)
    return tuple(found[at] for at in places), values.reshape(len(places), len(vectors)).T


def _counts(one: Decided) -> Mapping[str, int]:
    if one.ask is None:
        raise ValueError(f"the ask of row {one.row.id} is not known")
    return {
        name: min(FEATURES[name].high, max(FEATURES[name].low, count))
        for name, count in counts_of(one.ask).items()
    }


def _structure() -> Iterator[tuple[Candidate, str, Steps | None]]:
    """Each candidate with the feature it reads; without steps it is a part of 100, or a truth."""
    for scale in SCALES:
        steps = steps_of(scale)
        written = ", ".join(f"[{at}, {reached}]" for at, reached in steps)
        yield _named(scale.feature, f"steps({scale.feature}, [{written}])"), scale.feature, steps
    yield _named(DISTINCT_WORDS, DISTINCT_WORDS), DISTINCT_WORDS, None
    for name in COUNTS:
        if FEATURES[name].type is FeatureType.BOOL:
            yield _named(name, f"when({name}, 100, 0)"), name, ((1, 100),)


def _named(feature: str, written: str) -> Candidate:
    return Candidate(name=feature.partition(".")[2], value=written, declared=None)


def _stepped(count: int, steps: Steps | None) -> int:
    return count if steps is None else step_value(count, steps)
