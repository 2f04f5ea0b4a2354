"""Which kernel runs the tables: the native one where it is built, else the portable one."""

from functools import cache
from importlib import import_module
from typing import Literal, TypeAlias

KernelName: TypeAlias = Literal["native", "portable"]


def kernel_name() -> KernelName:
    """The kernel that serves here."""
    return "native" if kernel_notice() is None else "portable"


@cache
def kernel_notice() -> str | None:
    """Why the native kernel does not serve, as a sentence for the user; None where it does."""
    try:
        import_module("lynkrc_runtime.scan._kernel")
    except ImportError as error:
        return f"the portable scan kernel serves, many times slower than the native one: {error}"
    return None
