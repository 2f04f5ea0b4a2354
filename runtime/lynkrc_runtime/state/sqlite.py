"""A store in a SQLite file: one machine, any number of processes, what is settled survives.

One thread of the process does all of its transactions. What waits is done in one of them (group
commit); a caller is answered when it is committed. The file is in WAL mode: after `kill -9` all
that was answered is there. A transaction with a settlement is also synced to the disk before its
callers are answered, so a settlement survives a power cut; counts, reservations and values of the
last moments may not.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar, final

from lynkrc_runtime.state import sqlite_tables as tables
from lynkrc_runtime.state.interface import (
    Account,
    Balance,
    CannotOpen,
    Reserved,
    Settled,
    StoreDown,
    Taken,
    Window,
)

ANSWER_WITHIN = 5.0
"""Seconds an operation may wait for its answer."""
LOCK_WITHIN = 2.0
"""Seconds a transaction waits for those of other processes."""
MOST_WAITING = 10_000
"""Operations that may wait; one more is refused as if the store were down."""

_GROUP = 256  # operations in one transaction
_SWEEP_EVERY = 5.0  # seconds
_SWEEP_ROWS = 200
_LOCK_TRY_MS = 5
_OF_THE_FILE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
)  # what fails for all operations alike
_LOG_LIMIT = 64 * 1024 * 1024  # bytes of the write-ahead log that stay after a checkpoint

_T = TypeVar("_T")
_Work = Callable[[sqlite3.Connection, float], Any]


@final
@dataclass(frozen=True, slots=True)
class _Job:
    """An operation on its way to the thread; `is_settlement` asks for the disk."""

    work: _Work
    answer: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    reads_only: bool
    is_settlement: bool


@final
class SqliteStore:
    """See `Store`. `unix` gives the time of day, which all processes on the file share."""

    def __init__(self, path: Path, unix: Callable[[], float] = time.time) -> None:
        """Open the file, or make it (readable for its owner alone). Raises CannotOpen."""
        self._path = path.absolute()
        self._unix = unix
        self._db = _open(self._path)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._is_synced = True
        self._sweep_at = 0.0
        self._is_closed = False
        self._thread = Thread(target=self._run, name="state", daemon=True)
        self._thread.start()

    async def take(self, windows: Sequence[Window]) -> Taken:
        """See `Store`."""
        return await self._ask(lambda db, now: tables.take(db, windows, now))

    async def correct(self, windows: Sequence[Window]) -> None:
        """See `Store`."""
        await self._ask(lambda db, now: tables.correct(db, windows, now))

    async def reserve(
        self, reservation: str, accounts: Sequence[Account], expires: float
    ) -> Reserved:
        """See `Store`."""
        return await self._ask(
            lambda db, now: tables.reserve(db, reservation, accounts, expires, now)
        )

    async def settle(self, reservation: str, accounts: Sequence[Account]) -> Settled:
        """See `Store`."""
        return await self._ask(
            lambda db, now: tables.settle(db, reservation, accounts, now), is_settlement=True
        )

    async def balances(self, keys: Sequence[str]) -> tuple[Balance, ...]:
        """See `Store`."""
        return await self._ask(lambda db, now: tables.balances(db, keys, now), reads_only=True)

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """See `Store`."""
        return await self._ask(lambda db, now: tables.get(db, keys, now), reads_only=True)

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        """See `Store`."""
        await self._ask(lambda db, now: tables.put(db, values, ttl, room, now))

    async def delete(self, keys: Sequence[str]) -> int:
        """See `Store`."""
        return await self._ask(lambda db, now: tables.delete(db, keys, now))

    async def ping(self) -> None:
        """See `Store`: a transaction that writes what is there."""
        await self._ask(lambda db, _now: tables.touch(db))

    async def close(self) -> None:
        """See `Store`."""
        if not self._is_closed:
            self._is_closed = True
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)

    async def _ask(
        self,
        work: Callable[[sqlite3.Connection, float], _T],
        *,
        reads_only: bool = False,
        is_settlement: bool = False,
    ) -> _T:
        if self._is_closed or not self._thread.is_alive():
            raise StoreDown(f"{self._path}: closed")
        if self._jobs.qsize() >= MOST_WAITING:
            raise StoreDown(f"{self._path}: {MOST_WAITING} operations wait already")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        self._jobs.put(_Job(work, answer, loop, reads_only, is_settlement))
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                return await answer
        except TimeoutError as late:
            raise StoreDown(f"{self._path}: no answer within {ANSWER_WITHIN:g} s") from late

    # -- what follows runs in the thread -----------------------------------------------------

    def _run(self) -> None:
        is_open = True
        while is_open:
            group: list[_Job] = []
            try:
                job = self._jobs.get(timeout=_SWEEP_EVERY)
                while job is not None and len(group) < _GROUP:
                    group.append(job)
                    job = self._jobs.get_nowait()
                if job is not None:
                    group.append(job)
                is_open = job is not None
            except Empty:
                pass
            self._do(group)
        self._db.close()

    def _do(self, group: Sequence[_Job]) -> None:
        """A group in one transaction, again while another process has the file.

        Where it fails otherwise each is done alone: one that cannot be done takes no other along.
        """
        give_up = time.monotonic() + LOCK_WITHIN
        while True:  # without a group only sweeping is lost, which is tried again soon
            try:
                answers = self._commit(group)
            except (sqlite3.Error, OverflowError, ValueError) as fault:
                if self._db.in_transaction:
                    self._db.rollback()
                code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
                if (
                    group
                    and code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                    and (time.monotonic() < give_up)
                ):
                    continue
                if len(group) > 1 and code not in _OF_THE_FILE:
                    for job in group:
                        self._do([job])
                    return
                down = StoreDown(f"{self._path}: {fault}", is_alone=code == 0)
                _tell(group, [down] * len(group))
                return
            _tell(group, answers)
            return

    def _commit(self, group: Sequence[_Job]) -> list[Any]:
        now = self._unix()
        is_due = now >= self._sweep_at or now < self._sweep_at - _SWEEP_EVERY
        reads_only = bool(group) and all(job.reads_only for job in group)
        # Who only reads must not wait for the lock that sweeping needs.
        is_due = is_due and not reads_only
        if not group and not is_due:
            return []
        self._sync(any(job.is_settlement for job in group))
        self._db.execute("BEGIN" if reads_only else "BEGIN IMMEDIATE")
        answers = [job.work(self._db, now) for job in group]
        if is_due:
            swept = tables.sweep(self._db, now, _SWEEP_ROWS)
        self._db.execute("COMMIT")
        if is_due:
            # What is left over is swept soon, a step with each transaction.
            self._sweep_at = now if swept >= _SWEEP_ROWS else now + _SWEEP_EVERY
        return answers

    def _sync(self, wanted: bool) -> None:
        if wanted != self._is_synced:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if wanted else 'NORMAL'}")
            self._is_synced = wanted


def _tell(group: Sequence[_Job], answers: Sequence[Any]) -> None:
    """Answer each caller in its event loop; one that has stopped waits for nothing any more."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, answer in zip(group, answers, strict=True):
        by_loop.setdefault(job.loop, []).append((job.answer, answer))
    for loop, told in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, told)
        except RuntimeError:
            continue  # closed


def _resolve(told: Sequence[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, answer in told:
        if future.done():
            continue  # its request was cancelled, or it came too late
        if isinstance(answer, StoreDown):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def _open(path: Path) -> sqlite3.Connection:
    """The file, with our tables in it. Raises CannotOpen."""
    db = None
    try:
        # SQLite gives the files beside it (-wal, -shm) the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = sqlite3.connect(
            path, timeout=LOCK_WITHIN, isolation_level=None, check_same_thread=False
        )
        _prepare(db)
    except OSError as fault:
        raise CannotOpen(
            f"state: cannot open {path}: {fault.strerror}; `path` under `state` names a file that "
            "this user may write, in a folder that is there"
        ) from fault
    except (sqlite3.Error, _Foreign) as fault:
        if db is not None:
            db.close()
        raise CannotOpen(
            f"state: cannot use {path}: {fault}; move it away to begin with nothing counted, or "
            "give another `path`"
        ) from fault
    return db


@final
class _Foreign(Exception):
    """Not a file of ours, or not of this version."""


def _prepare(db: sqlite3.Connection) -> None:
    # Locked while it is looked at: another process may be about to make the tables.
    db.execute("BEGIN IMMEDIATE")
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (count,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if count == 0 and application == 0:
        for statement in _statements(tables.SCHEMA):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {tables.APPLICATION}")
        db.execute(f"PRAGMA user_version = {tables.VERSION}")
    elif application != tables.APPLICATION:
        raise _Foreign("it is a database of another program")
    elif version != tables.VERSION:
        raise _Foreign(f"its tables have version {version}, and this runtime's {tables.VERSION}")
    db.execute("COMMIT")
    try:
        db.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        # A neighbour is about to say the same, and what it says is the file's, not its own.
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
    db.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}")
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise _Foreign(f"it is damaged ({found.splitlines()[-1]})")
    db.execute(f"PRAGMA busy_timeout = {_LOCK_TRY_MS}")
    db.execute("PRAGMA synchronous = FULL")


def _statements(script: str) -> list[str]:
    """A script's statements, one by one: `executescript` would end the transaction."""
    statements, rest = [], ""
    for line in script.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            statements.append(rest.strip())
            rest = ""
    return statements
