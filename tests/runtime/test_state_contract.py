"""What every store promises: the same cases, on each of them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lynkrc_runtime.state.interface import Account, Balance, Taken, Window
from tests.redis_server import RedisServer, redis_server
from tests.runtime import stores
from tests.runtime.stores import Bench


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    # Only one of them needs a server, which not every machine has.
    server = request.getfixturevalue("server") if request.param == "redis" else None
    async with stores.OPEN[request.param](tmp_path, server) as opened:
        yield opened


def rate(amount: int, limit: int = 10, key: str = "rate:a", within: float = 60.0) -> Window:
    return Window(key=key, limit=limit, within=within, amount=amount)


def of(
    bench: Bench, amount: int, limit: int = 100, key: str = "budget:a", *, hard: bool = False
) -> Account:
    return Account(key=key, limit=limit, amount=amount, until=bench.now() + 86_400, hard=hard)


async def counted(bench: Bench, window: Window) -> int:
    """How much a window holds, found by what it has room for."""
    low, high = 0, window.limit
    while low < high:
        middle = (low + high + 1) // 2
        probe = Window(key=window.key, limit=window.limit, within=window.within, amount=middle)
        if (await bench.store.take([probe])).over is None:
            back = Window(key=window.key, limit=window.limit, within=window.within, amount=-middle)
            await bench.store.correct([back])
            low = middle
        else:
            high = middle - 1
    return window.limit - low


# -- windows ---------------------------------------------------------------------------------


async def test_a_window_has_room_up_to_its_limit_and_not_beyond(bench: Bench) -> None:
    assert await bench.store.take([rate(4)]) == Taken()
    assert await bench.store.take([rate(6)]) == Taken()
    over = await bench.store.take([rate(1)])
    assert over.over == 0
    assert over.wait is not None
    assert 60 <= over.wait <= 61


async def test_what_a_refusal_promises_is_so(bench: Bench) -> None:
    await bench.store.take([rate(4)])
    await bench.passes(20)
    await bench.store.take([rate(6)])
    over = await bench.store.take([rate(4)])
    assert over.wait is not None
    assert 39 < over.wait <= 41
    await bench.passes(over.wait + 0.01)
    assert await bench.store.take([rate(4)]) == Taken()
    assert (await bench.store.take([rate(1)])).over == 0


async def test_a_slice_counts_until_all_of_it_is_past(bench: Bench) -> None:
    await bench.store.take([rate(10)])
    await bench.passes(59.5)
    assert (await bench.store.take([rate(1)])).over == 0


async def test_no_amount_beyond_the_limit_ever_has_room(bench: Bench) -> None:
    assert await bench.store.take([rate(11)]) == Taken(over=0, wait=None)


async def test_where_one_window_has_no_room_none_is_counted(bench: Bench) -> None:
    full, free = rate(10, key="rate:full"), rate(7, key="rate:free")
    await bench.store.take([full])
    refused = await bench.store.take([free, rate(1, key="rate:full")])
    assert refused.over == 1
    assert await counted(bench, free) == 0


async def test_a_key_with_another_time_is_another_window(bench: Bench) -> None:
    await bench.store.take([rate(10)])
    assert await bench.store.take([rate(10, within=3600.0)]) == Taken()


async def test_a_correction_counts_beyond_the_limit(bench: Bench) -> None:
    await bench.store.take([rate(10)])
    await bench.store.correct([rate(15)])
    await bench.store.correct([rate(-10)])
    assert (await bench.store.take([rate(1)])).over == 0
    await bench.store.correct([rate(-6)])
    assert await bench.store.take([rate(1)]) == Taken()


async def test_a_correction_never_makes_room_beyond_the_limit(bench: Bench) -> None:
    await bench.store.take([rate(8)])
    await bench.passes(30)
    await bench.store.correct([rate(-8)])
    await bench.store.correct([rate(-100)])
    await bench.store.take([rate(10)])
    await bench.passes(45)
    assert (await bench.store.take([rate(1)])).over == 0


async def test_a_correction_takes_off_the_oldest_first(bench: Bench) -> None:
    await bench.store.take([rate(5)])
    await bench.passes(30)
    await bench.store.take([rate(5)])
    await bench.store.correct([rate(-5)])
    await bench.passes(31)
    assert await counted(bench, rate(0)) == 5


async def test_slices_of_short_and_long_windows(bench: Bench) -> None:
    for within in (0.5, 1.0, 86_400.0):
        short = rate(10, key=f"rate:{within}", within=within)
        assert await bench.store.take([short]) == Taken()
        over = await bench.store.take([short])
        assert over.wait is not None
        assert within <= over.wait <= within + max(1.0, within / 60)
        await bench.passes(over.wait + 0.01)
        assert await bench.store.take([short]) == Taken()


async def test_concurrent_takes_never_pass_the_limit(bench: Bench) -> None:
    taken = await asyncio.gather(*(bench.store.take([rate(3, limit=50)]) for _ in range(40)))
    assert sum(answer.over is None for answer in taken) == 16


# -- accounts --------------------------------------------------------------------------------


async def test_a_settlement_takes_the_place_of_its_reservation(bench: Bench) -> None:
    reserved = await bench.store.reserve("r1", [of(bench, 40)], 600)
    assert reserved.balances == (Balance(spent=0, reserved=40),)
    settled = await bench.store.settle("r1", [of(bench, 25)])
    assert settled.balances == (Balance(spent=25, reserved=0),)
    assert not settled.again
    assert await bench.store.balances(["budget:a", "budget:b"]) == (Balance(spent=25), Balance())


async def test_a_settlement_is_made_once(bench: Bench) -> None:
    await bench.store.reserve("r1", [of(bench, 40)], 600)
    await bench.store.settle("r1", [of(bench, 25)])
    await bench.passes(3500)
    again = await bench.store.settle("r1", [of(bench, 25)])
    assert (again.again, again.balances) == (True, (Balance(spent=25),))


async def test_a_settlement_without_a_reservation_counts(bench: Bench) -> None:
    settled = await bench.store.settle("r1", [of(bench, 7), of(bench, 9, key="budget:b")])
    assert settled.balances == (Balance(spent=7), Balance(spent=9))


async def test_a_soft_account_admits_until_it_is_spent(bench: Bench) -> None:
    assert (await bench.store.reserve("r1", [of(bench, 500)], 600)).over is None
    assert (await bench.store.reserve("r2", [of(bench, 1)], 600)).over == 0
    await bench.store.settle("r1", [of(bench, 99)])
    assert (await bench.store.reserve("r2", [of(bench, 500)], 600)).over is None
    await bench.store.settle("r2", [of(bench, 1)])
    assert (await bench.store.reserve("r3", [of(bench, 1)], 600)).over == 0


async def test_a_hard_account_admits_what_fits(bench: Bench) -> None:
    assert (await bench.store.reserve("r1", [of(bench, 101, hard=True)], 600)).over == 0
    assert (await bench.store.reserve("r2", [of(bench, 60, hard=True)], 600)).over is None
    assert (await bench.store.reserve("r3", [of(bench, 41, hard=True)], 600)).over == 0
    assert (await bench.store.reserve("r4", [of(bench, 40, hard=True)], 600)).over is None


async def test_where_one_account_has_no_room_none_is_reserved(bench: Bench) -> None:
    await bench.store.settle("r0", [of(bench, 100, key="budget:full")])
    refused = await bench.store.reserve("r1", [of(bench, 5), of(bench, 5, key="budget:full")], 600)
    assert refused.over == 1
    assert refused.balances == (Balance(), Balance(spent=100))


async def test_a_reservation_ends(bench: Bench) -> None:
    await bench.store.reserve("r1", [of(bench, 100, hard=True)], 600)
    await bench.passes(590)  # Redis' time goes on meanwhile
    assert (await bench.store.reserve("r2", [of(bench, 1, hard=True)], 600)).over == 0
    await bench.passes(11)
    assert await bench.store.balances(["budget:a"]) == (Balance(),)
    assert (await bench.store.reserve("r2", [of(bench, 1, hard=True)], 600)).over is None
    late = await bench.store.settle("r1", [of(bench, 30)])
    assert late.balances == (Balance(spent=30, reserved=1),)


async def test_a_limit_that_is_lowered_leaves_what_is_reserved(bench: Bench) -> None:
    await bench.store.reserve("r1", [of(bench, 50, hard=True)], 600)
    for hard in (True, False):
        refused = await bench.store.reserve("r2", [of(bench, 1, 40, hard=hard)], 600)
        assert (refused.over, refused.balances) == (0, (Balance(reserved=50),))
    settled = await bench.store.settle("r1", [of(bench, 30, 40)])
    assert settled.balances == (Balance(spent=30),)
    assert (await bench.store.reserve("r2", [of(bench, 10, 40, hard=True)], 600)).over is None


async def test_a_period_that_ends_in_between_is_charged_for_its_own(bench: Bench) -> None:
    await bench.store.reserve("r1", [of(bench, 40, key="budget:a:old")], 600)
    await bench.store.reserve("r2", [of(bench, 7, key="budget:a:new")], 600)
    await bench.store.settle("r1", [of(bench, 33, key="budget:a:old")])
    found = await bench.store.balances(["budget:a:old", "budget:a:new"])
    assert found == (Balance(spent=33), Balance(reserved=7))


async def test_a_request_with_many_attempts_holds_one_at_a_time(bench: Bench) -> None:
    for number in range(20):
        made = await bench.store.reserve(f"r{number}", [of(bench, 90, hard=True)], 600)
        assert made.over is None and made.balances[0].reserved == 90
        await bench.store.settle(f"r{number}", [of(bench, 0 if number < 19 else 88)])
    assert await bench.store.balances(["budget:a"]) == (Balance(spent=88),)


async def test_a_reservation_made_again_is_held_once(bench: Bench) -> None:
    for amount in (60, 60, 80):
        made = await bench.store.reserve("r1", [of(bench, amount, hard=True)], 600)
        assert (made.over, made.balances) == (None, (Balance(reserved=amount),))


async def test_a_reservation_that_comes_after_its_settlement_holds_nothing(bench: Bench) -> None:
    await bench.store.settle("r1", [of(bench, 25)])
    late = await bench.store.reserve("r1", [of(bench, 40)], 600)
    assert (late.over, late.balances) == (None, (Balance(spent=25),))


async def test_an_account_is_forgotten_when_its_time_is_over(bench: Bench) -> None:
    account = of(bench, 25)
    await bench.store.settle("r1", [account])
    await bench.passes(86_460)
    assert await bench.store.balances(["budget:a"]) == (Balance(),)
    assert (await bench.store.settle("r2", [of(bench, 1)])).balances == (Balance(spent=1),)


async def test_amounts_are_exact_beyond_what_a_float_holds(bench: Bench) -> None:
    big = 2**53
    await bench.store.settle("r1", [of(bench, big, limit=2**60)])
    settled = await bench.store.settle("r2", [of(bench, 1, limit=2**60)])
    assert settled.balances == (Balance(spent=big + 1),)


async def test_concurrent_reservations_never_pass_the_limit(bench: Bench) -> None:
    made = await asyncio.gather(
        *(bench.store.reserve(f"r{n}", [of(bench, 7, hard=True)], 600) for n in range(40))
    )
    assert sum(answer.over is None for answer in made) == 14
    assert await bench.store.balances(["budget:a"]) == (Balance(reserved=98),)


# -- values ----------------------------------------------------------------------------------


async def test_values_are_kept_and_forgotten(bench: Bench) -> None:
    await bench.store.put({"pin:a": b"one", "pin:b": b"\x00\xff"}, 60)
    assert await bench.store.get(["pin:a", "pin:b", "pin:c"]) == {
        "pin:a": b"one",
        "pin:b": b"\x00\xff",
    }
    await bench.store.put({"pin:a": b"two"}, 120)
    assert await bench.store.delete(["pin:b", "pin:c"]) == 1
    await bench.passes(61)
    assert await bench.store.get(["pin:a", "pin:b"]) == {"pin:a": b"two"}
    await bench.passes(60)
    assert await bench.store.get(["pin:a"]) == {}
    assert await bench.store.delete(["pin:a"]) == 0


async def test_nothing_asked_is_nothing_answered(bench: Bench) -> None:
    assert await bench.store.take([]) == Taken()
    await bench.store.correct([])
    assert (await bench.store.reserve("r1", [], 600)).balances == ()
    assert await bench.store.balances([]) == ()
    assert await bench.store.get([]) == {}
    await bench.store.put({}, 60)
    assert await bench.store.delete([]) == 0
    await bench.store.ping()
