"""Words of the expression language that the language server has no place for."""

from collections.abc import Mapping
from types import MappingProxyType

OPERATORS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("implies",),
        "the right side holds wherever the left one does; `a implies b implies c` is "
        "`a implies (b implies c)`",
    ),
    (("or",), "one of the two holds, or both"),
    (("and",), "both hold"),
    (("not",), "it does not hold"),
    (
        ("==", "!=", "<", "<=", ">", ">="),
        "comparison, also chained: `3 <= tools.count < 10`; only numbers and ordered enums have "
        "an order",
    ),
    (("in",), "one of a list of literals: `model in ['a', 'b']`; for enums and text"),
    (("starts_with",), "text that begins with a literal"),
    (("+", "-"), "sum and difference"),
    (("*",), "product; one side is a constant"),
)
"""The operators by how tightly they bind, loosest first; those of a row bind alike."""

CAPABILITY_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "tools": "call tools; needed where the request offers any",
        "parallel_tools": "call several tools at once; elsewhere the wish for it is dropped",
        "vision": "read images; needed where the request holds one",
        "documents": "read documents; needed where the request holds one",
        "json_schema": "answer by a strict JSON schema; needed where one is asked for",
        "thinking": "think before it answers; needed only with `needs: {thinking: hard}`",
        "prompt_cache": "keep a prompt's beginning by marks in the request",
    }
)
"""What a target can do, and when a request needs it."""
