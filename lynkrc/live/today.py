"""The end of a usage log to what was routed and spent since a moment, in milliseconds.

For a prompt, which nobody waits for: only the standard library is imported, the log is read from
its end, and no further than a few megabytes. `lynkrc usage` reads all of it, and checks every line.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard, final

_MOST = 4 * 2**20
"""Bytes that are read, some thousands of requests."""
_ROWS = 5_000
"""Requests of a database that are read."""
_BLOCK = 2**17
_SQLITE = b"SQLite format 3\0"
_LARGEST = 2**53
"""What a gateway writes is no larger: a line with more was written by somebody else."""

Prices: TypeAlias = Mapping[str, float]
"""Micro-dollars a token, by kind."""
KINDS = ("input", "output", "cache_read", "cache_write")


@final
@dataclass(slots=True)
class Today:
    """What was routed; money in micro-dollars. `is_more`: there were more requests than were read.

    `tier`, `target` and `model` are of the last request that has them; `there` is what the
    answers' tokens cost at other prices, `compared` what those requests were paid with.
    """

    requests: int = 0
    cost: int = 0
    failed: int = 0
    tier: str = ""
    target: str = ""
    model: str = ""
    there: float = 0.0
    compared: int = 0
    is_more: bool = False

    @property
    def saved(self) -> int | None:
        """Percent, below 0 where more was spent; None where nothing can be compared."""
        return round(100 * (1 - self.compared / self.there)) if self.there else None


def today(log: Path, since: datetime, prices: Prices | None) -> Today:
    """The requests of a log that ended since a moment, which has a zone. OSError without one."""
    found = Today()
    lines = _newest_first(log, since, found)
    for line in lines:
        record = _request(line)
        if record is None:
            continue
        if datetime.fromisoformat(record["time"]) < since:
            found.is_more = False
            break
        _add(found, record, prices)
    return found


def midnight(now: datetime) -> datetime:
    """When the day began here that `now` lies in, which has a zone: by the offset it had then."""
    local = now.astimezone()
    # Not `astimezone` again: of a midnight that the clocks leave out it is an hour early.
    began = datetime(local.year, local.month, local.day).timestamp()
    return datetime.fromtimestamp(began, UTC)


def flagship_prices(bundle: Path) -> Prices | None:
    """The dearest target's prices in a bundle or its folder; None where there are none."""
    import zipfile
    import zlib

    try:
        if bundle.is_dir():
            (bundle,) = bundle.glob("*.lynkr")
        with zipfile.ZipFile(bundle) as zipped:
            targets = json.loads(zipped.read("dispatch.json"))["targets"]
        priced = [
            {kind: float(one["price"][kind]) for kind in KINDS}
            for one in targets
            if one["price"] is not None
        ]
    except (OSError, KeyError, TypeError, ValueError, EOFError, RuntimeError):
        return None
    except (zipfile.BadZipFile, zlib.error):
        return None
    if not all(isfinite(price) for one in priced for price in one.values()):
        return None
    return max(priced, key=lambda one: one["input"] + one["output"], default=None)


def _newest_first(log: Path, since: datetime, found: Today) -> Iterator[bytes]:
    """The lines of a log from its end; `is_more` is set where they end before it began."""
    if log.exists() and not log.is_file():
        raise OSError(None, "it is no file")  # a pipe would be waited for
    with log.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            at = file.seek(0, 2)
            stop, rest = max(0, at - _MOST), b""
            while at > stop:
                size = min(_BLOCK, at - stop)
                at -= size
                file.seek(at)
                first, *lines = (file.read(size) + rest).split(b"\n")
                yield from reversed(lines)
                rest = first
            found.is_more = at > 0
            if not found.is_more:
                yield rest
            return
    yield from _rows(log, since, found)


def _rows(log: Path, since: datetime, found: Today) -> Iterator[bytes]:
    import sqlite3
    from contextlib import closing
    from datetime import UTC

    begin = since.astimezone(UTC).isoformat(timespec="milliseconds")
    query = "SELECT line FROM requests WHERE time >= ? ORDER BY time DESC LIMIT ?"
    try:
        with closing(sqlite3.connect(f"{log.absolute().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(query, (begin, _ROWS + 1)).fetchall()
    except sqlite3.Error as problem:
        raise OSError(None, str(problem)) from problem
    found.is_more = len(rows) > _ROWS
    for (line,) in rows[:_ROWS]:
        yield str(line).encode()


def _request(line: bytes) -> dict[str, Any] | None:
    """The record of a request; None for another line, or none that can be read."""
    try:
        record = json.loads(line) if line.strip() else None
        if not isinstance(record, dict) or record.get("kind") != "request":
            return None
        moment = datetime.fromisoformat(record["time"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return record if moment.tzinfo is not None else None


def _add(found: Today, record: Mapping[str, Any], prices: Prices | None) -> None:
    found.requests += 1
    status, cost, tokens = (record.get(name) for name in ("status", "cost_micro_usd", "tokens"))
    found.failed += isinstance(status, int) and status >= 400
    for name in ("tier", "target", "model"):
        if not getattr(found, name) and isinstance(record.get(name), str):
            setattr(found, name, record[name])
    if not _is_amount(cost):
        return
    found.cost += cost
    if prices is not None and isinstance(tokens, dict):
        counts = {kind: tokens.get(kind, 0) for kind in KINDS}
        if all(map(_is_amount, counts.values())):
            found.compared += cost
            found.there += sum(counts[kind] * prices[kind] for kind in KINDS)


def _is_amount(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and 0 <= value <= _LARGEST
