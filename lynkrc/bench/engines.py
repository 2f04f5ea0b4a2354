"""A bundle's tables to the engines that can scan with them here: one more engine, one more row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, final

from lynkrc_runtime.scan.portable import Matcher
from lynkrc_runtime.scan.tables import Tables

Scan: TypeAlias = Callable[[bytes], object]
"""What scans a text that has been folded."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A way to scan: its name in reports, and the scan itself."""

    name: str
    scan: Scan = field(repr=False)


def engines(tables: Tables, sizes: Sequence[int]) -> tuple[Engine, ...]:
    """Every engine there is here; `sizes` are the entries of each lexicon, in order."""
    return (Engine(name="portable", scan=Matcher(tables, sizes).scan),)
