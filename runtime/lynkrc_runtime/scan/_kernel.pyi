"""The compiled kernel: see _kernel.pyx. Importing it fails where it is not built."""

from collections.abc import Sequence
from typing import final

SOURCES: int
"""What `kernel_sources` says of the sources it was built of."""

@final
class Kernel:
    """Runs the automaton of a lexicon table, which it keeps and reads in place.

    ValueError for a table (or a fold table) that is not whole or leads outside itself, and for
    weights that are not as many as the entries or whose magnitudes sum up to more than 63 bits.
    """

    def __init__(self, data: bytes, weights: Sequence[int], folds: bytes) -> None: ...
    def scan(
        self, text: str
    ) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None: ...
    def present(self, text: str) -> frozenset[int]: ...

@final
class Counter:
    """Counts the words and sentences of texts. ValueError for a fold table that is not whole."""

    def __init__(self, folds: bytes) -> None: ...
    def count(self, text: str) -> tuple[int, int, int]: ...
