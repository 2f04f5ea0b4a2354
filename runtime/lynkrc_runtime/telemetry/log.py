"""An outcome to one line of JSON on standard error; notices of the gateway in the same form.

Prompts, answers and secrets have no way in: an `Outcome` holds none, and an upstream's message
(which may repeat a prompt) is left out.
"""

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import Any, final

import msgspec

from lynkrc_runtime import settings
from lynkrc_runtime.attempt import AttemptRecord
from lynkrc_runtime.cost import total_of
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.telemetry.log_file import LogFile
from lynkrc_runtime.telemetry.outcome import Outcome, milliseconds

_MODEL_LIMIT = 200
"""Characters of the model name a client sent that are logged."""
_NAMES, _NAME_LIMIT = 50, 100
"""Transforms or losses of a request that are logged, and characters of each."""


class Level(IntEnum):
    """How much matters; lines below the chosen level are not written."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


_WORDS = {level: level.name.lower() for level in Level}


def _to_stderr(line: str) -> None:
    try:
        sys.stderr.write(line)
        sys.stderr.flush()
    except OSError:
        # Whoever read the log has gone. Requests must not fail for it, and there is nobody to tell.
        return


@final
class Log:
    """Writes lines; `write` gets each with its line end, `clock` gives Unix seconds.

    `level` is one that was chosen on the command line: no spec changes it. `worker` is the number
    of the one of several that writes; every line names it.
    """

    __slots__ = ("_clock", "_fields", "_is_chosen", "_level", "_who", "_write")

    def __init__(
        self,
        *,
        level: Level | None = None,
        write: Callable[[str], None] = _to_stderr,
        clock: Callable[[], float] = time.time,
        worker: int | None = None,
    ) -> None:
        self._who = {} if worker is None else {"worker": worker}
        self._is_chosen = level is not None
        self._level = Level.INFO if level is None else level
        self._fields: frozenset[str] | None = None
        self._write = write
        self._clock = clock

    def follow(self, declared: settings.Log) -> None:
        """From now on what a spec declares, but for a level that was chosen."""
        if not self._is_chosen:
            self._level = Level[declared.level.upper()]
        self._fields = None if declared.fields is None else frozenset(declared.fields)

    @property
    def lost(self) -> int:
        """Lines that could not be written since the start; 0 where nobody counts them."""
        return self._write.lost if isinstance(self._write, LogFile) else 0

    def line(self, level: Level, event: str, **members: Any) -> None:
        """One line of ASCII: time, level, event, and the members (JSON-able).

        A control character of a client never reaches the terminal of who reads the log.
        """
        if level < self._level:
            return
        self._write(_text(self._head(level, event) | members))

    def _head(self, level: Level, event: str) -> dict[str, Any]:
        """What every line begins with."""
        micro = round(self._clock() * 1_000_000)
        second, part = divmod(micro // 1000, 1000)
        moment = f"{_second(second)}.{part:03}+00:00"
        return {"time": moment, "level": _WORDS[level], "event": event, **self._who}

    def outcome(self, dispatch: Dispatch, outcome: Outcome) -> None:
        """The request's line."""
        if self._level <= Level.INFO:
            members = outcome_members(dispatch, outcome)
            if self._fields is not None:
                members = {name: members[name] for name in members if name in self._fields}
            self._write(_text(self._head(Level.INFO, "request") | members))


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    """A moment in Unix seconds; most lines share theirs with the one before.

    >>> _second(1_795_240_000)
    '2026-11-21T05:46:40'
    """
    return datetime.fromtimestamp(second, UTC).isoformat()[:19]


def _text(members: Mapping[str, Any]) -> str:
    """A line of JSON in ASCII; the slower way is for the few that hold anything else."""
    try:
        text = msgspec.json.encode(members)
    except UnicodeEncodeError:  # half a character
        text = b"\xff"
    if text.isascii():
        return text.decode("ascii") + "\n"
    return json.dumps(msgspec.to_builtins(members), separators=(",", ":")) + "\n"


def place_of(error: BaseException) -> list[str]:
    """Where an exception comes from, outermost first; its message may hold anything and stays."""
    return [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]


@final
class _HttpHandler(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._log.line(
            Level.WARNING,
            "http",
            notice=str(record.msg).removesuffix(" from %s"),
            type=None if error is None else type(error).__name__,
            place=[] if error is None else place_of(error)[-3:],
        )


def http_logger(log: Log) -> logging.Logger:
    """A logger for the HTTP server. What it cannot read, it quotes: headers with keys, bodies.

    Only the unfilled message, the type and the place of an error become a line.
    """
    logger = logging.Logger("lynkrc.http", logging.WARNING)
    logger.addHandler(_HttpHandler(log))
    return logger


def outcome_members(dispatch: Dispatch, outcome: Outcome) -> dict[str, Any]:
    """The members of a request's log line, as msgspec writes them."""
    target = None if outcome.target is None else dispatch.targets[outcome.target]
    first_byte, charges = outcome.first_byte, outcome.charges
    cost = total_of(charges)
    return {
        "request_id": outcome.request_id,
        "surface": outcome.surface,
        "dialect": outcome.dialect,
        "model": outcome.model[:_MODEL_LIMIT],
        "stream": outcome.stream,
        "tier": outcome.tier,
        "rule": outcome.rule,
        "score": outcome.score,
        "target": None if target is None else target.name,
        "provider": None if target is None else dispatch.providers[target.provider].name,
        "served_model": None if target is None else target.model,
        "fallback": outcome.fallback,
        "calls": outcome.calls,
        "attempts": [_attempt(dispatch, record) for record in outcome.attempts],
        "status": outcome.status,
        "class": outcome.ending,
        "key": outcome.key,
        "team": outcome.team,
        "tenant": outcome.tenant,
        "usage": outcome.usage,
        "cost_micro_usd": None if cost is None else cost.total,
        "cost_by_kind": cost,
        "estimated": True in [one.estimated for one in charges],
        "duration_ms": milliseconds(outcome.seconds),
        "first_byte_ms": None if first_byte is None else milliseconds(first_byte),
        "transforms": _names(outcome.transforms) if outcome.transforms else (),
        "losses": _names(outcome.losses) if outcome.losses else (),
    }


def _names(entries: Sequence[str]) -> list[str]:
    """Entries within bounds: what a client or an upstream called a member stands in them.

    >>> _names(["n"] * 52)[49:]
    ['n', '+2']
    """
    kept = [entry[:_NAME_LIMIT] for entry in entries[:_NAMES]]
    more = len(entries) - len(kept)
    return [*kept, f"+{more}"] if more else kept


def _attempt(dispatch: Dispatch, record: AttemptRecord) -> Mapping[str, Any]:
    failure = record.failure
    members: dict[str, Any] = {
        "target": dispatch.targets[record.target].name,
        "result": record.result,
        "duration_ms": milliseconds(record.seconds),
    }
    if failure is not None and record.fault is not None:
        members |= {
            "fault": record.fault,
            "class": failure.kind.value,
            "status": failure.status,
        }
    charge = record.charge
    if charge is not None:
        members["usage"] = charge.usage
        members["cost_micro_usd"] = None if charge.cost is None else charge.cost.total
        members["cost_by_kind"] = charge.cost
        members["estimated"] = charge.estimated
    return members
