"""Columns and labels to how many weights to have, and to fits that have not seen what they judge.

The strength is the sparsest that orders requests it has not seen about as well as the best one:
within one standard error, over folds, of their difference.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from lynkrc.quality.fit import STRENGTHS, Columns, Fitted, Floats, Most, Targets, path
from lynkrc.quality.metrics import Pairs, auroc, measure, order

Judge: TypeAlias = Callable[[Floats, NDArray[np.bool_]], float]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What fits are made from: rows in one order, a fold of each, from 0.

    `judge` says how well scores order the chosen rows, more being better; not a number where it
    cannot be told.
    """

    columns: Columns
    targets: Targets
    folds: NDArray[np.intp]
    most: Most
    kept64: NDArray[np.int64]
    """By value: the weight of a dimension that no label tells anything of, which it keeps."""
    offset64: int
    """What makes up for these on the labelled rows."""
    judge: Judge = field(repr=False)
    say: Callable[[str], None] = field(repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The fit on all rows, and for each fold the one on the others."""

    final: Fitted
    by_fold: tuple[Fitted, ...]


def chosen(study: Study) -> Cut | None:
    """The fits; None where nothing gets a weight, or a fold would be judged by nothing."""
    folds = range(int(study.folds.max()) + 1)
    single = {}
    for fold in folds:
        study.say(f"fold {fold + 1} of {len(folds)}")
        single[fold] = _path(study, study.folds != fold)
    double = {}
    for number, pair in enumerate(combinations(folds, 2)):
        study.say(f"pair {number + 1} of {len(folds) * (len(folds) - 1) // 2} of folds")
        double[pair] = _path(study, ~np.isin(study.folds, pair))
    by_fold: list[Fitted] = []
    for fold in folds:
        inner = [
            (double[min(fold, other), max(fold, other)], study.folds == other)
            for other in folds
            if other != fold
        ]
        found = _at(single[fold], _strength(study, inner))
        if found is None:
            return None
        by_fold.append(found)
    study.say("the whole")
    strength = _strength(study, [(single[fold], study.folds == fold) for fold in folds])
    final = _at(_path(study, np.ones(len(study.folds), dtype=bool)), strength)
    return None if final is None else Cut(final=final, by_fold=tuple(by_fold))


def fitted_on(study: Study, rows: NDArray[np.bool_]) -> Fitted | None:
    """The fit on these rows alone, its strength chosen by folds among them."""
    inner = [
        (_path(study, rows & (study.folds != fold)), rows & (study.folds == fold))
        for fold in range(int(study.folds.max()) + 1)
    ]
    return _at(_path(study, rows), _strength(study, inner))


def _path(study: Study, rows: NDArray[np.bool_]) -> tuple[Fitted, ...]:
    targets = study.targets.at(rows)
    if len(set(targets.is_strong.tolist())) < 2:
        return ()
    # Sources are numbered anew: one may have no label here.
    _, sources = np.unique(targets.sources, return_inverse=True)
    return tuple(path(study.columns, replace(targets, sources=sources), study.most))


def _at(fits: Sequence[Fitted], strength: float) -> Fitted | None:
    """The fit of the strength, else the nearest weaker one, else the first there is."""
    if not fits:
        return None
    return max((one for one in fits if one.strength <= strength), default=fits[0], key=_by_strength)


def _by_strength(fitted: Fitted) -> float:
    return fitted.strength


def _strength(study: Study, inner: Sequence[tuple[Sequence[Fitted], NDArray[np.bool_]]]) -> float:
    """The strength to take, by how well fits order rows that they have not seen."""
    told: list[list[float]] = []
    used: list[float] = []
    for strength in STRENGTHS:
        if not any(one.strength == strength for fits, _ in inner for one in fits):
            continue
        fits = [(_at(fits, strength), rows) for fits, rows in inner]
        figures = [
            0.5 if fitted is None else study.judge(fitted.scores(study.columns), rows)
            for fitted, rows in fits
        ]
        told.append(figures)
        used.append(strength)
    if not used:
        return STRENGTHS[0]
    table = np.array(told)
    keep = ~np.isnan(table).any(axis=0)
    if not keep.any():
        return used[0]
    table = table[:, keep]
    best = int(np.argmax(table.mean(axis=1)))
    short = table[best] - table
    error = short.std(axis=1, ddof=1) / np.sqrt(table.shape[1]) if table.shape[1] > 1 else 0.0
    return used[int(np.argmax(short.mean(axis=1) <= error))]


def by_apgr(targets: Targets, gaps: Floats) -> Judge:
    """The mean over sources of the APGR; `gaps` is by how much the strong model was better.

    Not a number for a row without a label, and where no source has a gap.
    """

    def judge(scores: Floats, rows: NDArray[np.bool_]) -> float:
        source = np.full(len(rows), -1)
        source[targets.rows] = targets.sources
        found = []
        for one in range(int(targets.sources.max()) + 1):
            at = rows & (source == one)
            if at.any():
                here = gaps[at]
                pairs = Pairs(weak=np.zeros(len(here)), strong=here, costs=None)
                found.append(measure(order(scores[at]), pairs, np.ones(len(here))).apgr)
        found = [one for one in found if not np.isnan(one)]
        return float(np.mean(found)) if found else float("nan")

    return judge


def by_auroc(targets: Targets) -> Judge:
    """How often, by the labels' weights, what needs the strong model stands above what does not."""

    def judge(scores: Floats, rows: NDArray[np.bool_]) -> float:
        here = targets.at(rows)
        if not here.rows.size:
            return float("nan")
        return auroc(order(scores[here.rows]), here.is_strong, here.weights)

    return judge


__all__ = ["Cut", "Judge", "Study", "by_apgr", "by_auroc", "chosen", "fitted_on"]
