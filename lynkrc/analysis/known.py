"""Symbols of a request to everything that is known of it beside the table: ranges and facts."""

from dataclasses import dataclass
from typing import final

import z3

from lynkrc.analysis.symbols import Symbols


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What holds of every request, and of which variables less is said than is true."""

    constraints: tuple[z3.BoolRef, ...]
    loose: frozenset[int]


def known_of(symbols: Symbols) -> Known:
    """The ranges, and the facts that relate features."""
    return Known(constraints=symbols.ranges, loose=frozenset())
