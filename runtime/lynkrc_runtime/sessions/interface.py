"""What a request asks of its session: what is remembered of it, and whom it stays with.

A gateway has one `Sessions`; each request gets a `Session` of it. Where sessions are off, or a
request belongs to none, it is `ALONE`, which remembers nothing. State enters only as features and
as order: a session never adds a target, it moves one of those decided to the front.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, final

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.decide import Decision
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.reading import SessionFacts
from lynkrc_runtime.telemetry.outcome import Outcome


class Session(Protocol):
    """One request's session."""

    @property
    def facts(self) -> SessionFacts:
        """What features read of it."""
        ...

    async def order(self, decision: Decision, targets: Sequence[int], /) -> Sequence[int]:
        """The decided targets (indices, in the order they would be tried) as they are tried."""
        ...

    @property
    def told(self) -> Mapping[str, Any] | None:
        """Why `order` said what it said, for the trace: names and numbers alone.

        None if alone, or where there was nothing to order, so that nothing was asked.
        """
        ...

    def settled(self, outcome: Outcome) -> None:
        """The request has ended. Returns at once."""
        ...


class Sessions(Protocol):
    """The sessions of one bundle."""

    async def find(
        self, request: Request, headers: Mapping[str, str], caller: Caller | None
    ) -> Session:
        """The session of a request; `headers` have lower-case names."""
        ...


@final
class _Alone:
    """A request of no session."""

    facts = SessionFacts()
    told = None

    async def order(self, _: Decision, targets: Sequence[int]) -> Sequence[int]:
        """See `Session`."""
        return targets

    def settled(self, *_: object, **__: object) -> None:
        """See `Session`."""


ALONE: Session = _Alone()


@final
class NoSessions:
    """Sessions that are off."""

    async def find(self, *_: object, **__: object) -> Session:
        """See `Sessions`."""
        return ALONE
