"""RouteTable to RouteTable, each pass pure and meaning-preserving."""

from collections.abc import Callable
from typing import TypeAlias

from lynkrc.ir.table import RouteTable
from lynkrc.passes.fold_constants import fold_constants
from lynkrc.passes.merge_class_tests import merge_class_tests
from lynkrc.passes.normalize_guards import normalize_guards

Pass: TypeAlias = Callable[[RouteTable], RouteTable]

PASSES: tuple[Pass, ...] = (normalize_guards, merge_class_tests, fold_constants)
"""In the order they run; folding is last, as merging brings forth constants."""


def run_passes(table: RouteTable) -> RouteTable:
    """The table after all passes."""
    for rewrite in PASSES:
        table = rewrite(table)
    return table
