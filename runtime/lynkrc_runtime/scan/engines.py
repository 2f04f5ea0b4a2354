"""Which kernel runs the tables: the native one where it is built, else the portable one."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias

from lynkrc_runtime.scan.fold import TABLE
from lynkrc_runtime.scan.kernel_sources import kernel_sources
from lynkrc_runtime.scan.portable import PortableKernel
from lynkrc_runtime.scan.tables import Tables, unpack

try:
    from lynkrc_runtime.scan._kernel import SOURCES
    from lynkrc_runtime.scan._kernel import Counter as NativeCounter
    from lynkrc_runtime.scan._kernel import Kernel as NativeKernel
    from lynkrc_runtime.scan._kernel import Turns as NativeTurns
    from lynkrc_runtime.scan._kernel import lines_of as _lines_of
    from lynkrc_runtime.scan._kernel import outlined as _outlined
except ModuleNotFoundError:
    _missing: str | None = "it is not built (that needs a C compiler and the headers of Python)"
except ImportError as error:
    _missing = f"it cannot be loaded: {error}"
else:
    # A kernel of other sources may read other tables, or find other things in them.
    _missing = None
    if kernel_sources() not in (SOURCES, None):
        _missing = "it is not built of the sources beside it (`make kernel` builds it)"

KernelName: TypeAlias = Literal["native", "portable"]
Measures: TypeAlias = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Counts, distinct and points, each by lexicon."""

Numbers: TypeAlias = tuple[int, ...]
"""Of a text, in the order of `text_counts.MEASURED`."""


class Engine(Protocol):
    """What both kernels do, with the same results."""

    def scan(self, text: str) -> Measures | None:
        """What occurs in the text; None where nothing does."""

    def present(self, text: str) -> frozenset[int]:
        """The entries that occur in the text."""


def kernel_name() -> KernelName:
    """The kernel that serves here."""
    return "portable" if _missing else "native"


def kernel_notice() -> str | None:
    """Why the native kernel does not serve, as a sentence for the user; None where it does."""
    if _missing is None:
        return None
    return f"the portable scan kernel serves, about 50 times slower than the native one: {_missing}"


def read_tables(data: bytes) -> Tables:
    """The tables in a file's bytes, checked by the kernel that serves here.

    ValueError when they are not whole, or lead outside.
    """
    if _missing is not None:
        return unpack(data)
    tables = unpack(data, checks_cells=False)
    NativeKernel(data, [0] * tables.entries, TABLE)
    return tables


def engine_of(tables: Tables, weights: Sequence[int], kernel: KernelName | None = None) -> Engine:
    """The chosen kernel for these tables, or the one that serves here.

    RuntimeError where the native one is chosen and missing.
    """
    if (kernel or kernel_name()) == "portable":
        return PortableKernel(tables, weights)
    if _missing is not None:
        raise RuntimeError(f"the native scan kernel is not there: {_missing}")
    return NativeKernel(tables.data, weights, TABLE)


native_lines: Callable[[bytes, dict[str, str], bytes], bytes | None] | None = (
    None if _missing is not None else _lines_of
)
"""Writes in C the headers of a head; None where it is not built."""

native_count: Callable[[str], Numbers] | None = (
    None if _missing is not None else NativeCounter(TABLE).count
)
"""Counts in C what `text_counts` counts in Python; None where it is not built."""

native_turns: "type[NativeTurns] | None" = None if _missing is not None else NativeTurns
"""Reads in C what `protocol/anthropic/fast_message.py` decodes; None where it is not built."""

native_outlined = None if _missing is not None else _outlined
"""Reads a body in C to its messages and what it says beside them; None where it is not built."""
