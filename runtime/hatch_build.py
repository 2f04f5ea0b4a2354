"""The scan kernel to an extension module beside its sources, for wheels and editable installs.

``python runtime/hatch_build.py`` does the same for a plain checkout; its exit status is 1 where
nothing was built. Whatever is missing for that (Cython, a C compiler, Python's headers) is said and
ends in an install without the extension, which gives the same results more slowly.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "lynkrc_runtime" / "scan"
MODULE = "_kernel"
KEPT = "LYNKRC_KERNEL_SHA256"
"""The environment's name for the digest of a library that was built a moment ago: it is taken."""
ABI = 0x030B0000
"""The library runs under CPython 3.11 and newer."""
SECONDS = 300
"""A compiler that takes longer than this is stuck."""


class KernelHook(BuildHookInterface[BuilderConfig]):
    """Builds the kernel and puts it into the wheel, whose tag then names this platform."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it packs; `version` is ``editable`` or ``standard``."""
        if self.target_name != "wheel":
            return
        library, missing = build()
        if library is None:
            self.app.display_warning(notice(missing))
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"cp{ABI >> 24}{ABI >> 16 & 0xFF}-abi3-{platform_tag()}"
        if version != "editable":
            inside = library.relative_to(HERE).as_posix()
            build_data["force_include"][str(library)] = inside


def notice(missing: str) -> str:
    """What the user is told where there is no kernel."""
    return f"the scan kernel is not built, the portable form serves: {missing}"


def platform_tag() -> str:
    """The platform part of the wheel's tag."""
    from packaging.tags import sys_tags

    # It is linked with whatever this machine has: not for all Linux machines of some age.
    others = ("manylinux", "musllinux")
    return next(tag.platform for tag in sys_tags() if not tag.platform.startswith(others))


def library_path() -> Path:
    """Where the extension module stands."""
    return FOLDER / f"{MODULE}{'.pyd' if sys.platform == 'win32' else '.abi3.so'}"


def build() -> tuple[Path | None, str]:
    """The built library, or None and why there is none."""
    library = library_path()
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    include = sysconfig.get_path("include")
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        missing = "this is not the usual CPython"
    elif sys.platform == "win32":
        missing = "it is not built on Windows"
    elif find_spec("Cython") is None:
        missing = "Cython is not installed"
    elif shutil.which(compiler[0]) is None:
        missing = f"there is no C compiler ({compiler[0]})"
    elif not (Path(include) / "Python.h").is_file():
        missing = f"the headers of Python are not installed ({include})"
    elif library.is_file() and sha256(library.read_bytes()).hexdigest() == os.environ.get(KEPT):
        missing = ""
    else:
        missing = _compile(library, compiler, include)
    if missing:
        # An older one could be of other sources.
        library.unlink(missing_ok=True)
        return None, missing
    return library, ""


def _compile(library: Path, compiler: list[str], include: str) -> str:
    """Why it could not be compiled, or nothing."""
    with tempfile.TemporaryDirectory(prefix="lynkrc-kernel-") as name:
        folder = Path(name)
        for path in FOLDER.iterdir():
            if path.suffix in (".c", ".h", ".pxi", ".pyx"):
                shutil.copyfile(path, folder / path.name)
        cython = [sys.executable, "-m", "cython", "-3", f"{MODULE}.pyx"]
        # Nothing of this machine's folders goes into the library: the same every time.
        flags = ["-std=c11", "-O2", "-g0", "-fPIC", "-DNDEBUG", f"-ffile-prefix-map={folder}=."]
        told = run_path(str(FOLDER / "kernel_sources.py"))
        sources = told["kernel_sources"](FOLDER)
        macros = [f"-DPy_LIMITED_API={ABI:#x}", "-DCYTHON_LIMITED_API=1", f"-I{include}"]
        macros.append(f"-DLK_SOURCES={sources:#x}u")
        link = ["-bundle", "-undefined", "dynamic_lookup"]
        if sys.platform != "darwin":
            link = ["-shared", "-s", "-Wl,--build-id=none"]
        built = folder / library.name
        files = [f"{MODULE}.c", *told["c_files"](FOLDER)]
        command = [*compiler, *flags, *macros, *link, *files, "-o", str(built)]
        for step in (cython, command):
            failed = _run(step, folder)
            if failed:
                return failed
        # In one step: a process that runs keeps the library it has.
        beside = library.with_suffix(".new")
        shutil.copyfile(built, beside)
        beside.replace(library)
    return ""


def _run(command: list[str], folder: Path) -> str:
    """What a failed command said, or nothing."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {SECONDS} s"
    if done.returncode == 0:
        return ""
    return f"{Path(command[0]).name} failed\n{(done.stdout + done.stderr).strip()}"


if __name__ == "__main__":
    made, why = build()
    print(f"built {made.relative_to(HERE)}" if made else notice(why))
    sys.exit(made is None)
