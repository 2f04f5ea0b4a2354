"""The store in the process holds no more than it says, and no longer."""

import pytest

from lynkrc_runtime.state import memory
from lynkrc_runtime.state.interface import Account, Window
from lynkrc_runtime.state.memory import REMEMBERED, MemoryStore


def store(room: int = 1000) -> tuple[MemoryStore, list[float]]:
    clock = [0.0]
    return MemoryStore(lambda: clock[0], lambda: clock[0], room=room), clock


async def test_the_values_put_longest_ago_leave_first() -> None:
    kept, _ = store()
    for number in range(30):
        await kept.put({f"pin:{number:02}": b"x" * 94}, 60)
        await kept.put({"other:a": b"y" * 90}, 60)
    there = await kept.get([f"pin:{number:02}" for number in range(30)])
    assert list(there) == [f"pin:{number:02}" for number in range(20, 30)]
    assert await kept.get(["other:a"]) == {"other:a": b"y" * 90}


async def test_a_value_put_again_is_young() -> None:
    kept, _ = store(room=30)
    for key in ("a:1", "a:2", "a:3", "a:1", "a:4"):
        await kept.put({key: b"1234567"}, 60)
    assert sorted(await kept.get([f"a:{n}" for n in range(5)])) == ["a:1", "a:3", "a:4"]


async def test_a_value_larger_than_the_room_is_not_kept() -> None:
    kept, _ = store()
    await kept.put({"a:1": b"x" * 50}, 60, room=20)
    assert await kept.get(["a:1"]) == {}
    assert kept.held == 0


async def test_what_is_over_leaves() -> None:
    kept, clock = store()
    for number in range(500):
        await kept.take([Window(key=f"w{number}", limit=5, within=60, amount=1)])
        account = Account(key=f"a{number}", limit=5, amount=1, until=clock[0] + 60)
        await kept.reserve(f"r{number}", [account], 60)
        await kept.settle(f"r{number}", [account])
        await kept.put({f"v:{number}": b""}, 60)
        clock[0] += 1
    assert kept.held < 500 + 4 * 130
    clock[0] += REMEMBERED
    for _ in range(200):
        await kept.take([Window(key="w", limit=5, within=60, amount=0)])
        await kept.settle("r", [])
        await kept.reserve("r", [], 60)
        await kept.put({}, 60)
    assert kept.held < 10


async def test_holds_that_are_settled_leave_no_trace() -> None:
    kept, _ = store()
    for number in range(1000):
        account = Account(key="a", limit=10**9, amount=1, until=1e9)
        await kept.reserve(f"r{number}", [account], 1e6)
        await kept.settle(f"r{number}", [account])
    account = kept._accounts["a"]
    assert len(account.order) < 100


async def test_what_is_known_of_settlements_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_REMEMBERED", 50)
    kept, _ = store()
    for number in range(200):
        await kept.settle(f"r{number}", [Account(key="a", limit=10, amount=1, until=1e9)])
    assert kept.held < 60
    again = [Account(key="a", limit=10, amount=1, until=1e9)]
    assert (await kept.settle("r199", again)).again, "those of the last moments are known"
