"""Variables over lexicons to sums over entries: which entries occur decides all of them together.

One Bool for each (text, pattern), shared by all lexicons and tables of the domain that have the
entry. Where the automaton shows that one entry is never found without another, so do the Bools.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import z3

from lynkrc.analysis.entries import Scanned, Shape, holds_word, shape_of
from lynkrc.analysis.logic import any_of, implies
from lynkrc.analysis.relations import POINTS, Group, groups_of
from lynkrc.ir.domain import Domain
from lynkrc.ir.table import Slot

MOST_ENTRIES = 200
"""Most Bools of a domain; lexicons beyond are left out, those that weigh entries last."""

_SUMS = ("distinct", POINTS)
_Key: TypeAlias = tuple[str, str]
"""A text and a pattern."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The constraints, and what could not be said.

    `entries` is the Bool of each text and pattern: whether the pattern occurs there. `loose` are
    the variables that are sums over entries and are held to their range and the facts alone: a
    refutation that uses one must be realised, or is unknown.
    """

    constraints: list[z3.BoolRef]
    entries: Mapping[_Key, z3.BoolRef]
    loose: frozenset[int]


def terms(
    domain: Domain,
    ints: Sequence[z3.ArithRef],
    bools: Sequence[z3.BoolRef | None],
    parts: Sequence[Scanned] = (),
    *,
    most: int = MOST_ENTRIES,
    tag: str = "",
) -> Terms:
    """What the entries of the lexicons say of the variables over them.

    `ints` and `bools` are as for `lynkrc.analysis.facts.facts`, `parts` the lexicons and automata
    of the tables that share the domain: without them no entry implies another. Up to `most` Bools
    are made, for as many lexicons as fit, those that are summed before those that are not. `tag`
    tells the Bools of two requests apart.
    """
    entries: dict[_Key, z3.BoolRef] = {}
    constraints: list[z3.BoolRef] = []
    loose: set[int] = set()
    for group in sorted(groups_of(domain), key=_rank):
        keys = dict.fromkeys((group.text, one.pattern) for one in group.entries)
        if len(entries.keys() | keys.keys()) > most:
            loose |= {group.variables[name] for name in _SUMS if name in group.variables}
            continue
        for key in keys:
            if key not in entries:
                entries[key] = z3.Bool(f"{tag}{key[0]}: {key[1]}", ints[0].ctx)
        constraints += _of_group(domain, group, entries, ints, bools)
    shape = shape_of(parts, {pattern for _, pattern in entries})
    constraints += _implications(entries, shape)
    constraints += _words(domain, entries, shape, ints)
    return Terms(constraints=constraints, entries=entries, loose=frozenset(loose))


def _rank(group: Group) -> tuple[bool, int, int]:
    """Sums first, of these the short ones, so that as many as can be are exact."""
    is_summed = any(name in group.variables for name in _SUMS)
    return not is_summed, len(group.entries), min(group.variables.values())


def _of_group(
    domain: Domain,
    group: Group,
    entries: Mapping[_Key, z3.BoolRef],
    ints: Sequence[z3.ArithRef],
    bools: Sequence[z3.BoolRef | None],
) -> list[z3.BoolRef]:
    present = [entries[group.text, one.pattern] for one in group.entries]
    weights = [one.weight64 for one in group.entries]
    some = any_of(*dict.fromkeys(present))
    constraints = []
    for feature, variable in group.variables.items():
        slot = domain.variables[variable].slot
        match feature:
            case "points":
                total = _clamped(present, weights, slot)
                constraints.append(ints[variable] == total)
            case "distinct":
                total = _clamped(present, [1] * len(present), slot)
                constraints.append(ints[variable] == total)
            case _:
                if slot.high > 0:
                    flag = bools[variable]
                    occurs = ints[variable] >= 1 if flag is None else flag
                    constraints.append(occurs == some)
    return constraints


def _clamped(present: Sequence[z3.BoolRef], weights: Sequence[int], slot: Slot) -> z3.ArithRef:
    """The sum of the weights of the present, within the slot's range."""
    total = z3.Sum([z3.If(one, weight, 0) for one, weight in zip(present, weights, strict=True)])
    if sum(one for one in weights if one > 0) > slot.high:
        total = z3.If(total > slot.high, slot.high, total)
    if sum(one for one in weights if one < 0) < slot.low:
        total = z3.If(total < slot.low, slot.low, total)
    return total


def _implications(entries: Mapping[_Key, z3.BoolRef], shape: Shape) -> list[z3.BoolRef]:
    return [
        implies(flag, entries[text, other])
        for (text, pattern), flag in entries.items()
        for other in sorted(shape.implies.get(pattern, ()))
        if (text, other) in entries
    ]


def _words(
    domain: Domain,
    entries: Mapping[_Key, z3.BoolRef],
    shape: Shape,
    ints: Sequence[z3.ArithRef],
) -> list[z3.BoolRef]:
    """An entry of words needs a word in the ask."""
    return [
        implies(flag, ints[number] >= 1)
        for number, variable in enumerate(domain.variables)
        if variable.slot.feature == "ask.words" and variable.slot.high > 0
        for (text, pattern), flag in entries.items()
        if text == "ask" and (pattern in shape.in_words or holds_word(pattern))
    ]
