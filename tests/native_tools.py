"""Native code in tests: whether this machine can compile, asked of the machine alone; libraries.

Where it can, a scorer that does not build is a failure. Only a machine without a C compiler or
Python's headers may leave these tests out; Cython comes with the development dependencies.
"""

import shlex
import shutil
import sysconfig
from pathlib import Path

import pytest

from lynkrc.codegen.artifacts import Artifacts
from lynkrc.native.build import NativeBuilt, build_native

_COMPILER = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
_HEADER = Path(sysconfig.get_path("include")) / "Python.h"

needs_compiler = pytest.mark.skipif(
    shutil.which(_COMPILER) is None or not _HEADER.is_file(),
    reason=f"no C compiler ({_COMPILER}) or no headers of Python here",
)

_built: dict[tuple[str, str, bytes], NativeBuilt] = {}


def library_of(artifacts: Artifacts) -> NativeBuilt:
    """The native library of a spec, which the compilers make once for all tests of a process.

    That they make the same bytes each time is a test of its own.
    """
    key = (artifacts.scorer, artifacts.scorer_pxd, artifacts.dispatch)
    if key not in _built:
        built = build_native(artifacts)
        assert isinstance(built, NativeBuilt), built
        _built[key] = built
    return _built[key]
