"""A wrong name and the right ones to what was probably meant.

>>> closest("Tragets", ["targets", "tiers"])
'targets'
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache

from lynkrc.diagnostics.wording import listed, shown

_LONGEST = 100  # characters of a word that are compared
_MANY = 100  # choices from which on not each is compared
_AROUND = 8


def closest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that `word` most likely meant, or None when none is near."""
    chosen, folded_word = tuple(choices), _fold(word[:_LONGEST])
    if len(chosen) > _MANY:
        chosen = tuple(_near(folded_word, chosen))
    folded = {_fold(choice): choice for choice in reversed(chosen)}
    found = get_close_matches(folded_word, folded, n=1, cutoff=0.65)
    return folded[found[0]] if found and _own_parts_near(folded_word, found[0]) else None


def did_you_mean(word: str, choices: Iterable[str], otherwise: str = "known") -> str:
    """Help for a wrong name: the nearest choice, or all of them after the word `otherwise`."""
    choices = list(choices)
    if not choices:
        return "correct the name, or define it"
    near = closest(word, choices)
    if near is not None:
        return f"did you mean {shown(near)}?"
    return f"{otherwise}: {listed(choices, 'and')}"


def _own_parts_near(word: str, found: str) -> bool:
    """Whether two words are near without the part before a dot that they share.

    >>> _own_parts_near("target.foo", "target.tools"), _own_parts_near("ask.wrds", "ask.words")
    (False, True)
    """
    head, dot, tail = word.rpartition(".")
    if not dot or not found.startswith(head + dot):
        return True
    return bool(get_close_matches(tail, [found[len(head) + 1 :]], cutoff=0.6))


def _near(word: str, choices: tuple[str, ...]) -> list[str]:
    """Those that begin or end most like the word: what a slip leaves of a long list of names."""
    ahead, behind = _sorted(choices)
    return [
        *_neighbours(ahead, word),
        *_neighbours(behind, word[::-1]),
    ]


def _neighbours(index: Sequence[tuple[str, str]], word: str) -> list[str]:
    at = bisect_left(index, (word, ""))
    return [choice for _, choice in index[max(0, at - _AROUND) : at + _AROUND]]


@lru_cache(maxsize=4)
def _sorted(choices: tuple[str, ...]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The choices by their first letters, and by their last ones."""
    folded = [(_fold(choice), choice) for choice in choices]
    return sorted(folded), sorted((text[::-1], choice) for text, choice in folded)


def _fold(word: str) -> str:
    return word.casefold().replace("-", "_")
