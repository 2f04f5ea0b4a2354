"""A wrong name and the right ones to what was probably meant.

>>> closest("Tragets", ["targets", "tiers"])
'targets'
"""

from collections.abc import Iterable
from difflib import get_close_matches

from lynkrc.diagnostics.wording import listed, shown


def closest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that `word` most likely meant, or None when none is near."""
    folded = {choice.casefold().replace("-", "_"): choice for choice in reversed(list(choices))}
    found = get_close_matches(word.casefold().replace("-", "_"), folded, n=1, cutoff=0.65)
    return folded[found[0]] if found else None


def did_you_mean(word: str, choices: Iterable[str], otherwise: str = "known") -> str:
    """Help for a wrong name: the nearest choice, or all of them after the word `otherwise`."""
    choices = list(choices)
    if not choices:
        return "correct the name, or define it"
    near = closest(word, choices)
    if near is not None:
        return f"did you mean {shown(near)}?"
    return f"{otherwise}: {listed(choices, 'and')}"
