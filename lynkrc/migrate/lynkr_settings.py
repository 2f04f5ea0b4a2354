"""Lynkr's variables about how requests are served to sections of a spec, by one table.

Only what the file sets and Lynkr enforces is taken over; what stays at a default of Lynkr's takes
ours. Facts of Lynkr 9.14.1.

>>> read = read_settings({"PORT": "8081", "LOAD_SHEDDING_MEMORY_THRESHOLD": "0.9"})
>>> [(setting.path, setting.value) for setting in read.settings]
[(('server', 'port'), '8081'), (('server', 'shedding', 'memory'), '90')]
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias, final

from lynkrc.migrate.account import Account, carried, left
from lynkrc.migrate.draft import DraftSetting
from lynkrc.migrate.served import not_yet
from lynkrc.migrate.write_spec import seconds

_Read: TypeAlias = Callable[[str], str | None]
"""What a variable holds to a value as a spec writes it; None for what says nothing."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A variable, the setting it becomes and how it is read.

    `needs` is the switch without which Lynkr does not look at it; `until` how the value is given to
    this runtime, with the value for ``{}``.
    """

    name: str
    path: tuple[str, ...]
    read: _Read
    no: str
    """Why a value that cannot be read is lost."""
    needs: str | None = None
    until: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings, and what became of each variable they are made of."""

    settings: tuple[DraftSetting, ...]
    accounts: tuple[Account, ...]


def _count(most: int) -> _Read:
    def read(text: str) -> str | None:
        found = re.fullmatch(r"[0-9]{1,9}", text)
        return str(int(text)) if found and 0 < int(text) <= most else None

    return read


def _margin(text: str) -> str | None:
    return str(int(text)) if re.fullmatch(r"[0-9]{1,3}", text) and int(text) <= 100 else None


def _time(text: str) -> str | None:
    found = re.fullmatch(r"[0-9]{1,11}", text)
    return seconds(int(text) / 1000) if found and 0 < int(text) <= 31_536_000_000 else None


def _percent(text: str) -> str | None:
    found = re.fullmatch(r"0?\.[0-9]{1,9}|[01](\.0{1,9})?", text)
    return str(round(Decimal(text) * 100)) if found else None


_UNITS = {"": 1, "b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}


def _bytes(text: str) -> str | None:
    """Express's sizes: their units are powers of 1,024."""
    found = re.fullmatch(r"([0-9]{1,9}) ?(b|kb|mb|gb|)", text.lower())
    number = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < number <= 1 << 40:
        return None
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if number % (1 << power) == 0:
            return f"{number >> power}{unit}"
    return str(number)


def _one_of(meanings: Mapping[str, str]) -> _Read:
    return lambda text: meanings.get(text.lower())


_LEVELS = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "fatal": "error",
}
_NO_TIME = "no number of milliseconds up to a year"
_NO_COUNT = "no number above 0"
_LIMIT = ("limits", "-")
_EXACT = ("cache", "exact")

_ROWS: tuple[Setting, ...] = (
    Setting(
        name="LYNKR_STICKY_SESSIONS",
        path=("sessions", "within"),
        read=_one_of({"true": "session", "false": '"off"'}),
        no="neither true nor false",
    ),
    Setting(
        name="LYNKR_STICKY_TTL_MS",
        path=("sessions", "ttl"),
        read=_time,
        no=_NO_TIME,
        needs="LYNKR_STICKY_SESSIONS",
    ),
    Setting(
        name="LYNKR_PIN_DRIFT_MARGIN",
        path=("sessions", "drift_margin"),
        read=_margin,
        no="no number from 0 to 100",
        needs="LYNKR_STICKY_SESSIONS",
    ),
    Setting(
        name="PORT",
        path=("server", "port"),
        read=_count(65_535),
        no="no port",
    ),
    Setting(
        name="REQUEST_JSON_LIMIT",
        path=("server", "body_limit"),
        read=_bytes,
        no="no size up to 1024 GiB",
    ),
    Setting(
        name="LOAD_SHEDDING_ACTIVE_REQUESTS_THRESHOLD",
        path=("server", "shedding", "active"),
        read=_count(1_000_000),
        no=_NO_COUNT,
    ),
    Setting(
        name="LOAD_SHEDDING_MEMORY_THRESHOLD",
        path=("server", "shedding", "memory"),
        read=_percent,
        no="no share from 0 to 1",
    ),
    Setting(
        name="HOT_RELOAD_ENABLED",
        path=("server", "reload", "watch"),
        read=_one_of({"true": "true", "false": "false"}),
        no="neither true nor false",
    ),
    Setting(
        name="LYNKR_STREAM_IDLE_TIMEOUT_MS",
        path=("resilience", "timeouts", "idle"),
        read=_time,
        no=_NO_TIME,
    ),
    Setting(
        name="RATE_LIMIT_MAX",
        path=(*_LIMIT, "requests"),
        read=_count(1_000_000_000),
        no=_NO_COUNT,
        needs="RATE_LIMIT_ENABLED",
    ),
    Setting(
        name="RATE_LIMIT_WINDOW_MS",
        path=(*_LIMIT, "within"),
        read=_time,
        no=_NO_TIME,
        needs="RATE_LIMIT_ENABLED",
    ),
    Setting(
        name="PROMPT_CACHE_TTL_MS",
        path=(*_EXACT, "ttl"),
        read=_time,
        no=_NO_TIME,
        needs="PROMPT_CACHE_ENABLED",
    ),
    Setting(
        name="PROMPT_CACHE_MAX_ENTRIES",
        path=(*_EXACT, "entries"),
        read=_count(1_000_000_000),
        no=_NO_COUNT,
        needs="PROMPT_CACHE_ENABLED",
    ),
    Setting(
        name="TOOL_RESULT_COMPRESSION_ENABLED",
        path=("optimize", "tool_results", "over"),
        # What Lynkr shortens whatever the tier: its other thresholds are never chosen.
        read=_one_of({"true": "2k", "false": ""}),
        no="neither true nor false",
    ),
    Setting(
        name="LOG_LEVEL",
        path=("observability", "log", "level"),
        read=_one_of(_LEVELS),
        no="no level of Lynkr's",
    ),
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Settings that a section needs beside those that are written, with Lynkr's defaults.

    `switch` is the variable that turns all of it off; `note` what is different here.
    """

    switch: str
    path: tuple[str, ...]
    defaults: tuple[tuple[str, str], ...]
    note: str
    others: tuple[str, ...] = ()


_GROUPS: tuple[_Group, ...] = (
    _Group(
        switch="RATE_LIMIT_ENABLED",
        path=_LIMIT,
        defaults=(("name", "clients"), ("per", "key"), ("requests", "100"), ("within", "1m")),
        note="counted by key, where Lynkr counts by session or address",
        others=("RATE_LIMIT_KEY_BY",),
    ),
    _Group(
        switch="PROMPT_CACHE_ENABLED",
        path=_EXACT,
        defaults=(("ttl", "5m"), ("entries", "64")),
        note="each key has answers of its own, where Lynkr's are everybody's",
    ),
)

SETTINGS = frozenset(
    (
        *(row.name for row in _ROWS),
        *(name for group in _GROUPS for name in (group.switch, *group.others)),
    )
)
"""Every variable that this module answers for."""


def read_settings(values: Mapping[str, str]) -> Settings:
    """The settings that the variables say, section by section, and an account of each variable."""
    written: dict[tuple[str, ...], str] = {}
    accounts: list[Account] = []
    for row in _ROWS:
        text = values.get(row.name)
        if text is None:
            continue
        value = row.read(text.strip())
        if row.needs and values.get(row.needs, "").strip().lower() == "false":
            accounts.append(left(row.name, f"{row.needs} switches it off"))
        elif value is None:
            accounts.append(left(row.name, row.no))
        elif not value:
            accounts.append(carried(row.name, f"off: no `{'.'.join(row.path[:-1])}`"))
        else:
            written[row.path] = value
            accounts.append(carried(row.name, _where(row, value)))
    for group in _GROUPS:
        accounts += _complete(group, values, written)
    order = [row.path for row in _ROWS]
    settings = [DraftSetting(path=path, value=value) for path, value in written.items()]
    settings.sort(key=lambda one: _place(one.path, order))
    return Settings(settings=tuple(settings), accounts=tuple(accounts))


def _where(row: Setting, value: str) -> str:
    shown = ".".join(key for key in row.path if key != "-")
    until = f"; until then {row.until.format(value)}" if row.until else ""
    return f"`{shown}`{not_yet(row.path)}{until}"


def _complete(
    group: _Group, values: Mapping[str, str], written: dict[tuple[str, ...], str]
) -> list[Account]:
    """Give a section what it needs beside what is written, where it is switched on."""
    names = [name for name in (group.switch, *group.others) if name in values]
    section = ".".join(key for key in group.path if key != "-")
    switch = values.get(group.switch, "").strip().lower()
    if switch == "false":
        return [carried(name, f"off: no `{section}`") for name in names]
    is_written = any(path[: len(group.path)] == group.path for path in written)
    if not is_written and switch != "true":
        return [left(name, "neither true nor false, and nothing else is set") for name in names]
    for key, value in group.defaults:
        written.setdefault((*group.path, key), value)
    return [carried(name, f"`{section}`: {group.note}{not_yet(group.path)}") for name in names]


def _place(path: tuple[str, ...], order: list[tuple[str, ...]]) -> tuple[int, int]:
    """Where a setting comes: with its section, in the order of the table and of the defaults."""
    section = next(at for at, one in enumerate(order) if one[0] == path[0])
    keys = [(*group.path, key) for group in _GROUPS for key, _ in group.defaults]
    return section, keys.index(path) if path in keys else order.index(path)
