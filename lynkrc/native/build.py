"""``scorer.py`` and ``scorer.pxd`` to a native extension module, where this machine can build one.

Cython runs as a process of its own (its compiler keeps global state and prints), then the C
compiler that built this interpreter, on ``module.c``, which has the arithmetic in it. One toolchain
makes the same bytes of the same scorer, wherever and whenever it runs. Everything that can be
missing ends in a notice, not in an exception: the same ``scorer.py`` then runs interpreted with the
same results.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias, final

from lynkrc.codegen.artifacts import Artifacts
from lynkrc.native.literals import typed
from lynkrc_runtime.native_tag import native_path, native_tag

_SECONDS = 300
"""A compiler that takes longer than this is stuck."""

_MODULE = Path(__file__).parent / "module.c"

MOST_TARGETS = 62
"""Targets are the bits of one integer of C."""

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
_ENVIRONMENT = {
    **{"LC_ALL": "C", "LANGUAGE": "C", "TZ": "UTC"},
    **{"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "0", "ZERO_AR_DATE": "1"},
}


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


def build_native(artifacts: Artifacts) -> NativeResult:
    """Compile the scorer for this platform, in a temporary folder."""
    if not native_tag().startswith("abi3-"):
        return NativeMissing(reason=f"this Python ({native_tag()}) has no limited API")
    if find_spec("Cython") is None:
        return NativeMissing(reason="Cython is not installed (pip install 'lynkrc[native]')")
    compiler = _compiler()
    if shutil.which(compiler[0]) is None:
        return NativeMissing(reason=f"there is no C compiler ({compiler[0]})")
    include = sysconfig.get_path("include")
    if not (Path(include) / "Python.h").is_file():
        return NativeMissing(reason=f"the headers of Python are not installed ({include})")
    dispatch = json.loads(artifacts.dispatch)
    targets, slots = len(dispatch["targets"]), len(dispatch["slots"])
    if targets > MOST_TARGETS:
        return NativeMissing(
            reason=f"it takes at most {MOST_TARGETS} targets, and the spec has {targets}"
        )
    with tempfile.TemporaryDirectory(prefix="lynkrc-native-") as folder:
        return _build(artifacts, Path(folder), compiler, [f"-I{include}", f"-DSLOTS={slots}"])


def _build(
    artifacts: Artifacts, folder: Path, compiler: list[str], options: list[str]
) -> NativeResult:
    (folder / "scorer.py").write_text(typed(artifacts.scorer), encoding="utf-8")
    (folder / "scorer.pxd").write_text(artifacts.scorer_pxd, encoding="utf-8")
    shutil.copyfile(_MODULE, folder / "module.c")
    # No operand of a division is ever negative, and no divisor is 0: see `lynkrc.ir.ranges`.
    cython = [sys.executable, "-m", "cython", "-3", "-X", "cdivision=True"]
    _, failed = _run([*cython, "-o", "scorer.c", "scorer.py"], folder)
    if failed is not None:
        return NativeMissing(reason="Cython refused the scorer", detail=failed)
    linked = _LINKED_ON_MACOS if sys.platform == "darwin" else _LINKED_ON_LINUX
    flags = [*_FLAGS, f"-ffile-prefix-map={folder}=.", *linked, *options]
    _, failed = _run([*compiler, *flags, "module.c", "-o", "scorer.so"], folder)
    if failed is not None:
        return NativeMissing(reason="the C compiler refused the scorer", detail=failed)
    return NativeBuilt(path=native_path(), library=(folder / "scorer.so").read_bytes())


def toolchain() -> str:
    """What makes native code here, for people: Cython's version and the C compiler's own words."""
    named, failed = _run([_compiler()[0], "--version"], Path.cwd())
    compiler = _compiler()[0] if failed is not None else named.partition("\n")[0].strip()
    return f"Cython {version('cython')} and {compiler}"


def _compiler() -> list[str]:
    return shlex.split(sysconfig.get_config_var("CC") or "cc")


def _run(command: list[str], folder: Path) -> tuple[str, str | None]:
    """What the command printed, and what it said where it failed."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | _ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"{command[0]} did not end within {_SECONDS} s"
    except OSError as problem:
        return "", f"{command[0]} cannot be run: {problem.strerror}"
    if done.returncode < 0:
        return "", f"{command[0]} was ended by signal {-done.returncode}\n{done.stderr}".strip()
    said = (done.stdout + done.stderr).strip()
    return done.stdout, None if done.returncode == 0 else said or "it said nothing"
