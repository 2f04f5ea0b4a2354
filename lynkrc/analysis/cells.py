"""A study to vectors that stand on both sides of every bound the decision has.

For each tier's bound a sum just within it and one just beyond, each outcome, each tier by score, by
rule and by pin, each rule matching and not: where one of them occurs, a vector that has it, of a
request or near the plainest one.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import TypeAlias

import z3

from lynkrc.analysis.logic import all_of, not_
from lynkrc.analysis.study import Study
from lynkrc.interp.evaluate import first_pin, holds
from lynkrc.ir.table import RouteTable, SlotType
from lynkrc.ir.witness import rest_of

_POINT = 6_400
_MOST_PLAIN = 500
"""Vectors that every guard is tried on at most."""

_Vector: TypeAlias = tuple[int, ...]


def chosen_vectors(study: Study) -> tuple[_Vector, ...]:
    """A vector of each cell that occurs and is found within the solver's limit, few in all.

    The solver's come first: what is tried around each in turn is bounded, and around a plain one
    little is tried that was not tried around the plainest.
    """
    of_guards = tuple(cells_of_guards(study))
    met = [vector for _, vector in of_guards if vector is not None]
    open_ = [cell for cell, vector in of_guards if vector is None]
    points = study.solver.ask_each(chain(cells_of_steps(study), open_))
    return tuple(dict.fromkeys((*(tuple(study.vector(point)) for point in points), *met)))


def cells_of_steps(study: Study) -> Iterator[z3.BoolRef]:
    """The cells of what is decided, each as the formula of being in it."""
    encoded = study.encoded
    for tier in study.table.tiers:
        if tier.up_to is not None:
            # The score is `up_to` in one band of the sum and one more in the next.
            beyond = _POINT * tier.up_to + _POINT // 2
            here = all_of(encoded.decided, not_(encoded.pinned))
            yield all_of(here, encoded.sum < beyond, encoded.sum >= beyond - _POINT)
            yield all_of(here, encoded.sum >= beyond, encoded.sum < beyond + _POINT)
    yield from encoded.outcome.values()
    for k in range(len(study.table.tiers)):
        yield all_of(encoded.has_tier, encoded.tier[k])
        yield all_of(encoded.decided, encoded.by_score[k])
    yield from encoded.final


def cells_of_guards(study: Study) -> Iterator[tuple[z3.BoolRef, _Vector | None]]:
    """The cells of pins and rules, each with a plain vector that is in it, where there is one.

    A guard is mostly met by one class or truth. The solver takes milliseconds to say so.
    """
    table, encoded = study.table, study.encoded
    plain = tuple(islice(_plain_vectors(table), _MOST_PLAIN))
    pinned: dict[int, _Vector] = {}
    for vector in plain:
        pin = first_pin(table, vector)
        if pin is not None:
            pinned.setdefault(id(pin), vector)
    for pin, cell in zip(table.pins, encoded.first_pin, strict=True):
        yield cell, pinned.get(id(pin))
    for rule, cell in zip(table.rules, encoded.matches, strict=True):
        yield cell, next((one for one in plain if holds(rule.guard, one)), None)
        yield not_(cell), next((one for one in plain if not holds(rule.guard, one)), None)


def _plain_vectors(table: RouteTable) -> Iterator[_Vector]:
    """The plainest vector, then with one class or truth in its place."""
    plain = tuple(rest_of(slot) for slot in table.slots)
    yield plain
    for slot in table.slots:
        if slot.type in (SlotType.BOOL, SlotType.CLASS):
            for value in range(slot.low, slot.high + 1):
                if value != plain[slot.id]:
                    yield (*plain[: slot.id], value, *plain[slot.id + 1 :])
