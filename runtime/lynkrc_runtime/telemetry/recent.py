"""What the last requests used, for their callers to ask; kept for a while, within bounds.

An entry is put into words when somebody asks. It holds numbers and names of the spec, no text:
where an upstream said something of a failure, the words are made at once, without what it said.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeAlias, final

from lynkrc_runtime.cost import KINDS, Charge, in_usd
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.protocol.conversation import Usage
from lynkrc_runtime.telemetry.outcome import Outcome, milliseconds

TTL = 3_600.0
"""Seconds an entry is kept."""
MOST = 10_000
"""Entries at a time."""

_Entry: TypeAlias = tuple[float, Dispatch, str, Outcome] | tuple[float, dict[str, Any]]
"""Until when it is kept, the bundle that served with its digest, and what became of the request."""


@final
class Recent:
    """The last requests by caller and id; the oldest go first. `clock` gives seconds."""

    __slots__ = ("_clock", "_due", "_kept", "_most")

    def __init__(self, clock: Callable[[], float], *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._due = 0.0
        """Nothing that is kept is too old before then."""
        # In the order they ended, so what is too old stands first.
        self._kept: OrderedDict[tuple[str | None, str], _Entry] = OrderedDict()

    def settled(self, dispatch: Dispatch, digest: str, outcome: Outcome) -> None:
        """A request has ended that this bundle served."""
        identity, kept = (outcome.key, outcome.request_id), self._kept
        if identity in kept:
            del kept[identity]
        clock = self._clock
        now = clock()
        entry: _Entry = (now + TTL, dispatch, digest, outcome)
        for record in outcome.attempts:
            if record.failure is not None:
                entry = (now + TTL, _told(dispatch, digest, outcome))
                break
        kept[identity] = entry
        if len(kept) > self._most or now >= self._due:
            if len(kept) > self._most or self._oldest()[1] <= now:
                kept.popitem(last=False)
            self._due = self._oldest()[1]

    def get(self, key: str | None, request_id: str) -> dict[str, Any] | None:
        """What a request of the caller used; None for one that is not there, or no longer."""
        now = self._clock()
        while self._kept:
            identity, until = self._oldest()
            if until > now:
                break
            del self._kept[identity]
        match self._kept.get((key, request_id)):
            case None:
                return None
            case _, told:
                return told
            case _, dispatch, digest, outcome:
                return _told(dispatch, digest, outcome)

    def _oldest(self) -> tuple[tuple[str | None, str], float]:
        identity = next(iter(self._kept))
        return identity, self._kept[identity][0]

    def __len__(self) -> int:
        return len(self._kept)


def _told(dispatch: Dispatch, digest: str, outcome: Outcome) -> dict[str, Any]:
    target = None if outcome.target is None else dispatch.targets[outcome.target]
    cost = outcome.cost
    return {
        "request_id": outcome.request_id,
        "bundle": digest,
        "surface": outcome.surface,
        "stream": outcome.stream,
        "status": outcome.status,
        "class": outcome.ending,
        "tier": outcome.tier,
        "rule": outcome.rule,
        "target": None if target is None else target.name,
        "model": None if target is None else target.model,
        "fallback": outcome.fallback,
        "attempts": [
            {
                "target": dispatch.targets[record.target].name,
                "result": record.result,
                "class": None if record.failure is None else record.failure.kind.value,
                "status": None if record.failure is None else record.failure.status,
                "duration_ms": milliseconds(record.seconds),
                **_charged(record.charge),
            }
            for record in outcome.attempts
        ],
        "tokens": None if outcome.usage is None else _tokens(outcome.usage),
        "cost_usd": None if cost is None else in_usd(cost.total),
        "cost_micro_usd": None if cost is None else cost.total,
        "estimated": outcome.is_estimated,
        "duration_ms": milliseconds(outcome.seconds),
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
