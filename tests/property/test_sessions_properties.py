"""Sessions under any memory and any history: order alone, as declared, and nobody else's."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.decide import Decision
from lynkrc_runtime.decide import Outcome as Verdict
from lynkrc_runtime.dispatch import Tier
from lynkrc_runtime.metering.settling import Settling
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.sessions.memory import Memory, is_step, pack
from lynkrc_runtime.sessions.remembered import Remembered
from lynkrc_runtime.settings import Sessions, Settings
from lynkrc_runtime.state.interface import StoreDown
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.telemetry.log import Log
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from tests.property.effort import tried
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES, Said, body, dispatch, provider, target

NAMES = ("a", "b", "c", "d")
PLACES = st.integers(0, len(NAMES) - 1)
TIERS = [Tier(name="LOW", up_to=30, chain=0), Tier(name="HIGH", up_to=None, chain=0)]
USED = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
DONE = {"type": "tool_result", "tool_use_id": "t1", "content": "found"}
TOOL = {"name": "look", "description": "looks", "input_schema": {"type": "object"}}
WITHIN = st.sampled_from(["turn", "session", "off"])


def sessions(store: Any, within: str, said: Said, *, reads: bool = True) -> Remembered:
    table = dispatch([provider("p", "simulator")], [target(name, 0) for name in NAMES])
    written: dict[str, Any] = {"within": within}
    table = replace(table, tiers=TIERS, settings=Settings(sessions=Sessions(**written)))
    log = Log(write=said.write, clock=lambda: 0.0)
    return Remembered(
        table,
        store,
        reads=reads,
        metrics=Metrics(version="0"),
        log=log,
        clock=lambda: 1000.0,
        writes=Settling(),
    )


def decision(targets: Sequence[int], tier: str = "LOW", score: int = 10) -> Decision:
    whole = tuple(targets)
    return Decision(
        outcome=Verdict.ROUTE, tier=tier, rule="score", score=score, targets=whole,
        groups=(whole,), pick="order", weights={}, deny=None, respond=None,
    )  # fmt: skip


def ended(at: int | None, ending: Ending = Ending.SERVED) -> Outcome:
    return Outcome(
        request_id="r", surface="messages", dialect=MESSAGES, model="auto", stream=False,
        ending=ending, status=200, seconds=1.0, tier="LOW", target=at,
    )  # fmt: skip


ORDERS = st.lists(PLACES, min_size=1, max_size=4, unique=True)
MEMORIES = st.builds(
    Memory,
    turns=st.integers(0, 9),
    target=st.sampled_from([*NAMES, "gone", None]),
    held=st.sampled_from(["LOW", "HIGH", "gone", None]),
    tier=st.sampled_from(["LOW", "gone", None]),
    failed=st.booleans(),
    prompt=st.integers(0, 2**63),
    warm=st.integers(0, 2**63),
    until=st.floats(),
    messages=st.integers(0, 9),
).map(pack)


SAYS = {"type": "text", "text": "Go on"}
TURNS: dict[str, list[dict[str, Any]]] = {
    MESSAGES: [
        {"role": "user", "content": "Look"},
        {"role": "user", "content": [SAYS]},
        {"role": "user", "content": [DONE]},
        {"role": "user", "content": [DONE, SAYS]},
        {"role": "user", "content": [SAYS, DONE]},
        {"role": "user", "content": []},
        {"role": "assistant", "content": [USED]},
        {"role": "assistant", "content": "Done"},
        {"role": "system", "content": "Mind this"},
    ],
    CHAT: [
        {"role": "user", "content": "Look"},
        {"role": "user", "content": [SAYS]},
        {"role": "tool", "tool_call_id": "t1", "content": "found"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        ]},
        {"role": "assistant", "content": "Done"},
        {"role": "system", "content": "Mind this"},
    ],
    RESPONSES: [
        {"role": "user", "content": "Look"},
        {"type": "function_call", "call_id": "t1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "t1", "output": "found"},
        {"type": "shell_call_output", "call_id": "t2", "output": []},
        {"role": "assistant", "content": "Done"},
        {"role": "developer", "content": "Mind this"},
    ],
}  # fmt: skip


@tried(200)
@given(st.data(), st.sampled_from(sorted(TURNS)))
def test_a_step_is_known_without_its_message(data: st.DataObject, dialect: str) -> None:
    turns = data.draw(st.lists(st.sampled_from(TURNS[dialect]), min_size=1, max_size=6))
    members = {"input" if dialect == RESPONSES else "messages": turns}
    try:
        request = CLIENT_DIALECTS[dialect].read_request(body(dialect, **members), {})
    except MalformedRequest:
        return
    known = is_step(request.messages)
    assert known == is_step(tuple(request.messages))


@dataclass
class Holds:
    """A store that holds these bytes under every key, or is down."""

    data: bytes | None
    down: bool

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        if self.down:
            raise StoreDown("away")
        return {} if self.data is None else dict.fromkeys(keys, self.data)

    async def put(self, *_: object) -> None:
        if self.down:
            raise StoreDown("away")


@tried(150)
@given(
    st.one_of(st.none(), st.binary(max_size=60), MEMORIES),
    st.booleans(),
    WITHIN,
    ORDERS,
    st.booleans(),
    st.sampled_from(Ending),
)
def test_any_memory_gives_an_order_of_what_was_decided(
    data: bytes | None,
    down: bool,
    within: str,
    targets: list[int],
    step: bool,
    ending: Ending,
) -> None:
    said = Said()
    members: dict[str, Any] = {"tools": [TOOL]}
    if step:
        members["messages"] = [
            {"role": "user", "content": "Look"},
            {"role": "assistant", "content": [USED]},
            {"role": "user", "content": [DONE]},
        ]
    request = CLIENT_DIALECTS[MESSAGES].read_request(body(**members), {})

    async def one() -> None:
        made = sessions(Holds(data, down), within, said)
        session = await made.find(request, {"session-id": "s"}, None)
        facts = session.facts
        assert facts.turn >= 0 and facts.warm_tokens >= 0
        tried = await session.order(decision(targets, "HIGH", 90), tuple(targets))
        assert sorted(tried) == sorted(targets)
        told = session.told
        assert told is not None
        # One target moved to the front, and it is the one told of; the others stay in order.
        kept = None if told["kept"] is None else NAMES.index(told["kept"])
        assert list(tried) == (
            targets if kept is None else [kept, *(one for one in targets if one != kept)]
        )
        session.settled(ended(targets[-1], ending))
        await asyncio.sleep(0)

    asyncio.run(one())
    assert {line["event"] for line in said.lines} <= {"session-unreadable"}


@dataclass
class Talk:
    """A conversation as its client has it."""

    name: str
    messages: list[dict[str, Any]] = field(default_factory=list)

    def asks(self, step: bool) -> bool:
        """Grows by one request; whether that is a step of a turn."""
        step = step and bool(self.messages)
        if self.messages:
            said = USED if step else {"type": "text", "text": "Done."}
            self.messages.append({"role": "assistant", "content": [said]})
        content = [DONE] if step else [{"type": "text", "text": f"Next of {self.name}"}]
        self.messages.append({"role": "user", "content": content})
        return step


MOVES = st.lists(
    st.tuples(st.booleans(), ORDERS, st.integers(0, 3), st.sampled_from(["ok", "ok", "ok", "bad"])),
    min_size=1,
    max_size=12,
)


@tried(80)
@given(MOVES, st.sampled_from(["turn", "session"]), st.booleans(), st.booleans())
def test_a_history_is_ordered_as_declared(
    moves: list[tuple[bool, list[int], int, str]], within: str, reads: bool, named: bool
) -> None:
    """Prices are not known, so what is kept is held, and the score drifts nowhere."""
    headers = {"session-id": "s"} if named else {}

    async def whole() -> None:
        made = sessions(MemoryStore(), within, Said(), reads=reads)
        talk, kept = Talk("one"), None
        for wants_step, targets, by, end in moves:
            step = talk.asks(wants_step)
            data = body(messages=talk.messages, tools=[TOOL])
            request = CLIENT_DIALECTS[MESSAGES].read_request(data, {})
            session = await made.find(request, headers, None)
            tried = await session.order(decision(targets), tuple(targets))
            keeps = kept in targets and (step or within == "session")
            assert tried[0] == (kept if keeps else targets[0]), session.told
            served = tried[by % len(tried)]
            good = end == "ok"
            session.settled(ended(served, Ending.SERVED if good else Ending.TRANSIENT))
            kept = served if good else None
            # Nothing of the store is waited for: what is on its way is known.

    asyncio.run(whole())


@tried(30)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), ORDERS, st.integers(0, 3)), max_size=14))
def test_what_one_key_does_changes_nothing_for_another(
    moves: list[tuple[bool, bool, list[int], int]],
) -> None:
    """Two keys with the very same requests, interleaved in one store, and each alone in its own."""

    async def played(store: MemoryStore, whose: tuple[bool, ...]) -> list[Any]:
        made = sessions(store, "session", Said())
        talks = {one: Talk("same") for one in (False, True)}
        seen = []
        for who, step, targets, by in moves:
            if who not in whose:
                continue
            talks[who].asks(step)
            data = body(messages=talks[who].messages, tools=[TOOL])
            request = CLIENT_DIALECTS[MESSAGES].read_request(data, {})
            caller = Caller(name=f"key-{who}")
            session = await made.find(request, {"session-id": "s"}, caller)
            tried = await session.order(decision(targets), tuple(targets))
            seen.append((who, tuple(tried), session.told, session.facts))
            session.settled(ended(tried[by % len(tried)]))
            await asyncio.sleep(0)
        return seen

    async def compared() -> None:
        both = await played(MemoryStore(), (False, True))
        for who in (False, True):
            alone = await played(MemoryStore(), (who,))
            assert [one for one in both if one[0] is who] == alone

    asyncio.run(compared())
