"""Limits and budgets whose store is down: what is refused, and what is settled later."""

import asyncio

import pytest

from lynkrc_runtime.settings import Budget, Limit
from lynkrc_runtime.state.interface import (
    Balance,
)
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    body,
)
from tests.runtime.metering_lab import (
    COST,
    answers,
    in_time,
    lab,
    shaky,
)

MONTH = "account:all:everyone:2026-11"


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
        assert b"lynkr_settlements_lost_total 1.0" in made.served.metrics.render()
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
