"""A lexicon entry's text to a tree of what it matches.

Semantics (design: language.md, "Patterns"): matching is over folded text, bounded at word edges
unless the entry starts with ``~``; a blank is 1 to 8 white-space characters or hyphens.
"""

from dataclasses import dataclass, field
from typing import TypeAlias, final

from lynkrc.source.text import Span


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """These characters, already case-folded."""

    text: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A blank: 1 to 8 white-space characters or hyphens."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CharClass:
    """One character inside (or, negated, outside) these inclusive code-point ranges."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """The items one after another."""

    items: tuple["PatternNode", ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Alternation:
    """Any one of the options."""

    options: tuple["PatternNode", ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The item `low` to `high` times; `high` None is unbounded (of word characters
    that are no words by themselves)."""

    item: "PatternNode"
    low: int
    high: int | None


PatternNode: TypeAlias = Literal | Gap | CharClass | Sequence | Alternation | Repeat


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One entry: its text as written, its tree, and whether word edges bound it."""

    text: str
    root: PatternNode
    bounded: bool
    span: Span = field(compare=False, repr=False)
