"""An automaton to the tables that are packed and run."""

from array import array

from lynkrc.ir.automaton import Automaton
from lynkrc_runtime.scan.tables import Tables


def tables_of(automaton: Automaton, entries: int) -> Tables:
    """The tables; `entries` is how many entries all lexicons have together."""
    return Tables(
        classes=automaton.classes,
        entries=entries,
        byte_class=automaton.byte_class,
        transitions=array("I", automaton.transitions),
        accepts=automaton.accepts,
        free=automaton.free,
    )
