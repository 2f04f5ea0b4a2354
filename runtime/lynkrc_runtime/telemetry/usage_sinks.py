"""Usage records to a file of lines or to a database, each shared by any number of gateways.

Both hold the same records. In a database a request's line stands in `requests`, beside the columns
that are most asked for; bundles, gaps and judgements have tables of their own.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, final

import msgspec

from lynkrc_runtime.settings import Rotate
from lynkrc_runtime.telemetry.appender import Appender
from lynkrc_runtime.usage_database import APPLICATION, SCHEMA
from lynkrc_runtime.usage_record import (
    VERSION,
    BundleLine,
    FeedbackLine,
    GapLine,
    Line,
    RequestLine,
    SignalLine,
)

PATIENCE = 5.0
"""Seconds the thread waits for another gateway that writes to the same database."""


class Sink(Protocol):
    """Where records go. The records of one call are written all, or OSError is raised."""

    def is_new(self) -> bool:
        """Whether bundles must be described anew: it is another file than before."""
        ...

    def put(self, lines: Sequence[Line]) -> None:
        """Write records."""
        ...

    def close(self) -> None:
        """Nothing more is written."""
        ...


@final
class FileSink:
    """Lines of JSON, appended; see `Appender`."""

    __slots__ = ("_file",)

    def __init__(
        self,
        path: Path,
        rotate: Rotate | None,
        *,
        write: Callable[[int, bytes], None] | None = None,
    ) -> None:
        self._file = Appender(path, rotate, write=write)

    def is_new(self) -> bool:
        """See `Sink`."""
        return self._file.is_new()

    def put(self, lines: Sequence[Line]) -> None:
        """See `Sink`."""
        self._file.append(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))

    def close(self) -> None:
        """See `Sink`."""
        self._file.close()


@final
class DatabaseSink:
    """SQLite; OSError where the file cannot be opened, or is no database of this kind."""

    __slots__ = ("_database",)

    def __init__(self, path: Path) -> None:
        # Made by us, so that only its owner reads it: who asked how much is nobody else's matter.
        path.touch(mode=0o600)
        try:
            # Opened here, so that a start fails; used by the thread that writes, by it alone.
            self._database = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False)
            try:
                self._begin()
            except BaseException:
                self._database.close()
                raise
        except sqlite3.Error as error:
            raise OSError(None, str(error)) from error

    def _begin(self) -> None:
        database = self._database
        with database:
            # Locked while it is looked at: a neighbour may be about to make the tables, and one
            # that dies half way leaves none.
            database.execute("BEGIN IMMEDIATE")
            (version,) = database.execute("PRAGMA user_version").fetchone()
            (application,) = database.execute("PRAGMA application_id").fetchone()
            tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,)
            if tables and (application, version) != (APPLICATION, VERSION):
                raise OSError(None, f"it is no database of usage records of version {VERSION}")
            for statement in SCHEMA:
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {VERSION}")
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # A neighbour is about to say the same, and what it says is the file's, not its own.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
        # The last commits before a power cut may be lost, as with a file of lines.
        database.execute("PRAGMA synchronous = NORMAL")

    def is_new(self) -> bool:
        """See `Sink`."""
        return False

    def put(self, lines: Sequence[Line]) -> None:
        """See `Sink`."""
        try:
            with self._database:
                for line in lines:
                    _insert(self._database, line)
        except (sqlite3.Error, OverflowError) as error:  # OverflowError: beyond SQLite's integers
            raise OSError(None, str(error)) from error

    def close(self) -> None:
        """See `Sink`."""
        self._database.close()


def _insert(database: sqlite3.Connection, line: Line) -> None:
    text = msgspec.json.encode(line).decode()
    match line:
        case RequestLine():
            database.execute(
                "INSERT INTO requests (time, request_id, bundle, surface, tier, target, model,"
                " key, team, tenant, ending, status, cost_micro_usd, line)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    line.time,
                    line.request_id,
                    line.bundle,
                    line.surface,
                    line.tier,
                    line.target,
                    line.model,
                    line.key,
                    line.team,
                    line.tenant,
                    line.ending,
                    line.status,
                    line.cost_micro_usd,
                    text,
                ),
            )
        case BundleLine():
            database.execute(
                "INSERT OR REPLACE INTO bundles (bundle, line) VALUES (?, ?)", (line.bundle, text)
            )
        case GapLine():
            database.execute(
                "INSERT INTO gaps (time, requests, line) VALUES (?, ?, ?)",
                (line.time, line.requests, text),
            )
        case FeedbackLine() | SignalLine():
            what = "feedback" if isinstance(line, FeedbackLine) else line.signal.value
            score = line.score if isinstance(line, FeedbackLine) else None
            database.execute(
                "INSERT INTO judgements (time, request_id, bundle, key, what, score, line)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (line.time, line.request_id, line.bundle, line.key, what, score, text),
            )
