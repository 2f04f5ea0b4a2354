"""Settings to the rows a reviewer reads: what was written, one line a part, no key in full."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.settings import Settings

Plain: TypeAlias = Any
"""What JSON knows."""

_NAMED = {"limits": "name", "budgets": "name"}
"""Lists of things with a name of their own."""

_ABBREVIATED = {"sha256": 8}
"""Characters that are shown of what nobody reads."""

_EACH = ("keys", "limits", "budgets", "mcp.servers")
"""Sections of which each member is one line."""


def settings_rows(text: str) -> list[tuple[str, str]]:
    """Path and value of everything that differs from the settings of a spec without any."""
    written, silent = json_of(msgspec.json.decode(text, type=Settings)), json_of(Settings())
    return list(_rows("", written, silent))


def provider_rows(text: str) -> dict[str, str]:
    """What a provider states beside what every one does."""
    rest = msgspec.json.decode(text, type=ProviderSettings)
    written, silent = msgspec.to_builtins(rest), msgspec.to_builtins(ProviderSettings())
    return dict(_rows("", written, silent))


def json_of(settings: Settings) -> Plain:
    """The settings as plain values."""
    return msgspec.to_builtins(settings)


def _rows(path: str, written: Plain, silent: Plain) -> Iterator[tuple[str, str]]:
    if written == silent:
        return
    if path in _EACH:
        for name, one in _members(path, written):
            yield f"{path}.{name}", _line(one)
    elif isinstance(written, dict):
        for key, value in written.items():
            below = silent.get(key) if isinstance(silent, dict) else None
            yield from _rows(f"{path}.{key}" if path else key, value, below)
    else:
        yield path, _shown(path, written)


def _members(path: str, written: Plain) -> Iterator[tuple[str, Plain]]:
    if isinstance(written, dict):
        yield from written.items()
        return
    for one in written:
        rest = {key: value for key, value in one.items() if key != _NAMED[path]}
        yield one[_NAMED[path]], rest


def _line(one: Plain) -> str:
    """A member in one line, without what it does not say."""
    said = ((key, value) for key, value in one.items() if value is not False)
    # Zero is said, and equal to False.
    told = ((key, value) for key, value in said if value not in (None, [], {}))
    return ", ".join(f"{key} {_shown(key, value)}" for key, value in told)


def _shown(path: str, value: Plain) -> str:
    kept = _ABBREVIATED.get(path.rsplit(".", maxsplit=1)[-1])
    return shown(value) if kept is None else f"{value[:kept]}..."


def shown(value: Plain) -> str:
    """A value as people write it.

    >>> shown({"after": 2.0, "who": ["a", "b"], "hard": True})
    '{after 2, who [a, b], hard yes}'
    """
    match value:
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case dict():
            return f"{{{', '.join(f'{name} {shown(one)}' for name, one in value.items())}}}"
        case _:
            return str(value)
