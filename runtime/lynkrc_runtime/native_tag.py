"""This interpreter to the name of the native code it can load.

A scorer uses the limited API of CPython 3.11 alone, so one library serves every CPython from there
on, on its platform: ``abi3-x86_64-linux-gnu``.
"""

import platform
import sys
import sysconfig


def native_tag() -> str:
    """The tag of libraries this interpreter loads; one of its own where it has no limited API."""
    suffix: str = sysconfig.get_config_var("EXT_SUFFIX") or ".unknown.so"
    own = suffix.lstrip(".").rpartition(".")[0] or "unknown"
    # A build without the lock of the interpreter lays objects out in another way.
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return own
    _, _, system = own.partition("-")[2].partition("-")
    # On macOS the suffix does not tell processors apart.
    return f"abi3-{platform.machine()}-darwin" if sys.platform == "darwin" else f"abi3-{system}"


def native_path() -> str:
    """Where a bundle holds the library for this interpreter."""
    return f"native/{native_tag()}/scorer.so"
