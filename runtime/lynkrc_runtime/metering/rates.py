"""The limits of a spec and a caller to the windows its requests are counted in."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, final

from msgspec import Struct

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.metering.owners import owner_in_words, owner_of
from lynkrc_runtime.protocol.conversation import Failure, FailureClass
from lynkrc_runtime.settings import Limit
from lynkrc_runtime.state.interface import Taken, Window

What: TypeAlias = Literal["requests", "tokens"]


@final
class Rate(Struct, frozen=True, kw_only=True):
    """One count of a limit, for one owner: at most `most` of `what` in `within` seconds."""

    name: str
    owner: str
    what: What
    most: int
    within: float

    def window(self, amount: int) -> Window:
        """So much more of it."""
        key = f"rate:{self.name}:{self.what}:{self.owner}"
        return Window(key=key, limit=self.most, within=self.within, amount=amount)


def rates_of(limits: Sequence[Limit], caller: Caller | None) -> tuple[Rate, ...]:
    """What a caller's requests are counted by, in the order of the spec."""
    rates = []
    for limit in limits:
        owner = owner_of(caller, limit.per, limit.only)
        if owner is None:
            continue
        counts: tuple[tuple[What, int | None], ...] = (
            ("requests", limit.requests),
            ("tokens", limit.tokens),
        )
        rates += [
            Rate(name=limit.name, owner=owner, what=what, most=most, within=limit.within)
            for what, most in counts
            if most is not None
        ]
    return tuple(rates)


def over_rate(rate: Rate, taken: Taken, amount: int) -> Failure:
    """What the client of a request hears that is over a rate; `amount` is what it asked for."""
    limit = (
        f"limit {rate.name}: at most {rate.most:,} {rate.what} in {_span(rate.within)} "
        f"for {owner_in_words(rate.owner)}"
    )
    if taken.wait is None:
        # No wait makes room for it: it is told without `retry-after`.
        limit += f"; this request alone has about {amount:,}"
    return Failure(
        kind=FailureClass.THROTTLED,
        status=429,
        message=limit,
        code="rate_limit_exceeded",
        retry_after=taken.wait,
    )


def _span(seconds: float) -> str:
    for name, length in (("hour", 3600.0), ("minute", 60.0)):
        if seconds >= length and seconds % length == 0:
            count = int(seconds // length)
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"
