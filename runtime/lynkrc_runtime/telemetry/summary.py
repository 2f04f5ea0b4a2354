"""Samples of metrics to the few numbers a person asks for.

Quantiles are read off a histogram's buckets: the true value lies in the bucket that is
interpolated, and above the last bucket nothing is known but that.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any

from lynkrc_runtime.telemetry.metrics import NONE, Family, Sample


def summary(families: Iterable[Family]) -> dict[str, Any]:
    """Requests by class, shares of tiers, latency, tokens, cost and what runs now."""
    samples: dict[str, list[Sample]] = {}
    for _, _, _, found in families:
        for sample in found:
            samples.setdefault(sample[0], []).append(sample)
    requests = samples.get("lynkr_requests_total", [])
    tiers = _by(requests, "tier")
    tiered = sum(count for tier, count in tiers.items() if tier != NONE)
    return {
        "requests": {"total": _sum(requests), "by_class": _by(requests, "class")},
        "tiers": {
            tier: {"requests": count, "share": round(count / tiered, 4)}
            for tier, count in tiers.items()
            if tier != NONE
        },
        "targets": {name: n for name, n in _by(requests, "target").items() if name != NONE},
        "latency_seconds": _quantiles(samples.get("lynkr_request_seconds_bucket", [])),
        "first_byte_seconds": _quantiles(samples.get("lynkr_first_byte_seconds_bucket", [])),
        "retries": _sum(samples.get("lynkr_retries_total", [])),
        "fallbacks": _sum(samples.get("lynkr_fallbacks_total", [])),
        "refused": _by(samples.get("lynkr_refused_total", []), "status"),
        "side_calls": _by(samples.get("lynkr_side_calls_total", []), "surface"),
        "tokens": _by(samples.get("lynkr_tokens_total", []), "kind"),
        "cost_micro_usd": _sum(samples.get("lynkr_cost_micro_usd_total", [])),
        "unpriced_calls": _sum(samples.get("lynkr_unpriced_calls_total", [])),
        "in_flight": _sum(samples.get("lynkr_requests_in_flight", [])),
        "lost_records": _by(samples.get("lynkr_records_lost", []), "of"),
    }


def _sum(samples: Sequence[Sample]) -> int:
    return round(sum(value for _, _, value in samples))


def _by(samples: Sequence[Sample], label: str) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for _, labels, value in samples:
        counted[labels[label]] += round(value)
    return dict(sorted(counted.items()))


def _quantiles(buckets: Sequence[Sample]) -> dict[str, float | None]:
    """Seconds at the median and at 95 %; None where nothing was measured."""
    counts: Counter[float] = Counter()
    for _, labels, value in buckets:
        counts[float(labels["le"])] += round(value)
    return {name: quantile(counts, share) for name, share in (("p50", 0.5), ("p95", 0.95))}


def quantile(counts: Mapping[float, int], share: float) -> float | None:
    """The value below which a share lies, by cumulative counts up to each bound.

    >>> quantile({1.0: 0, 2.0: 10, inf: 10}, 0.5)
    1.5
    """
    total = counts.get(inf, 0)
    if not total:
        return None
    low, below = 0.0, 0
    for bound, count in sorted(counts.items()):
        if count >= share * total:
            if bound == inf:
                return low
            return round(low + (bound - low) * (share * total - below) / (count - below), 4)
        low, below = bound, count
    return low
