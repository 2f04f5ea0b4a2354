"""A generated scorer to the vectors on which it does not decide as the table means (none, we hope).

Every build asks: the passes, the printer and the C compiler are believed on what was seen alone.
The vectors are those around which decisions turn: each edge of each slot, from the plainest vector
and from every one the solver chose.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TypeAlias, final

from lynkrc.interp.evaluate import evaluate
from lynkrc.interp.trace import as_json, trace, words_of
from lynkrc.ir.edges import edges_of
from lynkrc.ir.table import RouteTable
from lynkrc.ir.witness import rest_of, shown_value

Engine: TypeAlias = Callable[[list[int]], Sequence[int]]
"""``decide`` of a generated scorer, native or not."""

Explain: TypeAlias = Callable[[list[int]], Mapping[str, Any]]
"""``explain`` of the generated code."""

MOST = 600
"""Vectors that are tried at most; the solver's own come first."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One vector, and what the engine and the reference say of it, each with its reasons."""

    engine: str
    vector: tuple[int, ...]
    got: tuple[int, ...]
    wanted: tuple[int, ...]
    explained: Mapping[str, Any]
    reference: Mapping[str, Any]


def validate(
    table: RouteTable,
    engines: Mapping[str, Engine],
    explain: Explain,
    chosen: Iterable[Sequence[int]] = (),
    *,
    written: RouteTable | None = None,
    most: int = MOST,
) -> tuple[Mismatch | None, int]:
    """The first mismatch, and how many vectors were tried.

    `engines` are named as in the report. `table` is what they were generated from, `written` the
    same before the passes: that is what the policy means. Reasons are compared on the chosen
    vectors and where verdicts differ.
    """
    meant = table if written is None else written
    own = [tuple(vector) for vector in chosen]
    words = words_of(table)
    tried = 0
    for vector in islice(_distinct(chain(own, _around(meant, own))), most):
        tried += 1
        wanted = tuple(int(number) for number in evaluate(meant, vector))
        for name, engine in engines.items():
            got = tuple(int(number) for number in engine(list(vector)))
            if got != wanted:
                return _mismatch(table, name, vector, got, wanted, explain), tried
        if tried <= len(own) and explain(list(vector)) != as_json(trace(table, vector, words)):
            return _mismatch(table, "explain", vector, wanted, wanted, explain), tried
    return None, tried


def shown_mismatch(table: RouteTable, found: Mismatch) -> str:
    """The vector, and both decisions with their reasons, as a report of a mistake of ours."""
    values = ", ".join(
        f"{slot.text} = {shown_value(slot, value)}"
        for slot, value in zip(table.slots, found.vector, strict=True)
        if value != rest_of(slot)
    )
    reasons = [f"  the policy's {json.dumps(found.reference)}"]
    if found.explained != found.reference:
        reasons.insert(0, f"  its reasons  {json.dumps(found.explained)}")
    return "\n".join(
        (
            f"engine {found.engine} decides otherwise than the policy means",
            f"  request  {values or 'nothing out of the ordinary'}",
            f"  vector   {list(found.vector)}",
            f"  decides  {list(found.got)}",
            f"  means    {list(found.wanted)}",
            *reasons,
        )
    )


def _around(table: RouteTable, chosen: Sequence[Sequence[int]]) -> Iterator[tuple[int, ...]]:
    """Every edge of every slot: from the plainest vector, then from the chosen ones in turn."""
    edges = edges_of(table)
    plain = tuple(rest_of(slot) for slot in table.slots)
    for start in (plain, *chosen):
        yield tuple(start)
        for slot, values in enumerate(edges):
            for value in values:
                yield (*start[:slot], value, *start[slot + 1 :])


def _distinct(vectors: Iterable[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    seen: set[tuple[int, ...]] = set()
    for vector in vectors:
        if vector not in seen:
            seen.add(vector)
            yield vector


def _mismatch(
    table: RouteTable,
    engine: str,
    vector: tuple[int, ...],
    got: tuple[int, ...],
    wanted: tuple[int, ...],
    explain: Explain,
) -> Mismatch:
    return Mismatch(
        engine=engine,
        vector=vector,
        got=got,
        wanted=wanted,
        explained=explain(list(vector)),
        reference=as_json(trace(table, vector)),
    )
