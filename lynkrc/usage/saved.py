"""The records of a usage log to what was spent and saved against one flagship, by tier.

*Spent* is what all attempts of a request cost, failed ones too. *There* is what the tokens of the
answer that served cost at the flagship's prices, whoever served it: another model would have
written more or fewer of them. What no target served costs nothing there, which counts against us.
Whatever cannot be compared is in neither, and counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import final

from lynkrc.diff.replayed import BadLine
from lynkrc_runtime.cost import Prices, cost_of
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.protocol.conversation import Usage
from lynkrc_runtime.usage_record import GapLine, Line, RequestLine

NONE = "(none)"
"""The tier of requests that have none: denied, pinned to one target, or never decided."""
_BROKEN = "broken"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flagship:
    """The target that everything is compared with; its prices in USD a million tokens, as text."""

    target: str
    price: tuple[str, str, str, str]
    """input, output, cache_read, cache_write."""
    prices: Prices


@final
@dataclass(slots=True, kw_only=True)
class Part:
    """Requests of one tier, or all; money in micro-dollars.

    `input` (read from or written to a cache included) and `output` are tokens of answers that are
    compared. `priced` requests have a known cost; `amounts` has (spent, there) of theirs, added up
    by session, since requests of one are alike. `errors` were answered with a status of 400 or
    more, or broke off.
    """

    requests: int = 0
    errors: int = 0
    input: int = 0
    output: int = 0
    spent: int = 0
    there: int = 0
    priced: int = 0
    amounts: dict[str | int, tuple[int, int]] = field(default_factory=dict)

    @property
    def saved(self) -> int:
        """Less than 0 where more was spent than the flagship would have cost."""
        return self.there - self.spent


@final
@dataclass(slots=True, kw_only=True)
class Saved:
    """A log, added up; ``total.requests`` is the sum over `tiers`, first the spec's.

    `unpriced` requests of those have no known cost, and are in no amount. `unserved` have a cost
    though no target served them, `unserved_cost` together; they cost nothing there. `estimated`
    have a cost that is in part estimated. `embeddings` are in no tier: no flagship makes them.
    `lost` were never written, `outside` not asked about; `bad` lines are no records.
    """

    flagship: Flagship
    total: Part = field(default_factory=Part)
    tiers: dict[str, Part] = field(default_factory=dict)
    unpriced: int = 0
    unserved: int = 0
    unserved_cost: int = 0
    estimated: int = 0
    embeddings: int = 0
    embeddings_cost: int = 0
    embeddings_unpriced: int = 0
    lost: int = 0
    outside: int = 0
    first: str | None = None
    last: str | None = None
    bad: list[BadLine] = field(default_factory=list)


def is_within(time: str, since: datetime | None, until: datetime | None) -> bool:
    """Whether a record's time, ISO 8601 with a zone, is in ``since <= time < until``."""
    ended = datetime.fromisoformat(time)
    return not ((since and ended < since) or (until and ended >= until))


def during(
    lines: Iterable[Line | BadLine], since: datetime | None, until: datetime | None
) -> Iterator[Line | BadLine]:
    """The lines of that time; those that describe a bundle or are no records are of all times."""
    for line in lines:
        if not isinstance(line, RequestLine | GapLine) or is_within(line.time, since, until):
            yield line


def saved(
    lines: Iterable[Line | BadLine],
    flagship: Flagship,
    *,
    tiers: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Saved:
    """Add up the requests that ended in ``since <= time < until``.

    `lines` are as `lynkrc.diff.logged.read_lines` gives them: their times are good. `tiers` stand
    first, in this order, where the log has them.
    """
    found = Saved(flagship=flagship)
    for line in lines:
        match line:
            case BadLine():
                found.bad.append(line)
            case RequestLine() if is_within(line.time, since, until):
                _add(found, line)
            case GapLine() if is_within(line.time, since, until):
                found.lost += line.requests
            case RequestLine():
                found.outside += 1
            case GapLine():
                found.outside += line.requests
            case _:
                pass  # it describes a bundle, or says something of a request that is here
    named = [name for name in tiers if name in found.tiers]
    found.tiers = {name: found.tiers[name] for name in dict.fromkeys((*named, *found.tiers))}
    return found


def _add(found: Saved, record: RequestLine) -> None:
    found.first = min(found.first or record.time, record.time)
    found.last = max(found.last or record.time, record.time)
    cost = record.cost_micro_usd
    if record.surface == EMBEDDINGS:
        found.embeddings += 1
        found.embeddings_cost += cost or 0
        found.embeddings_unpriced += cost is None
        return
    parts = found.total, found.tiers.setdefault(record.tier or NONE, Part())
    is_error = record.status >= 400 or record.ending == _BROKEN
    for part in parts:
        part.requests += 1
        part.errors += is_error
    if cost is None:
        found.unpriced += 1
        return
    found.estimated += record.estimated
    used = Usage()
    if record.tokens is None:
        found.unserved += cost > 0
        found.unserved_cost += cost
    else:
        used = Usage(
            input=record.tokens.input,
            output=record.tokens.output,
            cache_read=record.tokens.cache_read,
            cache_write=record.tokens.cache_write,
        )
    there = cost_of(used, found.flagship.prices)
    assert there is not None
    # Without a session a request is one by itself.
    session = record.session or found.total.requests
    for part in parts:
        before = part.amounts.get(session, (0, 0))
        part.amounts[session] = before[0] + cost, before[1] + there.total
        part.priced += 1
        part.input += used.input + used.cache_read + used.cache_write
        part.output += used.output
        part.spent += cost
        part.there += there.total
