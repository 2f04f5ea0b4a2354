"""A SQLite store over `kill -9`, between processes, and with files that are none of its own."""

import asyncio
import os
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lynkrc_runtime.state import sqlite_tables
from lynkrc_runtime.state.interface import Account, Balance, CannotOpen, StoreDown, Taken, Window
from lynkrc_runtime.state.sqlite import SqliteStore
from tests.state_worker import AMOUNT, LIMIT, UNTIL

ROOT = Path(__file__).parents[2]
Worker = subprocess.Popen[str]


def account(amount: int = 1) -> Account:
    return Account(key="budget:all", limit=10**9, amount=amount, until=UNTIL)


@contextmanager
def workers(what: str, path: Path, names: Sequence[str]) -> Iterator[list[Worker]]:
    """Processes that have the file open and have begun, all together."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"}
    command = [sys.executable, "-m", "tests.state_worker", what, str(path)]
    started = [
        subprocess.Popen(
            [*command, name],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    try:
        for worker in started:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "open\n"
        for worker in started:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
        yield started
    finally:
        for worker in started:
            worker.kill()
            worker.communicate()


async def test_nothing_acknowledged_is_lost_or_doubled_over_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    chance = random.Random(6)
    acknowledged: set[str] = set()
    for life in range(8):
        with workers("settle", path, [f"a{life}", f"b{life}"]) as running:
            # Killed after so many answers, wherever the other operations are by then.
            for worker in running:
                assert worker.stdout is not None
                for _ in range(chance.randrange(1, 60)):
                    acknowledged.add(worker.stdout.readline().strip())
            for worker in running:
                worker.kill()
            for worker in running:
                assert worker.stdout is not None
                acknowledged |= {line.strip() for line in worker.stdout if line.endswith("\n")}
                worker.wait()
    store = SqliteStore(path)
    (before,) = await store.balances(["budget:all"])
    with sqlite3.connect(path) as direct:
        settled = {name for (name,) in direct.execute("SELECT reservation FROM settled")}
    direct.close()
    assert len(acknowledged) > 100
    assert acknowledged <= settled
    # What was made and not acknowledged is at most what the four lanes of each life had under way.
    assert len(settled - acknowledged) <= 8 * 2 * 4
    assert before.spent == AMOUNT * len(settled)
    for name in acknowledged:
        assert (await store.settle(name, [account(AMOUNT)])).again
    assert (await store.balances(["budget:all"]))[0].spent == before.spent
    await store.close()


@pytest.mark.parametrize("what", ["take", "reserve"])
async def test_processes_on_one_file_enforce_one_limit_exactly(tmp_path: Path, what: str) -> None:
    with workers(what, tmp_path / "state.db", ["a", "b", "c"]) as running:
        got = []
        for worker in running:
            assert worker.stdout is not None
            got.append(int(worker.stdout.readline()))
    assert sum(got) == LIMIT // AMOUNT


async def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    await store.put({"a:1": b"x"}, 60)
    assert {path.name for path in tmp_path.iterdir()} >= {"state.db", "state.db-wal"}
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await store.close()


async def test_what_is_kept_outlives_the_process(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "state.db")
    await first.put({"a:1": b"x"}, 60)
    await first.reserve("r", [account(7)], 600)
    await first.close()
    second = SqliteStore(tmp_path / "state.db")
    assert await second.get(["a:1"]) == {"a:1": b"x"}
    assert await second.balances(["budget:all"]) == (Balance(reserved=7),)
    await second.close()


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()


def text(path: Path) -> None:
    path.write_text("This is no database at all, and long enough to be read as one." * 20)


def newer(path: Path) -> None:
    with sqlite3.connect(path) as ours:
        ours.execute(f"PRAGMA application_id = {sqlite_tables.APPLICATION}")
        ours.execute("PRAGMA user_version = 99")
        ours.execute("CREATE TABLE counts (a)")
    ours.close()


async def damaged(path: Path) -> None:
    store = SqliteStore(path)
    await store.put({f"a:{n}": b"x" * 500 for n in range(200)}, 60)
    await store.close()
    data = bytearray(path.read_bytes())
    for place in range(4096 + 100, len(data), 4096):
        data[place - 100 : place + 200] = b"\xa5" * 300
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (foreign, "another program"),
        (text, "not a database"),
        (newer, "version 99, and this runtime's 1"),
        (damaged, "malformed|damaged"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named_with_a_way_out(
    tmp_path: Path, make: object, why: str
) -> None:
    path = tmp_path / "state.db"
    assert callable(make)
    made = make(path)
    if made is not None:
        await made
    before = path.read_bytes()
    with pytest.raises(CannotOpen, match=f"{path}.*({why}).*another `path`"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match=r"no/state\.db: No such file.*folder that is there"):
        SqliteStore(tmp_path / "no" / "state.db")


async def test_a_file_that_another_process_holds_is_down_after_a_while(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    holder = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown, match="locked"):
        await store.settle("r", [account()])
    assert await store.get(["a"]) == {}, "who only reads does not wait"
    holder.execute("ROLLBACK")
    holder.close()
    assert not (await store.settle("r", [account()])).again
    await store.close()


async def test_an_operation_that_fails_leaves_nothing_of_its_group(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    tasks = [store.settle("r1", [account(5)]), store.settle("r2", [account(2**70)])]
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[1], StoreDown)
    (balance,) = await store.balances(["budget:all"])
    assert balance.spent == (0 if isinstance(answers[0], StoreDown) else 5)
    await store.settle("r1", [account(5)])
    assert (await store.balances(["budget:all"]))[0].spent == 5
    await store.close()


async def test_the_values_put_longest_ago_leave_first(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    for number in range(30):
        await store.put({f"pin:{number:02}": b"x" * 94}, 60, room=1000)
        await store.put({"other:a": b"y" * 90}, 60, room=1000)
    there = await store.get([f"pin:{number:02}" for number in range(30)])
    assert list(there) == [f"pin:{number:02}" for number in range(20, 30)]
    await store.put({"pin:25": b"z"}, 60, room=600)
    there = await store.get([f"pin:{number:02}" for number in range(30)])
    assert list(there) == [f"pin:{number}" for number in range(24, 30)]
    assert list(await store.get(["other:a"])) == ["other:a"]
    await store.close()


async def test_what_is_over_is_swept_in_small_steps(tmp_path: Path) -> None:
    clock = [1_750_000_000.0]
    store = SqliteStore(tmp_path / "state.db", lambda: clock[0])
    for number in range(500):
        window = Window(key=f"w{number}", limit=5, within=60, amount=1)
        assert await store.take([window]) == Taken()
        await store.put({f"v:{number}": b""}, 60)
    clock[0] += 3600
    for _ in range(10):
        await store.put({"v:new": b""}, 60)
    await store.close()
    with sqlite3.connect(tmp_path / "state.db") as direct:
        assert direct.execute("SELECT count(*) FROM counts").fetchone() == (0,)
        assert direct.execute("SELECT key FROM kept").fetchall() == [("v:new",)]
        assert direct.execute("SELECT size FROM families").fetchall() == [(5,)]
    direct.close()


async def test_after_its_end_a_store_is_down(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    waiting = asyncio.gather(*(store.settle(f"r{n}", [account()]) for n in range(50)))
    await asyncio.sleep(0)
    await store.close()
    assert len(await waiting) == 50
    with pytest.raises(StoreDown, match="closed"):
        await store.ping()
    await store.close()
