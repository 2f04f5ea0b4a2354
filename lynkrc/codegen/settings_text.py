"""Settings to the rows a reviewer reads: what was written, one line a part.

Limits, budgets and keys have tables of their own (`lynkrc.codegen.owners_text`).

>>> from lynkrc_runtime.settings import Sessions
>>> settings_rows(Settings(sessions=Sessions(within="session", ttl=86_400.0)))
[('sessions.within', 'session'), ('sessions.ttl', '1d')]
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from lynkrc.codegen.quantities import duration, size
from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.settings import Settings

Plain: TypeAlias = Any
"""What JSON knows."""

_APART = ("limits", "budgets", "keys")
"""Sections that are told elsewhere."""

_SERVERS = "mcp.servers"
"""The section of which each member is one line."""

_BYTES = (
    "server.body_limit",
    "responses_store.size",
    "observability.log.rotate.size",
    "observability.usage.rotate.size",
)
_PERCENT = (
    "server.shedding.memory",
    "resilience.retry_budget.share",
    "cache.semantic.threshold",
    "observability.traces.sample",
)
_PER_SECOND = ("resilience.retry_budget.at_least",)
"""The only number with decimals that is no duration."""


def settings_rows(settings: Settings) -> list[tuple[str, str]]:
    """Path and value of everything that differs from the settings of a spec without any."""
    written, silent = msgspec.to_builtins(settings), msgspec.to_builtins(Settings())
    for section in _APART:
        del written[section], silent[section]
    return list(_rows("", written, silent))


def provider_rows(rest: ProviderSettings) -> dict[str, str]:
    """What a provider states beside what every one does."""
    written, silent = msgspec.to_builtins(rest), msgspec.to_builtins(ProviderSettings())
    spoken = str.maketrans("._", "  ")
    return {path.translate(spoken): told for path, told in _rows("", written, silent)}


def _rows(path: str, written: Plain, silent: Plain) -> Iterator[tuple[str, str]]:
    if written == silent:
        return
    if path == _SERVERS:
        for name, server in written.items():
            yield f"{path}.{name}", _server(server)
    elif isinstance(written, dict):
        for key, value in written.items():
            below = silent.get(key) if isinstance(silent, dict) else None
            yield from _rows(f"{path}.{key}" if path else key, value, below)
    else:
        yield path, _shown(path, written)


def _server(server: Plain) -> str:
    """A server in one line, without what it does not say."""
    said = ((key, value) for key, value in server.items() if value not in (None, [], {}))
    return ", ".join(f"{key} {_shown(key, value)}" for key, value in said)


def _shown(path: str, value: Plain) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g} a second" if path in _PER_SECOND else duration(value)
        case int() if path in _BYTES:
            return size(value)
        case int() if path in _PERCENT:
            return f"{value}%"
        case list():
            return ", ".join(_shown("", one) for one in value) or "none"
        case dict():
            return ", ".join(f"{name} {_shown(name, one)}" for name, one in value.items())
        case _:
            return str(value)
