"""What is remembered and decided, to the target that goes first: each reason and number."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from lynkrc_runtime.attempt import AttemptRecord, Result
from lynkrc_runtime.cost import Charge
from lynkrc_runtime.decide import Decision
from lynkrc_runtime.decide import Outcome as Verdict
from lynkrc_runtime.dispatch import Dispatch, Price, Tier
from lynkrc_runtime.protocol.conversation import Message, Opaque, Role, Usage
from lynkrc_runtime.sessions.keep import Choice, Keeper, Reason, Recalled, weigh
from lynkrc_runtime.sessions.memory import (
    CACHE_TIME,
    LONG_CACHE_TIME,
    Memory,
    Seen,
    costs_of,
    is_step,
    remember,
    unpack,
)
from lynkrc_runtime.settings import Sessions
from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from tests.runtime.by_hand import MESSAGES, dispatch, provider, target

CACHED = ["tools", "prompt_cache"]
CLAUDE = Price(input="3", output="15", cache_read="0.3", cache_write="3.75")
SMALL = Price(input="1", output="5", cache_read="0.1", cache_write="1.25")
PLAIN = Price(input="0.2", output="0.8", cache_read="0.2", cache_write="0.2")
GPT = Price(input="2", output="8", cache_read="0.5", cache_write="2")

TABLE: Dispatch = replace(
    dispatch(
        [provider("p", "simulator")],
        [
            target("claude", 0, capabilities=CACHED, price=CLAUDE),
            target("small", 0, capabilities=CACHED, price=SMALL),
            target("plain", 0, price=PLAIN),
            target("gpt", 0, capabilities=CACHED, price=GPT),
            target("unpriced", 0, capabilities=CACHED),
            target("free", 0, price=Price(input="0", output="0", cache_read="0", cache_write="0")),
        ],
    ),
    tiers=[
        Tier(name="LOW", up_to=20, chain=0),
        Tier(name="MIDDLE", up_to=60, chain=0),
        Tier(name="HIGH", up_to=None, chain=0),
    ],
)
CLAUDE_AT, SMALL_AT, PLAIN_AT, GPT_AT, UNPRICED_AT, FREE_AT = range(6)
ALL = tuple(range(6))


def decision(tier: str | None = "LOW", score: int | None = 10, rule: str = "score") -> Decision:
    return Decision(
        outcome=Verdict.ROUTE, tier=tier, rule=rule, score=score, targets=ALL, groups=(ALL,),
        pick="order", weights={}, deny=None, respond=None,
    )  # fmt: skip


def recalled(memory: Memory | None, **more: Any) -> Recalled:
    values: dict[str, Any] = {"step": False, "continues": True, "fewer": False, "now": 1000.0}
    return Recalled(memory=memory, **(values | more))


def chosen(
    memory: Memory | None,
    within: str = "session",
    *,
    decided: Decision | None = None,
    targets: tuple[int, ...] = ALL,
    settings: dict[str, Any] | None = None,
    **more: Any,
) -> Choice:
    written: dict[str, Any] = {"within": within} | (settings or {})
    keeper = Keeper(TABLE, Sessions(**written))
    return keeper.choose(recalled(memory, **more), decided or decision(), targets)


GPT_HELD = Memory(turns=4, tier="LOW", held="LOW", target="gpt", messages=9)


@pytest.mark.parametrize(
    ("within", "memory", "more", "kept", "reason"),
    [
        ("off", GPT_HELD, {"step": True}, None, Reason.OFF),
        ("turn", None, {}, None, Reason.NEW_TURN),
        ("turn", GPT_HELD, {}, None, Reason.NEW_TURN),
        ("turn", GPT_HELD, {"step": True}, GPT_AT, Reason.SAME_TURN),
        ("turn", None, {"step": True, "continues": False}, None, Reason.NEW),
        ("turn", GPT_HELD, {"step": True, "continues": False}, None, Reason.NEW),
        ("turn", GPT_HELD, {"continues": False, "fewer": True}, None, Reason.COMPACTED),
        ("turn", Memory(failed=True), {"step": True}, None, Reason.FAILED),
        ("turn", replace(GPT_HELD, target="left"), {"step": True}, None, Reason.NOT_DECIDED),
        ("session", None, {}, None, Reason.NEW),
        ("session", Memory(failed=True), {}, None, Reason.FAILED),
        ("session", GPT_HELD, {"targets": (GPT_AT, PLAIN_AT)}, GPT_AT, Reason.SAME_SESSION),
        ("session", GPT_HELD, {"step": True}, GPT_AT, Reason.SAME_TURN),
        ("session", GPT_HELD, {"targets": (CLAUDE_AT,)}, None, Reason.NOT_DECIDED),
        (
            "session",
            GPT_HELD,
            {"targets": (GPT_AT,), "continues": False, "fewer": True},
            GPT_AT,
            Reason.COMPACTED,
        ),
        (
            "session",
            GPT_HELD,
            {"targets": (GPT_AT,), "continues": False},
            GPT_AT,
            Reason.SAME_SESSION,
        ),
    ],
)
def test_each_reason(
    within: str, memory: Memory | None, more: dict[str, Any], kept: int | None, reason: Reason
) -> None:
    choice = chosen(memory, within, **more)
    assert (choice.kept, choice.reason) == (kept, reason)


@pytest.mark.parametrize(
    ("decided", "settings", "reason"),
    [
        (decision("MIDDLE", 35), {}, Reason.SAME_SESSION),
        (decision("MIDDLE", 36), {}, Reason.DRIFTED),
        (decision("MIDDLE", 22), {"drift_margin": 1}, Reason.DRIFTED),
        (decision("MIDDLE", 21), {"drift_margin": 0}, Reason.DRIFTED),
        (decision("MIDDLE", 21), {"drift_margin": 1}, Reason.SAME_SESSION),
        (decision("MIDDLE", 10, rule="audits"), {}, Reason.RAISED),
        (decision("LOW", 10, rule="audits"), {}, Reason.SAME_SESSION),
        (decision(None, None, rule="pin"), {}, Reason.SAME_SESSION),
    ],
)
def test_a_tier_above_the_one_it_was_chosen_in(
    decided: Decision, settings: dict[str, Any], reason: Reason
) -> None:
    choice = chosen(GPT_HELD, decided=decided, settings=settings, targets=(GPT_AT, PLAIN_AT))
    assert choice.reason is reason
    assert (choice.kept is None) is (reason is not Reason.SAME_SESSION)


def test_the_numbers_of_a_drift() -> None:
    choice = chosen(GPT_HELD, decided=decision("HIGH", 80))
    assert dict(choice.numbers) == {"score": 80, "up_to": 20, "drift_margin": 15}


def test_the_highest_tier_drifts_nowhere_and_a_step_never() -> None:
    held = replace(GPT_HELD, held="HIGH")
    assert chosen(held, decided=decision("HIGH", 99), targets=(GPT_AT,)).kept == GPT_AT
    drifted = decision("HIGH", 99)
    assert chosen(GPT_HELD, decided=drifted, step=True).reason is Reason.SAME_TURN


CLAUDE_HELD = Memory(
    turns=3, held="LOW", target="claude", prompt=20_000, output=500, warm=18_000, until=2000.0
)


def test_what_staying_and_leaving_cost_by_hand() -> None:
    """Prices are micro-dollars a token: 3/15, read 0.3, write 3.75 against 1/5, 0.1, 1.25."""
    choice = chosen(CLAUDE_HELD, targets=(SMALL_AT, CLAUDE_AT))
    stay = 18_000 * 0.3 + 2_000 * 3.75 + 2 * 20_000 * 0.3 + 3 * 500 * 15
    leave = 20_000 * 1.25 + 2 * 20_000 * 0.1 + 3 * 500 * 5
    assert (stay, leave) == (47_400, 36_500)
    assert (choice.kept, choice.reason) == (None, Reason.BREAK_EVEN)
    assert dict(choice.numbers) == {
        "prompt_tokens": 20_000,
        "warm_tokens": 18_000,
        "turns_expected": 3,
        "stay_micro_usd": 47_400,
        "leave_micro_usd": 36_500,
    }


@pytest.mark.parametrize(
    ("memory", "other", "kept"),
    [
        # Warm and short-lived: writing anew costs more than one cheaper turn saves.
        (replace(CLAUDE_HELD, turns=1, output=10), SMALL_AT, True),
        # The same gone cold.
        (replace(CLAUDE_HELD, turns=1, output=10, until=900.0), SMALL_AT, False),
        # A dearer one is never cheaper.
        (replace(CLAUDE_HELD, target="small"), CLAUDE_AT, True),
        (CLAUDE_HELD, FREE_AT, False),
        # What cannot be compared is held.
        (CLAUDE_HELD, UNPRICED_AT, True),
        (replace(CLAUDE_HELD, target="unpriced"), SMALL_AT, True),
        # Nothing was counted yet.
        (Memory(turns=1, held="LOW", target="claude"), SMALL_AT, True),
    ],
)
def test_a_kept_target_is_left_where_that_is_cheaper(
    memory: Memory, other: int, kept: bool
) -> None:
    at = {"claude": CLAUDE_AT, "small": SMALL_AT, "unpriced": UNPRICED_AT}[memory.target or ""]
    choice = chosen(memory, targets=(other, at))
    assert (choice.kept == at) is kept
    assert choice.reason is (Reason.SAME_SESSION if kept else Reason.BREAK_EVEN)


def test_without_break_even_no_price_counts() -> None:
    choice = chosen(CLAUDE_HELD, targets=(FREE_AT, CLAUDE_AT), settings={"break_even": False})
    assert (choice.kept, choice.numbers) == (CLAUDE_AT, ())


def test_another_beginning_finds_no_warm_cache() -> None:
    choice = chosen(CLAUDE_HELD, targets=(SMALL_AT, CLAUDE_AT), continues=False, fewer=True)
    assert dict(choice.numbers)["warm_tokens"] == 0


def test_more_warm_than_there_is_counts_as_all() -> None:
    costs = [costs_of(one) for one in TABLE.targets]
    all_of_it = weigh(CLAUDE_HELD, 20_000, costs[0], costs[1])
    assert weigh(CLAUDE_HELD, 10**9, costs[0], costs[1]) == all_of_it


# -- what is remembered ----------------------------------------------------------------------


def outcome(ending: Ending = Ending.SERVED, at: int | None = GPT_AT, **usage: int) -> Outcome:
    record = AttemptRecord(
        target=at or 0, started=0.0, seconds=1.0, result=Result.SERVED,
        charge=Charge(usage=Usage(**usage), cost=None, estimated=False),
    )  # fmt: skip
    return Outcome(
        request_id="r", surface="messages", dialect=MESSAGES, model="auto", stream=False,
        ending=ending, status=200, seconds=1.0, tier="MIDDLE", target=at, attempts=(record,),
    )  # fmt: skip


def after(
    memory: Memory | None,
    ended: Outcome,
    *,
    step: bool = False,
    again: bool = False,
    kept: bool = False,
) -> Memory | None:
    return remember(
        memory,
        Seen(step=step, again=again, messages=5),
        ended,
        dispatch=TABLE,
        costs=[costs_of(one) for one in TABLE.targets],
        kept=kept,
        now=1000.0,
    )


def test_the_first_request_of_a_session() -> None:
    assert after(None, outcome(input=70, cache_read=30, output=9)) == Memory(
        turns=1, tier="MIDDLE", target="gpt", held="MIDDLE", prompt=100, output=9, warm=100,
        until=1000.0 + CACHE_TIME, messages=5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("step", "again", "turns"), [(False, False, 5), (True, False, 4), (False, True, 4)]
)
def test_turns_are_counted_once(step: bool, again: bool, turns: int) -> None:
    found = after(GPT_HELD, outcome(), step=step, again=again)
    assert found is not None and found.turns == turns


def test_a_kept_target_is_held_for_the_tier_it_was_chosen_in() -> None:
    kept, not_kept = after(GPT_HELD, outcome(), kept=True), after(GPT_HELD, outcome())
    fallen = after(GPT_HELD, outcome(at=PLAIN_AT), kept=True)
    assert kept is not None and not_kept is not None and fallen is not None
    assert (kept.held, kept.tier) == ("LOW", "MIDDLE")
    assert (not_kept.held, not_kept.target) == ("MIDDLE", "gpt")
    assert (fallen.held, fallen.target) == ("MIDDLE", "plain")


@pytest.mark.parametrize("ending", Ending)
def test_every_ending(ending: Ending) -> None:
    found = after(GPT_HELD, outcome(ending, GPT_AT))
    if ending in (Ending.SERVED, Ending.ABORTED):
        assert found is not None and found.target == "gpt" and not found.failed
    elif ending in (Ending.TRANSIENT, Ending.THROTTLED, Ending.OURS, Ending.BROKEN):
        assert found is not None and found.target is None and found.failed
        assert found.turns == GPT_HELD.turns
    else:
        assert found is None


@pytest.mark.parametrize(
    ("at", "usage", "warm"),
    [
        (CLAUDE_AT, {"input": 100}, 0),
        (CLAUDE_AT, {"input": 10, "cache_read": 40, "cache_write": 50}, 90),
        (GPT_AT, {"input": 100}, 100),
        (UNPRICED_AT, {"input": 100}, 100),
        (PLAIN_AT, {"input": 100, "cache_read": 5}, 0),
        (FREE_AT, {"input": 100}, 0),
    ],
)
def test_what_is_warm(at: int, usage: dict[str, int], warm: int) -> None:
    found = after(None, outcome(at=at, **usage))
    assert found is not None and found.warm == warm
    assert found.warm_at(1000.0 + CACHE_TIME - 1) == warm
    assert found.warm_at(1000.0 + CACHE_TIME) == 0


def test_an_hour_is_an_hour() -> None:
    long = after(None, outcome(at=CLAUDE_AT, cache_write=50, cache_write_1h=50))
    assert long is not None and long.until == 1000.0 + LONG_CACHE_TIME
    read = after(long, outcome(at=CLAUDE_AT, cache_read=50))
    assert read is not None and read.until == long.until
    left = after(long, outcome(at=GPT_AT, input=50))
    assert left is not None and left.until == 1000.0 + CACHE_TIME


def test_a_client_that_left_changes_no_count() -> None:
    left = after(CLAUDE_HELD, outcome(Ending.ABORTED, CLAUDE_AT, input=7))
    assert left is not None and (left.prompt, left.warm) == (20_000, 18_000)
    moved = after(CLAUDE_HELD, outcome(Ending.ABORTED, GPT_AT, input=7))
    assert moved is not None and (moved.target, moved.warm) == ("gpt", 0)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("local_shell_call_output", True), ("mcp_approval_response", True), ("input_audio", False)],
)
def test_what_answers_a_tool_of_responses_is_a_step(kind: str, expected: bool) -> None:
    block = Opaque(dialect="openai-responses", type=kind, value={})
    assert is_step([Message(role=Role.USER, blocks=(block,))]) is expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x93\x01\xc0\xa2\xff\xfe",
        b"\x91" * 100_000,
        msgspec.msgpack.encode([2**64 - 1]),
        msgspec.msgpack.encode([-1]),
    ],
    ids=["nothing", "no msgpack", "no text", "deep", "huge", "negative"],
)
def test_what_a_store_holds_wrong_is_nothing(data: bytes) -> None:
    assert unpack(data) is None
