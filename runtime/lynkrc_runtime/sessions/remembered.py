"""Requests to their sessions, by what a store remembers.

A session is order alone: where the store is down, or what it holds cannot be read, the request is
served as if its session were new, whatever the spec says of failures, and that is counted.
What is not read is not asked for: within turns, where no rule reads of sessions, only requests
with tools can go on, and only those that do ask the store.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.ask import markers_of
from lynkrc_runtime.clients import Profile
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
    if settings.within == "off" and not reads:
        return NoSessions()
    return Remembered(
        dispatch, store, reads=reads, metrics=metrics, log=log, clock=clock, writes=writes
    )


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
            [Profile(client) for client in dispatch.clients],
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
        messages = request.messages
        step = is_step(messages)
        if not self._whole and not (step or request.tools):
            return ALONE
        identity = self._recogniser.identify(request, headers, caller)
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
        count = len(messages)
        recalled = Recalled(
            memory=memory,
            step=step,
            continues=continues and memory is not None,
            fewer=memory is not None and count < memory.messages,
            now=self._clock(),
        )
        return _Remembered(self, identity, recalled, count)

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
class _Remembered:
    """One request of a session."""

    __slots__ = ("_choice", "_identity", "_messages", "_recalled", "_sessions")

    def __init__(
        self, sessions: Remembered, identity: Identity, recalled: Recalled, messages: int
    ) -> None:
        self._sessions = sessions
        self._identity = identity
        self._recalled = recalled
        self._messages = messages
        self._choice: Choice | None = None

    @property
    def _seen(self) -> Seen:
        recalled = self._recalled
        memory = recalled.memory
        goes_on = recalled.continues and memory is not None
        return Seen(
            step=recalled.step and goes_on,
            again=goes_on and memory is not None and memory.messages == self._messages,
            messages=self._messages,
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

    def order(self, decision: Decision, targets: Sequence[int]) -> Sequence[int]:
        """See `Session`."""
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
        if choice is None:
            return None
        sessions, memory = self._sessions, self._recalled.memory
        name = None if choice.kept is None else sessions.dispatch.targets[choice.kept].name
        return {
            "within": sessions.keeper.within,
            "named": self._identity.is_named,
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
            sessions.put(self._identity, pack(memory))
