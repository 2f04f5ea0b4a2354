"""Whether this machine can compile, asked of the machine and never of the code under test.

Where it can, a scorer that does not build is a failure. Only a machine without a C compiler or
Python's headers may leave these tests out; Cython comes with the development dependencies.
"""

import shlex
import shutil
import sysconfig
from pathlib import Path

import pytest

_COMPILER = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
_HEADER = Path(sysconfig.get_path("include")) / "Python.h"

needs_compiler = pytest.mark.skipif(
    shutil.which(_COMPILER) is None or not _HEADER.is_file(),
    reason=f"no C compiler ({_COMPILER}) or no headers of Python here",
)
