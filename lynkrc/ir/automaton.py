"""All lexicons of a spec as one byte-class DFA (made by `lynkrc.lower.patterns`).

The tables are what `lynkrc_runtime.scan` runs; see `lynkrc_runtime/scan/tables.py` for the file.
"""

from dataclasses import dataclass, field
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Automaton:
    """A total DFA over bytes of folded UTF-8.

    `byte_class[b]` is the class of byte b; `transitions[state * classes + class]` is the next
    state; `accepts[state]` are the entries confirmed on entering the state (global entry numbers,
    ascending). A match of one of the `free` entries (``~``, ascending) ends with the byte just
    read, that of any other entry before it. State 0 is the start, and stands for "after a
    non-word character".
    """

    classes: int
    byte_class: bytes = field(repr=False)
    transitions: tuple[int, ...] = field(repr=False)
    accepts: tuple[tuple[int, ...], ...] = field(repr=False)
    free: tuple[int, ...] = ()

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.accepts)
