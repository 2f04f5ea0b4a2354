"""What a byte of folded text makes of the word that stands before it, by what was read last.

A word ends before a byte that is no word character's, and before a character that is a word by
itself. Some of these are told by their first byte; before others a match waits a byte or two.

>>> contexts = Contexts()
>>> contexts.after(INSIDE, 0xE4)
(0, <Outcome.ENDS: 1>)
>>> waits, outcome = contexts.after(INSIDE, 0xE0)
>>> outcome, contexts.after(waits, 0xB8), contexts.after(waits, 0xA4)
(<Outcome.WAITS: 2>, (0, <Outcome.ENDS: 1>), (1, <Outcome.GOES_ON: 0>))
"""

from enum import IntEnum
from typing import TypeAlias, final

from lynkrc_runtime.scan.edges import decided, is_word_byte, undecided

Context: TypeAlias = int

START: Context = 0
"""After what ends a word: no word character, or one that is a word by itself, or within this."""
INSIDE: Context = 1
"""After a word character that is none, or within one."""
_FIRST_WAIT = 2


@final
class Outcome(IntEnum):
    """What becomes of a word that ended before the character that is being read."""

    GOES_ON = 0
    ENDS = 1
    WAITS = 2


@final
class Contexts:
    """The contexts, numbered from 0."""

    __slots__ = ("_begun", "_numbers", "count")

    def __init__(self) -> None:
        self._begun = [begun for begun in undecided() if begun]
        self._numbers = {begun: at for at, begun in enumerate(self._begun, _FIRST_WAIT)}
        self.count = _FIRST_WAIT + len(self._begun)

    def after(self, context: Context, byte: int) -> tuple[Context, Outcome]:
        """The context that the byte leads to, and what it tells of the word before."""
        goes_on = 0x80 <= byte < 0xC0
        if not goes_on and context > INSIDE:
            # Folded text is whole, so this never comes; nothing is told by it.
            return self.after(START, byte)[0], Outcome.GOES_ON
        if not is_word_byte(byte):
            return START, Outcome.ENDS
        begun = bytes((byte,))
        if goes_on:
            if context < _FIRST_WAIT:
                return context, Outcome.GOES_ON
            begun = self._begun[context - _FIRST_WAIT] + begun
        alone = decided(begun)
        if alone is None:
            return self._numbers[begun], Outcome.WAITS
        return (START, Outcome.ENDS) if alone else (INSIDE, Outcome.GOES_ON)
