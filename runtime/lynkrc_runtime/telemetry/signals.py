"""The requests of a session, one after the other, to what each tells of the one before.

A user who asks the same again was not served well, and neither was one whose tools failed on what
the answer made of them. Both are weak: people repeat themselves for other reasons, and a tool fails
on a test that is red. Nothing is told that a later request does not say by itself.

What is remembered is numbers, ids and keyed hashes, in the memory of one process, for a while.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TypeAlias, final

from msgspec import Struct

from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from lynkrc_runtime.usage_record import Signal

TTL = 3_600.0
"""Seconds after which what follows says nothing of a request."""
MOST = 10_000
"""Conversations at a time."""
TURNS = 3
"""Turns of a conversation that are remembered: so far back an ask is known again."""
LONG = 20
"""Characters of an ask that is nobody's by chance: "yes" and "go on" are said again and again."""


@final
class Step(Struct, frozen=True, kw_only=True, gc=False):
    """One request of a conversation, as far as signals need it.

    `conversation` and `ask` are digests; `ask` is None without words of the user. `size` is the
    characters of the ask, `place` the message in which it begins, `messages` their number.
    `begins_turn`: the user's words come last. `failed_after` is the index at which the last answer
    begins, where a tool failed since, else None. `may_repeat`: the same words again would be the
    user's doing.
    """

    conversation: bytes
    ask: bytes | None
    size: int
    place: int
    messages: int
    begins_turn: bool
    failed_after: int | None
    may_repeat: bool


@final
class Judged(Struct, frozen=True, kw_only=True, gc=False):
    """A request that something is said of: whose it was, and the digest of its bundle."""

    request_id: str
    key: str | None
    bundle: str


Noticed: TypeAlias = tuple[Judged, Signal]


@final
class _Turn(Struct, frozen=True, kw_only=True, gc=False):
    """A turn; `last` is the request whose answer the user saw last, None where there was none."""

    ask: bytes
    place: int
    last: Judged | None


@final
class _Known(Struct, frozen=True, kw_only=True, gc=False):
    """What is remembered of a conversation: its last request, and its last turns in order."""

    ended: float
    messages: int
    last: Judged | None
    turns: tuple[_Turn, ...]


@final
class Signals:
    """The conversations of one process; `clock` gives seconds."""

    __slots__ = ("_clock", "_known", "_most")

    def __init__(self, clock: Callable[[], float], *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        # In the order their last requests ended.
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def settled(self, step: Step, outcome: Outcome, bundle: str) -> list[Noticed]:
        """A request has ended: what it tells of those before it."""
        now = self._clock()
        known = self._known.pop(step.conversation, None)
        if known is not None and known.ended + TTL <= now:
            known = None
        found: list[Noticed] = []
        if known is not None and known.ended <= now - outcome.seconds:
            # What arrived before the last one had ended cannot be about it.
            found.extend(_noticed(known, step))
        judged = None
        if outcome.ending is Ending.SERVED:
            judged = Judged(request_id=outcome.request_id, key=outcome.key, bundle=bundle)
        turns = () if known is None else known.turns
        self._known[step.conversation] = _Known(
            ended=now, messages=step.messages, last=judged, turns=_turns(turns, step, judged)
        )
        self._forget(now)
        return found

    def _forget(self, now: float) -> None:
        known = self._known
        while len(known) > self._most or next(iter(known.values())).ended + TTL <= now:
            known.popitem(last=False)

    def __len__(self) -> int:
        return len(self._known)


def _noticed(known: _Known, step: Step) -> Iterator[Noticed]:
    failed = step.failed_after
    # Right behind the last request: an answer further on is to one that another worker served.
    if known.last is not None and failed == known.messages:
        yield known.last, Signal.TOOL_ERROR
    if not (step.begins_turn and step.may_repeat):
        return
    for turn in reversed(known.turns):
        if turn.ask == step.ask and turn.place <= step.place:
            if turn.last is not None and (turn.place == step.place or step.size >= LONG):
                yield turn.last, Signal.USER_RETRY
            return


def _turns(turns: tuple[_Turn, ...], step: Step, judged: Judged | None) -> tuple[_Turn, ...]:
    """The turns after a step; what a user went back behind is gone."""
    if step.ask is None:
        return turns
    before = tuple([turn for turn in turns if turn.place < step.place])
    return (*before[1 - TURNS :], _Turn(ask=step.ask, place=step.place, last=judged))
