"""``scorer.py`` and ``scorer.pxd`` to a native extension module, where this machine can build one.

Cython runs as a process of its own (its compiler keeps global state and prints), then the C
compiler that built this interpreter. Everything that can be missing ends in a notice, not in an
exception: the same ``scorer.py`` then runs interpreted with the same results.
"""

import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias, final

from lynkrc.codegen.artifacts import Artifacts
from lynkrc_runtime.bundle import native_path

_SECONDS = 300
"""A compiler that takes longer than this is stuck."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NativeBuilt:
    """A library for this interpreter, and its path inside a bundle."""

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
    """Compile the scorer for the running interpreter, in a temporary folder."""
    if find_spec("Cython") is None:
        return NativeMissing(reason="Cython is not installed (pip install 'lynkrc[native]')")
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    if shutil.which(compiler[0]) is None:
        return NativeMissing(reason=f"there is no C compiler ({compiler[0]})")
    include = sysconfig.get_path("include")
    if not (Path(include) / "Python.h").is_file():
        return NativeMissing(reason=f"the headers of Python are not installed ({include})")
    with tempfile.TemporaryDirectory(prefix="lynkrc-native-") as folder:
        return _build(artifacts, Path(folder), compiler, include)


def _build(artifacts: Artifacts, folder: Path, compiler: list[str], include: str) -> NativeResult:
    (folder / "scorer.py").write_text(artifacts.scorer, encoding="utf-8")
    (folder / "scorer.pxd").write_text(artifacts.scorer_pxd, encoding="utf-8")
    # The vector's length is checked where it is unpacked; no other index is used.
    cython = [sys.executable, "-m", "cython", "-3", "-o", "scorer.c", "scorer.py"]
    failed = _run(cython, folder)
    if failed is not None:
        return NativeMissing(reason="Cython refused the scorer", detail=failed)
    # -g0 and the prefix map keep the folder's name out of the library.
    flags = ["-O2", "-g0", "-fPIC", "-shared", "-DNDEBUG", f"-ffile-prefix-map={folder}=."]
    if sys.platform == "darwin":
        flags += ["-undefined", "dynamic_lookup"]
    failed = _run([*compiler, *flags, f"-I{include}", "scorer.c", "-o", "scorer.so"], folder)
    if failed is not None:
        return NativeMissing(reason="the C compiler refused the scorer", detail=failed)
    return NativeBuilt(path=native_path(), library=(folder / "scorer.so").read_bytes())


def _run(command: list[str], folder: Path) -> str | None:
    """None when the command succeeded, else what it said."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {_SECONDS} s"
    return None if done.returncode == 0 else (done.stdout + done.stderr).strip()
