"""Lexicons to their table's size, and to what each of them and the dearest entries take of it.

What a lexicon takes is what would be saved without it: the automaton is made minimal again with
its entries no longer accepted, which gives exactly the automaton of the others. Where that would
take too long (`MOST_EXACT_CELLS`), a lexicon's part is the table it would have alone, which knows
nothing of what it shares with others, or of how it multiplies them. Parts need not add up to the
whole: what two lexicons share is saved by leaving out both.
"""

from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, final

from lynkrc.codegen.tables import tables_of
from lynkrc.ir.automaton import Automaton
from lynkrc.lower.minimise import minimise
from lynkrc.lower.pattern_dfa import Dfa
from lynkrc.lower.patterns import build_automaton
from lynkrc.syntax.pattern import Pattern
from lynkrc_runtime.scan.tables import Tables

MOST_EXACT_CELLS: Final = 8_000_000
"""Cells (states times classes) that are made minimal again, over all lexicons: about 5 s."""
DEAREST: Final = 5
"""Entries that are told."""
MOST_ENTRIES: Final = 2_000
"""Entries whose own automata are made to find the dearest; of more, those with the longest text."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a lexicon or an entry takes of a table: `states` and `bytes` there are for it.

    `is_exact`: as much is saved without it; else as much it would take alone.
    """

    lexicon: str
    entry: str | None
    entries: int
    states: int
    bytes: int
    is_exact: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The table of all lexicons. `lexicons` and `dearest` by bytes, the most first."""

    bytes: int
    states: int
    classes: int
    entries: int
    lexicons: tuple[Part, ...]
    dearest: tuple[Part, ...] = field(default=())


def shape_of(
    lexicons: Sequence[tuple[str, Sequence[Pattern]]],
    size: int,
    most_cells: int = MOST_EXACT_CELLS,
) -> Shape:
    """The shape of the table of these named lexicons; `size` is that of the bundle's own, in bytes.

    `most_cells` bounds the exact answers, see `MOST_EXACT_CELLS`.
    """
    sizes = [len(patterns) for _, patterns in lexicons]
    whole = build_automaton([patterns for _, patterns in lexicons])
    tables = tables_of(whole, sizes)
    cells = tables.rows * tables.classes
    is_exact = cells * len(lexicons) <= most_cells
    numbered: list[tuple[int, str, Pattern]] = []
    parts = []
    for name, patterns in lexicons:
        first = len(numbered)
        numbered += [(first + at, name, pattern) for at, pattern in enumerate(patterns)]
        if is_exact:
            states, saved = _saved(whole, tables, range(first, len(numbered)))
        else:
            states, saved = _alone(patterns)
        parts.append(
            Part(
                lexicon=name,
                entry=None,
                entries=len(patterns),
                states=states,
                bytes=saved,
                is_exact=is_exact,
            )
        )
    # Longer texts tend to take more states; only so many are tried.
    tried = sorted(numbered, key=lambda one: (-len(one[2].text), one[0]))[:MOST_ENTRIES]
    alone = {number: _alone([pattern]) for number, _, pattern in tried}
    tried.sort(key=lambda one: (-alone[one[0]][1], one[0]))
    is_exact = 2 * cells * DEAREST <= most_cells
    if is_exact:
        # An entry may be dear by what it does to the others' states: such a one makes its lexicon
        # dear as well.
        worst = max(parts, key=lambda part: part.bytes, default=None)
        of_worst = [one for one in tried if worst is not None and one[1] == worst.lexicon]
        tried = list(dict.fromkeys((*tried[:DEAREST], *of_worst[:DEAREST])))
    dearest = []
    for number, name, pattern in tried[: 2 * DEAREST]:
        states, saved = _saved(whole, tables, (number,)) if is_exact else alone[number]
        dearest.append(
            Part(
                lexicon=name,
                entry=pattern.text,
                entries=1,
                states=states,
                bytes=saved,
                is_exact=is_exact,
            )
        )
    return Shape(
        bytes=size,
        states=tables.states,
        classes=tables.classes,
        entries=tables.entries,
        lexicons=_dearest_first(parts),
        dearest=_dearest_first(dearest)[:DEAREST],
    )


def _dearest_first(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: (-part.bytes, part.lexicon, part.entry or "")))


def _saved(whole: Automaton, tables: Tables, left_out: Collection[int]) -> tuple[int, int]:
    """States and bytes of the `tables` that are saved when these entries are left out."""
    width = whole.classes
    least = minimise(
        Dfa(
            byte_class=whole.byte_class,
            rows=[
                array("I", whole.transitions[at : at + width])
                for at in range(0, len(whole.transitions), width)
            ],
            accepts=[
                tuple(entry for entry in accepted if entry not in left_out)
                for accepted in whole.accepts
            ],
            marks=[frozenset()] * whole.states,
        )
    )
    rest = tables_of(
        Automaton(
            classes=least.classes,
            byte_class=least.byte_class,
            transitions=tuple(least.cells),
            accepts=tuple(least.accepts),
            free=tuple(entry for entry in whole.free if entry not in left_out),
        ),
        tables.sizes,
    )
    return tables.states - rest.states, len(tables.data) - len(rest.data)


def _alone(patterns: Sequence[Pattern]) -> tuple[int, int]:
    """States and bytes of a table of these alone, beyond those of an empty one."""
    alone = tables_of(build_automaton([patterns]), [len(patterns)])
    empty = tables_of(build_automaton([[]]), [0])
    return alone.states - empty.states, len(alone.data) - len(empty.data)
