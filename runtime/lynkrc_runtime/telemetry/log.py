"""An outcome to one line of JSON on standard error; notices of the gateway in the same form.

Prompts, answers and secrets have no way in: an `Outcome` holds none, and an upstream's message
(which may repeat a prompt) is left out.
"""

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, final

import msgspec

from lynkrc_runtime import settings
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.telemetry.log_file import LogFile
from lynkrc_runtime.telemetry.log_members import chosen, request_members
from lynkrc_runtime.telemetry.outcome import Outcome


class Level(IntEnum):
    """How much matters; lines below the chosen level are not written."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


# A member of an enumeration is looked up by its class's metaclass: this is asked every time.
_INFO = Level.INFO
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

    __slots__ = (
        "_at",
        "_clock",
        "_fields",
        "_is_chosen",
        "_level",
        "_request",
        "_who",
        "_write",
    )

    def __init__(
        self,
        *,
        level: Level | None = None,
        write: Callable[[str], None] = _to_stderr,
        clock: Callable[[], float] = time.time,
        worker: int | None = None,
    ) -> None:
        self._who = "" if worker is None else f',"worker":{worker}'
        self._request = self._head(Level.INFO, "request")
        self._at = ("", "")
        """A second, and what lines of it begin with."""
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
        self._write(_line(f"{self._moment()}{self._head(level, event)}", members))

    def _head(self, level: Level, event: str) -> str:
        """What stands behind the time; both are words of the gateway."""
        return f'","level":"{_WORDS[level]}","event":"{event}"{self._who}'

    def _moment(self) -> str:
        """What every line begins with: the time, to the millisecond."""
        milliseconds = str(round(self._clock() * 1_000_000) // 1000).zfill(4)
        second = milliseconds[:-3]
        # Most lines share theirs with the one before; set in one go, as others log in threads.
        known, begin = self._at
        if second != known:
            begin = f'{{"time":"{datetime.fromtimestamp(int(second), UTC).isoformat()[:19]}.'
            self._at = (second, begin)
        return f"{begin}{milliseconds[-3:]}+00:00"

    def outcome(self, dispatch: Dispatch, outcome: Outcome) -> None:
        """The request's line."""
        if self._level > _INFO:
            return
        members: Any = request_members(dispatch, outcome)
        if self._fields is not None:
            members = chosen(members, self._fields)
        self._write(_line(f"{self._moment()}{self._request}", members))


def _line(begin: str, members: Any) -> str:
    """A dict or a struct as the rest of a line that begins so: JSON in ASCII, with its line end.

    The slower way is for the few that hold anything else.

    >>> _line('{"time":0', {"a": 1}), _line('{"time":0', {})
    ('{"time":0,"a":1}\\n', '{"time":0}\\n')
    """
    try:
        text = msgspec.json.encode(members).decode("ascii")
    except UnicodeError:  # half a character, or one beyond ASCII
        text = json.dumps(msgspec.to_builtins(members), separators=(",", ":"))
    return f"{begin}}}\n" if text == "{}" else f"{begin},{text[1:]}\n"


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
