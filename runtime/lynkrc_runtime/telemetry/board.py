"""Ended requests to what the operators' page shows: the last of them, and sums by minute and hour.

All of it is in the memory of one process, within bounds, and gone with it. An entry is put into
words when somebody asks. It holds numbers and names of the spec, no text: where an upstream said
something of a failure, the words are made at once, without what it said.
"""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias, final

from lynkrc_runtime.cost import KINDS, micro_of
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.telemetry.outcome import Ending, Outcome, milliseconds

MOST: Final = 200
"""Requests that are kept."""
MINUTES: Final = 180
"""Minutes that are summed by themselves."""
HOURS: Final = 168
"""Hours that are summed by themselves: a week."""
NO_TIER: Final = ""
"""Under which requests without a tier are counted; no tier has an empty name."""

_MINUTE, _HOUR = 60, 3_600
_WELL = frozenset((Ending.SERVED, Ending.RESPONDED))

_Entry: TypeAlias = tuple[int, float, Dispatch, Outcome] | tuple[int, dict[str, Any]]
"""Its number, when it ended (Unix seconds), the bundle that served, and what became of it."""


@final
class Sums:
    """What was counted from `start` (Unix seconds) on; costs are micro-dollars by target.

    `failed` are the requests that ended neither served nor answered by a rule, `unpriced` the calls
    whose price is not known.
    """

    __slots__ = ("failed", "spend", "start", "tiers", "tokens", "unpriced")

    def __init__(self, start: int) -> None:
        self.start = start
        self.tiers: dict[str, int] = {}
        self.spend: dict[str, int] = {}
        self.failed = self.tokens = self.unpriced = 0

    def add(self, other: "Sums") -> None:
        """Count what the other has counted."""
        for tier, count in other.tiers.items():
            self.tiers[tier] = self.tiers.get(tier, 0) + count
        for target, cost in other.spend.items():
            self.spend[target] = self.spend.get(target, 0) + cost
        self.failed += other.failed
        self.tokens += other.tokens
        self.unpriced += other.unpriced

    @property
    def members(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@final
class Board:
    """What one process served of late. `clock` gives Unix seconds; `run` tells processes apart."""

    __slots__ = (
        "_clock",
        "_hours",
        "_kept",
        "_minutes",
        "_now",
        "_number",
        "_since",
        "_until",
        "run",
    )

    def __init__(self, clock: Callable[[], float] = time.time, *, most: int = MOST) -> None:
        self._clock = clock
        self._kept: deque[_Entry] = deque(maxlen=most)
        self._minutes: deque[Sums] = deque(maxlen=MINUTES - 1)
        self._hours: deque[Sums] = deque(maxlen=HOURS)
        self._now = Sums(0)
        # Of `_now`, as floats: the clock's moments are compared with them.
        self._since = self._until = 0.0
        self._number = 0
        self.run = secrets.token_hex(4)

    def settled(self, dispatch: Dispatch, outcome: Outcome) -> None:
        """A request has ended that this bundle served."""
        now = self._clock()
        if not self._since <= now < self._until:
            self._turn(int(now))
        number = self._number = self._number + 1
        sums, tier = self._now, outcome.tier or NO_TIER
        tiers = sums.tiers
        tiers[tier] = tiers.get(tier, 0) + 1
        if outcome.ending not in _WELL:
            sums.failed += 1
        entry: _Entry = (number, now, dispatch, outcome)
        for record in outcome.attempts:
            if record.failure is not None:
                entry = (number, _row(number, now, dispatch, outcome))
            charge = record.charge
            if charge is not None:
                usage, cost = charge.usage, charge.cost
                sums.tokens += usage.input + usage.output + usage.cache_read + usage.cache_write
                if cost is None:
                    sums.unpriced += 1
                else:
                    name = dispatch.targets[record.target].name
                    spend = sums.spend
                    spend[name] = spend.get(name, 0) + micro_of(cost)
        self._kept.append(entry)

    def _turn(self, now: int) -> None:
        """Another minute has begun; a clock that was set back is followed."""
        if self._now.tiers:
            self._minutes.append(self._now)
            hour = self._now.start // _HOUR * _HOUR
            if not self._hours or self._hours[-1].start != hour:
                self._hours.append(Sums(hour))
            self._hours[-1].add(self._now)
        start = now // _MINUTE * _MINUTE
        self._now = Sums(start)
        self._since, self._until = float(start), float(start + _MINUTE)

    def last(self, after: str = "") -> dict[str, Any]:
        """The last requests, newest first: those that came after a `cursor` told before.

        A cursor may join those of several processes by commas; one of another process is none.

        >>> board = Board(lambda: 0.0)
        >>> board.last(f"another-7,{board.run}-0") == {"cursor": f"{board.run}-0", "requests": []}
        True
        """
        known = 0
        for cursor in after.split(","):
            run, _, number = cursor.partition("-")
            if run == self.run and number.isascii() and number.isdigit() and len(number) < 16:
                known = int(number)
        rows = []
        for entry in reversed(self._kept):
            if entry[0] <= known:
                break
            rows.append(entry[1] if len(entry) == 2 else _row(*entry))
        return {"cursor": f"{self.run}-{self._number}", "requests": rows}

    def series(self) -> dict[str, Any]:
        """Sums of the last three hours by minute and of the last week by hour, oldest first.

        A minute or an hour in which nothing ended is not among them.
        """
        now = int(self._clock())
        return {
            "minutes": _joined((*self._minutes, self._now), _MINUTE, now - MINUTES * _MINUTE),
            "hours": _joined((*self._hours, self._now), _HOUR, now - HOURS * _HOUR),
        }


def _joined(found: Iterable[Sums], width: int, begin: int) -> list[dict[str, Any]]:
    """One for each span of `width` seconds after `begin` in which something ended."""
    spans: dict[int, Sums] = {}
    for one in found:
        start = one.start // width * width
        if one.tiers and start > begin:
            spans.setdefault(start, Sums(start)).add(one)
    return [spans[start].members for start in sorted(spans)]


def _row(number: int, ended: float, dispatch: Dispatch, outcome: Outcome) -> dict[str, Any]:
    target = None if outcome.target is None else dispatch.targets[outcome.target]
    cost, usage = outcome.cost, outcome.usage
    first = outcome.first_byte
    return {
        "number": number,
        "time": int(ended * 1000),
        "request_id": outcome.request_id,
        "surface": outcome.surface,
        "stream": outcome.stream,
        "key": outcome.key,
        "team": outcome.team,
        "tier": outcome.tier,
        "rule": outcome.rule,
        "score": outcome.score,
        "target": None if target is None else target.name,
        "model": None if target is None else target.model,
        "fallback": outcome.fallback,
        "status": outcome.status,
        "class": outcome.ending,
        "attempts": [
            {
                "target": dispatch.targets[record.target].name,
                "result": record.result,
                "fault": record.fault,
                "class": None if record.failure is None else record.failure.kind.value,
                "status": None if record.failure is None else record.failure.status,
                "duration_ms": milliseconds(record.seconds),
            }
            for record in outcome.attempts
        ],
        "tokens": None if usage is None else {kind: getattr(usage, kind) for kind in KINDS},
        "cost_micro_usd": None if cost is None else cost.total,
        "estimated": outcome.is_estimated,
        "duration_ms": milliseconds(outcome.seconds),
        "first_byte_ms": None if first is None else milliseconds(first),
    }
