"""A bundle's tables to the engines that can scan with them here: one more engine, one more row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, final

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
    """Every engine there is here."""
    return (Engine(name="portable", scan=Matcher(tables).scan),)
