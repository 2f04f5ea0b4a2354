"""Decided rows and a spec's table to a `Tuned`: fitted weights, and what they are worth elsewhere.

The figures are of requests that the weights were not fitted on. Rows are parted into folds; a fit
on the others judges each. How many weights a fit has is chosen inside those others, by folds among
them. Points of two fits do not compare, so each row's are told by their rank: the share of the
requests of that fit that have fewer. Ranks of all folds make one order, and tiers are bounds of
ranks; the fit on everything then has the bounds that have the same ranks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np

from lynkrc.interp.evaluate import add_points
from lynkrc.ir.table import RouteTable
from lynkrc.quality.candidates import Candidate, candidates_of
from lynkrc.quality.choosing import Cut, Study, by_apgr, chosen, fitted_on
from lynkrc.quality.decided import Decided, Undecided
from lynkrc.quality.evaluate import Question, evaluate
from lynkrc.quality.fit import Columns, Fitted, Most, NoLearner, Targets
from lynkrc.quality.folds import folds_of, groups_of
from lynkrc.quality.labels import Label, gap_of, labels_of, pair_of
from lynkrc.quality.ngrams import terms_of
from lynkrc.quality.points import Integers, Pointed, pointed, ranks_of, scores_of
from lynkrc.quality.results import LENGTH, OLD, SPEC, Evaluation, Figure, SuiteResult
from lynkrc.quality.thresholds import (
    Bounds,
    Numbers,
    Places,
    bounds_of,
    levels_of,
    shares_of,
    tiers_of,
    up_to_at,
)
from lynkrc.quality.tuned import Elsewhere, RowScore, Term, Tuned, Weight
from lynkrc_runtime.feature_table import FIXED_UNIT
from lynkrc_runtime.scan.edges import as_written

RANKS = 1_000_000
"""Ranks are told in so many parts."""


@final
class CannotTune(Exception):
    """Why there is nothing to fit, and a way out."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TuneQuestion:
    """What is to be fitted.

    `table` is that of the compiled spec which decided the rows. `weak` and `strong` override the
    models that rows name; `strong_from` is the index of the first tier that stands for the strong
    one. At most `max_weights` weights come out, words among them; with `max_terms` above 0 so many
    terms beside them. `shares` are the wanted ones of tiers, which add up to 1; None for those that
    the spec has on this data, or, with `budget_usd` (for 1,000 requests), those that cost so much.
    """

    spec: str
    digest: str
    table: RouteTable
    decided: tuple[Decided, ...]
    undecided: tuple[Undecided, ...] = ()
    strong_from: int
    weak: str | None = None
    strong: str | None = None
    max_weights: int = 100
    max_terms: int = 0
    shares: tuple[float, ...] | None = None
    budget_usd: float | None = None
    seed: int = 0
    folds: int = 5
    resamples: int = 1000
    say: Callable[[str], None] = field(default=lambda _: None, repr=False)


def tune(question: TuneQuestion) -> Tuned:
    """The fitted score. CannotTune where the data do not let one be fitted.

    Same rows, in whatever order, and same seed: the same weights.
    """
    decided = tuple(
        sorted((one for one in question.decided if one.ask is not None), key=lambda one: one.row.id)
    )
    without = tuple(one for one in question.decided if one.ask is None)
    labels = labels_of(decided, question.weak, question.strong)
    folds = _checked(question, decided, labels)
    question.say("reading words")
    candidates, values = candidates_of(question.table, decided)
    terms = terms_of([one.ask or "" for one in decided], groups_of(decided))
    columns = Columns(values=values / 100, terms=terms)
    targets = targets_of(decided, labels)
    tiers = len(question.table.tiers)
    adds64 = adds_of(question.table, decided)
    kept64, offset64 = kept_of(candidates, values[targets.rows])
    gaps = [gap_of(one, question.weak, question.strong) for one in decided]
    study = Study(
        columns=columns,
        targets=targets,
        judge=by_apgr(targets, np.array([np.nan if gap is None else gap for gap in gaps])),
        folds=np.array(folds),
        most=Most(weights=question.max_weights, terms=question.max_terms),
        kept64=kept64,
        offset64=offset64,
        say=question.say,
    )
    cut = cut_of(study)
    bounds = bounds_of(question.table, decided)
    ranks = held_out_ranks(study, cut, adds64)
    shares = _wanted(question, decided, ranks, bounds)
    levels = levels_of(ranks, shares, bounds)
    held_out = _held_out(question, decided, without, ranks, tiers_of(ranks, levels, bounds))
    final = pointed_by(study, cut.final, np.arange(len(decided)))
    points = final.points(columns, adds64)
    scores = scores_of(points)
    up_to = up_to_at(scores, levels)
    placed = tiers_of(scores, up_to, bounds)
    return Tuned(
        offset=final.offset64 / FIXED_UNIT,
        weights=weights_of(final, candidates),
        terms=tuple(
            Term(pattern=as_written(terms.names[at]), points=int(final.terms64[at]) / FIXED_UNIT)
            for at in np.flatnonzero(final.terms64)
        ),
        up_to=up_to,
        shares=shares_of(placed, tiers),
        fitted=tuple(
            RowScore(row=one.row.id, score=int(score), tier=int(tier))
            for one, score, tier in zip(decided, scores, placed, strict=True)
        ),
        held_out=held_out,
        elsewhere=_elsewhere(question, study, decided, bounds, shares, adds64),
        labels=len({label.row for label in labels}),
        folds=question.folds,
        seed=question.seed,
    )


def cut_of(study: Study) -> Cut:
    """The fits. CannotTune where nothing can be learned."""
    try:
        cut = chosen(study)
    except NoLearner:
        raise CannotTune("scikit-learn is not installed", "pip install 'lynkrc[quality]'") from None
    if cut is None:
        raise CannotTune(
            "nothing about these requests tells when the strong model is better",
            "give more labelled requests",
        )
    return cut


def adds_of(table: RouteTable, decided: Sequence[Decided]) -> Integers:
    """What rules add to each row, in 1/64 point."""
    found = [sum(add_points(rule, one.vector) for rule in table.rules) for one in decided]
    return np.array(found, dtype=np.int64) // 100


def _checked(
    question: TuneQuestion, decided: Sequence[Decided], labels: Sequence[Label]
) -> tuple[int, ...]:
    """The folds of the rows. CannotTune for what no fit can be made of."""
    if question.folds < 3:
        raise CannotTune(f"{question.folds} folds are too few", "take 3 or more")
    if not labels:
        raise CannotTune(
            "no request has the scores of both models",
            "name two models that were graded: weak and strong",
        )
    if not any(label.is_strong_better for label in labels):
        raise CannotTune(
            "the strong model is better on no request", "name another pair: weak and strong"
        )
    if all(label.is_strong_better for label in labels):
        raise CannotTune(
            "the strong model is better on every request",
            "send all of them there, or name another pair: weak and strong",
        )
    known = {label.row for label in labels}
    rows = [one for one in decided if one.row.id in known]
    groups = len(set(groups_of(rows)))
    if groups < 2 * question.folds:
        raise CannotTune(
            f"{groups} requests that are independent are too few for {question.folds} folds",
            f"label {2 * question.folds} or more that are of different groups",
        )
    tiers = len(question.table.tiers)
    if question.shares is not None and len(question.shares) != tiers:
        raise CannotTune(
            f"{len(question.shares)} shares for {tiers} tiers", "give one for each tier"
        )
    return folds_of(decided, question.folds, question.seed)


def targets_of(decided: Sequence[Decided], labels: Sequence[Label]) -> Targets:
    """The labels as arrays."""
    row = {one.row.id: number for number, one in enumerate(decided)}
    sources = {name: at for at, name in enumerate(sorted({label.source for label in labels}))}
    return Targets(
        rows=np.array([row[label.row] for label in labels], dtype=np.intp),
        is_strong=np.array([label.is_strong_better for label in labels], dtype=np.bool_),
        weights=np.array([label.weight for label in labels], dtype=np.float64),
        sources=np.array([sources[label.source] for label in labels], dtype=np.intp),
    )


def kept_of(candidates: Sequence[Candidate], labelled: Integers) -> tuple[Integers, int]:
    """Weights of dimensions that are the same on every labelled row, and what makes up for them.

    Labels of single questions tell nothing of an agent's loop: no reason to forget it.
    """
    idle = labelled.min(axis=0) == labelled.max(axis=0)
    kept64 = np.where(idle, [one.weight64 for one in candidates], 0).astype(np.int64)
    return kept64, -round(int(kept64 @ labelled[0]) / 100)


def pointed_by(study: Study, fitted: Fitted, rows: Places) -> Pointed:
    """A fit in points that spread over the scale on these rows."""
    return pointed(fitted, study.columns, rows, study.kept64, study.offset64)


def held_out_ranks(study: Study, cut: Cut, adds64: Integers) -> Numbers:
    """Of each row, by the fit that has not seen its fold."""
    ranks = np.zeros(len(study.folds))
    for fold, fitted in enumerate(cut.by_fold):
        at = study.folds == fold
        points = pointed_by(study, fitted, np.flatnonzero(~at)).points(study.columns, adds64)
        ranks[at] = ranks_of(points[at], points[~at])
    return ranks


def _wanted(
    question: TuneQuestion, decided: Sequence[Decided], ranks: Numbers, bounds: Bounds
) -> tuple[float, ...]:
    """The shares that tiers are to have."""
    if question.shares is not None:
        return question.shares
    count = len(question.table.tiers)
    current = shares_of(np.array([one.tier for one in decided]), count)
    if question.budget_usd is None:
        return current
    strong = _affordable(question, decided, ranks, bounds)
    first = question.strong_from
    return (*_spread(current[:first], 1.0 - strong), *_spread(current[first:], strong))


def _spread(shares: Sequence[float], total: float) -> tuple[float, ...]:
    """The same proportions with another sum."""
    whole = sum(shares)
    return tuple(total * (one / whole if whole > 0 else 1 / len(shares)) for one in shares)


def _affordable(
    question: TuneQuestion, decided: Sequence[Decided], ranks: Numbers, bounds: Bounds
) -> float:
    """The share of requests that may go to the strong model for the budget."""
    assert question.budget_usd is not None
    found: list[tuple[bool, bool, float, float, float]] = []
    for one, rank, low, high in zip(decided, ranks, bounds.low, bounds.high, strict=True):
        costs = one.row.costs or {}
        weak, strong = (
            costs.get(name or "") for name in pair_of(one, question.weak, question.strong)
        )
        if weak is not None and strong is not None:
            first = question.strong_from
            found.append((low >= first, high >= first, float(rank), weak, strong))
    if not found:
        raise CannotTune("no request has the costs of both models", "leave the budget out")
    # Those that rules send there come first, those that they keep away last.
    found.sort(key=lambda one: one[:3], reverse=True)
    weak_costs, strong_costs = (np.array([one[at] for one in found]) for at in (3, 4))
    spent = np.concatenate(((0.0,), np.cumsum(strong_costs - weak_costs))) + weak_costs.sum()
    fixed = sum(one[0] for one in found)
    movable = sum(one[1] for one in found)
    within = spent[fixed : movable + 1] <= question.budget_usd / 1000 * len(found)
    if not within.any():
        least = 1000 * float(spent[fixed : movable + 1].min()) / len(found)
        raise CannotTune(
            f"1,000 of these requests cost {least:.2f} USD at the least",
            "give a larger budget, or a cheaper weak model",
        )
    return float(fixed + np.flatnonzero(within)[-1]) / len(found)


def _held_out(
    question: TuneQuestion,
    decided: Sequence[Decided],
    without: Sequence[Decided],
    ranks: Numbers,
    tiers: Places,
) -> Evaluation:
    left = (Undecided(row=one.row, reason="the text of the ask is not known") for one in without)
    found = _evaluated(question, _ranked(decided, ranks, tiers), (*question.undecided, *left))
    if not found.suites:
        reason = found.left_out[0].reason if found.left_out else "there is nothing to compare"
        raise CannotTune(reason, "give requests on which the strong model is better")
    return found


def _evaluated(
    question: TuneQuestion, tuned: Sequence[Decided], undecided: tuple[Undecided, ...] = ()
) -> Evaluation:
    """The tuned rows beside what the current spec says of them."""
    return evaluate(
        Question(
            spec=question.spec,
            digest=question.digest,
            tiers=tuple(tier.name for tier in question.table.tiers),
            strong_from=question.strong_from,
            decided=tuple(tuned),
            undecided=undecided,
            old_name=question.spec,
            old={one.row.id: one.key for one in question.decided},
            weak=question.weak,
            strong=question.strong,
            seed=question.seed,
            resamples=question.resamples,
        )
    )


def _ranked(decided: Sequence[Decided], ranks: Numbers, tiers: Places) -> list[Decided]:
    """The rows as the tuned score orders them."""
    return [
        replace(one, tier=int(tier), points=round(rank * RANKS), score=int(100 * rank))
        for one, rank, tier in zip(decided, ranks, tiers, strict=True)
    ]


def weights_of(final: Pointed, candidates: Sequence[Candidate]) -> tuple[Weight, ...]:
    """What has a weight above or below 0."""
    return tuple(
        Weight(
            name=candidate.name,
            value=candidate.value,
            weight=int(weight64) / FIXED_UNIT,
            declared=candidate.declared,
        )
        for candidate, weight64 in zip(candidates, final.values64, strict=True)
        if weight64
    )


def _elsewhere(
    question: TuneQuestion,
    study: Study,
    decided: Sequence[Decided],
    bounds: Bounds,
    shares: Sequence[float],
    adds64: Integers,
) -> tuple[Elsewhere, ...]:
    """Each source by a fit on the others; none for a source whose models do not differ."""
    groups = np.array(groups_of(decided))
    labelled = np.zeros(len(decided), dtype=bool)
    labelled[study.targets.rows] = True
    sources = {decided[row].row.suite for row in study.targets.rows}
    found: list[Elsewhere] = []
    for name in sorted(sources) if len(sources) > 1 else ():
        question.say(f"all but {name}")
        here = np.array([one.row.suite == name for one in decided])
        # What is asked here too must not be learned there.
        others = ~np.isin(groups, groups[here])
        fitted = fitted_on(study, others)
        if fitted is None:
            continue
        points = pointed_by(study, fitted, np.flatnonzero(others)).points(study.columns, adds64)
        ranks = ranks_of(points, points[others])
        places = Bounds(low=bounds.low[others], high=bounds.high[others])
        tiers = tiers_of(ranks, levels_of(ranks[others], shares, places), bounds)
        tuned = _ranked(decided, ranks, tiers)
        rows = [tuned[at] for at in np.flatnonzero(here & labelled)]
        found += [_found_on(name, one) for one in _evaluated(question, rows).suites]
    return tuple(found)


def _found_on(source: str, found: SuiteResult) -> Elsewhere:
    apgr = {policy.name: policy.figures.apgr for policy in found.policies}
    return Elsewhere(
        source=source,
        requests=found.requests,
        tuned=apgr[SPEC],
        current=apgr[OLD],
        length=apgr[LENGTH],
        gain=_gain(found),
    )


def _gain(found: SuiteResult) -> Figure:
    (against,) = (one for one in found.differences if one.against == OLD)
    return against.figures.apgr
