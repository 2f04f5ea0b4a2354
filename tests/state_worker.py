"""A process that uses a SQLite store and says on standard output what it was answered.

Run as a program: WHAT PATH NAME. `settle`: settles one reservation after another until it is
killed, and prints each name when its settlement is acknowledged. `reserve`: reserves under one
account until there is no room, `take`: counts in one window likewise, and prints how many it got.
"""

import asyncio
import sys
from itertools import count
from pathlib import Path

from lynkrc_runtime.state.interface import Account, Store, Window
from lynkrc_runtime.state.sqlite import SqliteStore

AMOUNT = 3
LIMIT = 1000
UNTIL = 4e9


def account(*, hard: bool = False) -> Account:
    return Account(key="budget:all", limit=LIMIT, amount=AMOUNT, until=UNTIL, hard=hard)


async def settle(store: Store, name: str) -> None:
    async def one(lane: int) -> None:
        for number in count():
            reservation = f"{name}-{lane}-{number}"
            await store.reserve(reservation, [account()], 600)
            await store.settle(reservation, [account()])
            print(reservation, flush=True)

    # Several at once, so that a group has settlements of more than one.
    await asyncio.gather(*(one(lane) for lane in range(4)))


async def reserve(store: Store, name: str) -> None:
    async def one(number: int) -> bool:
        made = await store.reserve(f"{name}-{number}", [account(hard=True)], 600)
        return made.over is None

    print(await _until_refused(one), flush=True)


async def take(store: Store, _: str) -> None:
    window = Window(key="rate:all", limit=LIMIT, within=86_400.0, amount=AMOUNT)

    async def one(_: int) -> bool:
        return (await store.take([window])).over is None

    print(await _until_refused(one), flush=True)


async def _until_refused(one: object) -> int:
    assert callable(one)
    got = 0
    for first in count(0, 20):
        made = await asyncio.gather(*(one(first + number) for number in range(20)))
        got += sum(made)
        if not all(made):
            return got
    return got


async def main(what: str, path: str, name: str) -> None:
    store = SqliteStore(Path(path))
    # All begin together: whoever started it writes a line when all of them are there.
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await {"settle": settle, "reserve": reserve, "take": take}[what](store, name)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
