"""Decided rows to an `Evaluation`: figures of the spec beside length, chance and an older spec.

Each suite is drawn and measured by itself; the mean over suites is of the same draws, so that its
intervals are those of the mean.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from statistics import fmean
from typing import final

import numpy as np
from numpy.typing import NDArray

from lynkrc.diagnostics.wording import shown
from lynkrc.quality.agreement import agreement_of
from lynkrc.quality.decided import Decided, Undecided
from lynkrc.quality.drawn import figure_of
from lynkrc.quality.folds import groups_of
from lynkrc.quality.metrics import (
    Measures,
    Numbers,
    Pairs,
    Reach,
    draws,
    less,
    mean_of,
    measure,
    order,
    reach_of,
)
from lynkrc.quality.operating import Gains, gains_of, line_of
from lynkrc.quality.rankings import rankings_of
from lynkrc.quality.results import (
    LENGTH,
    OLD,
    RANDOM,
    SPEC,
    Agreement,
    Curve,
    Difference,
    Evaluation,
    Figure,
    Figures,
    Gain,
    LeftOut,
    Policy,
    Spending,
    SuiteResult,
    TierShare,
)

MEAN = "mean"
"""The name of the mean over suites."""
CURVE_POINTS = 101
"""Points of a curve, at even shares."""
_GRID = np.linspace(0.0, 1.0, CURVE_POINTS)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be evaluated.

    `decided` are the rows by the spec; `old` the keys that an older spec gives, by row id, None
    without one. `weak` and `strong` override the models that rows name. `strong_from` is the index
    of the first tier that stands for the strong model.
    """

    spec: str
    digest: str
    tiers: tuple[str, ...]
    strong_from: int
    decided: tuple[Decided, ...]
    undecided: tuple[Undecided, ...] = ()
    old_name: str | None = None
    old: Mapping[str, tuple[int, int]] | None = None
    weak: str | None = None
    strong: str | None = None
    seed: int = 0
    resamples: int = 1000


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Suite:
    """The rows of one suite that can be compared, as arrays."""

    name: str
    rows: tuple[Decided, ...]
    weak: str
    strong: str
    pairs: Pairs
    groups: NDArray[np.intp]
    keys: Mapping[str, Numbers]
    """By policy; chance has none."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """What came out of the draws of one suite; the first entry of each list is the sample's own."""

    measures: Mapping[str, list[Measures]]
    spending: Mapping[str, list[tuple[float, float, float]]]
    """Score, cost (not a number where unknown) and share."""
    tiers: list[list[float]]
    scores: list[Numbers]
    """Of the spec at even shares."""
    gains: list[Gains]


def evaluate(question: Question, *, say: Callable[[str], None] | None = None) -> Evaluation:
    """Everything that can be told. ValueError where the seed or the number of draws is negative.

    `say` is told what is being worked out.
    """
    left: dict[str, list[str]] = {}
    for one in question.undecided:
        left.setdefault(one.reason, []).append(one.row.id)
    for row in (one.row for one in question.decided):
        if row.tier is not None and row.tier not in question.tiers:
            left.setdefault(f"no tier {shown(row.tier)} in the spec", []).append(row.id)
    suites: list[_Suite] = []
    drawn: list[_Drawn] = []
    for name in dict.fromkeys(one.row.suite for one in question.decided):
        for suite in _suite(question, name, left):
            if suite.groups.max() == 0:
                reason = f"{suite.name}: all of one group, so nothing can be drawn"
                left[reason] = [one.row.id for one in suite.rows]
                continue
            if say is not None:
                say(f"{len(suite.rows):,} requests of {suite.name}")
            found = _draw(question, suite)
            gap = _gap(found)
            if gap.low > 0:
                suites.append(suite)
                drawn.append(found)
            else:
                left[_no_gap(suite, gap)] = [one.row.id for one in suite.rows]
    return Evaluation(
        spec=question.spec,
        digest=question.digest,
        old=question.old_name,
        strong_from=question.tiers[question.strong_from],
        suites=tuple(
            _result(question, suite, one) for suite, one in zip(suites, drawn, strict=True)
        ),
        mean=_mean_result(question, suites, drawn) if len(suites) > 1 else None,
        agreement=_agreement(question),
        left_out=tuple(
            LeftOut(reason=reason, rows=len(ids), first=ids[0]) for reason, ids in left.items()
        ),
        rows=len(question.decided) + len(question.undecided),
        seed=question.seed,
        resamples=question.resamples,
    )


def _agreement(question: Question) -> Agreement | None:
    """With the tiers that people chose, and how well each policy puts them in order."""
    found = agreement_of(question.decided, question.tiers)
    if found is None:
        return None
    rows = [one for one in question.decided if one.row.tier in question.tiers]
    chosen = np.array([question.tiers.index(one.row.tier or "") for one in rows], np.intp)
    groups = _groups(rows)
    if groups.max() == 0:
        return found
    drawn = draws(groups, question.resamples, question.seed)
    return replace(found, rankings=rankings_of(_keys(question, rows), chosen, drawn))


def _suite(question: Question, name: str, left: dict[str, list[str]]) -> Iterator[_Suite]:
    """The suite, where it has rows that can be compared; why others cannot goes to `left`."""
    by_pair: dict[tuple[str, str], list[Decided]] = {}
    for one in question.decided:
        if one.row.suite != name:
            continue
        row = one.row
        weak, strong = question.weak or row.weak, question.strong or row.strong
        if row.scores is None:
            if row.tier is None:
                left.setdefault("no scores", []).append(row.id)
        elif weak is None or strong is None:
            left.setdefault("no pair of models: say --weak and --strong", []).append(row.id)
        elif weak not in row.scores or strong not in row.scores:
            left.setdefault(f"no scores of both {weak} and {strong}", []).append(row.id)
        else:
            by_pair.setdefault((weak, strong), []).append(one)
    for (weak, strong), rows in by_pair.items():
        label = name if len(by_pair) == 1 else f"{name}: {weak}, {strong}"
        yield _arrays(question, label, weak, strong, rows)


def _arrays(
    question: Question, name: str, weak: str, strong: str, rows: Sequence[Decided]
) -> _Suite:
    scores = [one.row.scores or {} for one in rows]
    costs = [one.row.costs or {} for one in rows]
    known = all(weak in one and strong in one for one in costs)
    return _Suite(
        name=name,
        rows=tuple(rows),
        weak=weak,
        strong=strong,
        pairs=Pairs(
            weak=np.array([one[weak] for one in scores], dtype=np.float64),
            strong=np.array([one[strong] for one in scores], dtype=np.float64),
            costs=(
                np.array([one[weak] for one in costs], dtype=np.float64),
                np.array([one[strong] for one in costs], dtype=np.float64),
            )
            if known
            else None,
        ),
        groups=_groups(rows),
        keys=_keys(question, rows),
    )


def _groups(rows: Sequence[Decided]) -> NDArray[np.intp]:
    """Each row's group, numbered from 0 without a gap; the same words asked twice are one."""
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(one, len(numbers)) for one in groups_of(rows)], np.intp)


def _keys(question: Question, rows: Sequence[Decided]) -> dict[str, Numbers]:
    """Each policy's keys but chance's."""
    keys = {
        SPEC: _ranks([one.key for one in rows]),
        LENGTH: np.array([one.chars for one in rows], dtype=np.float64),
    }
    if question.old is not None:
        keys[OLD] = _ranks([question.old[one.row.id] for one in rows])
    return keys


def _ranks(keys: Sequence[tuple[int, int]]) -> Numbers:
    """Places of keys among those that occur: what orders by two numbers orders by one."""
    place = {key: number for number, key in enumerate(sorted(set(keys)))}
    return np.array([place[key] for key in keys], dtype=np.float64)


def _draw(question: Question, suite: _Suite) -> _Drawn:
    ordered = {name: order(keys) for name, keys in suite.keys.items()}
    is_strong = np.array([one.tier >= question.strong_from for one in suite.rows])
    tier = np.array([one.tier for one in suite.rows])
    drawn = _Drawn(
        measures={name: [] for name in (*ordered, RANDOM)},
        spending={name: [] for name in ("all weak", "all strong", SPEC, RANDOM)},
        tiers=[[] for _ in question.tiers],
        scores=[],
        gains=[],
    )
    # Each suite has draws of its own, whatever stands beside it.
    seed = question.seed + zlib.crc32(suite.name.encode())
    for weights in (np.ones(len(suite.rows)), *draws(suite.groups, question.resamples, seed)):
        reached = {name: reach_of(one, suite.pairs, weights) for name, one in ordered.items()}
        for name, one in ordered.items():
            drawn.measures[name].append(measure(one, suite.pairs, weights))
        of_spec = reached.pop(SPEC)
        drawn.scores.append(np.interp(_GRID, of_spec.shares, of_spec.scores))
        total = weights.sum()
        share = float(weights @ is_strong / total)
        weak, strong, spec = (
            _reached(suite.pairs, weights, chosen)
            for chosen in (np.zeros(len(weights)), np.ones(len(weights)), is_strong)
        )
        drawn.spending["all weak"].append((*weak, 0.0))
        drawn.spending["all strong"].append((*strong, 1.0))
        drawn.spending[SPEC].append((*spec, share))
        drawn.gains.append(
            gains_of(
                {**reached, RANDOM: line_of(weak, strong)},
                score=spec[0],
                share=share,
                cost=None if isnan(spec[1]) else spec[1],
            )
        )
        score, cost = (a + share * (b - a) for a, b in zip(weak, strong, strict=True))
        drawn.spending[RANDOM].append((score, cost, share))
        aiq = _aiq_of_chance(weak, strong)
        drawn.measures[RANDOM].append(Measures(apgr=0.5, cpt50=0.5, cpt80=0.8, auroc=0.5, aiq=aiq))
        for number, shares in enumerate(drawn.tiers):
            shares.append(float(weights @ (tier == number) / total))
    return drawn


def _aiq_of_chance(weak: tuple[float, float], strong: tuple[float, float]) -> float | None:
    """Chance is the straight line between the two: see `lynkrc.quality.metrics.measure`."""
    if isnan(weak[1]):
        return None
    return (weak[0] + strong[0]) / 2 if strong[1] > weak[1] else float("nan")


def _reached(pairs: Pairs, weights: Numbers, is_strong: Numbers) -> tuple[float, float]:
    """Mean score and cost where these go to the strong model."""

    def mean(weak: Numbers, strong: Numbers) -> float:
        return float(np.where(is_strong, strong, weak) @ weights / weights.sum())

    costs = float("nan") if pairs.costs is None else mean(*pairs.costs)
    return mean(pairs.weak, pairs.strong), costs


def _result(question: Question, suite: _Suite, drawn: _Drawn) -> SuiteResult:
    whole = np.ones(len(suite.rows))
    curves = {
        name: _curve(
            reach_of(order(keys), suite.pairs, whole), drawn.scores[1:] if name == SPEC else []
        )
        for name, keys in suite.keys.items()
    }
    return SuiteResult(
        suite=suite.name,
        requests=len(suite.rows),
        groups=int(suite.groups.max()) + 1,
        weak=suite.weak,
        strong=suite.strong,
        policies=tuple(
            Policy(name=name, figures=_figures(found), curve=curves.get(name))
            for name, found in drawn.measures.items()
        ),
        differences=_differences(drawn.measures),
        tiers=_tiers(question, suite, drawn),
        spending=tuple(_spending(name, found) for name, found in drawn.spending.items()),
        gains=_gains(drawn.gains),
    )


def _mean_result(
    question: Question, suites: Sequence[_Suite], drawn: Sequence[_Drawn]
) -> SuiteResult:
    """The plain mean over suites, draw by draw."""
    measures = {
        name: [mean_of(same) for same in zip(*(one.measures[name] for one in drawn), strict=True)]
        for name in drawn[0].measures
    }
    spending = {
        name: [
            (fmean(values[0]), fmean(values[1]), fmean(values[2]))
            for same in zip(*(one.spending[name] for one in drawn), strict=True)
            for values in [tuple(zip(*same, strict=True))]
        ]
        for name in drawn[0].spending
    }
    return SuiteResult(
        suite=MEAN,
        requests=sum(len(suite.rows) for suite in suites),
        groups=sum(int(suite.groups.max()) + 1 for suite in suites),
        weak=_common(suite.weak for suite in suites),
        strong=_common(suite.strong for suite in suites),
        policies=tuple(
            Policy(name=name, figures=_figures(found), curve=None)
            for name, found in measures.items()
        ),
        differences=_differences(measures),
        tiers=tuple(
            TierShare(
                tier=tier,
                requests=sum(sum(row.tier == number for row in suite.rows) for suite in suites),
                share=figure_of(
                    [fmean(same) for same in zip(*(d.tiers[number] for d in drawn), strict=True)]
                ),
                weak_score=None,
                strong_score=None,
            )
            for number, tier in enumerate(question.tiers)
        ),
        spending=tuple(_spending(name, found) for name, found in spending.items()),
        gains=_gains(
            [
                {
                    key: fmean(one[key] for one in same)
                    for key in same[0]
                    if all(key in one for one in same)
                }
                for same in zip(*(one.gains for one in drawn), strict=True)
            ]
        ),
    )


def _common(names: Iterator[str]) -> str:
    """The name that all suites share, else what there is of them."""
    return ", ".join(dict.fromkeys(names))


def _figures(found: Sequence[Measures]) -> Figures:
    aiq = [one.aiq for one in found if one.aiq is not None]
    auroc = [one.auroc for one in found]
    return Figures(
        apgr=figure_of([one.apgr for one in found]),
        cpt50=figure_of([one.cpt50 for one in found]),
        cpt80=figure_of([one.cpt80 for one in found]),
        auroc=None if np.isnan(auroc[0]) else figure_of(auroc),
        aiq=None if not aiq or np.isnan(aiq[0]) else figure_of(aiq),
    )


def _differences(measures: Mapping[str, list[Measures]]) -> tuple[Difference, ...]:
    return tuple(
        Difference(
            against=name,
            figures=_figures(
                [less(spec, one) for spec, one in zip(measures[SPEC], found, strict=True)]
            ),
        )
        for name, found in measures.items()
        if name != SPEC
    )


def _tiers(question: Question, suite: _Suite, drawn: _Drawn) -> tuple[TierShare, ...]:
    tier = np.array([one.tier for one in suite.rows])
    found: list[TierShare] = []
    for number, name in enumerate(question.tiers):
        at = tier == number
        count = int(at.sum())
        found.append(
            TierShare(
                tier=name,
                requests=count,
                share=figure_of(drawn.tiers[number]),
                weak_score=float(suite.pairs.weak[at].mean()) if count else None,
                strong_score=float(suite.pairs.strong[at].mean()) if count else None,
            )
        )
    return tuple(found)


def _gains(drawn: Sequence[Gains]) -> tuple[Gain, ...]:
    return tuple(
        Gain(against=name, alike=alike, score=figure_of([one[name, alike] for one in drawn]))
        for (name, alike), value in drawn[0].items()
        if not isnan(value)
    )


def _spending(name: str, found: Sequence[tuple[float, float, float]]) -> Spending:
    costs = [cost for _, cost, _ in found]
    return Spending(
        name=name,
        score=figure_of([score for score, _, _ in found]),
        cost=None if np.isnan(costs[0]) else figure_of(costs),
        share=found[0][2],
    )


def _gap(drawn: _Drawn) -> Figure:
    """How much better the strong model is."""
    ends = zip(drawn.spending["all strong"], drawn.spending["all weak"], strict=True)
    return figure_of([strong[0] - weak[0] for strong, weak in ends])


def _no_gap(suite: _Suite, gap: Figure) -> str:
    return (
        f"{suite.name}: {suite.strong} is not shown to be better than {suite.weak} "
        f"({gap.value:+.3f}, {gap.low:+.3f} to {gap.high:+.3f})"
    )


def _curve(reach: Reach, drawn: Sequence[Numbers]) -> Curve:
    """At even shares, between the bounds of what was drawn."""

    def at(values: Numbers) -> tuple[float, ...]:
        return tuple(np.interp(_GRID, reach.shares, values).tolist())

    bounds = np.percentile(drawn, (2.5, 97.5), axis=0).tolist() if drawn else None
    return Curve(
        shares=tuple(_GRID.tolist()),
        scores=at(reach.scores),
        costs=None if reach.costs is None else at(reach.costs),
        bounds=None if bounds is None else (tuple(bounds[0]), tuple(bounds[1])),
    )
