"""Symbols of a request to everything that is known of it beside the table: ranges and facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import z3

from lynkrc.analysis.entries import Scanned
from lynkrc.analysis.facts import facts
from lynkrc.analysis.symbols import Symbols
from lynkrc.analysis.terms import terms
from lynkrc.ir.table import RouteTable


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What holds of every request, and of which variables less is said than is true."""

    constraints: tuple[z3.BoolRef, ...]
    loose: frozenset[int]


def known_of(symbols: Symbols, tables: Sequence[RouteTable], *, tag: str = "") -> Known:
    """The ranges, and the facts that relate features; `tables` are those that share the domain.

    `tag` tells two requests apart.
    """
    if not symbols.ints:
        return Known(constraints=(), loose=frozenset())
    scanned = [
        Scanned(lexicons=table.lexicons, automaton=table.automaton)
        for table in tables
        if table.automaton.states > 1
    ]
    sums = terms(symbols.domain, symbols.ints, symbols.bools, scanned, tag=tag)
    related = facts(symbols.domain, symbols.ints, symbols.bools)
    return Known(constraints=(*symbols.ranges, *related, *sums.constraints), loose=sums.loose)
