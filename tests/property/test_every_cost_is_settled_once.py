"""Random histories of requests under limits and budgets: what was charged is what is settled."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.settings import Budget, Limit
from tests.property.effort import tried
from tests.runtime.by_hand import Script, body
from tests.runtime.metering_lab import Lab, lab, shaky
from tests.runtime.test_serve_streams import END, OPEN, START, WHOLE, delta
from tests.runtime.test_serve_whole import MESSAGE, fails, whole
from tests.runtime.virtual_time import run

CALLERS = (None, Caller(name="ci", team="web"), Caller(name="qa", team="web"), Caller(name="lone"))
HEAD = START + OPEN + delta("Hi there, all of you")


@dataclass(frozen=True)
class Asked:
    """One request: when it comes, whose it is, how its client reads, and when that leaves."""

    at: float
    caller: int
    stream: bool
    leaves: float | None


def script(word: str) -> Script:
    match word:
        case "whole":
            return whole(MESSAGE)
        case "late":
            return Script(steps=[MESSAGE], headers=whole(MESSAGE).headers, before=20.0)
        case "stream":
            return Script(steps=[WHOLE])
        case "slow":
            return Script(steps=[HEAD, 30.0, END])
        case "cut":
            return Script(steps=[HEAD, 3.0, Fault.BROKEN])
        case "refused":
            return Script(fault=Fault.CONNECT)
        case _:
            return fails(int(word))


WORDS = ("whole", "late", "stream", "slow", "cut", "refused", "500", "429", "400", "401")
REQUESTS = st.builds(
    Asked,
    at=st.floats(0, 60),
    caller=st.integers(0, len(CALLERS) - 1),
    stream=st.booleans(),
    leaves=st.none() | st.floats(0, 40),
)
BUDGETS = (
    Budget(name="all", usd="0.006", alert_at=[10, 50, 100]),
    Budget(name="team", usd="0.003", per="team", period="day"),
    Budget(name="key", usd="0.02", per="key", hard=True, targets=["one"], period="week"),
)
LIMITS = (Limit(name="few", requests=9, within=20.0), Limit(name="t", tokens=300, per="everyone"))


async def one(made: Lab, asked: Asked) -> None:
    await asyncio.sleep(asked.at)
    task = asyncio.create_task(
        made.ask(content=body(stream=asked.stream), caller=CALLERS[asked.caller])
    )
    if asked.leaves is not None:
        await asyncio.wait([task], timeout=asked.leaves)
        task.cancel()
    await asyncio.wait([task])


async def history(
    requests: Sequence[Asked], words: Sequence[str], down: float | None
) -> tuple[dict[str, int], dict[str, int], int, Lab]:
    store = shaky()
    words = [*words] * len(requests) * 6
    made = lab(
        {"one": [script(word) for word in words], "two": [script(word) for word in words[::-1]]},
        store,
        budgets=list(BUDGETS),
        limits=list(LIMITS),
    )

    async def fail() -> None:
        if down is not None:
            await asyncio.sleep(down)
            store.deaf = {"settle", "reserve"}
            await asyncio.sleep(15)
            store.deaf, store.down = set(), {"take", "settle", "reserve"}
            await asyncio.sleep(15)
            store.down = set()

    async with asyncio.TaskGroup() as group:
        group.create_task(fail())
        for asked in requests:
            group.create_task(one(made, asked))
    await made.served.meter.drain()
    expected = {key: 0 for key in ACCOUNTS}
    for line in made.events("request"):
        for attempt in line["attempts"]:
            cost = attempt.get("cost_micro_usd", 0)
            expected["account:all:everyone:2026-11"] += cost
    balances = await store.balances(list(ACCOUNTS))
    found = {key: held.spent for key, held in zip(ACCOUNTS, balances, strict=True)}
    return expected, found, sum(held.reserved for held in balances), made


ACCOUNTS = (
    "account:all:everyone:2026-11",
    "account:team:team:web:2026-11-21",
    "account:key:key:ci:2026-W47",
    "account:key:key:qa:2026-W47",
    "account:key:key:lone:2026-W47",
    "account:key:everyone:2026-W47",
)


@tried(80)
@given(
    requests=st.lists(REQUESTS, min_size=1, max_size=12),
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=8),
    down=st.none() | st.floats(0, 60),
)
# The timer of its silence rings a hair too early, and is set again.
@example([Asked(at=2.554170031011363, caller=1, stream=True, leaves=None)], ["slow"], None)
def test_every_charge_is_settled_once_and_nothing_stays_reserved(
    requests: list[Asked], words: list[str], down: float | None
) -> None:
    expected, found, reserved, made = run(history(requests, words, down))
    everyone = "account:all:everyone:2026-11"
    assert found[everyone] == expected[everyone]
    assert reserved == 0
    assert made.settling.pending == 0
    assert made.events("settlement-lost") == [] == made.events("mistake")
    for key, spent in found.items():
        assert spent <= 20_000 if key.startswith("account:key") else spent >= 0
    # A share that is reached is told, and told once, unless the word of it was lost on the way.
    told = [line["percent"] for line in made.events("budget-alert")]
    reached = [percent for percent in (10, 50, 100) if found[everyone] * 100 >= percent * 6_000]
    assert sorted(set(told)) == told
    assert told == reached if down is None else set(told) <= set(reached)


def test_the_histories_are_not_empty() -> None:
    """The same with one request of each kind: money is spent, and some is refused."""
    requests = [Asked(at=i * 0.4, caller=i % 4, stream=i % 2 == 0, leaves=None) for i in range(40)]
    expected, found, reserved, made = run(history(requests, ["whole", "stream", "cut"], None))
    assert found["account:all:everyone:2026-11"] == expected["account:all:everyone:2026-11"] > 500
    endings = {line["class"] for line in made.events("request")}
    assert {"served", "limited"} <= endings and reserved == 0
