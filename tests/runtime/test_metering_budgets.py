"""Requests under budgets: what is reserved, what is settled, and who is refused."""

import asyncio
from dataclasses import replace

import pytest

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.dispatch import Slot
from lynkrc_runtime.metering.interface import NoMeter
from lynkrc_runtime.settings import Budget
from lynkrc_runtime.state.interface import (
    Balance,
)
from lynkrc_runtime.state.memory import MemoryStore
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    Script,
    ask,
    body,
    policy,
)
from tests.runtime.metering_lab import (
    CI,
    COST,
    answers,
    in_time,
    lab,
    unix,
)
from tests.runtime.test_serve_streams import OPEN, START, WHOLE, delta
from tests.runtime.test_serve_whole import MESSAGE, fails, whole
from tests.runtime.virtual_time import run

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


def test_replicas_of_one_store_raise_each_alert_once_between_them() -> None:
    async def main() -> None:
        budget = Budget(name="all", usd="0.0008", per="team", alert_at=[30, 60, 90])
        store = MemoryStore(asyncio.get_running_loop().time, unix)
        replicas = [lab({"one": answers(6)}, store, budgets=[budget]) for _ in range(2)]
        for made in replicas * 6:
            await made.ask(caller=CI)
            await made.served.meter.drain()
        alerts = [one["percent"] for made in replicas for one in made.events("budget-alert")]
        assert sorted(alerts) == [30, 60, 90]

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
