"""The pattern automaton as bytes, and read back: a total DFA over folded UTF-8.

File ``lexicons.dfa`` (little endian): magic ``LKD1``, then u32 states, classes, entries, free;
256 bytes of byte classes; states x classes u32 next states; u32 accept offsets (states + 1);
u32 accepted entry numbers; u32 numbers of the free entries.
"""

import struct
from array import array
from dataclasses import dataclass, field
from typing import final

MAGIC = b"LKD1"
_HEAD = 4 + 16 + 256


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """A DFA. `transitions[state * classes + class]`; state 0 is the start.

    `accepts[state]` are the entries confirmed on entering the state, ascending. A match of one of
    the `free` entries (``~``, ascending) ends with the byte just read, that of any other before it.
    The text is fed folded (`lynkrc_runtime.scan.fold`) and followed by one byte ``\\x00`` that ends
    the last word.
    """

    classes: int
    entries: int
    byte_class: bytes
    transitions: "array[int]" = field(repr=False)
    accepts: tuple[tuple[int, ...], ...] = field(repr=False)
    free: tuple[int, ...] = ()


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
            struct.pack("<IIII", states, tables.classes, tables.entries, len(tables.free)),
            tables.byte_class,
            _little_endian(tables.transitions),
            _little_endian(offsets),
            _little_endian(accepted),
            _little_endian(array("I", tables.free)),
        )
    )


def unpack(data: bytes) -> Tables:
    """Read the file back; ValueError when it is not one."""
    if data[:4] != MAGIC or len(data) < _HEAD or len(data) % 4:
        raise ValueError("not a lexicon table (LKD1)")
    states, classes, entries, free_entries = struct.unpack_from("<IIII", data, 4)
    end_transitions = _HEAD + 4 * states * classes
    end_offsets = end_transitions + 4 * (states + 1)
    offsets = _from_little_endian(data[end_transitions:end_offsets])
    end_accepted = end_offsets + 4 * offsets[-1] if len(offsets) == states + 1 else 0
    if len(data) != end_accepted + 4 * free_entries:
        raise ValueError("lexicon table is cut short")
    accepted = _from_little_endian(data[end_offsets:end_accepted])
    free = _from_little_endian(data[end_accepted:])
    byte_class = data[_HEAD - 256 : _HEAD]
    transitions = _from_little_endian(data[_HEAD:end_transitions])
    if (
        max(byte_class) >= classes
        or max(transitions, default=states) >= states
        or max(accepted, default=-1) >= entries
        or max(free, default=-1) >= entries
        or list(offsets) != sorted(offsets)
    ):
        raise ValueError("lexicon table points outside itself")
    return Tables(
        classes=classes,
        entries=entries,
        byte_class=byte_class,
        transitions=transitions,
        accepts=tuple(tuple(accepted[offsets[i] : offsets[i + 1]]) for i in range(states)),
        free=tuple(free),
    )


def _little_endian(values: "array[int]") -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _from_little_endian(data: bytes) -> "array[int]":
    return array("I", struct.unpack(f"<{len(data) // 4}I", data))
