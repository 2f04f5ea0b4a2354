"""The records of a usage log to sums by tier, target, key, day and the like. No clock, no files.

Tokens and cost are sums over all attempts of a request, as in the gateway's metrics. Counting
tokens is no request; what was turned away before it was read is in no usage log.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias, final

from lynkrc.diff.replayed import BadLine
from lynkrc_runtime.cost import Prices, cost_of
from lynkrc_runtime.protocol.conversation import Usage
from lynkrc_runtime.usage_record import (
    BundleLine,
    FeedbackLine,
    GapLine,
    Line,
    RequestLine,
    SignalLine,
)

NONE = "(none)"
"""The group of requests that have no such thing: no tier where a rule denied, no key."""

Group: TypeAlias = Callable[[RequestLine], str | None]

BY: Mapping[str, Group] = MappingProxyType(
    {
        "tier": lambda record: record.tier,
        "target": lambda record: record.target,
        "model": lambda record: record.model,
        "rule": lambda record: record.rule,
        "key": lambda record: record.key,
        "team": lambda record: record.team,
        "tenant": lambda record: record.tenant,
        "surface": lambda record: record.surface,
        "class": lambda record: record.ending,
        "bundle": lambda record: record.bundle[:12],
        "day": lambda record: record.time[:10],
    }
)
"""What requests may be told apart by; days are of UTC."""

_BROKEN = "broken"


@final
@dataclass(slots=True, kw_only=True)
class Sum:
    """Requests added up; money in micro-dollars.

    `errors` were answered with a status of 400 or more, or broke off. `unpriced` have a cost that
    is not known and is in no sum, `priced` the others. `estimated` have a cost that is in part.
    """

    requests: int = 0
    errors: int = 0
    fallbacks: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost: int = 0
    priced: int = 0
    unpriced: int = 0
    estimated: int = 0

    def add(self, record: RequestLine) -> None:
        """One request more."""
        self.requests += 1
        self.errors += record.status >= 400 or record.ending == _BROKEN
        self.fallbacks += record.fallback
        for attempt in record.attempts:
            tokens = attempt.tokens
            if tokens is not None:
                self.input += tokens.input
                self.output += tokens.output
                self.cache_read += tokens.cache_read
                self.cache_write += tokens.cache_write
        if record.cost_micro_usd is None:
            self.unpriced += 1
        else:
            self.priced += 1
            self.cost += record.cost_micro_usd
        self.estimated += record.estimated

    @property
    def average(self) -> int | None:
        """Micro-dollars a request whose cost is known; None where there is none."""
        return (self.cost + self.priced // 2) // self.priced if self.priced else None


@final
@dataclass(slots=True, kw_only=True)
class Against:
    """What the same tokens cost at one target's prices, next to what was paid; micro-dollars.

    `requests` are those in it: a target served them, and their cost is known. The tokens are those
    of the answer that served; the other model might have needed more, or fewer.
    """

    target: str
    requests: int = 0
    left_out: int = 0
    paid: int = 0
    would: int = 0

    def add(self, record: RequestLine, prices: Prices) -> None:
        """One request more."""
        tokens = record.tokens
        found = None
        if tokens is not None and record.cost_micro_usd is not None:
            usage = Usage(
                input=tokens.input,
                output=tokens.output,
                cache_read=tokens.cache_read,
                cache_write=tokens.cache_write,
            )
            found = cost_of(usage, prices)
        if found is None or record.cost_micro_usd is None:
            self.left_out += 1
            return
        self.requests += 1
        self.paid += record.cost_micro_usd
        self.would += found.total


@final
@dataclass(slots=True, kw_only=True)
class Spent:
    """A log, added up. `lost` requests were never written, `outside` not asked about.

    `by` has one key of `BY` or two, `groups` a name for each. `first` and `last` are when the
    requests in it ended; `bad` are lines that are no records.
    """

    by: tuple[str, ...]
    total: Sum = field(default_factory=Sum)
    groups: dict[tuple[str, ...], Sum] = field(default_factory=dict)
    against: Against | None = None
    lost: int = 0
    outside: int = 0
    first: str | None = None
    last: str | None = None
    bad: list[BadLine] = field(default_factory=list)


def spent(
    lines: Iterable[Line | BadLine],
    *,
    by: tuple[str, ...],
    since: datetime | None = None,
    until: datetime | None = None,
    against: tuple[str, Prices] | None = None,
) -> Spent:
    """Add up the requests that ended in ``since <= time < until``.

    `lines` are as `lynkrc.diff.logged.read_lines` gives them: their times are good.
    """
    groups = [BY[one] for one in by]
    found = Spent(by=by, against=None if against is None else Against(target=against[0]))
    for line in lines:
        match line:
            case BadLine():
                found.bad.append(line)
            case BundleLine() | FeedbackLine() | SignalLine():
                pass
            case GapLine() | RequestLine():
                ended = datetime.fromisoformat(line.time)
                count = line.requests if isinstance(line, GapLine) else 1
                if (since and ended < since) or (until and ended >= until):
                    found.outside += count
                elif isinstance(line, GapLine):
                    found.lost += count
                else:
                    names = tuple([group(line) or NONE for group in groups])
                    _add(found, line, names, against)
    return found


def _add(
    found: Spent,
    record: RequestLine,
    names: tuple[str, ...],
    against: tuple[str, Prices] | None,
) -> None:
    found.total.add(record)
    found.groups.setdefault(names, Sum()).add(record)
    found.first = min(found.first or record.time, record.time)
    found.last = max(found.last or record.time, record.time)
    if found.against is not None and against is not None:
        found.against.add(record, against[1])
