"""``scorer.py`` and ``scorer.pxd`` to a native extension module, where this machine can build one.

Cython runs as a process of its own (its compiler keeps global state and prints), then the C
compiler that built this interpreter, on ``module.c``, which has the arithmetic in it. One toolchain
makes the same bytes of the same scorer, wherever and whenever it runs. Everything that can be
missing ends in a notice, not in an exception: the same ``scorer.py`` then runs interpreted with the
same results.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, TypeAlias, final

from lynkrc.codegen.artifacts import Artifacts
from lynkrc.native.literals import typed
from lynkrc.native.toolchain import compiler, include_folder, run_tool, toolchain_digest
from lynkrc_runtime.native_tag import native_path, native_tag

_FORM = 1

_MODULE = Path(__file__).parent / "module.c"

MOST_TARGETS = 62
"""Targets are the bits of one integer of C."""

# No operand of a division is ever negative, and no divisor is 0: see `lynkrc.ir.ranges`.
_CYTHON = ("-m", "cython", "-3", "-X", "cdivision=True")

# The limited API of CPython 3.11; arithmetic that wraps; nothing in the library that differs
# between two folders or two runs, and nothing that is not called.
_FLAGS = (
    *("-std=gnu11", "-O2", "-g0", "-fPIC", "-fno-plt", "-shared", "-DNDEBUG", "-fwrapv"),
    *("-DPy_LIMITED_API=0x030B0000", "-DCYTHON_LIMITED_API=1"),
    *("-fvisibility=hidden", "-ffunction-sections", "-fdata-sections", "-fstack-protector-strong"),
)
_LINKED_ON_LINUX = (
    *("-s", "-Wl,--build-id=none", "-Wl,--gc-sections"),
    *("-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"),
)
_LINKED_ON_MACOS = ("-undefined", "dynamic_lookup", "-Wl,-dead_strip", "-Wl,-x")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NativeBuilt:
    """A library for this platform, and its path inside a bundle."""

    path: str
    library: bytes = field(repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NativeMissing:
    """Why there is no library, as one sentence for the user; `detail` is a compiler's output."""

    reason: str
    detail: str = ""


NativeResult: TypeAlias = NativeBuilt | NativeMissing


class Libraries(Protocol):
    """Libraries that were made before, by the digest of all they follow from."""

    def load(self, key: str) -> bytes | None:
        """The library kept under a key, if this user has built it on this machine."""
        ...

    def keep(self, key: str, library: bytes) -> None:
        """Keep one, where that can be."""
        ...


def build_native(artifacts: Artifacts, libraries: Libraries | None = None) -> NativeResult:
    """Compile the scorer for this platform, in a temporary folder, or take it from `libraries`."""
    if not native_tag().startswith("abi3-"):
        return NativeMissing(reason=f"this Python ({native_tag()}) has no limited API")
    if find_spec("Cython") is None:
        return NativeMissing(reason="Cython is not installed (pip install 'lynkrc[native]')")
    command = compiler()
    if shutil.which(command[0]) is None:
        return NativeMissing(reason=f"there is no C compiler ({command[0]})")
    include = include_folder()
    if not os.access(include / "Python.h", os.R_OK):
        return NativeMissing(
            reason=f"the headers of Python are not installed, or may not be read ({include})"
        )
    dispatch = json.loads(artifacts.dispatch)
    targets, slots = len(dispatch["targets"]), len(dispatch["slots"])
    if targets > MOST_TARGETS:
        return NativeMissing(
            reason=f"it takes at most {MOST_TARGETS} targets, and the spec has {targets}"
        )
    sources = {
        "scorer.py": typed(artifacts.scorer).encode(),
        "scorer.pxd": artifacts.scorer_pxd.encode(),
        "module.c": _MODULE.read_bytes(),
    }
    options = [f"-I{include}", f"-DSLOTS={slots}"]
    key = None if libraries is None else _key(sources, [*command, *options])
    if libraries is None or key is None:
        return _built(sources, [*command, *_FLAGS], options)
    kept = libraries.load(key)
    if kept is not None:
        return NativeBuilt(path=native_path(), library=kept)
    built = _built(sources, [*command, *_FLAGS], options)
    if isinstance(built, NativeBuilt):
        libraries.keep(key, built.library)
    return built


def _key(sources: dict[str, bytes], words: list[str]) -> str | None:
    """All that the library follows from, as a digest; None where that cannot be told."""
    tools = toolchain_digest()
    if tools is None:
        return None
    parts = {
        "form": _FORM,
        "platform": native_path(),
        "tools": tools,
        "words": [*_CYTHON, *_FLAGS, *_linked(), *words],
        "sources": {name: hashlib.sha256(data).hexdigest() for name, data in sources.items()},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _built(sources: dict[str, bytes], command: list[str], options: list[str]) -> NativeResult:
    with tempfile.TemporaryDirectory(prefix="lynkrc-native-") as scratch:
        folder = Path(scratch)
        for name, data in sources.items():
            (folder / name).write_bytes(data)
        cython = [sys.executable, *_CYTHON, "-o", "scorer.c", "scorer.py"]
        _, failed = run_tool(cython, folder)
        if failed is not None:
            return NativeMissing(reason="Cython refused the scorer", detail=failed)
        flags = [f"-ffile-prefix-map={folder}=.", *_linked(), *options]
        _, failed = run_tool([*command, *flags, "module.c", "-o", "scorer.so"], folder)
        if failed is not None:
            return NativeMissing(reason="the C compiler refused the scorer", detail=failed)
        return NativeBuilt(path=native_path(), library=(folder / "scorer.so").read_bytes())


def _linked() -> tuple[str, ...]:
    return _LINKED_ON_MACOS if sys.platform == "darwin" else _LINKED_ON_LINUX
