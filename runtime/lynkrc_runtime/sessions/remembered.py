"""Requests to their sessions, by what a store remembers.

A session is order alone: where the store is down, or what it holds cannot be read, the request is
served as if its session were new, whatever the spec says of failures, and that is counted.
What is not read is not asked for: where no rule reads of sessions, nothing is remembered of a spec
that never decides on two targets; and within turns only requests with tools can go on, of which
only those that do, with targets to choose among, ask the store.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from msgspec import Struct

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.ask import markers_of
from lynkrc_runtime.clients import Clients
from lynkrc_runtime.decide import Decision
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.metering.settling import Settling
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.reading import SessionFacts
from lynkrc_runtime.sessions.identity import Identity, Recogniser
from lynkrc_runtime.sessions.interface import ALONE, NoSessions, Session, Sessions
from lynkrc_runtime.sessions.keep import Choice, Keeper, Recalled
from lynkrc_runtime.sessions.memory import Seen, begins, is_step, pack, remember, unpack
from lynkrc_runtime.state.interface import Store, StoreDown
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.outcome import Outcome

TTL = 21_600.0
"""Seconds an idle session is remembered, where the spec does not say otherwise."""

_FEATURES = "session."


def open_sessions(
    dispatch: Dispatch,
    store: Store,
    *,
    metrics: Metrics,
    log: Log,
    clock: Callable[[], float],
    writes: Settling,
) -> Sessions:
    """The sessions of a bundle; `clock` gives Unix seconds. `writes` are waited for at the end."""
    settings = dispatch.settings.sessions
    reads = any(slot.feature.startswith(_FEATURES) for slot in dispatch.slots)
    if not reads and (settings.within == "off" or not _has_orders(dispatch)):
        return NoSessions()
    return Remembered(
        dispatch, store, reads=reads, metrics=metrics, log=log, clock=clock, writes=writes
    )


def _has_orders(dispatch: Dispatch) -> bool:
    """Whether any request can have two targets: what is decided is always a part of one chain."""
    return any(sum(map(len, chain.groups)) > 1 for chain in dispatch.chains)


@final
class Remembered:
    """Sessions that are remembered in a store."""

    __slots__ = (
        "_clock",
        "_log",
        "_metrics",
        "_recogniser",
        "_store",
        "_ttl",
        "_whole",
        "_writes",
        "_writing",
        "dispatch",
        "keeper",
    )

    def __init__(
        self,
        dispatch: Dispatch,
        store: Store,
        *,
        reads: bool,
        metrics: Metrics,
        log: Log,
        clock: Callable[[], float],
        writes: Settling,
    ) -> None:
        settings = dispatch.settings.sessions
        self.dispatch = dispatch
        self.keeper = Keeper(dispatch, settings)
        self._store = store
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._ttl = TTL if settings.ttl is None else settings.ttl
        self._whole = reads or settings.within == "session"
        """Whether more is to be known than the target of a turn."""
        self._recogniser = Recogniser(
            markers_of(dispatch.clients),
            Clients(dispatch.clients),
            whole=self._whole,
            lends=any(one.rest.forwards_credentials for one in dispatch.providers),
        )
        self._writing: dict[str, bytes] = {}
        """What is on its way to the store: the next request must not come before it."""
        self._writes = writes

    async def find(
        self, request: Request, headers: Mapping[str, str], caller: Caller | None
    ) -> Session:
        """See `Sessions`."""
        step = is_step(request.messages)
        if not self._whole and not (step or request.tools):
            return ALONE
        asked = _Asked(request=request, headers=headers, caller=caller, step=step)
        found = _Remembered(self, asked)
        if self._whole:
            await found.recall()
        return found

    def identify(self, asked: "_Asked") -> Identity:
        """The names of what is remembered."""
        return self._recogniser.identify(asked.request, asked.headers, asked.caller)

    async def recall(self, asked: "_Asked", identity: Identity) -> Recalled:
        """What is known of it; a step of a turn asks the store, and what belongs to a session."""
        messages, step = asked.request.messages, asked.step
        found: Mapping[str, bytes] = {}
        if step if not self._whole else identity.is_named or not begins(messages):
            found = await self._get(identity)
        continues = identity.conversation in found
        data = found.get(identity.conversation)
        if data is None and identity.session is not None:
            data = found.get(identity.session)
        memory = None if data is None else unpack(data)
        if data is not None and memory is None:
            self._log.line(Level.WARNING, "session-unreadable", bytes=len(data))
        return Recalled(
            memory=memory,
            step=step,
            continues=continues and memory is not None,
            fewer=memory is not None and len(messages) < memory.messages,
            now=self._clock(),
        )

    async def _get(self, identity: Identity) -> Mapping[str, bytes]:
        writing = self._writing
        if identity.conversation in writing:
            return {identity.conversation: writing[identity.conversation]}
        session = identity.session
        keys = (identity.conversation,) if session is None else (identity.conversation, session)
        try:
            found = await self._store.get(keys)
        except StoreDown:
            self._metrics.session_lost()
            return {}
        if session in writing:
            return {**found, session: writing[session]}
        return found

    def put(self, identity: Identity, data: bytes) -> None:
        """Remember it, in the background where that takes time. Returns at once."""
        values = {identity.conversation: data}
        if identity.session is not None:
            values[identity.session] = data
        if isinstance(self._store, MemoryStore):
            self._store.keep(values, self._ttl)
            return
        self._writing |= values

        async def write() -> None:
            await self._store.put(values, self._ttl)
            self._written(values)

        def lost(_: str) -> None:
            self._metrics.session_lost()
            self._written(values)

        self._writes.submit(write, lost, again=False)

    def _written(self, values: Mapping[str, bytes]) -> None:
        for key, data in values.items():
            if self._writing.get(key) is data:
                del self._writing[key]

    def now(self) -> float:
        """Unix seconds."""
        return self._clock()


@final
class _Asked(Struct, frozen=True, kw_only=True, gc=False):
    """A request, and whether it is a step of a turn."""

    request: Request
    headers: Mapping[str, str]
    caller: Caller | None
    step: bool


@final
class _Remembered:
    """One request of a session.

    Its names are worked out, and what is remembered is read, where something comes of it.
    """

    __slots__ = ("_asked", "_choice", "_identity", "_is_recalled", "_recalled", "_sessions")

    def __init__(self, sessions: Remembered, asked: _Asked) -> None:
        self._sessions = sessions
        self._asked = asked
        self._identity: Identity | None = None
        self._is_recalled = not asked.step
        """Whether the store has nothing more to say: within turns it is asked in their midst."""
        self._recalled = Recalled(
            memory=None, step=asked.step, continues=False, fewer=False, now=0.0
        )
        self._choice: Choice | None = None

    async def recall(self) -> None:
        """Read what is remembered."""
        self._recalled = await self._sessions.recall(self._asked, self._named())
        self._is_recalled = True

    def _named(self) -> Identity:
        if self._identity is None:
            self._identity = self._sessions.identify(self._asked)
        return self._identity

    @property
    def _seen(self) -> Seen:
        recalled, messages = self._recalled, len(self._asked.request.messages)
        memory = recalled.memory
        goes_on = recalled.continues and memory is not None
        return Seen(
            step=recalled.step and goes_on,
            again=goes_on and memory is not None and memory.messages == messages,
            messages=messages,
        )

    @property
    def facts(self) -> SessionFacts:
        """See `Session`."""
        recalled, memory = self._recalled, self._recalled.memory
        if memory is None:
            return SessionFacts()
        seen = self._seen
        within = seen.step or seen.again
        return SessionFacts(
            turn=max(0, memory.turns - 1) if within else memory.turns,
            tier=memory.tier,
            # A cache holds beginnings: another conversation finds nothing there.
            warm_tokens=memory.warm_at(recalled.now) if recalled.continues else 0,
        )

    async def order(self, decision: Decision, targets: Sequence[int]) -> Sequence[int]:
        """See `Session`."""
        if not self._is_recalled and len(targets) > 1:
            await self.recall()
        choice = self._sessions.keeper.choose(self._recalled, decision, targets)
        self._choice = choice
        kept = choice.kept
        if kept is None or targets[0] == kept:
            return targets
        rest = list(targets)
        rest.remove(kept)
        return [kept, *rest]

    @property
    def told(self) -> Mapping[str, Any] | None:
        """See `Session`."""
        choice = self._choice
        if choice is None or not self._is_recalled:
            return None
        sessions, memory = self._sessions, self._recalled.memory
        name = None if choice.kept is None else sessions.dispatch.targets[choice.kept].name
        return {
            "within": sessions.keeper.within,
            "named": self._named().is_named,
            "kept": name,
            "reason": choice.reason.value,
            "turn": None if memory is None else self.facts.turn,
            "numbers": dict(choice.numbers),
        }

    def settled(self, outcome: Outcome) -> None:
        """See `Session`."""
        choice = self._choice
        if choice is None:
            return
        sessions = self._sessions
        memory = remember(
            self._recalled.memory,
            self._seen,
            outcome,
            dispatch=sessions.dispatch,
            costs=sessions.keeper.costs,
            kept=choice.kept is not None,
            now=sessions.now(),
        )
        if memory is not None:
            sessions.put(self._named(), pack(memory))
