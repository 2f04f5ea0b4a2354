"""What a session's next request tells of the one before: said again, a tool that failed."""

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.sessions.steps import Noticing, Placing
from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from lynkrc_runtime.telemetry.signals import MOST, TTL, Signals, Step
from lynkrc_runtime.telemetry.usage_log import UsageLog
from lynkrc_runtime.usage_record import RequestLine, Signal, SignalLine
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    Said,
    Script,
    Scripted,
    ask,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.test_usage_log import lines

NAMED = {"session-id": "s-1"}
ASKED = "please mend the parser of dates"
RETRY, TOOL = Signal.USER_RETRY, Signal.TOOL_ERROR


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def said(text: str = "done") -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def called(*ids: str) -> dict[str, Any]:
    calls = [{"type": "tool_use", "id": one, "name": "run", "input": {}} for one in ids]
    return {"role": "assistant", "content": calls}


def results(**failed: bool) -> dict[str, Any]:
    blocks = [
        {"type": "tool_result", "tool_use_id": one, "content": "out", "is_error": is_error}
        for one, is_error in failed.items()
    ]
    return {"role": "user", "content": blocks}


@dataclass
class Desk:
    """A gateway with a usage log, and a clock that goes on by a second a request."""

    path: Path
    served: Gateway
    now: float = 1_000.0
    count: int = 0
    stack: ExitStack = field(default_factory=ExitStack)

    async def tell(
        self,
        *messages: dict[str, Any],
        headers: dict[str, str] | None = None,
        caller: Caller | None = None,
        dialect: str = MESSAGES,
    ) -> str:
        self.count += 1
        self.now += 1
        identity = f"r{self.count}"
        body = {"model": "auto", "max_tokens": 9, "messages": list(messages)}
        await ask(
            self.served,
            msgspec.json.encode(body),
            dialect,
            headers=NAMED if headers is None else headers,
            caller=caller,
            request_id=identity,
        )
        return identity

    def signals(self) -> list[tuple[str, Signal]]:
        self.stack.close()
        return [
            (line.request_id, line.signal)
            for line in lines(self.path)
            if isinstance(line, SignalLine)
        ]


def desk(path: Path, http: Scripted | None = None) -> Desk:
    kind = "simulator" if http is None else "anthropic-compatible"
    made = policy(dispatch([provider("sim", kind, retries=0)], [target("t", 0)]))
    base = gateway(made, Said(), http=http)
    stack = ExitStack()
    log = UsageLog(path / "usage.jsonl", made.dispatch, made.digest, log=base.log)
    desk = Desk(path / "usage.jsonl", base, stack=stack)
    signals = Signals(lambda: desk.now)
    desk.served = replace(
        base,
        usage_log=stack.enter_context(log),
        noticing=Noticing(placing=Placing(made.dispatch), signals=signals),
    )
    return desk


async def test_the_same_asked_again_is_about_the_answer_to_it(tmp_path: Path) -> None:
    at = desk(tmp_path)
    first = await at.tell(user(ASKED))
    again = await at.tell(user(ASKED))
    await at.tell(user("what else is there"))
    await at.tell(user("something else altogether"), said(), user(ASKED))
    assert at.signals() == [(first, RETRY)]
    records = [line for line in lines(at.path) if isinstance(line, RequestLine)]
    assert records[1].request_id == again
    assert records[0].session == records[1].session
    assert records[0].session is not None and len(records[0].session) == 16


async def test_the_last_answer_of_a_turn_is_what_the_user_saw(tmp_path: Path) -> None:
    at = desk(tmp_path)
    begun = (user(ASKED), called("a"), results(a=False))
    await at.tell(user(ASKED))
    last = await at.tell(*begun)
    turn = (*begun, said())
    await at.tell(*turn, user("and one thing more"))
    await at.tell(*turn, user("and one thing more"), said(), user(ASKED))
    assert at.signals() == [(last, RETRY)]


async def test_short_words_are_said_again_and_again(tmp_path: Path) -> None:
    at = desk(tmp_path)
    await at.tell(user(ASKED), said(), user("go on"))
    repeated = await at.tell(user(ASKED), said(), user("go on"), said(), user("go on"))
    await at.tell(user(ASKED), said(), user("go on"), said(), user("go on"))
    assert at.signals() == [(repeated, RETRY)]


async def test_a_tool_that_failed_is_about_the_answer_that_called_it(tmp_path: Path) -> None:
    at = desk(tmp_path)
    first = await at.tell(user(ASKED))
    step = (user(ASKED), called("a", "b"), results(a=False, b=True))
    await at.tell(*step)
    # The failure is still in the history, and no news.
    await at.tell(*step, called("c"), results(c=False))
    await at.tell(*step, called("c"), results(c=False))
    assert at.signals() == [(first, TOOL)]


async def test_a_tool_that_an_answer_seen_elsewhere_called_is_about_none_here(
    tmp_path: Path,
) -> None:
    at = desk(tmp_path)
    await at.tell(user(ASKED))
    # Another worker answered between.
    begun = (user(ASKED), called("a"), results(a=False))
    await at.tell(*begun, called("b"), results(b=True))
    assert at.signals() == []


async def test_an_answer_in_several_messages_is_one(tmp_path: Path) -> None:
    at = desk(tmp_path)
    first = await at.tell(user(ASKED))
    await at.tell(user(ASKED), said("I look"), called("a"), results(a=True))
    assert at.signals() == [(first, TOOL)]


async def test_what_a_client_repeats_by_itself_is_no_user(tmp_path: Path) -> None:
    at = desk(tmp_path)
    await at.tell(user(ASKED))
    await at.tell(user(ASKED), headers=NAMED | {"x-stainless-retry-count": "1"})
    assert at.signals() == []


async def test_without_a_name_only_what_follows_an_answer_goes_on(tmp_path: Path) -> None:
    at = desk(tmp_path)
    for _ in range(2):  # a program that asks the same in each of its runs
        await at.tell(user(ASKED), headers={})
        await at.tell(user(ASKED), said(), user("why"), headers={})
    assert at.count == 4
    second = f"r{at.count}"
    await at.tell(user(ASKED), said(), user("why"), headers={})
    assert at.signals() == [(second, RETRY)]


async def test_sessions_of_two_callers_are_two(tmp_path: Path) -> None:
    at = desk(tmp_path)
    await at.tell(user(ASKED), caller=Caller(name="red"))
    await at.tell(user(ASKED), caller=Caller(name="blue"))
    await at.tell(user(ASKED), headers=NAMED | {"x-api-key": "one"})
    await at.tell(user(ASKED), headers=NAMED | {"x-api-key": "two"})
    mine = await at.tell(user(ASKED), caller=Caller(name="red"))
    assert at.signals() == [("r1", RETRY)]
    keys = [(line.request_id, line.key) for line in lines(at.path) if isinstance(line, SignalLine)]
    assert keys == [("r1", "red")]
    assert mine == "r5"


async def test_what_failed_is_not_judged_by_what_follows(tmp_path: Path) -> None:
    at = desk(tmp_path, Scripted({"t": [Script(fault=Fault.CONNECT)] * 2}))
    await at.tell(user(ASKED))
    await at.tell(user(ASKED))
    assert at.signals() == []
    assert [one.ending for one in lines(at.path) if isinstance(one, RequestLine)] == [
        "transient",
        "transient",
    ]


async def test_no_word_of_a_session_comes_into_the_log(tmp_path: Path) -> None:
    at = desk(tmp_path)
    headers = {"session-id": "planted-session", "x-api-key": "planted-key"}
    chat = [user(f"planted {ASKED}"), said("planted answer"), user("planted ask that is long")]
    for dialect in (MESSAGES, CHAT):
        for _ in range(2):
            await at.tell(*chat, headers=headers, dialect=dialect)
    # Two dialects, one conversation: what was said is the same.
    assert [signal for _, signal in at.signals()] == [RETRY] * 3
    assert "planted" not in at.path.read_text()


def step(conversation: bytes = b"c", **members: Any) -> Step:
    usual: dict[str, Any] = {
        "conversation": conversation,
        "ask": b"words",
        "size": 40,
        "place": 0,
        "messages": 1,
        "begins_turn": True,
        "failed_after": None,
        "may_repeat": True,
    }
    return Step(**(usual | members))


def ended(identity: str, *, seconds: float = 0.5) -> Outcome:
    return Outcome(
        request_id=identity,
        surface="messages",
        dialect=MESSAGES,
        model="auto",
        stream=False,
        ending=Ending.SERVED,
        status=200,
        seconds=seconds,
    )


def test_what_ran_at_the_same_time_is_no_answer_to_it() -> None:
    now = [100.0]
    signals = Signals(lambda: now[0])
    assert signals.settled(step(), ended("a"), "d") == []
    now[0] += 1
    assert signals.settled(step(), ended("b", seconds=2.0), "d") == []
    now[0] += 1
    (found,) = signals.settled(step(), ended("c"), "e")
    assert (found[0].request_id, found[0].bundle, found[1]) == ("b", "d", RETRY)


def test_what_is_remembered_has_bounds() -> None:
    now = [0.0]
    signals = Signals(lambda: now[0], most=3)
    for number in range(5):
        signals.settled(step(bytes([number])), ended("a"), "d")
    assert len(signals) == 3
    now[0] = TTL + 1
    assert signals.settled(step(bytes([4])), ended("b"), "d") == []
    assert len(signals) == 1
    assert MOST <= 10_000
    for place in range(10):
        now[0] += 1
        signals.settled(
            step(place=2 * place, ask=bytes([place]), messages=2 * place + 1), ended("x"), "d"
        )
    now[0] += 1
    forgotten = step(place=40, ask=bytes([1]), messages=41)
    assert signals.settled(forgotten, ended("y"), "d") == []
