"""The tables of a SQLite store, and each operation of a store as statements inside a transaction.

Times are Unix seconds: several processes share the file, and it outlives them.
"""

import sqlite3
from collections.abc import Mapping, Sequence

from lynkrc_runtime.state.interface import Account, Balance, Reserved, Settled, Taken, Window
from lynkrc_runtime.state.memory import REMEMBERED
from lynkrc_runtime.state.windows import (
    first_counted,
    slice_of,
    slice_seconds,
    taken_off,
    wait_for,
)

APPLICATION = 0x4C594E4B
"""In the head of the file: it is ours."""
VERSION = 1
"""Of the tables below, in the head of the file."""

ROOM = 256 * 1024 * 1024
"""Bytes that a family of values may take where `put` does not say."""

SCHEMA = """
CREATE TABLE counts (
    key TEXT NOT NULL, within REAL NOT NULL, slice INTEGER NOT NULL, amount INTEGER NOT NULL,
    until REAL NOT NULL, PRIMARY KEY (key, within, slice)
) WITHOUT ROWID;
CREATE INDEX counts_until ON counts (until);
CREATE TABLE accounts (
    key TEXT PRIMARY KEY, spent INTEGER NOT NULL, until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX accounts_until ON accounts (until);
CREATE TABLE holds (
    key TEXT NOT NULL, reservation TEXT NOT NULL, amount INTEGER NOT NULL, until REAL NOT NULL,
    PRIMARY KEY (key, reservation)
) WITHOUT ROWID;
CREATE INDEX holds_until ON holds (until);
CREATE TABLE settled (reservation TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX settled_until ON settled (until);
CREATE TABLE kept (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, family TEXT NOT NULL,
    value BLOB NOT NULL, size INTEGER NOT NULL, until REAL NOT NULL
);
CREATE INDEX kept_until ON kept (until);
CREATE INDEX kept_family ON kept (family, number);
CREATE TABLE families (name TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER kept_more AFTER INSERT ON kept BEGIN
    INSERT INTO families VALUES (new.family, new.size)
        ON CONFLICT (name) DO UPDATE SET size = size + excluded.size;
END;
CREATE TRIGGER kept_less AFTER DELETE ON kept BEGIN
    UPDATE families SET size = size - old.size WHERE name = old.family;
END;
"""

_SWEEPS = (
    "DELETE FROM counts WHERE (key, within, slice) IN "
    "(SELECT key, within, slice FROM counts WHERE until <= ? LIMIT ?)",
    "DELETE FROM accounts WHERE key IN (SELECT key FROM accounts WHERE until <= ? LIMIT ?)",
    "DELETE FROM holds WHERE (key, reservation) IN "
    "(SELECT key, reservation FROM holds WHERE until <= ? LIMIT ?)",
    "DELETE FROM settled WHERE reservation IN "
    "(SELECT reservation FROM settled WHERE until <= ? LIMIT ?)",
    "DELETE FROM kept WHERE number IN (SELECT number FROM kept WHERE until <= ? LIMIT ?)",
)


def take(db: sqlite3.Connection, windows: Sequence[Window], now: float) -> Taken:
    """See `Store.take`."""
    for index, window in enumerate(windows):
        slices = _slices(db, window, now)
        if sum(slices.values()) + window.amount > window.limit:
            wait = wait_for(
                window.within, slices, limit=window.limit, amount=window.amount, now=now
            )
            return Taken(over=index, wait=wait)
    for window in windows:
        _count(db, window, now)
    return Taken()


def correct(db: sqlite3.Connection, windows: Sequence[Window], now: float) -> None:
    """See `Store.correct`."""
    for window in windows:
        if window.amount > 0:
            _count(db, window, now)
            continue
        changed = taken_off(_slices(db, window, now).items(), -window.amount)
        db.executemany(
            "UPDATE counts SET amount = ? WHERE key = ? AND within = ? AND slice = ?",
            [(left, window.key, window.within, number) for number, left in changed.items()],
        )


def _slices(db: sqlite3.Connection, window: Window, now: float) -> dict[int, int]:
    rows = db.execute(
        "SELECT slice, amount FROM counts WHERE key = ? AND within = ? AND slice BETWEEN ? AND ?",
        (
            window.key,
            window.within,
            first_counted(window.within, now),
            # Farther ahead than the time itself: counted by a clock that was set back since.
            slice_of(window.within, now + window.within),
        ),
    )
    return dict(rows.fetchall())


def _count(db: sqlite3.Connection, window: Window, now: float) -> None:
    if not window.amount:
        return
    number = slice_of(window.within, now)
    until = (number + 1) * slice_seconds(window.within) + window.within
    db.execute(
        "INSERT INTO counts VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
        (window.key, window.within, number, window.amount, until),
    )


def reserve(
    db: sqlite3.Connection,
    reservation: str,
    accounts: Sequence[Account],
    expires: float,
    now: float,
) -> Reserved:
    """See `Store.reserve`."""
    if not _is_settled(db, reservation, now):
        for index, account in enumerate(accounts):
            spent = _spent(db, account.key, now)
            (others,) = db.execute(
                "SELECT coalesce(sum(amount), 0) FROM holds "
                "WHERE key = ? AND until > ? AND reservation != ?",
                (account.key, now, reservation),
            ).fetchone()
            used = spent + others
            if used + account.amount > account.limit if account.hard else used >= account.limit:
                return Reserved(balances=balances(db, [a.key for a in accounts], now), over=index)
        db.executemany(
            "INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?)",
            [(account.key, reservation, account.amount, now + expires) for account in accounts],
        )
        for account in accounts:
            _spend(db, account, 0, now)
    return Reserved(balances=balances(db, [account.key for account in accounts], now))


def settle(
    db: sqlite3.Connection, reservation: str, accounts: Sequence[Account], now: float
) -> Settled:
    """See `Store.settle`."""
    again = _is_settled(db, reservation, now)
    if not again:
        db.execute("INSERT OR REPLACE INTO settled VALUES (?, ?)", (reservation, now + REMEMBERED))
        for account in accounts:
            _spend(db, account, account.amount, now)
            db.execute(
                "DELETE FROM holds WHERE key = ? AND reservation = ?", (account.key, reservation)
            )
    return Settled(balances=balances(db, [account.key for account in accounts], now), again=again)


def _spend(db: sqlite3.Connection, account: Account, amount: int, now: float) -> None:
    """More is spent; an account whose time was over begins anew."""
    db.execute(
        "INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
        "spent = iif(until <= ?, 0, spent) + excluded.spent, until = excluded.until",
        (account.key, amount, account.until, now),
    )


def _is_settled(db: sqlite3.Connection, reservation: str, now: float) -> bool:
    found = db.execute(
        "SELECT 1 FROM settled WHERE reservation = ? AND until > ?", (reservation, now)
    )
    return found.fetchone() is not None


def _spent(db: sqlite3.Connection, key: str, now: float) -> int:
    row = db.execute(
        "SELECT spent FROM accounts WHERE key = ? AND until > ?", (key, now)
    ).fetchone()
    return 0 if row is None else int(row[0])


def balances(db: sqlite3.Connection, keys: Sequence[str], now: float) -> tuple[Balance, ...]:
    """See `Store.balances`."""
    found = []
    for key in keys:
        (reserved,) = db.execute(
            "SELECT coalesce(sum(amount), 0) FROM holds WHERE key = ? AND until > ?", (key, now)
        ).fetchone()
        found.append(Balance(spent=_spent(db, key, now), reserved=reserved))
    return tuple(found)


def get(db: sqlite3.Connection, keys: Sequence[str], now: float) -> Mapping[str, bytes]:
    """See `Store.get`."""
    values = {}
    for key in keys:
        row = db.execute(
            "SELECT value FROM kept WHERE key = ? AND until > ?", (key, now)
        ).fetchone()
        if row is not None:
            values[key] = row[0]
    return values


def put(
    db: sqlite3.Connection,
    values: Mapping[str, bytes],
    ttl: float,
    room: int | None,
    now: float,
) -> None:
    """See `Store.put`."""
    families = set()
    for key, value in values.items():
        family = key.partition(":")[0]
        families.add(family)
        # Not REPLACE, which would not tell the triggers what left.
        db.execute("DELETE FROM kept WHERE key = ?", (key,))
        db.execute(
            "INSERT INTO kept (key, family, value, size, until) VALUES (?, ?, ?, ?, ?)",
            (key, family, value, len(key) + len(value), now + ttl),
        )
    for family in families:
        _make_room(db, family, ROOM if room is None else room)


def _make_room(db: sqlite3.Connection, family: str, room: int) -> None:
    (size,) = db.execute("SELECT size FROM families WHERE name = ?", (family,)).fetchone()
    while size > room:
        oldest, gone = db.execute(
            "SELECT number, size FROM kept WHERE family = ? ORDER BY number LIMIT 1", (family,)
        ).fetchone()
        db.execute("DELETE FROM kept WHERE number = ?", (oldest,))
        size -= gone


def delete(db: sqlite3.Connection, keys: Sequence[str], now: float) -> int:
    """See `Store.delete`."""
    gone = 0
    for key in keys:
        row = db.execute("DELETE FROM kept WHERE key = ? RETURNING until", (key,)).fetchone()
        gone += row is not None and row[0] > now
    return gone


def touch(db: sqlite3.Connection) -> None:
    """Write something that changes nothing: a disk that is full refuses it."""
    db.execute(f"PRAGMA user_version = {VERSION}")


def sweep(db: sqlite3.Connection, now: float, most: int) -> int:
    """Drop what is over, at most so many rows of each table; how many were."""
    return sum(db.execute(statement, (now, most)).rowcount for statement in _SWEEPS)
