"""A log, decided anew, to what its outcomes say of the spec: tiers, bad endings, order, cost.

The spec is good where requests that ended badly on a weak tier stand high in its order. Intervals
of counts are Wilson's; all others are the middle 95 % of draws, with replacement, of sessions, or
of requests where the log knows none.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from lynkrc.diff.intervals import share_interval
from lynkrc.quality.logged import LENGTHS, LoggedRequest, LoggedRequests
from lynkrc.quality.metrics import Numbers, auroc, draws, order
from lynkrc.quality.outcome_labels import Source
from lynkrc.quality.outcome_results import (
    Count,
    Outcomes,
    Rate,
    TierOutcomes,
    Way,
    WeakOutcomes,
)
from lynkrc.quality.results import Figure
from lynkrc_runtime.cost import Prices, cost_of, prices_of
from lynkrc_runtime.decide import STATIC, Decision
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.protocol.conversation import Usage

NONE = "(none)"
"""The tier of logged requests that had none."""
NOW, PAID = "this spec", "as paid"
"""Ways to route beside all on one target."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuestion:
    """What to find out: of a spec (as named) with this dispatch, by a log decided with it.

    `strong_from` is the index of the first tier that stands for the strong model.
    """

    spec: str
    digest: str
    dispatch: Dispatch
    strong_from: int
    log: LoggedRequests
    seed: int = 0
    resamples: int = 1000


def outcomes(question: LogQuestion) -> Outcomes:
    """Everything the log says. ValueError for a log of which no request is decided."""
    log = question.log
    if not log.requests:
        raise ValueError("no request is decided")
    dispatch = question.dispatch
    times = [one.record.time for one in log.requests]
    charged, costs, uncosted = _costs(question)
    tiers = dispatch.tiers
    return Outcomes(
        spec=question.spec,
        digest=question.digest,
        strong_from=tiers[question.strong_from].name,
        records=log.records,
        decided=len(log.requests),
        first=min(times),
        last=max(times),
        tiers=_tiers(log.requests, [tier.name for tier in tiers]),
        weak=_weak(question),
        weakest=_first_of(dispatch, 0),
        strongest=_first_of(dispatch, len(tiers) - 1),
        costed=len(charged),
        ways=_ways(question, charged, costs),
        left_out=_counts(log.left_out),
        unjudged=_counts(log.unjudged),
        uncosted=_counts(uncosted),
        strays=log.strays,
        bad_lines=tuple(log.bad_lines),
        bad=log.bad,
        seed=question.seed,
        resamples=question.resamples,
    )


# -- tiers -----------------------------------------------------------------------------------


def _tiers(requests: Sequence[LoggedRequest], names: Sequence[str]) -> tuple[TierOutcomes, ...]:
    """The spec's tiers from the cheapest, then those that only the log has."""
    now = Counter(names[one.tier] for one in requests)
    logged = Counter(one.record.tier or NONE for one in requests)
    total = len(requests)
    found = []
    for name in dict.fromkeys((*names, *sorted(logged))):
        served = [one for one in requests if (one.record.tier or NONE) == name]
        rate = _rate(served)
        found.append(
            TierOutcomes(
                tier=name,
                now=now[name],
                now_share=_share(now[name], total),
                logged=logged[name],
                logged_share=_share(logged[name], total),
                judged=rate.judged,
                bad=rate.bad,
                rate=rate.rate,
                reasons=_counts(Counter(map(_reason, filter(_is_bad, served)))),
            )
        )
    return tuple(found)


def _rate(requests: Iterable[LoggedRequest]) -> Rate:
    judged = [one.verdict.is_bad for one in requests if one.verdict is not None]
    bad = sum(judged)
    return Rate(judged=len(judged), bad=bad, rate=_share(bad, len(judged)) if judged else None)


def _is_bad(one: LoggedRequest) -> bool:
    return one.verdict is not None and one.verdict.is_bad


def _reason(one: LoggedRequest) -> str:
    """Of a bad one: what its label rests on, or how it failed."""
    assert one.verdict is not None
    source = one.verdict.source
    return one.record.ending if source is Source.ERROR else source.value


def _share(count: int, total: int) -> Figure:
    found = share_interval(count, total)
    return Figure(value=count / total, low=found.low, high=found.high)


def _counts(counted: Mapping[str, int]) -> tuple[Count, ...]:
    ranked = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(Count(what=what, count=count) for what, count in ranked)


# -- order -----------------------------------------------------------------------------------


def _weak(question: LogQuestion) -> WeakOutcomes:
    names = tuple(tier.name for tier in question.dispatch.tiers[: question.strong_from])
    served = [
        one for one in question.log.requests if one.verdict is not None and one.record.tier in names
    ]
    whole = _rate(served)
    slot = next((name for name in LENGTHS if all(name in one.lengths for one in served)), None)
    figures: list[Figure] = []
    if 0 < whole.bad < whole.judged:
        labels = np.array([_is_bad(one) for one in served])
        counts = np.array([one.verdict.weight for one in served if one.verdict is not None])
        orders = [order(_ranks([one.key for one in served]))]
        if slot is not None:
            orders.append(order(np.array([float(one.lengths[slot]) for one in served])))

        def measured(weights: Numbers) -> Sequence[float]:
            found = [auroc(one, labels, counts * weights) for one in orders]
            return [*found, *(found[0] - other for other in found[1:])]

        figures = _drawn(question, served, measured)
    return WeakOutcomes(
        tiers=names,
        judged=whole.judged,
        bad=whole.bad,
        auroc=figures[0] if figures else None,
        length_slot=slot if len(figures) > 1 else None,
        length=figures[1] if len(figures) > 1 else None,
        difference=figures[2] if len(figures) > 1 else None,
        kept=_rate(one for one in served if one.tier < question.strong_from),
        raised=_rate(one for one in served if one.tier >= question.strong_from),
    )


def _ranks(keys: Sequence[tuple[int, int]]) -> Numbers:
    places = {key: float(number) for number, key in enumerate(sorted(set(keys)))}
    return np.array([places[key] for key in keys])


# -- cost ------------------------------------------------------------------------------------


def _costs(
    question: LogQuestion,
) -> tuple[list[LoggedRequest], list[tuple[float, ...]], Counter[str]]:
    """Requests, and USD of each by this spec, as paid, on the weakest and the strongest target.

    The last counts the others by reason.
    """
    dispatch = question.dispatch
    prices = [prices_of(target.price) for target in dispatch.targets]
    names = [target.name for target in dispatch.targets]
    ends = [_chain_first(dispatch, tier) for tier in (0, len(dispatch.tiers) - 1)]
    requests: list[LoggedRequest] = []
    costs: list[tuple[float, ...]] = []
    missing: Counter[str] = Counter()
    for one in question.log.requests:
        record = one.record
        if record.tokens is None:
            missing["no tokens were logged: no target served it"] += 1
            continue
        if record.cost_micro_usd is None:
            missing["what was paid for it is not known"] += 1
            continue
        usage = Usage(
            input=record.tokens.input,
            output=record.tokens.output,
            cache_read=record.tokens.cache_read,
            cache_write=record.tokens.cache_write,
        )
        sides = (_charged(one.decision), *ends)
        unknown = [names[one] for side in sides for one in side if prices[one] is None]
        if unknown:
            missing[f"no price is stated of {unknown[0]}"] += 1
            continue
        now, weak, strong = (_charge(usage, side, prices) / 1e6 for side in sides)
        requests.append(one)
        costs.append((now, record.cost_micro_usd / 1e6, weak, strong))
    return requests, costs, missing


def _charged(decision: Decision) -> dict[int, int]:
    """Who is tried first, by weight: one target, or any of a group whose order varies."""
    group = decision.groups[0]
    if decision.pick in STATIC:
        return {group[0]: 1}
    return {target: decision.weights.get(target, 1) for target in group}


def _charge(usage: Usage, side: Mapping[int, int], prices: Sequence[Prices | None]) -> float:
    """Micro-dollars: the mean by weight; of unknown prices nothing."""
    found = [(cost_of(usage, prices[target]), weight) for target, weight in side.items()]
    total = sum(cost.total * weight for cost, weight in found if cost is not None)
    return total / sum(side.values())


def _chain_first(dispatch: Dispatch, tier: int) -> dict[int, int]:
    """The target of a tier that stands for it: the first that is written."""
    return {dispatch.chains[dispatch.tiers[tier].chain].groups[0][0]: 1}


def _first_of(dispatch: Dispatch, tier: int) -> str:
    (target,) = _chain_first(dispatch, tier)
    return dispatch.targets[target].name


def _ways(
    question: LogQuestion, requests: Sequence[LoggedRequest], costs: Sequence[tuple[float, ...]]
) -> tuple[Way, ...]:
    if not costs:
        return ()
    amounts = np.array(costs)

    def means(weights: Numbers) -> Sequence[float]:
        found = weights @ amounts / weights.sum()
        return [*found, *(found[0] - found[1:])]

    figures = _drawn(question, requests, means)
    names = (NOW, PAID, "all weak", "all strong")
    return tuple(
        Way(name=name, cost=figures[place], less=figures[3 + place] if place else None)
        for place, name in enumerate(names)
    )


def _drawn(
    question: LogQuestion,
    requests: Sequence[LoggedRequest],
    measured: Callable[[Numbers], Sequence[float]],
) -> list[Figure]:
    """Figures of the requests, with the middle 95 % of the draws."""
    found = [measured(np.ones(len(requests)))]
    groups = _sessions(requests)
    found += [measured(weights) for weights in draws(groups, question.resamples, question.seed)]
    values = np.array(found)
    # A draw may hold no good outcome, or no bad one: it tells nothing.
    lows, highs = np.nanpercentile(values[1:], (2.5, 97.5), axis=0)
    return [
        Figure(value=float(value), low=float(low), high=float(high))
        for value, low, high in zip(values[0], lows, highs, strict=True)
    ]


def _sessions(requests: Sequence[LoggedRequest]) -> NDArray[np.intp]:
    """A number for each session; requests without one are apart."""
    numbers: dict[str | int, int] = {}
    return np.array(
        [
            numbers.setdefault(one.record.session or place, len(numbers))
            for place, one in enumerate(requests)
        ]
    )
