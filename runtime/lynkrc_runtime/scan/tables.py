"""The pattern automaton as bytes, and read in place: a total DFA over folded UTF-8.

File ``lexicons.dfa`` (little endian u32 unless said otherwise): magic ``LKD3``; the numbers of
rows, classes, entries, lexicons, accepting states, the width of a cell in bytes (2, 3 or 4), the
number of free entries; 256 bytes of byte classes; rows x classes cells, padded to a multiple of 4
bytes; for the accepting states: the first cell of the row each moves by; offsets into the accepted
entries (their number + 1), offsets into the counted lexicons (the same); the accepted entries; the
counted lexicons; the number of entries of each lexicon; the free entries.

A cell holds the first cell of the next state's row, so that ``cells[cell + class]`` is the next
step. An accepting state has a number behind all cells instead, and shares the row of the state it
moves as: where a word ends, every entry has a state of its own, and they all move alike.
"""

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, final

MAGIC: Final = b"LKD3"
HEAD: Final = 4 + 7 * 4 + 256
"""Bytes before the cells."""
NARROW: Final = 0x10000
"""Cells of 2 bytes can hold the states of a table that has at most so many cells and accepting
states."""
WIDE: Final = 0x100000
"""Tables of more cells have cells of 3 bytes: larger than the caches, they gain by being small.
Others have cells of 4 bytes, which are read in fewer steps."""
MOST_CELLS: Final = 0x1000000
"""What cells of 3 bytes can hold, accepting states with them; there is no larger table."""
MAX_ENTRIES: Final = 0x100000
"""A table has no more; readers take memory for each entry, whether a state accepts it or not."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A DFA, read in place: every view is of `data`, which owns the memory.

    A state is told by the first cell of its row, and state 0 is the start; one that accepts by a
    number from `accepting` on, and it moves as `moves_as` says. A match of one of the `free`
    entries (``~``, ascending) ends with the byte just read, that of any other before it. The text
    is fed folded (`lynkrc_runtime.scan.fold`) and followed by one byte ``\\x00`` that ends the last
    word. `sizes` are the entries of each lexicon.
    """

    data: bytes = field(repr=False)
    rows: int
    classes: int
    accepting: int
    accepting_states: int
    sizes: tuple[int, ...]
    free: tuple[int, ...]
    byte_class: bytes = field(repr=False)
    _cells: memoryview = field(repr=False, compare=False)
    _width: int
    _moves: memoryview = field(repr=False, compare=False)
    _entry_offsets: memoryview = field(repr=False, compare=False)
    _lexicon_offsets: memoryview = field(repr=False, compare=False)
    _accepted: memoryview = field(repr=False, compare=False)
    _counted: memoryview = field(repr=False, compare=False)

    @property
    def states(self) -> int:
        """How many states a cell can name: rows, and accepting states."""
        return self.rows + self.accepting_states

    @property
    def entries(self) -> int:
        """How many entries all lexicons have together."""
        return sum(self.sizes)

    def cells(self) -> list[int]:
        """All cells, decoded: several times as large as the table."""
        return _cells(self._cells, self._width).tolist()

    def cell(self, number: int) -> int:
        """One cell, read in place."""
        at = number * self._width
        return int.from_bytes(self._cells[at : at + self._width], "little")

    def moves_as(self, state: int) -> int:
        """The first cell of the row that the state moves by."""
        if state < self.accepting:
            return state
        moves: int = self._moves[state - self.accepting]
        return moves

    def accepts(self, state: int) -> Sequence[int]:
        """The entries confirmed on entering the state, ascending."""
        return self._of(state, self._entry_offsets, self._accepted)

    def counts(self, state: int) -> Sequence[int]:
        """The lexicons whose count entering the state adds one to; some may come twice."""
        return self._of(state, self._lexicon_offsets, self._counted)

    def _of(self, state: int, offsets: memoryview, values: memoryview) -> Sequence[int]:
        number = state - self.accepting
        return values[offsets[number] : offsets[number + 1]].tolist() if number >= 0 else ()


def pack(
    *,
    byte_class: bytes,
    transitions: Sequence[int],
    accepts: Sequence[Sequence[int]],
    counts: Sequence[Sequence[int]],
    sizes: Sequence[int],
    free: Sequence[int] = (),
) -> bytes:
    """The file's bytes.

    `transitions[state * classes + class]` is the next state by number, `accepts` and `counts` are
    by state too; the start, state 0, accepts nothing. Rows stand in the order of the states that
    have them, those of accepting states last.
    """
    classes, states = max(byte_class) + 1, len(accepts)
    accepting = [state for state in range(states) if accepts[state]]
    with_rows = [state for state in range(states) if not accepts[state]]
    moves, more = _shared_rows(array("I", transitions), classes, with_rows, accepting)
    with_rows += more
    rows = len(with_rows)
    size = rows * classes + len(accepting)
    if size > MOST_CELLS:
        raise ValueError(f"a lexicon table of {size:,} cells is too large")
    cell = [0] * states
    for number, state in enumerate(with_rows):
        cell[state] = number * classes
    moves = [cell[state] for state in moves]
    for number, state in enumerate(accepting):
        cell[state] = rows * classes + number
    width = 2 if size <= NARROW else 4 if size <= WIDE else 3
    cells = array("I")
    start = 0
    while start < rows:
        # As many states at once as stay behind one another; mostly the first is the longest run.
        end = start + 1
        while end < rows and with_rows[end] == with_rows[end - 1] + 1:
            end += 1
        run = transitions[with_rows[start] * classes : (with_rows[end - 1] + 1) * classes]
        cells.extend(map(cell.__getitem__, run))
        start = end
    head = (rows, classes, sum(sizes), len(sizes), len(accepting), width, len(free))
    return b"".join(
        (
            MAGIC,
            struct.pack("<7I", *head),
            byte_class,
            _narrowed(_little_endian(cells), width),
            _numbers(moves),
            _numbers(_offsets([accepts[state] for state in accepting])),
            _numbers(_offsets([counts[state] for state in accepting])),
            _numbers([entry for state in accepting for entry in accepts[state]]),
            _numbers([lexicon for state in accepting for lexicon in counts[state]]),
            _numbers(sizes),
            _numbers(free),
        )
    )


def _shared_rows(
    transitions: "array[int]", classes: int, with_rows: Sequence[int], accepting: Sequence[int]
) -> tuple[list[int], list[int]]:
    """For each accepting state the state whose row it moves by; and which of them need their own.

    What moves as no state that has a row gets one, for all that move alike.
    """
    owner: dict[bytes, int] = {}
    moves, more = [], []
    raw = memoryview(transitions).cast("B")
    size = classes * transitions.itemsize
    for state in with_rows:
        owner[raw[state * size : (state + 1) * size].tobytes()] = state
    for state in accepting:
        row = raw[state * size : (state + 1) * size].tobytes()
        if row not in owner:
            owner[row] = state
            more.append(state)
        moves.append(owner[row])
    return moves, more


def unpack(data: bytes, *, checks_cells: bool = True) -> Tables:
    """The tables in the file's bytes; ValueError when they are not whole, or lead outside.

    Without `checks_cells` the cells are left to a kernel that checks them itself.
    """
    if data[:4] != MAGIC or len(data) < HEAD or len(data) % 4:
        raise ValueError("not a lexicon table (LKD3)")
    head: tuple[int, ...] = struct.unpack_from("<7I", data, 4)
    rows, classes, entries, lexicons, accepting, width, free_entries = head
    byte_class = data[HEAD - 256 : HEAD]
    if not rows or not 0 < classes <= 256 or width not in (2, 3, 4):
        raise ValueError("lexicon table has an impossible head")
    size = rows * classes + accepting
    if max(byte_class) >= classes or (size > NARROW and width == 2):
        raise ValueError("lexicon table has an impossible head")
    if entries > MAX_ENTRIES or size > MOST_CELLS:
        raise ValueError("lexicon table has an impossible head")
    sections = _Sections(data)
    packed = sections.take("B", rows * classes * width)
    moves = sections.take("I", accepting)
    entry_offsets = sections.take("I", accepting + 1)
    lexicon_offsets = sections.take("I", accepting + 1)
    accepted = sections.take("I", entry_offsets[-1])
    counted = sections.take("I", lexicon_offsets[-1])
    sizes = sections.take("I", lexicons)
    free = sections.take("I", free_entries)
    sections.end()
    if (
        (checks_cells and not _lead_inside(_cells(packed, width), rows * classes, classes, size))
        or not _lead_inside(moves, rows * classes, classes, 0)
        or not _rises(entry_offsets)
        or not _rises(lexicon_offsets)
        or max(accepted, default=-1) >= entries
        or max(counted, default=-1) >= lexicons
        or max(free, default=-1) >= entries
        or sum(sizes) != entries
    ):
        raise ValueError("lexicon table points outside itself")
    return Tables(
        data=data,
        rows=rows,
        classes=classes,
        accepting=rows * classes,
        accepting_states=accepting,
        sizes=tuple(sizes),
        free=tuple(free),
        byte_class=byte_class,
        _cells=packed,
        _width=width,
        _moves=moves,
        _entry_offsets=entry_offsets,
        _lexicon_offsets=lexicon_offsets,
        _accepted=accepted,
        _counted=counted,
    )


@final
class _Sections:
    """Takes one section after another; ValueError where the file ends too soon or too late."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = HEAD

    def take(self, code: Literal["B", "I"], count: int) -> memoryview:
        size = count * (1 if code == "B" else 4)
        end = self._at + size
        if end > len(self._data):
            raise ValueError("lexicon table is cut short")
        taken = self._data[self._at : end]
        self._at = end + -size % 4
        if code == "I" and sys.byteorder == "big":
            swapped = array(code, taken.tobytes())
            swapped.byteswap()
            return memoryview(swapped)
        return taken.cast(code)

    def end(self) -> None:
        if self._at != len(self._data):
            raise ValueError("lexicon table is cut short, or has something behind it")


def _narrowed(cells: bytes, width: int) -> bytes:
    """Cells of 4 bytes as cells of `width` bytes, padded."""
    narrowed = bytearray(len(cells) // 4 * width)
    for place in range(width):
        narrowed[place::width] = cells[place::4]
    return bytes(narrowed) + bytes(-len(narrowed) % 4)


def _cells(packed: memoryview, width: int) -> "array[int]":
    """The numbers in cells of `width` bytes."""
    wide = bytearray(len(packed) // width * 4)
    for place in range(width):
        wide[place::4] = packed[place::width]
    cells = array("I", bytes(wide))
    if sys.byteorder == "big":
        cells.byteswap()
    return cells


def _lead_inside(cells: Iterable[int], behind: int, classes: int, end: int) -> bool:
    """Whether each is the first cell of a row, or a number from `behind` the cells to `end`."""
    return all(cell < end if cell >= behind else not cell % classes for cell in set(cells))


def _rises(offsets: memoryview) -> bool:
    values = offsets.tolist()
    return values[0] == 0 and values == sorted(values)


def _offsets(lists: Sequence[Sequence[int]]) -> list[int]:
    offsets = [0]
    for one in lists:
        offsets.append(offsets[-1] + len(one))
    return offsets


def _numbers(values: Sequence[int]) -> bytes:
    return _little_endian(array("I", values))


def _little_endian(values: "array[int]") -> bytes:
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()
