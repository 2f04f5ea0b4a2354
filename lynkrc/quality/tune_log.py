"""A usage log, decided anew, to a `TunedByLog`: weights fitted to how requests ended.

A record has what was read of a request and no text, so what may be weighed is the spec's own
dimensions and the counts that were logged: no words. Nobody answered a request twice. That a tier
below the strong ones answered badly says that the strong model was needed there, by the weight of
what the label rests on (`lynkrc.quality.outcome_labels.WEIGHTS`); that it answered well says, with
the least weight, that it was not. What a strong tier served says neither: it is only decided, for
the shares of tiers. So there is no score of two models, and no APGR: the figure is how often a
bad one stands above a good one (AUROC), on requests that the weights were not fitted on, folds and
draws being of whole sessions.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from lynkrc.ir.table import RouteTable
from lynkrc.quality.candidates import candidates_from
from lynkrc.quality.choosing import Study, by_auroc
from lynkrc.quality.decided import Decided
from lynkrc.quality.drawn import figure_of
from lynkrc.quality.fit import Columns, Most, Targets
from lynkrc.quality.folds import folds_of, groups_of
from lynkrc.quality.labels import Label
from lynkrc.quality.logged import LENGTHS, LoggedRequest, LoggedRequests
from lynkrc.quality.metrics import Numbers, auroc, draws, order
from lynkrc.quality.ngrams import terms_of
from lynkrc.quality.outcome_labels import WEIGHTS, Source
from lynkrc.quality.outcome_results import Count
from lynkrc.quality.points import scores_of
from lynkrc.quality.rows import Place, Row, Sending
from lynkrc.quality.thresholds import (
    Places,
    bounds_of,
    levels_of,
    shares_of,
    tiers_of,
    up_to_at,
)
from lynkrc.quality.tuned import RowScore
from lynkrc.quality.tuned_by_log import LabelCount, TunedByLog, WeakOrder
from lynkrc.quality.tuning import (
    CannotTune,
    adds_of,
    cut_of,
    held_out_ranks,
    kept_of,
    pointed_by,
    targets_of,
    weights_of,
)
from lynkrc_runtime.feature_table import FIXED_UNIT
from lynkrc_runtime.text_counts import COUNTS


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TuneLogQuestion:
    """What is to be fitted; members as in `lynkrc.quality.tuning.TuneQuestion`.

    `table` is that of the compiled spec which decided the log. `shares` are of all its requests.
    """

    table: RouteTable
    log: LoggedRequests
    strong_from: int
    max_weights: int = 100
    shares: tuple[float, ...] | None = None
    seed: int = 0
    folds: int = 5
    resamples: int = 1000
    say: Callable[[str], None] = field(default=lambda _: None, repr=False)


def tune_log(question: TuneLogQuestion) -> TunedByLog:
    """The fitted score. CannotTune where the log does not let one be fitted.

    Same records and same seed: the same weights.
    """
    table, log = question.table, question.log
    tiers = len(table.tiers)
    served = _labelled(question)
    decided = rows_of_log(log, {one.number: _is_bad(one) for one in served})
    labels = [
        Label(
            row=_name(one),
            is_strong_better=one.verdict.is_bad,
            weight=one.verdict.weight,
            source="log",
        )
        for one in served
        if one.verdict is not None
    ]
    _check(question, served, labels)
    folds = folds_of(decided, question.folds, question.seed)
    counted = [_counts(one) for one in log.requests]
    candidates, values = candidates_from(table, [one.vector for one in decided], counted)
    # A log holds no words.
    terms = terms_of(["" for _ in decided], range(len(decided)))
    columns = Columns(values=values / 100, terms=terms)
    targets = targets_of(decided, labels)
    kept64, offset64 = kept_of(candidates, values[targets.rows])
    study = Study(
        columns=columns,
        targets=targets,
        folds=np.array(folds),
        most=Most(weights=question.max_weights, terms=0),
        kept64=kept64,
        offset64=offset64,
        judge=by_auroc(targets),
        say=question.say,
    )
    cut = cut_of(study)
    adds64 = adds_of(table, decided)
    bounds = bounds_of(table, decided)
    ranks = held_out_ranks(study, cut, adds64)
    shares = question.shares or shares_of(np.array([one.tier for one in decided]), tiers)
    levels = levels_of(ranks, shares, bounds)
    question.say("drawing sessions")
    held_out = tiers_of(ranks, levels, bounds)
    final = pointed_by(study, cut.final, np.arange(len(decided)))
    scores = scores_of(final.points(columns, adds64))
    up_to = up_to_at(scores, levels)
    placed = tiers_of(scores, up_to, bounds)
    return TunedByLog(
        offset=final.offset64 / FIXED_UNIT,
        weights=weights_of(final, candidates),
        terms=(),
        up_to=up_to,
        shares=shares_of(placed, tiers),
        fitted=tuple(
            RowScore(row=one.row.id, score=int(score), tier=int(tier))
            for one, score, tier in zip(decided, scores, placed, strict=True)
        ),
        order=_order(question, decided, targets, _keys(held_out, ranks)),
        strong_from=table.tiers[question.strong_from].name,
        weak_tiers=_weak_tiers(question),
        labels=len(labels),
        bad=sum(label.is_strong_better for label in labels),
        sessions=len({_session(one) for one in served}),
        sources=tuple(_sources(served)),
        counts=tuple(name for name in COUNTS if all(name in one for one in counted)),
        lost=tuple(one.name for one in table.dimensions if one.value is None),
        records=log.records,
        decided=len(decided),
        unlabelled=_unlabelled(question),
        left_out=_ranked(log.left_out),
        strays=log.strays,
        bad_lines=tuple(log.bad_lines),
        lines=log.bad,
        folds=question.folds,
        seed=question.seed,
        resamples=question.resamples,
    )


def rows_of_log(
    log: LoggedRequests, labels: Mapping[int, bool] | None = None
) -> tuple[Decided, ...]:
    """The decided requests as rows, each of its session's group; no text is known of any.

    `labels` are by number whether a request is labelled bad. Folds get rows of each suite alike, so
    the suite is what is known of the session: one that ended badly once, one that never did, none.
    """
    labels = labels or {}
    suites: dict[str, str] = {}
    for one in log.requests:
        if one.number in labels:
            session = _session(one)
            is_bad = labels[one.number] or suites.get(session) == "bad"
            suites[session] = "bad" if is_bad else "good"
    return tuple(_row(one, suites.get(_session(one), "none")) for one in log.requests)


def lowered(before: Sequence[Decided], after: Sequence[Decided], strong_from: int) -> int:
    """How many requests strong tiers would lose: how weak ones do on such nobody has seen."""
    tiers = {one.row.id: one.tier for one in after}
    return sum(one.tier >= strong_from > tiers.get(one.row.id, one.tier) for one in before)


def _row(one: LoggedRequest, suite: str) -> Decided:
    row = Row(
        id=_name(one),
        suite=suite,
        task="log",
        group=_session(one),
        prompt=None,
        request=Sending(surface=one.record.surface, headers={}, body=b""),
        scores=None,
        costs=None,
        weak=None,
        strong=None,
        split=None,
        tier=None,
        why=None,
        place=Place(file="log", line=one.number + 1),
    )
    return Decided(
        row=row,
        tier=one.tier,
        rule=one.decision.rule,
        score=min(100, max(0, (one.points + 3200) // 6400)),
        points=one.points,
        chars=one.lengths.get("ask.chars", 0),
        vector=one.vector,
    )


def _name(one: LoggedRequest) -> str:
    """Of a row; names have the order of the log."""
    return f"{one.number:09} ({one.record.request_id})"


def _session(one: LoggedRequest) -> str:
    """A request without a session is apart from all others."""
    session = one.record.session
    return f"request {one.number}" if session is None else f"session {session}"


def _is_bad(one: LoggedRequest) -> bool:
    return one.verdict is not None and one.verdict.is_bad


def _counts(one: LoggedRequest) -> Mapping[str, int]:
    slots = one.record.slots or {}
    return {name: found for name in COUNTS if isinstance(found := slots.get(name), int)}


# -- labels --------------------------------------------------------------------------------


def _weak_tiers(question: TuneLogQuestion) -> tuple[str, ...]:
    return tuple(tier.name for tier in question.table.tiers[: question.strong_from])


def _labelled(question: TuneLogQuestion) -> list[LoggedRequest]:
    """What weak tiers served and something is thought of."""
    weak = _weak_tiers(question)
    return [
        one for one in question.log.requests if one.verdict is not None and one.record.tier in weak
    ]


def _unlabelled(question: TuneLogQuestion) -> tuple[Count, ...]:
    found = Counter(question.log.unjudged)
    names = [tier.name for tier in question.table.tiers]
    weak = _weak_tiers(question)
    for one in question.log.requests:
        tier = one.record.tier
        if one.verdict is None or tier in weak:
            continue
        if tier in names:
            found[f"served by {tier}: nobody knows what a weaker tier had answered"] += 1
        else:
            found["served by no tier that this spec has"] += 1
    return _ranked(found)


def _ranked(counted: Mapping[str, int]) -> tuple[Count, ...]:
    ordered = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(Count(what=what, count=count) for what, count in ordered)


def _sources(served: Sequence[LoggedRequest]) -> Iterator[LabelCount]:
    for source in Source:
        of_it = [one for one in served if one.verdict and one.verdict.source is source]
        if of_it:
            yield LabelCount(
                source=source,
                labels=len(of_it),
                bad=sum(map(_is_bad, of_it)),
                weight=WEIGHTS[source],
            )


def _check(
    question: TuneLogQuestion, served: Sequence[LoggedRequest], labels: Sequence[Label]
) -> None:
    """CannotTune for what no fit can be made of."""
    count, tiers = len(question.table.tiers), _weak_tiers(question)
    strong = question.table.tiers[question.strong_from].name
    if question.folds < 3:
        raise CannotTune(f"{question.folds} folds are too few", "take 3 or more")
    if question.shares is not None and len(question.shares) != count:
        raise CannotTune(f"{len(question.shares)} shares for {count} tiers", "give one for each")
    if not tiers:
        raise CannotTune(
            f"no tier is below {strong}, and outcomes of strong tiers say nothing",
            "name a higher tier by --strong-from",
        )
    weak = ", ".join(tiers)
    if not labels:
        raise CannotTune(
            f"no outcome is known of a request that a tier below {strong} served ({weak})",
            f"let {tiers[-1]} serve some of the traffic, or name a higher tier by --strong-from",
        )
    more = "gather more traffic, and feedback of callers (POST /v1/feedback)"
    if not any(label.is_strong_better for label in labels):
        raise CannotTune(f"no answer of {weak} was bad, of {len(labels):,}: nothing to learn", more)
    if all(label.is_strong_better for label in labels):
        raise CannotTune(
            f"every answer of {weak} was bad, of {len(labels):,}: no order is better than another",
            f"send more of them to {strong} by tiers and rules, or gather more traffic",
        )
    for is_bad, what in ((True, "badly"), (False, "well")):
        sessions = {_session(one) for one in served if _is_bad(one) is is_bad}
        if len(sessions) < question.folds:
            raise CannotTune(
                f"{len(sessions)} sessions in which {weak} answered {what} are too few for "
                f"{question.folds} folds",
                more,
            )


# -- figures -------------------------------------------------------------------------------


def _keys(tiers: NDArray[np.int64] | Places, within: NDArray[np.float64]) -> Numbers:
    """Places of requests in an order: by tier, and within one by what is second."""
    pairs = np.column_stack((tiers.astype(np.float64), within))
    _, places = np.unique(pairs, axis=0, return_inverse=True)
    return places.ravel().astype(np.float64)


def _order(
    question: TuneLogQuestion, decided: Sequence[Decided], targets: Targets, tuned: Numbers
) -> WeakOrder:
    rows = targets.rows
    current = _keys(
        np.array([one.tier for one in decided]), np.array([float(one.points) for one in decided])
    )
    orders = [order(tuned[rows]), order(current[rows])]
    requests = [question.log.requests[at] for at in rows]
    slot = next((name for name in LENGTHS if all(name in one.lengths for one in requests)), None)
    if slot is not None:
        orders.append(order(np.array([float(one.lengths[slot]) for one in requests])))
    _, groups = np.unique(np.array(groups_of(decided))[rows], return_inverse=True)
    found = [
        [auroc(one, targets.is_strong, targets.weights * weights) for one in orders]
        for weights in (np.ones(len(rows)), *draws(groups, question.resamples, question.seed))
    ]
    figures = [figure_of(values) for values in zip(*found, strict=True)]
    over = [figure_of([drawn[0] - drawn[at] for drawn in found]) for at in range(1, len(orders))]
    return WeakOrder(
        tuned=figures[0],
        current=figures[1],
        over_current=over[0],
        length_slot=slot,
        length=figures[2] if slot is not None else None,
        over_length=over[1] if slot is not None else None,
    )
