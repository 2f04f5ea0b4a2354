"""What the last requests used, for their callers to ask; kept for a while, within bounds.

An entry holds numbers and names of the spec, no text: what an upstream said of a failure stays out.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeAlias, final

from lynkrc_runtime.cost import KINDS, Charge, in_usd
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.protocol.conversation import Usage
from lynkrc_runtime.telemetry.outcome import Outcome

TTL = 600.0
"""Seconds an entry is kept."""
MOST = 10_000
"""Entries at a time."""

_Entry: TypeAlias = tuple[float, dict[str, Any]]


@final
class Recent:
    """The last requests by caller and id; the oldest go first. `clock` gives seconds."""

    __slots__ = ("_clock", "_kept", "_most")

    def __init__(self, clock: Callable[[], float], *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        # In the order they ended, so what is too old stands first.
        self._kept: OrderedDict[tuple[str | None, str], _Entry] = OrderedDict()

    def settled(self, dispatch: Dispatch, outcome: Outcome) -> None:
        """A request has ended."""
        identity = outcome.key, outcome.request_id
        self._kept.pop(identity, None)
        self._kept[identity] = (self._clock() + TTL, _told(dispatch, outcome))
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get(self, key: str | None, request_id: str) -> dict[str, Any] | None:
        """What a request of the caller used; None for one that is not there, or no longer."""
        now = self._clock()
        while self._kept:
            identity, (until, _) = next(iter(self._kept.items()))
            if until > now:
                break
            del self._kept[identity]
        found = self._kept.get((key, request_id))
        return None if found is None else found[1]

    def __len__(self) -> int:
        return len(self._kept)


def _told(dispatch: Dispatch, outcome: Outcome) -> dict[str, Any]:
    target = None if outcome.target is None else dispatch.targets[outcome.target]
    cost = outcome.cost
    return {
        "request_id": outcome.request_id,
        "surface": outcome.surface,
        "stream": outcome.stream,
        "status": outcome.status,
        "class": outcome.ending.value,
        "tier": outcome.tier,
        "rule": outcome.rule,
        "target": None if target is None else target.name,
        "model": None if target is None else target.model,
        "fallback": outcome.fallback,
        "attempts": [
            {
                "target": dispatch.targets[record.target].name,
                "result": record.result.value,
                "class": None if record.failure is None else record.failure.kind.value,
                "status": None if record.failure is None else record.failure.status,
                "duration_ms": round(record.seconds * 1000, 1),
                **_charged(record.charge),
            }
            for record in outcome.attempts
        ],
        "tokens": None if outcome.usage is None else _tokens(outcome.usage),
        "cost_usd": None if cost is None else in_usd(cost.total),
        "cost_micro_usd": None if cost is None else cost.total,
        "estimated": outcome.is_estimated,
        "duration_ms": round(outcome.seconds * 1000, 1),
    }


def _charged(charge: Charge | None) -> dict[str, Any]:
    if charge is None:
        return {"tokens": None, "cost_micro_usd": None}
    return {
        "tokens": _tokens(charge.usage),
        "cost_micro_usd": None if charge.cost is None else charge.cost.total,
    }


def _tokens(usage: Usage) -> dict[str, int]:
    return {kind: getattr(usage, kind) for kind in KINDS}
