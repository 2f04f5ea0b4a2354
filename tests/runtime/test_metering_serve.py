"""Requests through limits and budgets: what clients hear, and what the store holds afterwards."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.dispatch import Price, Slot
from lynkrc_runtime.metering.expected import Expected
from lynkrc_runtime.metering.interface import NoMeter
from lynkrc_runtime.metering.meter import Till, meter_of
from lynkrc_runtime.metering.settling import Settling
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.settings import Budget, Limit
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.state.interface import (
    Account,
    Balance,
    Reserved,
    Settled,
    Store,
    StoreDown,
    Taken,
    Window,
)
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.telemetry.log import Log
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    Recorder,
    Said,
    Script,
    Scripted,
    ask,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.test_serve_streams import OPEN, START, WHOLE, delta
from tests.runtime.test_serve_whole import MESSAGE, fails, whole
from tests.runtime.virtual_time import run

NOON = 1_795_262_400.0
"""2026-11-21T12:00:00Z."""
PRICE = Price(input="3", output="15", cache_read="0.3", cache_write="3.75")
CI = Caller(name="ci", team="web")
COST = 66
"""Micro-dollars of the answer that the scripts give."""


def unix() -> float:
    return NOON + asyncio.get_running_loop().time()


@dataclass
class Lab:
    """A gateway of two targets with a meter, its store, and what it wrote to its log."""

    served: Gateway
    store: Store
    settling: Settling
    said: Said

    async def ask(self, **more: Any) -> Recorder:
        content = more.pop("content", body(more.get("dialect", MESSAGES)))
        return await ask(self.served, content, **more)

    async def balance(self, key: str) -> Balance:
        await self.served.meter.drain()
        (found,) = await self.store.balances([key])
        return found

    def events(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.said.lines if line["event"] == event]


def lab(
    scripts: Mapping[str, Sequence[Script]],
    store: Store | None = None,
    *,
    slots: Sequence[Slot] = (),
    price: Price | None = PRICE,
    **declared: Any,
) -> Lab:
    loop, said, settling = asyncio.get_running_loop(), Said(), Settling()
    made = store or MemoryStore(loop.time, unix)
    table = dispatch(
        [provider("p", "anthropic", retries=0), provider("q", "anthropic", retries=0)],
        [target("one", 0, price=price), target("two", 1, price=price)],
    )
    table = msgspec.structs.replace(table, settings=Declared(**declared), slots=list(slots))
    served = gateway(policy(table), said, http=Scripted(scripts))
    till = Till(
        store=made,
        settling=settling,
        log=Log(write=said.write, clock=lambda: NOON),
        metrics=served.metrics,
        expected=Expected(),
        clock=unix,
    )
    return Lab(replace(served, meter=meter_of(table, till)), made, settling, said)


def in_time(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run(main())


def answers(count: int) -> list[Script]:
    return [whole(MESSAGE) for _ in range(count)]


# -- rates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "kind"), [(MESSAGES, "rate_limit_error"), (CHAT, "rate_limit_error")]
)
def test_a_request_over_its_rate_waits_and_is_served_then(dialect: str, kind: str) -> None:
    async def main() -> None:
        made = lab({"one": answers(3)}, limits=[Limit(name="fair", requests=2, within=30.0)])
        for _ in range(2):
            assert (await made.ask(caller=CI)).status == 200
        over = await made.ask(caller=CI, content=body(dialect), dialect=dialect)
        assert over.status == 429
        assert over.headers["x-should-retry"] == "true"
        assert (
            over.json["error"]["message"]
            == "limit fair: at most 2 requests in 30 seconds for key ci"
        )
        assert over.json["error"]["type"] == kind or over.json["error"]["code"]
        wait = int(over.headers["retry-after"])
        assert 0 < wait <= 31
        assert made.events("request")[-1]["class"] == "limited"
        await asyncio.sleep(wait)
        assert (await made.ask(caller=CI)).status == 200

    in_time(main)


def test_one_key_over_its_rate_leaves_another_alone() -> None:
    async def main() -> None:
        made = lab({"one": answers(2)}, limits=[Limit(name="fair", requests=1)])
        assert (await made.ask(caller=CI)).status == 200
        assert (await made.ask(caller=CI)).status == 429
        assert (await made.ask(caller=Caller(name="other"))).status == 200

    in_time(main)


def test_who_has_no_team_is_not_counted_by_a_limit_of_teams() -> None:
    async def main() -> None:
        made = lab({"one": answers(3)}, limits=[Limit(name="t", per="team", requests=1)])
        for _ in range(3):
            assert (await made.ask(caller=Caller(name="lone"))).status == 200

    in_time(main)


def test_tokens_are_those_of_the_answer_once_it_is_there() -> None:
    """Ten tokens were used: a limit of eleven has room for none of the estimated input."""

    async def main() -> None:
        made = lab({"one": answers(2)}, limits=[Limit(name="t", tokens=11, within=60.0)])
        assert (await made.ask(caller=CI)).status == 200
        await made.served.meter.drain()
        over = await made.ask(caller=CI)
        assert over.status == 429 and "at most 11 tokens" in over.json["error"]["message"]
        assert over.headers["x-should-retry"] == "true"
        await asyncio.sleep(int(over.headers["retry-after"]))
        assert (await made.ask(caller=CI)).status == 200

    in_time(main)


def test_tokens_of_a_request_that_came_to_nothing_are_given_back() -> None:
    async def main() -> None:
        refused = {"one": [fails(500)], "two": [fails(500), whole(MESSAGE)]}
        refused["one"].append(fails(500))
        made = lab(refused, limits=[Limit(name="t", tokens=11, within=60.0)])
        assert (await made.ask(caller=CI)).status == 529
        await made.served.meter.drain()
        assert (await made.ask(caller=CI)).status == 200

    in_time(main)


def test_a_request_no_wait_makes_room_for_is_not_to_be_repeated() -> None:
    async def main() -> None:
        made = lab({}, limits=[Limit(name="t", tokens=5)])
        over = await made.ask(content=body(text="word " * 100))
        assert over.status == 429
        assert over.headers["x-should-retry"] == "false" and "retry-after" not in over.headers
        assert "this request alone has about" in over.json["error"]["message"]

    in_time(main)


def test_a_refused_request_takes_nothing() -> None:
    """It waits for both windows; had it been counted in the first, it would never end."""

    async def main() -> None:
        limits = [Limit(name="many", requests=2), Limit(name="t", tokens=12)]
        made = lab({"one": answers(2)}, limits=limits)
        assert (await made.ask()).status == 200
        await made.served.meter.drain()
        for _ in range(5):
            assert "limit t:" in (await made.ask()).json["error"]["message"]
        await asyncio.sleep(62)
        assert (await made.ask()).status == 200

    in_time(main)


# -- budgets ---------------------------------------------------------------------------------

MONTH = "account:all:everyone:2026-11"


def test_a_served_request_is_settled_by_its_cost() -> None:
    async def main() -> None:
        made = lab({"one": answers(1)}, budgets=[Budget(name="all", usd="1")])
        assert (await made.ask()).status == 200
        assert await made.balance(MONTH) == Balance(spent=COST, reserved=0)
        assert made.settling.pending == 0

    in_time(main)


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT])
def test_a_spent_budget_refuses_until_its_period_ends(dialect: str) -> None:
    async def main() -> None:
        made = lab({"one": answers(2)}, budgets=[Budget(name="all", usd="0.00005", period="day")])
        assert (await made.ask()).status == 200
        await made.served.meter.drain()
        over = await made.ask(content=body(dialect), dialect=dialect)
        assert over.status == 429
        assert over.headers["x-should-retry"] == "false" and "retry-after" not in over.headers
        assert over.json["error"]["message"] == (
            "budget all of 0.000050 USD a day for everyone is spent; "
            "it begins anew at 2026-11-22T00:00:00Z"
        )
        line = made.events("request")[-1]
        assert line["class"] == "spent"
        assert [one["result"] for one in line["attempts"]] == ["skipped", "skipped"]
        await asyncio.sleep(12 * 3600)
        assert (await made.ask()).status == 200

    in_time(main)


def test_a_budget_of_a_target_skips_that_target_alone() -> None:
    async def main() -> None:
        made = lab(
            {"one": answers(1), "two": answers(1)},
            budgets=[Budget(name="all", usd="0.00005", targets=["one"])],
        )
        assert (await made.ask()).headers["x-lynkr-model"] == "model-one"
        await made.served.meter.drain()
        second = await made.ask()
        assert (second.status, second.headers["x-lynkr-model"]) == (200, "model-two")
        assert await made.balance(MONTH) == Balance(spent=COST)

    in_time(main)


def test_failed_attempts_are_settled_each_for_itself() -> None:
    async def main() -> None:
        scripts = {"one": [fails(500)], "two": answers(1)}
        made = lab(scripts, budgets=[Budget(name="all", usd="1")])
        assert (await made.ask()).headers["x-lynkr-model"] == "model-two"
        assert await made.balance(MONTH) == Balance(spent=COST)

    in_time(main)


def test_a_stream_that_breaks_is_settled_by_its_estimate() -> None:
    async def main() -> None:
        cut = Script(steps=[START + OPEN + delta("Hi there"), Fault.BROKEN])
        made = lab({"one": [cut]}, budgets=[Budget(name="all", usd="1")])
        await made.ask(content=body(stream=True))
        (line,) = made.events("request")
        assert line["class"] == "broken" and line["cost_micro_usd"] > 0
        assert await made.balance(MONTH) == Balance(spent=line["cost_micro_usd"])

    in_time(main)


def test_a_client_that_leaves_is_settled_once() -> None:
    async def main() -> None:
        slow = Script(steps=[START + OPEN + delta("Hi"), 100.0, WHOLE])
        made = lab({"one": [slow]}, budgets=[Budget(name="all", usd="1")])
        asked = asyncio.create_task(made.ask(content=body(stream=True)))
        await asyncio.sleep(10)
        (held,) = await made.store.balances([MONTH])
        assert held.reserved > 0 == held.spent
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        (line,) = made.events("request")
        assert line["class"] == "aborted"
        assert await made.balance(MONTH) == Balance(spent=line["cost_micro_usd"])

    in_time(main)


def test_what_has_no_price_is_counted_as_nothing_and_told() -> None:
    async def main() -> None:
        budget = Budget(name="all", usd="0.000001", hard=True)
        made = lab({"one": answers(2)}, budgets=[budget], price=None)
        for _ in range(2):
            assert (await made.ask()).status == 200
        assert await made.balance(MONTH) == Balance()
        assert b'lynkr_unpriced_calls_total{target="one"} 2.0' in made.served.metrics.render()

    in_time(main)


def test_an_id_that_the_client_chose_settles_no_other_request() -> None:
    async def main() -> None:
        made = lab({"one": answers(3)}, budgets=[Budget(name="all", usd="1")])
        for _ in range(3):
            await made.ask(request_id="the-same")
        assert await made.balance(MONTH) == Balance(spent=3 * COST)

    in_time(main)


def test_a_hard_budget_is_never_passed_and_a_soft_one_by_what_was_in_flight() -> None:
    async def main(hard: bool) -> tuple[int, int]:
        slow = [Script(steps=[MESSAGE], headers=whole(MESSAGE).headers, before=5.0)] * 20
        budget = Budget(name="all", usd="0.004", hard=hard)
        made = lab({"one": slow}, budgets=[budget])
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(made.ask(content=body(max_tokens=100))) for _ in range(20)]
        served = sum(task.result().status == 200 for task in tasks)
        balance = await made.balance(MONTH)
        assert balance.reserved == 0
        return served, balance.spent

    served, spent = run(main(hard=True))
    # The worst case is about 1,540: two of them fit into 4,000 at once.
    assert (served, spent) == (2, 2 * COST)
    served, spent = run(main(hard=False))
    assert served == 3 and spent == 3 * COST


def test_alerts_are_raised_once_each() -> None:
    async def main() -> None:
        budget = Budget(name="all", usd="0.0002", period="week", per="team", alert_at=[30, 60, 90])
        made = lab({"one": answers(4)}, budgets=[budget])
        for _ in range(4):
            await made.ask(caller=CI)
            await made.served.meter.drain()
        alerts = made.events("budget-alert")
        assert [(one["percent"], one["spent_micro_usd"]) for one in alerts] == [
            (30, 66),
            (60, 132),
            (90, 198),
        ]
        assert alerts[0] | {"time": ""} == {
            "time": "",
            "level": "warning",
            "event": "budget-alert",
            "budget": "all",
            "owner": "team web",
            "percent": 30,
            "period": "2026-W47",
            "spent_micro_usd": 66,
            "limit_micro_usd": 200,
        }
        text = made.served.metrics.render().decode()
        assert 'lynkr_budget_alerts_total{budget="all",percent="60"} 1.0' in text

    in_time(main)


def test_a_rule_reads_the_budget_that_is_used_furthest() -> None:
    used = Slot(feature="budget.used_pct", args=[], type="int", low=0, high=1000, classes=[])

    async def main() -> None:
        budgets = [
            Budget(name="wide", usd="1"),
            Budget(name="all", usd="0.0001", period="day"),
            Budget(name="theirs", usd="0.0001", per="key", only=["other"]),
        ]
        made = lab({"one": answers(2)}, budgets=budgets, slots=[used])
        seen: list[int] = []
        watched = replace(
            made.served,
            policy=policy(
                made.served.policy.dispatch,
                lambda vector: (seen.append(vector[0]), (0, 0, -1, 0, 3, 42, -1))[1],
            ),
        )
        watched = replace(
            watched, decider=type(watched.decider)(watched.policy.dispatch, watched.policy.scorer)
        )
        for _ in range(2):
            assert (await ask(watched, body())).status == 200
            await watched.meter.drain()
        assert seen == [0, 66]

    in_time(main)


def test_nothing_declared_is_nothing_done() -> None:
    async def main() -> None:
        made = lab({"one": answers(1)})
        assert isinstance(made.served.meter, NoMeter)
        assert (await made.ask()).status == 200

    in_time(main)


# -- a store that is down ----------------------------------------------------------------------


@dataclass
class Shaky:
    """A store in memory whose operations named in `down` fail; in `deaf` they act, and fail."""

    inner: MemoryStore
    down: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)

    def _check(self, name: str) -> None:
        if name in self.down:
            raise StoreDown("no answer")

    def _heard(self, name: str) -> None:
        if name in self.deaf:
            raise StoreDown("no answer")

    async def take(self, windows: Sequence[Window]) -> Taken:
        self._check("take")
        return await self.inner.take(windows)

    async def correct(self, windows: Sequence[Window]) -> None:
        self._check("correct")
        await self.inner.correct(windows)

    async def reserve(
        self, reservation: str, accounts: Sequence[Account], expires: float
    ) -> Reserved:
        self._check("reserve")
        made = await self.inner.reserve(reservation, accounts, expires)
        self._heard("reserve")
        return made

    async def settle(self, reservation: str, accounts: Sequence[Account]) -> Settled:
        self._check("settle")
        made = await self.inner.settle(reservation, accounts)
        self._heard("settle")
        return made

    async def balances(self, keys: Sequence[str]) -> tuple[Balance, ...]:
        self._check("balances")
        return await self.inner.balances(keys)

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        return await self.inner.get(keys)

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        await self.inner.put(values, ttl, room)

    async def delete(self, keys: Sequence[str]) -> int:
        return await self.inner.delete(keys)

    async def ping(self) -> None:
        self._check("ping")

    async def close(self) -> None:
        await self.inner.close()


def shaky() -> Shaky:
    return Shaky(MemoryStore(asyncio.get_running_loop().time, unix))


@pytest.mark.parametrize(("dialect", "status"), [(MESSAGES, 529), (CHAT, 503)])
@pytest.mark.parametrize("operation", ["take", "reserve"])
def test_what_cannot_be_counted_is_refused_for_now(
    operation: str, dialect: str, status: int
) -> None:
    async def main() -> None:
        store = shaky()
        made = lab(
            {"one": answers(1)},
            store,
            limits=[Limit(name="fair", requests=9)],
            budgets=[Budget(name="all", usd="1")],
        )
        store.down = {operation}
        over = await made.ask(content=body(dialect), dialect=dialect)
        assert over.status == status
        assert int(over.headers["retry-after"]) > 0 and over.headers["x-should-retry"] == "true"
        assert "their store does not answer" in over.json["error"]["message"]
        assert made.events("request")[-1]["class"] == "unavailable"
        store.down = set()
        assert (await made.ask()).status == 200
        assert await made.balance(MONTH) == Balance(spent=COST)

    in_time(main)


@pytest.mark.parametrize("how", ["down", "deaf"])
def test_a_settlement_waits_for_a_store_that_comes_back_and_is_made_once(how: str) -> None:
    async def main() -> None:
        store = shaky()
        made = lab({"one": answers(1)}, store, budgets=[Budget(name="all", usd="1")])
        setattr(store, how, {"settle"})
        assert (await made.ask()).status == 200
        await asyncio.sleep(60)
        assert made.settling.pending == 1
        setattr(store, how, set())
        await asyncio.sleep(6)
        assert made.settling.pending == 0
        assert await made.balance(MONTH) == Balance(spent=COST)
        assert made.events("settlement-lost") == []

    in_time(main)


def test_a_reservation_that_may_have_been_made_is_taken_back() -> None:
    async def main() -> None:
        store = shaky()
        made = lab({}, store, budgets=[Budget(name="all", usd="1")])
        store.deaf = {"reserve"}
        assert (await made.ask()).status == 529
        assert await made.balance(MONTH) == Balance()

    in_time(main)


def test_a_settlement_that_cannot_be_made_before_the_end_is_told() -> None:
    async def main() -> None:
        store = shaky()
        made = lab({"one": answers(1)}, store, budgets=[Budget(name="all", usd="1")])
        store.down = {"settle"}
        assert (await made.ask()).status == 200
        await made.served.meter.drain()
        (lost,) = made.events("settlement-lost")
        assert (lost["micro_usd"], lost["budgets"]) == (COST, ["all"])
        assert (lost["request_id"], lost["reason"]) == ("req_test", "the process stops")
        assert b"lynkr_lost_settlements_total 1.0" in made.served.metrics.render()
        assert made.settling.pending == 0

    in_time(main)


def test_a_correction_is_not_made_twice() -> None:
    async def main() -> None:
        store = shaky()
        made = lab({"one": answers(1)}, store, limits=[Limit(name="t", tokens=1_000)])
        store.down = {"correct"}
        assert (await made.ask()).status == 200
        await made.served.meter.drain()
        (lost,) = made.events("correction-lost")
        assert lost["reason"] == "no answer"

    in_time(main)
