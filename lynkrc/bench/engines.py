"""A bundle's tables to the engines that can scan with them here: one more engine, one more row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, final

from lynkrc_runtime.scan.engines import KernelName, kernel_name
from lynkrc_runtime.scan.matcher import Found, Matcher
from lynkrc_runtime.scan.tables import Tables

Scan: TypeAlias = Callable[[str], Found]
"""What occurs in a text as it was written: folding is part of it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A way to scan: its name in reports, and the scan itself."""

    name: str
    scan: Scan = field(repr=False)


def engines(tables: Tables) -> tuple[Engine, ...]:
    """Every engine there is here, the one that serves first."""
    serves = kernel_name()
    names: tuple[KernelName, ...] = ("portable",) if serves == "portable" else (serves, "portable")
    return tuple(Engine(name=name, scan=Matcher(tables, kernel=name).scan) for name in names)
