"""The pattern kernel in plain Python: folded text to which accepting states were entered.

One look-up and one comparison a byte.
"""

from typing import final

from lynkrc_runtime.scan.fold import END
from lynkrc_runtime.scan.tables import Tables


@final
class PortableKernel:
    """Runs the automaton over texts."""

    __slots__ = ("_accepting", "_byte_class", "_cells")

    def __init__(self, tables: Tables) -> None:
        # A list gives out the numbers it holds; the view would make each anew.
        self._cells: list[int] = tables.cells.tolist()
        self._byte_class = tables.byte_class
        self._accepting = tables.accepting

    def entered(self, data: bytes) -> dict[int, int]:
        """How often each accepting state was entered on the folded text (without its `END`)."""
        cells = self._cells
        accepting = self._accepting
        times: dict[int, int] = {}
        state = 0
        for number in (data + END).translate(self._byte_class):
            state = cells[state + number]
            if state >= accepting:
                times[state] = times.get(state, 0) + 1
        return times
