"""The checked bytes of generated Python to its functions.

It runs from the bytes that were checked, never from a path somebody else can write to.
"""

from typing import Any

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


def said(error: Exception) -> str:
    """What an error says, or what it is."""
    return str(error) or type(error).__name__
