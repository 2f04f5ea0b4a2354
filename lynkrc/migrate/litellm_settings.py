"""LiteLLM's settings about how requests are served to sections of a spec, by one table.

The first of a row's paths that can be read holds. Read from the proxy's documentation
(docs.litellm.ai/docs/proxy/config_settings, /reliability, /caching, /users).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias, final

from lynkrc.migrate.account import Account, carried
from lynkrc.migrate.draft import DraftSetting
from lynkrc.migrate.litellm_file import entries_of, is_true, number_of, reference_of, text_of
from lynkrc.migrate.served import not_yet
from lynkrc.migrate.write_spec import seconds
from lynkrc.source.nodes import MappingNode, Node

MOST_RETRIES = 10
_MOST_SECONDS = 31_536_000
_BUDGET = ("budgets", "-")
_PERIODS = {"1d": "day", "24h": "day", "7d": "week", "30d": "month", "1mo": "month"}
"""The periods of LiteLLM's that are nearly ours: it counts from the first request, we by day."""
_EXACT_CACHES = ("", "local", "redis", "disk", "s3", "gcs", "azure-blob")

MASTER_KEY = "${LITELLM_MASTER_KEY}"
"""The variable of the proxy's own for its master key."""
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")

_Read: TypeAlias = Callable[[Node | None], str | None]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Paths of settings, what they become, and how they are read. `more` is always said of it."""

    names: tuple[str, ...]
    path: tuple[str, ...]
    read: _Read
    more: str = ""


def whole(node: Node | None, least: int, most: int) -> int | None:
    """A whole number in a range, None for anything else."""
    value = number_of(node)
    return (
        int(value) if value is not None and value == int(value) and least <= value <= most else None
    )


def duration(node: Node | None) -> str | None:
    """A number of seconds as a spec writes it, None for anything else."""
    value = number_of(node)
    return seconds(value) if value is not None and 0.001 <= value <= _MOST_SECONDS else None


def _count(least: int, most: int, plus: int = 0) -> _Read:
    def read(node: Node | None) -> str | None:
        value = whole(node, least, most)
        return None if value is None else str(value + plus)

    return read


def _retries(node: Node | None) -> str | None:
    value = whole(node, 0, 1_000_000)
    return None if value is None else str(min(value, MOST_RETRIES))


def _usd(node: Node | None) -> str | None:
    value = number_of(node)
    return f"{Decimal(repr(value)):f}" if value is not None and 0.01 <= value <= 1e9 else None


_ROWS: tuple[_Row, ...] = (
    _Row(
        names=("general_settings.max_request_size_mb",),
        path=("server", "body_limit"),
        read=lambda node: None if (n := whole(node, 1, 1_048_576)) is None else f"{n}MiB",
    ),
    _Row(
        names=("general_settings.global_max_parallel_requests",),
        path=("server", "shedding", "active"),
        read=_count(1, 1_000_000),
    ),
    _Row(
        names=("router_settings.timeout", "litellm_settings.request_timeout"),
        path=("resilience", "timeouts", "total"),
        read=duration,
    ),
    _Row(
        names=("router_settings.num_retries", "litellm_settings.num_retries"),
        path=("resilience", "retry", "times"),
        read=_retries,
        more=f"; {MOST_RETRIES} is the most",
    ),
    _Row(
        names=("router_settings.allowed_fails", "litellm_settings.allowed_fails"),
        path=("resilience", "breaker", "failures"),
        # LiteLLM counts those that are allowed in a minute; the breaker the one that opens it.
        read=_count(0, 9_999, plus=1),
    ),
    _Row(
        names=("router_settings.cooldown_time", "litellm_settings.cooldown_time"),
        path=("resilience", "breaker", "open_for"),
        read=duration,
    ),
    _Row(
        names=("litellm_settings.max_budget",),
        path=(*_BUDGET, "usd"),
        read=_usd,
        more="; counted by calendar periods",
    ),
    _Row(
        names=("litellm_settings.budget_duration",),
        path=(*_BUDGET, "period"),
        read=lambda node: _PERIODS.get(text_of(node)),
        more="; counted by calendar periods",
    ),
)


def read_settings(root: MappingNode) -> tuple[list[DraftSetting], list[Account]]:
    """The settings of the file that have a section, and what is said of each of them."""
    written: dict[tuple[str, ...], str] = {}
    accounts: list[Account] = []
    for row in _ROWS:
        for name in row.names:
            section, key = name.split(".")
            value = row.read(_get(root, section, key))
            if value is not None and row.path not in written:
                written[row.path] = value
                accounts.append(_carried(name, row.path, row.more))
    if is_true(_get(root, "router_settings", "disable_cooldowns")):
        accounts = [one for one in accounts if "breaker" not in one.text]
        written = {path: value for path, value in written.items() if "breaker" not in path}
    if ("resilience", "breaker", "failures") in written:
        opens = written.pop(("resilience", "breaker", "open_for"), None)
        written["resilience", "breaker", "within"] = "1m"
        if opens is not None:
            written["resilience", "breaker", "open_for"] = opens
    budget = {key: written.pop((*_BUDGET, key), None) for key in ("usd", "period")}
    if None in budget.values():
        accounts = [one for one in accounts if "budgets" not in one.text]
    else:
        for key, value in (("name", "everyone"), *budget.items()):
            written[(*_BUDGET, key)] = value or ""
    accounts += [*_cache(root, written), *_state(root, written), *_master_key(root, written)]
    return [DraftSetting(path=path, value=value) for path, value in written.items()], accounts


def _cache(root: MappingNode, written: dict[tuple[str, ...], str]) -> list[Account]:
    """The cache of equal requests, where its time to live is written."""
    params = _get(root, "litellm_settings", "cache_params")
    inner = dict(entries_of(params))
    ttl = duration(inner.get("ttl"))
    kind = text_of(inner.get("type"))
    is_on = is_true(_get(root, "litellm_settings", "cache"))
    if not is_on or ttl is None or kind not in _EXACT_CACHES:
        return []
    path = ("cache", "exact", "ttl")
    written[path] = ttl
    more = "; each key has answers of its own"
    names = ("litellm_settings.cache", "litellm_settings.cache_params.ttl")
    return [_carried(name, path, more) for name in names]


def _state(root: MappingNode, written: dict[tuple[str, ...], str]) -> list[Account]:
    """The Redis that routers share what they count in, where its address can be written."""
    parts = {key: _get(root, "router_settings", f"redis_{key}") for key in ("url", "host", "port")}
    password = _get(root, "router_settings", "redis_password")
    url = reference_of(text_of(parts["url"]))
    used = ["url"]
    if parts["url"] is None:
        host, shown = text_of(parts["host"]), reference_of(text_of(password))
        host = reference_of(host) or (host if _HOST.fullmatch(host) else "")
        port = text_of(parts["port"])
        port = reference_of(port) or (port if port.isdigit() else "" if port else "6379")
        if host and port and (password is None or shown):
            url = f"redis://{f':{shown}@' if shown else ''}{host}:{port}"
            used = ["host", "port", "password"]
    if url is None:
        return []
    written["state", "store"], written["state", "url"] = "redis", f'"{url}"'
    names = [f"redis_{key}" for key in used if _get(root, "router_settings", f"redis_{key}")]
    return [_carried(f"router_settings.{name}", ("state", "url"), "") for name in names]


def _master_key(root: MappingNode, written: dict[tuple[str, ...], str]) -> list[Account]:
    """The key that every caller of the proxy shows who has no virtual one."""
    node = _get(root, "general_settings", "master_key")
    if not text_of(node):
        return []
    path = ("keys", "master", "secret")
    own = reference_of(text_of(node))
    written[path] = f'"{own or MASTER_KEY}"'
    more = "" if own else f"; a key written out is never copied: set {MASTER_KEY[2:-1]} to it"
    return [_carried("general_settings.master_key", path, more)]


def _carried(name: str, path: tuple[str, ...], more: str) -> Account:
    shown = ".".join(key for key in path if key != "-")
    return carried(name, f"`{shown}`{more}{not_yet(path)}")


def _get(root: MappingNode, section: str, key: str) -> Node | None:
    node = root.get(section)
    return node.get(key) if isinstance(node, MappingNode) else None
