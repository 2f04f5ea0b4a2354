"""Dimensions, terms and points to the lines of routing.yaml that say them.

>>> points_text(3.515625), points_text(-0.5), points_text(12.0)
('3.52', '-0.5', '12')
>>> print(*dimension_lines("length", "4.5", "ramp(ask.words, 0, 200)", 0), sep="\\n")
length: {weight: 4.5, value: "ramp(ask.words, 0, 200)"}
"""

import re
import textwrap
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from lynkrc.quality.tuned import Term
from lynkrc.source.quoting import is_plain, quote

WIDTH = 100
"""Columns of a line, where it can be broken."""
_STEP = "  "
_PAIR = re.compile(r"\[(-?[0-9]+), (-?[0-9]+)\]")
_HARD = "\x7f"
"""Stands for a blank at which no line is broken: what is printable does not hold it."""
_WORDS_OF_LEXICONS = frozenset({"file", "entries", "allow"})
"""What a lexicon itself may hold: patterns called so stand below `entries`."""


def points_text(points: float) -> str:
    """The shortest decimal that the language reads as these points, which are whole 1/64."""
    exact = Decimal(points)
    wanted = exact * 64
    if wanted != wanted.to_integral_value():
        raise ValueError(f"{points} is not a multiple of 1/64")
    if not wanted:
        return "0"
    digits = 0
    while points_of(text := f"{exact:.{digits}f}") != points:
        digits += 1  # twice at most: 1/100 is finer than 1/64
    return text


def points_of(text: str) -> float:
    """The points that the language reads: the nearest 1/64, ties away from zero."""
    return float((Decimal(text) * 64).to_integral_value(ROUND_HALF_UP) / 64)


def scalar(text: str, *, flow: bool) -> str:
    """A text as YAML: plain where that is safe, else in quotes."""
    return text if is_plain(text, flow=flow) else quote(text)


def dimension_lines(name: str, weight: str, value: str, indent: int) -> list[str]:
    """A weighted dimension: on one line where that has room, else a line a key."""
    margin = " " * indent
    short = f"{margin}{name}: {{weight: {weight}, value: {scalar(value, flow=True)}}}"
    if len(short) <= WIDTH:
        return [short]
    return [f"{margin}{name}:", f"{margin}{_STEP}weight: {weight}", *_value(value, margin + _STEP)]


def _value(value: str, margin: str) -> list[str]:
    line = f"{margin}value: {scalar(value, flow=False)}"
    # Folding joins lines by one blank: more than one in a row would be lost.
    if len(line) <= WIDTH or "  " in value or not value.isprintable():
        return [line]
    deeper = margin + _STEP
    lines = textwrap.wrap(
        _PAIR.sub(rf"[\1,{_HARD}\2]", value),
        WIDTH,
        initial_indent=deeper,
        subsequent_indent=deeper,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [f"{margin}value: >", *(line.replace(_HARD, " ") for line in lines)]


def lexicon_lines(name: str, terms: Sequence[Term], indent: int) -> list[str]:
    """A lexicon with its terms in line."""
    margin = " " * indent
    lines = [f"{margin}{name}:"]
    inner = margin + _STEP
    if any(term.pattern in _WORDS_OF_LEXICONS for term in terms):
        lines.append(f"{inner}entries:")
        inner += _STEP
    for term in terms:
        lines.append(f"{inner}{scalar(term.pattern, flow=False)}: {points_text(term.points)}")
    return lines


def terms_text(terms: Sequence[Term]) -> str:
    """A file of terms. ValueError for a pattern that would be a comment, or two columns there."""
    for term in terms:
        if term.pattern.startswith("#") or "\t" in term.pattern or not term.pattern.isprintable():
            raise ValueError(f"{term.pattern!r} cannot stand in a file of terms")
    return "".join(f"{term.pattern}\t{points_text(term.points)}\n" for term in terms)
