"""Entries of a lexicon to the findings about those that match what another one matches.

Entries are written out into the texts they match, one blank for every gap and ``*`` for any word
characters at the end. What has more texts than `MOST_TEXTS`, or cannot be written out, is passed
over: a finding here is certain, the absence of one is not.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import assert_never

from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.sema_codes import OVERLAPPING_ENTRIES
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.merge import Spec
from lynkrc.syntax.config import Lexicon
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
from lynkrc.syntax.pattern_words import REST_OF_WORD
from lynkrc_runtime.scan.edges import as_written, is_alone
from lynkrc_runtime.scan.fold import SYMBOL

MOST_TEXTS = 64
"""Most texts an entry is written out into."""

_REST = SYMBOL  # no literal has it: the `*` behind a word


def check_overlaps(spec: Spec) -> Iterable[Diagnostic]:
    """Overlapping entries of the lexicons the document itself defines."""
    for one in spec.lexicons:
        if not one.origin:
            yield from _overlaps(one.item)


def _overlaps(lexicon: Lexicon) -> Iterator[Diagnostic]:
    texts = [_texts(entry.pattern) for entry in lexicon.entries]
    owners: dict[str, list[int]] = {}
    for i, own in enumerate(texts):
        for text in own:
            owners.setdefault(text, []).append(i)
    told: set[frozenset[int]] = set()
    pairs = list(_shared(texts, owners))
    # What is contained in another is told of the contained one, before what merely overlaps.
    for i, j, both in sorted(pairs, key=lambda pair: len(pair[2]) < len(texts[pair[0]])):
        whole = len(both) == len(texts[i])
        weighs = lexicon.entries[i].weighted or lexicon.entries[j].weighted
        # Weights add up where entries overlap, which may be meant; twice the same is not.
        is_same = whole and set(both) == set(texts[j])
        pair = frozenset((i, j))
        if pair not in told and (is_same or not weighs):
            told.add(pair)
            yield _finding(lexicon, i, j, both[0], whole=whole)


def _shared(
    texts: Sequence[Sequence[str]], owners: dict[str, list[int]]
) -> Iterator[tuple[int, int, list[str]]]:
    """For each entry and each other one that matches texts of it: which of them."""
    for i, own in enumerate(texts):
        shared: dict[int, list[str]] = {}
        for text in own:
            for j in dict.fromkeys(_matching(text, owners)):
                if j != i:
                    shared.setdefault(j, []).append(text)
        for j, both in shared.items():
            yield i, j, both


def _matching(text: str, owners: dict[str, list[int]]) -> Iterator[int]:
    """The entries that match `text`: by the text itself, or by a stem of it and any rest."""
    yield from owners.get(text, ())
    stem = text.removesuffix(_REST)
    for end in range(len(stem), 0, -1):
        if f"{stem[:end]}{_REST}" != text:
            yield from owners.get(f"{stem[:end]}{_REST}", ())
        if not stem[end - 1].isalnum() or is_alone(ord(stem[end - 1])):
            break


def _finding(lexicon: Lexicon, i: int, j: int, text: str, *, whole: bool) -> Diagnostic:
    mine, other = lexicon.entries[i].pattern, lexicon.entries[j].pattern
    message = (
        f"everything {shown(mine.text)} matches is matched by {shown(other.text)} too"
        if whole
        else f"{shown(mine.text)} and {shown(other.text)} both match "
        f"{shown(as_written(text).replace(_REST, '*'))}"
    )
    return Diagnostic(
        code=OVERLAPPING_ENTRIES,
        message=message,
        span=mine.span,
        help="`count` counts a place once and `distinct` counts both: keep one of the two"
        if whole
        else "`count` counts a place once and `distinct` counts both: take it out of one",
        labels=(Label(span=other.span, message="the other entry"),),
    )


def _texts(pattern: Pattern) -> Sequence[str]:
    """The texts a bounded entry matches; none where that cannot be said."""
    written = _written(pattern.root) if pattern.bounded else None
    return () if written is None else list(dict.fromkeys(written))


def _written(node: PatternNode) -> list[str] | None:
    match node:
        case Literal(text=text):
            # Of a regular expression, and not what a blank between words finds.
            return None if " " in text else [text]
        case Gap():
            return [" "]
        case CharClass():
            return None
        case Items(items=items):
            parts = [_written(item) for item in items]
            known = [part for part in parts if part is not None]
            if len(known) < len(parts) or any(
                text.endswith(_REST) for part in known[:-1] for text in part
            ):
                return None
            return _bounded("".join(pieces) for pieces in product(*known))
        case Alternation(options=options):
            written: list[str] = []
            for option in options:
                part = _written(option)
                if part is None:
                    return None
                written += part
            return _bounded(written)
        case Repeat() if node == REST_OF_WORD:
            return [_REST]
        case Repeat(item=item, low=0, high=1):
            part = _written(item)
            return None if part is None else _bounded(["", *part])
        case Repeat():
            return None
        case _:
            assert_never(node)


def _bounded(texts: Iterable[str]) -> list[str] | None:
    found: list[str] = []
    for text in texts:
        if len(found) == MOST_TEXTS:
            return None
        found.append(text)
    return found
