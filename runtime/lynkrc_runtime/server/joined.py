"""What each worker tells operators to what one gateway tells: readiness, breakers, a summary.

Workers are named by their numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from lynkrc_runtime.resilience.breaker import State
from lynkrc_runtime.telemetry.board import MOST, Sums
from lynkrc_runtime.telemetry.fetches import Fetches

Told: TypeAlias = Sequence[tuple[int, Mapping[str, Any]]]
"""What workers told, by their numbers."""

_WORSE: Final = (State.CLOSED.value, State.HALF_OPEN.value, State.OPEN.value)
_SPANS: Final = ("throttled_for", "misconfigured_for")


def readiness(
    told: Sequence[tuple[int, Mapping[str, Any]]],
    *,
    wanted: int,
    trouble: str | None,
    is_stopping: bool,
    bundle: str,
    name: str,
    fetches: Fetches | None = None,
) -> tuple[int, dict[str, Any]]:
    """Status and members: ready with every worker, degraded with some, or after a failed reload.

    `told` are statuses and members of workers' own answers; `trouble` is why a reload failed,
    `fetches` how asking a server for the bundle goes.
    """
    able = [members for code, members in told if code == 200]
    members = [one for _, one in told]
    answer: dict[str, Any] = {
        "status": "ready",
        "bundle": bundle,
        "name": name,
        "engine": members[0].get("engine") if members else None,
        "kernel": members[0].get("kernel") if members else None,
        "degraded": [],
        "workers": {"wanted": wanted, "ready": len(able)},
    }
    worse = _each(name for one in members for name in one.get("degraded", ()))
    reasons = _each(str(one["reason"]) for one in members if "reason" in one)
    if trouble is not None:
        worse = _each((*worse, "reload"))
        reasons.append(f"the last reload failed: {trouble}")
    if fetches is not None:
        worse += fetches.degraded
        reasons += fetches.degraded.values()
    if len(able) < wanted:
        worse.append("workers")
        reasons.append(f"{len(able)} of {wanted} workers are ready")
    answer["degraded"] = worse
    notices = _each(str(notice) for one in members for notice in one.get("notices", ()))
    if notices:
        answer["notices"] = notices
    if reasons:
        answer["reason"] = "; ".join(reasons)
    if is_stopping:
        return 503, answer | {"status": "draining"}
    if not able:
        return 503, answer | {"status": members[0].get("status") if members else "starting"}
    return 200, answer | {"status": "degraded" if worse else "ready"}


def breakers(told: Told) -> dict[str, Any]:
    """Each target as the worker has it that fares worst with it; `workers` has all of them.

    >>> one = {"target": "t", "state": "closed", "failures": 4, "throttled_for": 2.0}
    >>> two = {"target": "t", "state": "open", "failures": 5, "throttled_for": None}
    >>> (joined,) = breakers([(1, {"targets": [one]}), (2, {"targets": [two]})])["targets"]
    >>> joined["state"], joined["failures"], joined["throttled_for"]
    ('open', 5, 2.0)
    >>> [worker["state"] for worker in joined["workers"].values()]
    ['closed', 'open']
    """
    by_target: dict[str, dict[int, Mapping[str, Any]]] = {}
    for number, members in told:
        for report in members["targets"]:
            by_target.setdefault(report["target"], {})[number] = report
    return {"targets": [_joined(found) for found in by_target.values()]}


def _joined(found: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    worst = max(found.values(), key=lambda one: (_WORSE.index(one["state"]), one["failures"]))
    spans = {name: [one[name] for one in found.values() if one.get(name)] for name in _SPANS}
    return {
        **worst,
        **{name: max(given) for name, given in spans.items() if given},
        "outlier": any(one.get("outlier") for one in found.values()),
        "workers": {
            str(number): {name: value for name, value in one.items() if name != "target"}
            for number, one in found.items()
        },
    }


def last(told: Told) -> dict[str, Any]:
    """The last requests of all, newest first, and where each worker stands.

    >>> one = {"cursor": "a-1", "requests": [{"time": 5}]}
    >>> last([(1, one), (2, {"cursor": "b-9", "requests": [{"time": 7}]})])["cursor"]
    'a-1,b-9'
    """
    rows = [{**row, "worker": number} for number, one in told for row in one["requests"]]
    rows.sort(key=lambda row: row["time"], reverse=True)
    return {"cursor": ",".join(one["cursor"] for _, one in told), "requests": rows[:MOST]}


def board(told: Told) -> dict[str, Any]:
    """Sums of all; budgets and stores are shared, so the first tells of them."""
    _, first = told[0]
    series = {
        name: _summed(bucket for _, one in told for bucket in one["series"][name])
        for name in first["series"]
    }
    running = sum(one["running"] for _, one in told)
    started = min(one["started"] for _, one in told)
    return {**first, "series": series, "running": running, "started": started}


def _summed(buckets: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Buckets of several workers, one for each start."""
    found: dict[int, Sums] = {}
    for one in buckets:
        sums = Sums(one["start"])
        for name in ("tiers", "spend", "failed", "tokens", "unpriced"):
            setattr(sums, name, one[name])
        found.setdefault(sums.start, Sums(sums.start)).add(sums)
    return [found[start].members for start in sorted(found)]


def states(joined: Mapping[str, Any]) -> dict[str, Any]:
    """Of joined breakers the states alone: the worst of each target, and each worker's."""
    return {
        one["target"]: {
            "state": one["state"],
            "workers": {number: has["state"] for number, has in one["workers"].items()},
        }
        for one in joined["targets"]
    }


def _each(names: Iterable[str]) -> list[str]:
    """Every name once, in the order they come."""
    return list(dict.fromkeys(names))
