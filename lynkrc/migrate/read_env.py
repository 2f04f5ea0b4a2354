"""The text of a `.env` file to its assignments, in the way Node's dotenv reads it.

Quotes of three kinds, `export`, comments, values over several lines. Values are for deciding with;
whoever prints must not print them.

>>> read = read_env("export A='x # y'  # why\\nB=one # two\\nno such line\\nA=2\\n")
>>> [(one.name, one.value, one.line) for one in read.assignments], read.malformed
([('A', '2', 4), ('B', 'one', 2)], (3,))
>>> read.repeated
(Repeat(name='A', lines=(1, 4)),)
"""

import re
from dataclasses import dataclass, field
from typing import final

_START = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*")
_BLANK = re.compile(r"[ \t]*(?:#.*)?")
_QUOTES = "'\"`"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One variable with its last value. `value` may be a secret, and is left out of repr."""

    name: str
    value: str = field(repr=False)
    line: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A variable assigned more than once; the last line holds."""

    name: str
    lines: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EnvFile:
    """The variables in the order they first come, and the numbers of lines that say nothing."""

    assignments: tuple[Assignment, ...]
    repeated: tuple[Repeat, ...]
    malformed: tuple[int, ...]


def read_env(text: str) -> EnvFile:
    """Every assignment of the text."""
    found: dict[str, Assignment] = {}
    lines: dict[str, list[int]] = {}
    malformed: list[int] = []
    rows = text.removeprefix("\ufeff").splitlines()
    at = 0
    while at < len(rows):
        row, number = rows[at], at + 1
        at += 1
        if _BLANK.fullmatch(row):
            continue
        start = _START.match(row)
        if start is None:
            malformed.append(number)
            continue
        value, used = _value(rows, number - 1, start.end())
        at += used
        name = start[1]
        lines.setdefault(name, []).append(number)
        found[name] = Assignment(name=name, value=value, line=number)
    return EnvFile(
        assignments=tuple(found.values()),
        repeated=tuple(
            Repeat(name=name, lines=tuple(numbers))
            for name, numbers in lines.items()
            if len(numbers) > 1
        ),
        malformed=tuple(malformed),
    )


def _value(rows: list[str], at: int, start: int) -> tuple[str, int]:
    """The value that begins at a column of a row, and how many further rows it takes."""
    rest = rows[at][start:]
    if rest[:1] in _QUOTES and rest:
        quote = rest[0]
        text = rest[1:]
        for used in range(len(rows) - at):
            if used:
                text += "\n" + rows[at + used]
            end = _closing(text, quote)
            if end is not None:
                inner = text[:end]
                return (_unescaped(inner) if quote == '"' else inner), used
        # Never closed: dotenv takes the line as it is, quote and all.
    return rest.split("#", 1)[0].strip(), 0


def _closing(text: str, quote: str) -> int | None:
    at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == quote:
            return at
        else:
            at += 1
    return None


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\r", "\r")
