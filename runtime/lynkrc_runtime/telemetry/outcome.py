"""What happened to one request: the single record headers, log line and metrics are made from."""

from enum import StrEnum
from typing import final

from msgspec import Struct

from lynkrc_runtime.attempt import AttemptRecord
from lynkrc_runtime.cost import Charge, Cost, total_of
from lynkrc_runtime.protocol.conversation import FailureClass, Stop, Usage


class Ending(StrEnum):
    """How a request ended; a failure's class where the whole chain failed."""

    SERVED = "served"
    RESPONDED = "responded"
    """Answered with a rule's words, by no target."""
    ABORTED = "aborted"
    """The client went away."""
    BROKEN = "broken"
    """The answer broke off after its first bytes had reached the client."""
    MALFORMED = "malformed"
    DENIED = "denied"
    REFUSED = "refused"
    TRANSIENT = "transient"
    THROTTLED = "throttled"
    MISFIT = "misfit"
    OURS = "ours"
    CALLERS = "callers"
    SPENT = "spent"
    """A budget is spent."""
    LIMITED = "limited"
    """Over a rate of ours."""
    FORBIDDEN = "forbidden"
    """The caller's key does not reach what was decided."""
    UNAVAILABLE = "unavailable"
    """The store of counts is down, and the spec says to refuse then."""
    INTERNAL = "internal"
    """A mistake of the gateway."""


ENDING_OF = {
    FailureClass.TRANSIENT: Ending.TRANSIENT,
    FailureClass.THROTTLED: Ending.THROTTLED,
    FailureClass.MISFIT: Ending.MISFIT,
    FailureClass.OURS: Ending.OURS,
    FailureClass.CALLERS: Ending.CALLERS,
    FailureClass.SPENT: Ending.SPENT,
}


@final
class Outcome(Struct, frozen=True, gc=False):
    """Everything there is to tell about an ended request. It holds no text of anybody's.

    `vector` is what was decided on, in slot order, and `verdict` (route, deny, respond or refuse)
    how; None before that. `target` is the index of the target that served, or broke; `status` the
    HTTP status the client saw (0: none); `seconds` from its arrival to its end, `first_byte` to the
    begin of a streamed answer; `usage` what that target reported, `stop` why its answer ended. What
    was spent is the sum over the attempts, failed ones too. `transforms` were made to the request,
    `losses` name what of the answer the client's dialect has no place for.
    `key`, `team` and `tenant` are the caller's, None in open mode. `client` is the profile that
    fits, where metrics tell clients apart.
    """

    request_id: str
    surface: str
    dialect: str
    model: str
    stream: bool
    ending: Ending
    status: int
    seconds: float
    first_byte: float | None = None
    tier: str | None = None
    rule: str | None = None
    score: int | None = None
    verdict: str | None = None
    vector: tuple[int, ...] | None = None
    target: int | None = None
    fallback: bool = False
    calls: int = 0
    attempts: tuple[AttemptRecord, ...] = ()
    usage: Usage | None = None
    stop: Stop | None = None
    transforms: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    key: str | None = None
    team: str | None = None
    tenant: str | None = None
    client: str | None = None

    @property
    def charges(self) -> tuple[Charge, ...]:
        """What the attempts were charged."""
        return tuple([record.charge for record in self.attempts if record.charge is not None])

    @property
    def cost(self) -> Cost | None:
        """What the request cost; None where the price of a target it was charged for is unknown."""
        return total_of(self.charges)

    @property
    def is_estimated(self) -> bool:
        """Whether any of it is estimated."""
        return any(one.estimated for one in self.charges)


def milliseconds(seconds: float) -> float:
    """A span (0 or more) as everything that is told of a request has it: to the tenth.

    >>> milliseconds(0.01234)
    12.3
    """
    # As floats: `round` goes by way of text, and integers are divided with care.
    return (seconds * 10_000 + 0.5) // 1.0 / 10.0
