"""A string of a request to the class that the compiled guards know it by.

Tests in the language fold ASCII case and trim blanks, so classes are compared that way.

>>> classes = StringClasses([
...     StringClass("absent", ""), StringClass("other", ""),
...     StringClass("literal", "gpt-5"), StringClass("prefix", "gpt-"), StringClass("prefix", "g"),
... ])
>>> [classes.classify(value) for value in (None, "claude", " GPT-5 ", "gpt-5-mini", "gemini")]
[0, 1, 2, 3, 4]
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, final

from lynkrc_runtime.dispatch import StringClass

_T = TypeVar("_T")

_MOST = 256
"""Texts that are remembered, and characters of one."""

_BLANKS = " \t\r\n\f\v"
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def fold_ascii(value: str) -> str:
    """`value` without blanks around it, ASCII letters in lower case."""
    trimmed = value.strip(_BLANKS)
    return trimmed.lower() if trimmed.isascii() else trimmed.translate(_ASCII_LOWER)


@final
class StringClasses:
    """The classes of one string slot: exact literals first, else the longest prefix.

    ValueError when class 0 is not ``absent``, class 1 not ``other``, or a kind is unknown.
    """

    __slots__ = ("_literals", "_prefixes")

    def __init__(self, classes: Sequence[StringClass]) -> None:
        kinds = [entry.kind for entry in classes]
        if kinds[:2] != ["absent", "other"] or not set(kinds[2:]) <= {"literal", "prefix"}:
            raise ValueError(f"string slot with classes {kinds}")
        numbered = [(fold_ascii(entry.text), n) for n, entry in enumerate(classes)][2:]
        self._literals = {text: n for text, n in numbered if classes[n].kind == "literal"}
        prefixes = [(text, n) for text, n in numbered if classes[n].kind == "prefix"]
        self._prefixes = sorted(prefixes, key=lambda prefix: -len(prefix[0]))

    def classify(self, value: str | None) -> int:
        """Index of the value's class; None is absent."""
        if value is None:
            return 0
        folded = fold_ascii(value)
        exact = self._literals.get(folded)
        if exact is not None:
            return exact
        for prefix, number in self._prefixes:
            if folded.startswith(prefix):
                return number
        return 1


@final
class Remembered(dict[str, _T], Generic[_T]):
    """Short texts of which there are few (names of models) to what follows from them alone.

    >>> remembered = Remembered(len)
    >>> remembered["gpt-5"], dict(remembered)
    (5, {'gpt-5': 5})
    """

    __slots__ = ("_work_out",)

    def __init__(self, work_out: Callable[[str], _T]) -> None:
        self._work_out = work_out

    def __missing__(self, text: str) -> _T:
        found = self._work_out(text)
        if len(text) <= _MOST:
            if len(self) >= _MOST:
                self.clear()
            self[text] = found
        return found
