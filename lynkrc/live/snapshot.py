"""A gateway's metrics to the counts of one moment, and two moments to what happened between.

All workers of a gateway are in them: a supervisor adds up what each has counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

Sample: TypeAlias = tuple[str, Mapping[str, str], float]
"""A series' name, labels and value."""

FINE = frozenset({"served", "responded", "aborted"})
"""Endings that are no errors: answered, or nobody waited for it."""
_NONE = "none"


@final
@dataclass(slots=True, kw_only=True)
class Counts:
    """What a target or tier did; money in micro-dollars, tokens in whole.

    Of a target `requests` are those it served or broke, `failed` its attempts that failed.
    """

    requests: int = 0
    failed: int = 0
    attempts: int = 0
    fallbacks: int = 0
    input: int = 0
    output: int = 0
    cost: int = 0
    breaker: str = ""


_NOTHING = Counts()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The counts since a gateway's start, at `at` seconds of any clock that only goes on.

    `buckets` has the requests that took up to so many seconds.
    """

    at: float
    name: str
    uptime: int
    workers: tuple[int, int] | None = None
    """Those ready, and those wanted; None of a gateway that is one process."""
    degraded: tuple[str, ...] = ()
    requests: int = 0
    errors: int = 0
    in_flight: int = 0
    cost: int = 0
    unpriced: int = 0
    targets: Mapping[str, Counts] = field(default_factory=dict)
    tiers: Mapping[str, Counts] = field(default_factory=dict)
    buckets: Mapping[float, int] = field(default_factory=dict)


def snapshot(at: float, summary: Mapping[str, Any], samples: Iterable[Sample]) -> Snapshot:
    """Of what ``/metrics/observability`` and ``/metrics`` tell. KeyError for what is neither."""
    targets: dict[str, Counts] = {}
    tiers: dict[str, Counts] = {}
    buckets: Counter[float] = Counter()
    errors = 0

    def of(target: str) -> Counts:
        return targets.setdefault(target, Counts())

    for name, labels, value in samples:
        count = round(value)
        match name:
            case "lynkr_requests_total":
                is_error = labels["class"] not in FINE
                errors += count * is_error
                if labels["target"] != _NONE:
                    of(labels["target"]).requests += count
                tier = tiers.setdefault(labels["tier"], Counts())
                tier.requests += count
                tier.failed += count * is_error
            case "lynkr_attempts_total":
                of(labels["target"]).attempts += count
                of(labels["target"]).failed += count * (labels["class"] != _NONE)
            case "lynkr_fallbacks_total":
                of(labels["target"]).fallbacks += count
            case "lynkr_tokens_total":
                if labels["kind"] == "output":
                    of(labels["target"]).output += count
                else:
                    of(labels["target"]).input += count
            case "lynkr_cost_micro_usd_total":
                of(labels["target"]).cost += count
            case "lynkr_breaker_state":
                of(labels["target"]).breaker = ("closed", "half-open", "open")[count]
            case "lynkr_request_seconds_bucket":
                buckets[float(labels["le"])] += count
            case _:
                pass
    workers = summary.get("workers")
    return Snapshot(
        at=at,
        name=summary["name"],
        uptime=summary["uptime_seconds"],
        workers=None if workers is None else (workers["ready"], workers["wanted"]),
        degraded=tuple(summary["degraded"]),
        requests=summary["requests"]["total"],
        errors=errors,
        in_flight=summary["in_flight"],
        cost=summary["cost_micro_usd"],
        unpriced=summary["unpriced_calls"],
        targets=targets,
        tiers={name: one for name, one in tiers.items() if name != _NONE},
        buckets=buckets,
    )


def is_after(new: Snapshot, old: Snapshot) -> bool:
    """Whether `new` counts on from `old`: not after a restart, nor for another policy.

    A worker that was killed takes its last counts with it, while the gateway stays up.
    """
    counted = ((new.targets, old.targets), (new.tiers, old.tiers))
    return (
        new.name == old.name
        and new.uptime >= old.uptime
        and new.requests >= old.requests
        and all(
            now.get(name, _NOTHING).requests >= was.requests
            for now, then in counted
            for name, was in then.items()
        )
    )


def between(new: Snapshot, old: Snapshot) -> Mapping[float, int]:
    """The buckets of the requests that ended between two moments."""
    return {
        bound: max(0, count - old.buckets.get(bound, 0)) for bound, count in new.buckets.items()
    }
