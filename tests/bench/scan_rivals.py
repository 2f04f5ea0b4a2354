"""Lexicons as other engines read them: one adapter each, on text that has been folded.

They are given the folded text, which is what our patterns are about, and are not charged for the
folding. A package that is not installed is a rival that is told as missing.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from itertools import product
from typing import Any, TypeAlias, assert_never

from lynkrc.syntax.pattern import (
    Alternation,
    CharClass,
    Gap,
    Literal,
    Pattern,
    PatternNode,
    Repeat,
)
from lynkrc.syntax.pattern import Sequence as Items
from lynkrc_runtime.scan.edges import is_alone

Found: TypeAlias = frozenset[int]
# Of folded text, without what is a word by itself (`scan.edges`).
_WORD = (
    r"0-9A-Za-z_\x{80}-\x{2fff}\x{a000}-\x{d7ff}\x{f000}-\x{ffff}"
    r"\x{10000}-\x{3ffff}\x{80000}-\x{10ffff}"
)
_MOST_SPELLINGS = 400


@dataclass(frozen=True)
class Rival:
    """An engine with the lexicons in it. `finds` tells what `run` computes, to compare.

    `by_lexicon`: it tells lexicons that occur, not entries. `lacks` are entries it cannot hold, and
    those it knows in fewer spellings than we do; `differs` says in words what it means otherwise.
    """

    name: str
    run: Callable[[str], object]
    finds: Callable[[str], Found]
    by_lexicon: bool = False
    lacks: Found = frozenset()
    differs: str = "the same entries"


@dataclass(frozen=True)
class Missing:
    """A rival that is not here, and why."""

    name: str
    why: str


def rivals(
    lexicons: Sequence[Sequence[Pattern]], only: Sequence[str] = ()
) -> list[Rival | Missing]:
    """All of them, or those of the named packages alone."""
    made: list[Rival | Missing] = []
    for package, distribution, make in (
        ("re", None, _python_re),
        ("ahocorasick", "pyahocorasick", _ahocorasick),
        ("re2", "google-re2", _re2),
        ("hyperscan", "hyperscan", _hyperscan),
    ):
        if only and package not in only:
            continue
        try:
            module = import_module(package)
        except ImportError as error:
            made.append(Missing(name=distribution or package, why=str(error)))
            continue
        name = "Python re" if distribution is None else f"{distribution} {version(distribution)}"
        made.append(make(name, module, lexicons))
    return made


# -- one regex a lexicon -------------------------------------------------------------------------


def _python_re(name: str, _: Any, lexicons: Sequence[Sequence[Pattern]]) -> Rival:
    made = [re.compile(_python(_lexicon(patterns))) for patterns in lexicons]

    def run(text: str) -> list[int]:
        return [sum(1 for _ in one.finditer(text)) for one in made]

    def finds(text: str) -> Found:
        return frozenset(number for number, one in enumerate(made) if one.search(text))

    return Rival(
        name=name,
        run=run,
        finds=finds,
        by_lexicon=True,
        differs="counts matches that do not overlap, by lexicon; knows no entries",
    )


def _lexicon(patterns: Sequence[Pattern]) -> str:
    """All entries as one, the edges looked at once."""
    bounded = "|".join(_regex(one.root) for one in patterns if one.bounded)
    parts = [_regex(one.root) for one in patterns if not one.bounded]
    if bounded:
        parts.insert(0, f"(?<![{_WORD}])(?:{bounded})(?![{_WORD}])")
    return "|".join(parts)


def _python(regex: str) -> str:
    return re.sub(r"\\x\{(\w+)\}", lambda hit: f"\\U{int(hit[1], 16):08x}", regex)


# -- all entries at once -------------------------------------------------------------------------


def _consuming(pattern: Pattern) -> str:
    """With its edges as characters: these engines do not look behind or ahead."""
    body = _regex(pattern.root)
    return f"(?:^|[^{_WORD}])(?:{body})(?:$|[^{_WORD}])" if pattern.bounded else body


def _re2(name: str, module: Any, lexicons: Sequence[Sequence[Pattern]]) -> Rival:
    options = module.Options()
    options.max_mem = 1 << 28
    options.log_errors = False
    made = module.Set.SearchSet(options)
    for pattern in (one for patterns in lexicons for one in patterns):
        made.Add(_consuming(pattern))
    made.Compile()

    def run(text: str) -> object:
        return made.Match(text)

    return Rival(
        name=name,
        run=run,
        finds=lambda text: frozenset(made.Match(text) or ()),
        differs="entries that occur, without counts",
    )


def _hyperscan(name: str, module: Any, lexicons: Sequence[Sequence[Pattern]]) -> Rival:
    patterns = [one for several in lexicons for one in several]
    database = module.Database()
    flags = module.HS_FLAG_SINGLEMATCH | module.HS_FLAG_UTF8 | module.HS_FLAG_ALLOWEMPTY
    database.compile(
        expressions=[_consuming(one).encode() for one in patterns],
        ids=list(range(len(patterns))),
        elements=len(patterns),
        flags=[flags] * len(patterns),
    )
    found: list[int] = []

    def met(number: int, *_: object) -> None:
        found.append(number)

    def run(text: str) -> list[int]:
        found.clear()
        database.scan(text.encode(), match_event_handler=met)
        return found

    return Rival(
        name=name,
        run=run,
        finds=lambda text: frozenset(run(text)),
        differs="entries that occur, each told once, without counts",
    )


def _regex(node: PatternNode) -> str:
    match node:
        case Literal(text=text):
            return "".join(re.escape(c) if c.isascii() else f"\\x{{{ord(c):x}}}" for c in text)
        case Gap():
            return r"[ \t\n\r\x0b\f\-]{1,8}"
        case CharClass(ranges=ranges, negated=negated):
            inside = "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in ranges)
            return f"[{'^' if negated else ''}{inside}]"
        case Items(items=items):
            return "".join(map(_regex, items))
        case Alternation(options=options):
            return f"(?:{'|'.join(map(_regex, options))})"
        case Repeat(item=item, low=low, high=high):
            return f"(?:{_regex(item)}){{{low},{'' if high is None else high}}}"
        case _:
            assert_never(node)


# -- words alone ---------------------------------------------------------------------------------


class _NotWords(Exception):
    """An entry that is no list of words."""


def _ahocorasick(name: str, module: Any, lexicons: Sequence[Sequence[Pattern]]) -> Rival:
    made = module.Automaton()
    lacks: set[int] = set()
    known: dict[str, list[tuple[int, bool, bool]]] = {}
    for entry, pattern in enumerate(one for patterns in lexicons for one in patterns):
        try:
            spelled = set(_spellings(pattern.root))
        except _NotWords:
            lacks.add(entry)
            continue
        if _has_gap(pattern.root):
            lacks.add(entry)
        for text, is_open in spelled:
            known.setdefault(text, []).append((entry, pattern.bounded, is_open))
    for text, entries in known.items():
        made.add_word(text, (len(text), entries))
    made.make_automaton()

    def run(text: str) -> set[int]:
        found: set[int] = set()
        for end, (length, entries) in made.iter(text):
            first = end - length
            starts = first < 0 or not _is_word(text[first])
            ends = end + 1 == len(text) or not _is_word(text[end + 1])
            for entry, is_bounded, is_open in entries:
                if not is_bounded or (starts and (is_open or ends)):
                    found.add(entry)
        return found

    return Rival(
        name=name,
        run=run,
        finds=lambda text: frozenset(run(text)),
        lacks=frozenset(lacks),
        differs="words alone, one blank where we take up to eight of several kinds; no regexes; "
        "edges looked at in Python",
    )


def _is_word(char: str) -> bool:
    """Of folded text, as `_WORD`: what is a word by itself is no part of another."""
    return (
        char == "_"
        or (char > "\x7f" and not is_alone(ord(char)))
        or (char.isascii() and char.isalnum())
    )


def _has_gap(node: PatternNode) -> bool:
    match node:
        case Gap():
            return True
        case Items(items=parts) | Alternation(options=parts):
            return any(map(_has_gap, parts))
        case Repeat(item=item):
            return _has_gap(item)
        case _:
            return False


def _spellings(node: PatternNode) -> Iterator[tuple[str, bool]]:
    """The texts a tree matches, and whether any letters may follow. Raises _NotWords."""
    match node:
        case Literal(text=text):
            yield text, False
        case Gap():
            yield " ", False
        case Items(items=items):
            choices = [list(_spellings(one)) for one in items]
            count = 1
            for one in choices:
                count *= len(one)
            if count > _MOST_SPELLINGS:
                raise _NotWords
            for parts in product(*choices):
                if any(is_open for _, is_open in parts[:-1]):
                    raise _NotWords
                yield "".join(text for text, _ in parts), parts[-1][1]
        case Alternation(options=options):
            for one in options:
                yield from _spellings(one)
        case Repeat(item=CharClass(), low=0, high=None):
            yield "", True
        case Repeat(item=item, low=0, high=1):
            yield "", False
            yield from _spellings(item)
        case _:
            raise _NotWords
