"""The compilers of this machine: where they are, what they are called, and their digest.

The digest stands for all that the bytes of a library follow from beside its sources and options:
Cython's version, this Python, what the C compiler says it would run for a library (its own version,
every program, option and start file), the size and time of each of those files, and what steers it
from the environment. Headers are known by the start files and by ``Python.h``: one package brings
them.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

_SECONDS = 300
"""A compiler that takes longer than this is stuck."""

_ENVIRONMENT = {
    **{"LC_ALL": "C", "LANGUAGE": "C", "TZ": "UTC"},
    **{"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "0", "ZERO_AR_DATE": "1"},
}
_STEERS = re.compile(
    r"PATH|PYTHONHOME|SDKROOT|DEVELOPER_DIR|MACOSX_DEPLOYMENT_TARGET|DEPENDENCIES_OUTPUT"
    r"|(C|C_INCLUDE_|LIBRARY_|COMPILER_|PYTHON)PATH|(GCC|CCC|COLLECT|CYTHON|LD|SUNPRO)_.*"
)
"""Names of variables that compilers, linkers and a second Python look at."""


def compiler() -> list[str]:
    """The C compiler that built this interpreter, as a command."""
    return shlex.split(sysconfig.get_config_var("CC") or "cc")


def include_folder() -> Path:
    """Where the headers of this Python are, if they are installed."""
    return Path(sysconfig.get_path("include"))


def toolchain() -> str:
    """What makes native code here, for people: Cython's version and the C compiler's own words."""
    command = compiler()[0]
    named, failed = run_tool([command, "--version"], Path.cwd())
    said = command if failed is not None else named.partition("\n")[0].strip()
    return f"Cython {version('cython')} and {said}"


def toolchain_digest() -> str | None:
    """The digest of the compilers; None where one is missing, or does not tell what it would do."""
    if find_spec("Cython") is None or shutil.which(compiler()[0]) is None:
        return None
    with tempfile.TemporaryDirectory(prefix="lynkrc-native-") as folder:
        Path(folder, "empty.c").touch()
        # What only some systems need to link a library is asked of none: it names no other files.
        dry = [*compiler(), "-###", "-fPIC", "-shared", "empty.c", "-o", "empty.so"]
        told, failed = run_tool(dry, Path(folder), wants_errors=True)
    programs = [shutil.which(one) for one in (compiler()[0], "as", "ld")]
    if failed is not None:
        return None
    # Scratch files have another name each time.
    said = re.sub(rf"{re.escape(tempfile.gettempdir())}/[^\s\"']+", "", told)
    named = {word.strip("\"'") for word in said.split()}
    paths = {*(one for one in named if one.startswith("/")), *filter(None, programs)}
    paths.add(str(include_folder() / "Python.h"))
    parts = {
        "cython": version("cython"),
        "python": [sys.version, sys.executable],
        "said": said,
        "files": [
            _stamp(Path(one)) for one in sorted({*paths, str(include_folder() / "Python.h")})
        ],
        "environment": {k: v for k, v in sorted(os.environ.items()) if _STEERS.fullmatch(k)},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _stamp(path: Path) -> tuple[str, int, int] | None:
    """Where a file really is, its size and its time; None for what is no file we may look at."""
    try:
        real = path.resolve()
        found = real.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return str(real), found.st_size, found.st_mtime_ns


def run_tool(
    command: list[str], folder: Path, *, wants_errors: bool = False
) -> tuple[str, str | None]:
    """What the command printed (on standard error, where that is wanted), and why it failed."""
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
    printed = done.stderr if wants_errors else done.stdout
    return printed, None if done.returncode == 0 else said or "it said nothing"
