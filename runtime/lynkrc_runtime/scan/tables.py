"""The pattern automaton as bytes, and read back: a total DFA over folded UTF-8.

File ``lexicons.dfa`` (little endian): magic ``LKD1``, then u32 states, classes, entries;
256 bytes of byte classes; states x classes u32 next states; u32 accept offsets (states + 1);
u32 accepted entry numbers.
"""

import struct
from array import array
from dataclasses import dataclass, field
from typing import final

MAGIC = b"LKD1"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A DFA. `transitions[state * classes + class]`; state 0 is the start.

    `accepts[state]` are the entries confirmed on entering the state, ascending. The text is fed
    folded (`lynkrc_runtime.scan.fold`) and followed by one byte ``\\x00`` that ends the last word.
    """

    classes: int
    entries: int
    byte_class: bytes
    transitions: array[int] = field(repr=False)
    accepts: tuple[tuple[int, ...], ...] = field(repr=False)


def pack(tables: Tables) -> bytes:
    """The file's bytes."""
    states = len(tables.accepts)
    offsets = array("I", [0])
    accepted = array("I")
    for entries in tables.accepts:
        accepted.extend(entries)
        offsets.append(len(accepted))
    return b"".join(
        (
            MAGIC,
            struct.pack("<III", states, tables.classes, tables.entries),
            tables.byte_class,
            _little_endian(tables.transitions),
            _little_endian(offsets),
            _little_endian(accepted),
        )
    )


def unpack(data: bytes) -> Tables:
    """Read the file back; ValueError when it is not one."""
    head = 4 + 12 + 256
    if data[:4] != MAGIC or len(data) < head:
        raise ValueError("not a lexicon table (LKD1)")
    states, classes, entries = struct.unpack_from("<III", data, 4)
    end_transitions = head + 4 * states * classes
    end_offsets = end_transitions + 4 * (states + 1)
    offsets = _from_little_endian(data[end_transitions:end_offsets])
    if not offsets or len(data) != end_offsets + 4 * offsets[-1]:
        raise ValueError("lexicon table is cut short")
    accepted = _from_little_endian(data[end_offsets:])
    return Tables(
        classes=classes,
        entries=entries,
        byte_class=data[16:head],
        transitions=_from_little_endian(data[head:end_transitions]),
        accepts=tuple(tuple(accepted[offsets[i] : offsets[i + 1]]) for i in range(states)),
    )


def _little_endian(values: array[int]) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _from_little_endian(data: bytes) -> array[int]:
    return array("I", struct.unpack(f"<{len(data) // 4}I", data))
