"""A file of usage records, in either form, to the lines it holds."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from heapq import merge
from pathlib import Path
from typing import Any

from lynkrc_runtime.usage_record import VERSION

APPLICATION = 0x4C4B5243
"""SQLite's application id of a database of usage records: LKRC."""

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS bundles (bundle TEXT PRIMARY KEY, line TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, time TEXT NOT NULL,"
    " request_id TEXT NOT NULL, bundle TEXT NOT NULL, surface TEXT NOT NULL, tier TEXT,"
    " target TEXT, model TEXT, key TEXT, team TEXT, tenant TEXT, ending TEXT NOT NULL,"
    " status INTEGER NOT NULL, cost_micro_usd INTEGER, line TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS requests_time ON requests (time)",
    "CREATE TABLE IF NOT EXISTS gaps (id INTEGER PRIMARY KEY, time TEXT NOT NULL,"
    " requests INTEGER NOT NULL, line TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS judgements (id INTEGER PRIMARY KEY, time TEXT NOT NULL,"
    " request_id TEXT NOT NULL, bundle TEXT NOT NULL, key TEXT, what TEXT NOT NULL, score REAL,"
    " line TEXT NOT NULL)",
)
"""Everything a new database needs."""

_MAGIC = b"SQLite format 3\0"


def usage_lines(path: Path) -> Iterator[bytes]:
    """The lines of a usage log, each with its line end, bundles before the requests they explain
    and what judges a request behind it. Callers may use an id twice: of a database too, requests
    and judgements come by their times.

    What a file is, is told by its first bytes. Raises OSError, also for another database.
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            file.seek(0)
            yield from file
            return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            yield from _rows(database)
    except sqlite3.Error as error:
        raise OSError(None, str(error)) from error


def _rows(database: sqlite3.Connection) -> Iterator[bytes]:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        raise OSError(None, "it is a database of something else")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        raise OSError(None, f"it is of version {version}; this compiler reads {VERSION}")
    # A database of before anybody was judged has no such table until a gateway opens it again.
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    yield from _texts(database.execute("SELECT line FROM bundles ORDER BY bundle"))
    timed = [
        database.execute(f"SELECT line, time FROM {table} ORDER BY id")
        for table in ("requests", "judgements")
        if table in tables
    ]
    # Each table stays in its own order, and of one moment the request comes first.
    yield from _texts(merge(*timed, key=_time))
    yield from _texts(database.execute("SELECT line FROM gaps ORDER BY id"))


def _time(row: tuple[Any, ...]) -> str:
    # SQLite keeps what it was given, whatever the column says.
    return str(row[1])


def _texts(rows: Iterable[tuple[Any, ...]]) -> Iterator[bytes]:
    for row in rows:
        yield str(row[0]).encode() + b"\n"
