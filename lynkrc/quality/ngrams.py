"""Asks to the terms that a lexicon could learn, and to which of them each ask holds.

What is found in a text is what the automaton finds: text is folded by the same table, a word is a
run of word characters or one letter of a script without blanks, a blank of an entry stands for 1 to
8 white-space characters or hyphens. Terms are words and pairs of words in folded form, so an entry
is the term as people write it: nothing in it has to be escaped. An apostrophe is no word character,
but nobody takes ``don't`` for two words: its parts are found, as the automaton finds them, and are
no terms there. What is a part more often than a whole is no term at all.

>>> found = grams("Don't  stop")
>>> sorted(found.present), sorted(found.whole)
(['don', "don't", 'stop', 't', 't stop'], ["don't", 'stop'])
"""

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from lynkrc_runtime.scan.edges import ALONE, as_written
from lynkrc_runtime.scan.fold import fold_text

LONGEST = 40
"""Characters of a term."""
LEAST_REQUESTS = 5
LEAST_GROUPS = 2
"""What a term must occur in to be worth a weight: one conversation says the same words often."""

_ALONE = "".join(f"{chr(low)}-{chr(high)}" for low, high in ALONE)
_RUN = re.compile(f"[{_ALONE}]|(?:[0-9a-z_]|[^\\x00-\\x7f{_ALONE}])+")
_BLANK = re.compile("[\\t-\\r -]{1,8}")

Places: TypeAlias = NDArray[np.int32]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Grams:
    """Words and pairs of words: `present` as the automaton sees it, `whole` as people do."""

    present: frozenset[str]
    whole: frozenset[str]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Terms, folded and in order, and which occur where.

    Row i has those of `places[starts[i]:starts[i + 1]]`, in order.
    """

    names: tuple[str, ...]
    starts: Places
    places: Places


def grams(text: str) -> Grams:
    """What an ask holds."""
    folded = fold_text(text)
    present: set[str] = set()
    whole: set[str] = set()
    # The run before, what joins it to the one before that, and where it ends.
    before, joined, end = "", "", -1
    pending: list[tuple[str, bool]] = []
    for match in _RUN.finditer(folded):
        run = match[0]
        between = folded[end : match.start()] if before else "\0"
        joint = _joint(between)
        # Now it is known what stands behind the run before.
        whole.update(gram for gram, is_whole in pending if is_whole and joint != "'")
        pending = [(run, joint != "'")]
        if joint is not None:
            pending.append((before + joint + run, joined != "'"))
        present.update(gram for gram, _ in pending)
        before, joined, end = run, joint or "", match.end()
    whole.update(gram for gram, is_whole in pending if is_whole)
    return Grams(present=frozenset(present), whole=frozenset(whole))


def _joint(between: str) -> str | None:
    """What an entry has between two words that stand so; None where none can hold both."""
    if between in ("", "'"):
        return between
    return " " if _BLANK.fullmatch(between) else None


def terms_of(texts: Sequence[str], groups: Sequence[int]) -> Terms:
    """The terms that enough requests and groups have, by name."""
    counts: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    first_group: dict[str, int] = {}
    spread: set[str] = set()
    for text, group in zip(texts, groups, strict=True):
        found = grams(text)
        parts.update(found.present - found.whole)
        for gram in found.whole:
            counts[gram] += 1
            if first_group.setdefault(gram, group) != group:
                spread.add(gram)
    names = sorted(
        gram
        for gram in spread
        if counts[gram] >= LEAST_REQUESTS
        and counts[gram] > parts[gram]
        and len(gram) <= LONGEST
        and as_written(gram).isprintable()
    )
    return _distinct(_placed(texts, names))


def _placed(texts: Sequence[str], names: Sequence[str]) -> Terms:
    place = {name: number for number, name in enumerate(names)}
    starts, places = array("i", (0,)), array("i")
    for text in texts:
        places.extend(sorted(place[gram] for gram in grams(text).present if gram in place))
        starts.append(len(places))
    return Terms(
        names=tuple(names),
        starts=np.array(starts, dtype=np.int32),
        places=np.array(places, dtype=np.int32),
    )


def _distinct(terms: Terms) -> Terms:
    """Without those that occur in the same texts as a shorter one: they tell nothing more."""
    texts = np.repeat(np.arange(len(terms.starts) - 1), np.diff(terms.starts))
    by_term = np.split(
        texts[np.argsort(terms.places, kind="stable")],
        np.cumsum(np.bincount(terms.places, minlength=len(terms.names)))[:-1],
    )
    shortest: dict[bytes, int] = {}
    for number in sorted(range(len(terms.names)), key=lambda one: len(terms.names[one])):
        shortest.setdefault(by_term[number].tobytes(), number)
    kept = np.array(sorted(shortest.values()), dtype=np.intp)
    place = np.full(len(terms.names), -1, dtype=np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    places = place[terms.places]
    counts = np.bincount(texts[places >= 0], minlength=len(terms.starts) - 1)
    return Terms(
        names=tuple(terms.names[one] for one in kept),
        starts=np.concatenate(((0,), np.cumsum(counts))).astype(np.int32),
        places=places[places >= 0],
    )
