"""The checked bytes of generated code to its functions: Python source, or a native library.

Both run from the bytes that were checked, never from a path somebody else can write to.
"""

import itertools
import sys
import sysconfig
import tempfile
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from lynkrc_runtime.decide import Scorer

GONE_WRONG = (
    SyntaxError,
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,  # also what source nested too deeply ends in
    NameError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What Python code that is not ours can do wrong."""

_loads = itertools.count(1)


def native_tag() -> str:
    """The platform tag of this interpreter: ``cpython-311-x86_64-linux-gnu``."""
    suffix: str = sysconfig.get_config_var("EXT_SUFFIX") or ".unknown.so"
    return suffix.lstrip(".").rpartition(".")[0] or "unknown"


def native_path() -> str:
    """Where a bundle holds the library for this interpreter."""
    return f"native/{native_tag()}/scorer.so"


class BrokenCode(Exception):
    """Generated Python code that does not run, or lacks what it must define."""


def run_python(source: bytes, *, bundle: str, name: str, function: str) -> Any:
    """A function of the generated module `name`, run from its source. Raises BrokenCode."""
    namespace: dict[str, Any] = {"__name__": f"lynkrc_bundle.{name.removesuffix('.py')}"}
    try:
        code = compile(source, f"<bundle {bundle}>/{name}", "exec")
        exec(code, namespace)
    except GONE_WRONG as error:
        raise BrokenCode(f"{name}: {said(error)}") from error
    if function not in namespace:
        raise BrokenCode(f"{name} defines no {function}")
    return namespace[function]


def load_native(library: bytes, meaning_digest: str) -> Scorer:
    """Load the checked library under a name of its own, from a folder only we can write.

    ImportError, OSError or AttributeError where it is no scorer for this interpreter.
    """
    # The last part must be what the library was built as; the rest tells the loads apart.
    name = f"lynkrc_bundle_{meaning_digest[:16]}_{next(_loads)}.scorer"
    with tempfile.TemporaryDirectory(prefix="lynkrc-bundle-") as folder:
        file = Path(folder) / "scorer.so"
        file.write_bytes(library)
        loader = ExtensionFileLoader(name, str(file))
        spec = spec_from_file_location(name, file, loader=loader)
        if spec is None:
            raise ImportError("no import spec for the library")
        before = sys.modules.get("scorer")
        module = module_from_spec(spec)
        loader.exec_module(module)
        # Cython enters its modules under the name they were built as, which is not ours alone.
        if before is None:
            sys.modules.pop("scorer", None)
        else:
            sys.modules["scorer"] = before
    decide: Scorer = module.decide
    return decide


def said(error: Exception) -> str:
    """What an error says, or what it is."""
    return str(error) or type(error).__name__
