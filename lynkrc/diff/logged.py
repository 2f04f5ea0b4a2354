"""A usage log to its records, and a record to the vector of a table, as far as its slots go.

A record of another bundle holds the values of that bundle's slots. A number is a number; a count of
a lexicon is one of the same entries or none; a string is a class, which says enough where the
table's literals do not cut it further.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, final

import msgspec

from lynkrc.diff.replayed import BadLine
from lynkrc.ir.table import RouteTable, Slot, SlotType
from lynkrc_runtime.usage_record import (
    VERSION,
    BundleLine,
    FeedbackLine,
    GapLine,
    Line,
    RequestLine,
    SignalLine,
    SlotNote,
    SlotValue,
    class_text,
    lexicon_digest,
)

Read: TypeAlias = Callable[[SlotValue], int | None]
"""A logged value to the slot's; None where it cannot be told."""

OTHER_MEMBER = 0
"""The first of an enum: a client without a profile, a session without a tier."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """How the values of one bundle's slots are to be read, by slot; see `BundleLine`."""

    slots: Mapping[str, SlotNote]


NOTHING_KNOWN = Notes(slots={})


def notes_of(table: RouteTable) -> Notes:
    """Of a table at hand, for a log that lost the line of its bundle."""
    lexicons = _lexicons(table)
    return Notes(
        slots={
            slot.text: SlotNote(
                type=slot.type.value,
                classes=[class_text(one.kind, one.text) for one in slot.classes],
                lexicon=lexicons[slot.args[1]] if len(slot.args) == 2 else None,
            )
            for slot in table.slots
        }
    )


def read_lines(lines: Iterable[bytes]) -> Iterator[Line | BadLine]:
    """Every line that is not blank, in order: a record, or what is wrong with it."""
    decoder = msgspec.json.Decoder(Line)
    for number, data in enumerate(lines, start=1):
        if not data.strip():
            continue
        try:
            line = decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            yield BadLine(line=number, problem=_told(data, error))
            continue
        if line.version != VERSION:
            problem = f"version {line.version} of the usage log; this compiler reads {VERSION}"
            yield BadLine(line=number, problem=problem)
            continue
        if not isinstance(line, BundleLine) and not _is_moment(line.time):
            yield BadLine(line=number, problem="its time is none of ISO 8601 with a zone")
            continue
        yield line


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _told(data: bytes, error: Exception) -> str:
    """What is wrong, without a piece of the line: nobody knows what such a line holds."""
    if not data.endswith(b"\n"):
        return "the last line is cut off"
    if isinstance(error, msgspec.ValidationError):
        # The one message of msgspec's that quotes: a kind of line that there is not.
        reason = "no such kind of line" if str(error).startswith("Invalid value") else str(error)
        return f"not a record of a usage log: {reason}"
    return "not JSON"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How the records of one bundle become vectors of one table.

    `reads` has each slot of the table by its text; `lacks` names those that no record can give.
    """

    reads: tuple[tuple[str, Read], ...]
    lacks: tuple[str, ...]

    def vector(self, record: RequestLine) -> list[int] | tuple[str, ...]:
        """The vector, or the slots that are wanting."""
        values = record.slots or {}
        vector: list[int] = []
        wanting = list(self.lacks)
        for text, read in self.reads:
            value = read(values[text]) if text in values else None
            if value is None:
                wanting.append(text)
            else:
                vector.append(value)
        return tuple(wanting) if wanting else vector


def slots_of(table: RouteTable, notes: Notes) -> Slots:
    """How records of a bundle so described are read for a table."""
    lexicons = _lexicons(table)
    reads: list[tuple[str, Read]] = []
    lacks: list[str] = []
    for slot in table.slots:
        if len(slot.args) == 2:
            counted = _counted(slot, lexicons[slot.args[1]], notes)
            if counted is None:
                lacks.append(f"{slot.text}, whose lexicon is another or not told")
            else:
                reads.append((counted, _number(slot)))
        elif slot.type is SlotType.CLASS:
            reads.append((slot.text, _classes(slot, notes.slots.get(slot.text))))
        else:
            reads.append((slot.text, _number(slot)))
    return Slots(reads=tuple(reads), lacks=tuple(lacks))


def _lexicons(table: RouteTable) -> Mapping[str, str]:
    return {
        one.name: lexicon_digest([(entry.pattern, entry.weight64) for entry in one.entries])
        for one in table.lexicons
    }


def _counted(slot: Slot, lexicon: str, notes: Notes) -> str | None:
    """What the log calls the slot: a lexicon is known by its entries, not by its name."""
    begins = f"{slot.feature}({slot.args[0]}, "
    alike = [
        text
        for text, note in notes.slots.items()
        if note.lexicon == lexicon and text.startswith(begins)
    ]
    return slot.text if slot.text in alike else next(iter(alike), None)


def _number(slot: Slot) -> Read:
    def read(value: SlotValue) -> int | None:
        return None if isinstance(value, str) else min(max(value, slot.low), slot.high)

    return read


def _classes(slot: Slot, note: SlotNote | None) -> Read:
    if slot.classes[0].kind == "member":
        return _members(slot, note)
    try:
        logged = None if note is None else [_parsed(one) for one in note.classes]
    except ValueError:
        # A description that nobody can read tells nothing.
        logged = None
    known: dict[SlotValue, int | None] = {}

    def read(value: SlotValue) -> int | None:
        if value not in known:
            known[value] = _class(slot, str(value), logged)
        return known[value]

    return read


def _members(slot: Slot, note: SlotNote | None) -> Read:
    own = {one.text: index for index, one in enumerate(slot.classes)}
    told = set() if note is None else set(note.classes)
    # "other" of a bundle that knew fewer clients may be one of those it did not know.
    is_rest_known = set(own) <= told

    def read(value: SlotValue) -> int | None:
        if note is not None and value not in told:
            return None
        index = own.get(str(value), OTHER_MEMBER)
        return None if index == OTHER_MEMBER and not is_rest_known else index

    return read


def _parsed(text: str) -> tuple[str, str]:
    """Kind and text of a class, as `class_text` wrote it. ValueError for what it never writes."""
    if text in ("absent", "other"):
        return text, ""
    if not text.startswith('"'):
        raise ValueError(text)
    is_prefix = text.endswith("*")
    return ("prefix" if is_prefix else "literal"), str(json.loads(text.removesuffix("*")))


def _class(slot: Slot, value: str, logged: Sequence[tuple[str, str]] | None) -> int | None:
    """The slot's class of a logged one; None where the slot's literals cut it further.

    `other` is what starts with anything at all and is no logged literal or longer prefix.
    """
    try:
        kind, text = _parsed(value)
    except ValueError:
        return None
    own = {(one.kind, one.text): index for index, one in enumerate(slot.classes)}
    if kind == "absent":
        return own["absent", ""]
    prefixes = sorted((one for k, one in own if k == "prefix"), key=len, reverse=True)
    around = next((one for one in prefixes if text.startswith(one)), None)
    held = own["other", ""] if around is None else own["prefix", around]
    if kind == "literal":
        return own.get(("literal", text), held)
    if logged is None:
        return None
    literals = {one for k, one in logged if k == "literal"}
    longer = [
        one for k, one in logged if k == "prefix" and len(one) > len(text) and one.startswith(text)
    ]

    def is_elsewhere(found: str) -> bool:
        """Whether what begins so had a class of its own in the log."""
        return any(found.startswith(one) for one in longer)

    for k, found in own:
        cuts = found.startswith(text) and (k == "literal" or (k == "prefix" and found != text))
        if cuts and not is_elsewhere(found) and not (k == "literal" and found in literals):
            return None
    return held


__all__ = [
    "NOTHING_KNOWN",
    "BundleLine",
    "FeedbackLine",
    "GapLine",
    "Line",
    "Notes",
    "RequestLine",
    "SignalLine",
    "Slots",
    "notes_of",
    "read_lines",
    "slots_of",
]
