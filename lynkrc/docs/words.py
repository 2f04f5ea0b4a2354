"""Words of the expression language to what they mean, in one line each."""

from collections.abc import Mapping
from types import MappingProxyType

from lynkrc_runtime.feature_table import Provenance

FUNCTION_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "min": "the least of its arguments",
        "max": "the greatest of its arguments",
        "clamp": "x, but at least LOW and at most HIGH",
        "when": "a where the condition holds, else b",
        "steps": "the VALUE of the last step whose FROM is at most x; 0 below the first",
        "ramp": "0 up to LOW, 100 from HIGH on, a straight line between, rounded down",
        "saturate": "100 x / FULL, rounded down, at most 100",
    }
)
"""What the functions compute."""

PROVENANCES: Mapping[Provenance, str] = MappingProxyType(
    {
        Provenance.ASK: "what the user wrote in this turn, without what the client injects",
        Provenance.ENVELOPE: "the system prompt and the tools, which are the client's",
        Provenance.HISTORY: "the conversation before this turn",
        Provenance.LOOP: "what happened since the user last wrote",
        Provenance.REQUEST: "the request as a whole",
        Provenance.CALLER: "who calls: client, headers, key",
        Provenance.SESSION: "what the gateway remembers of the session",
    }
)
"""What a provenance is, in words."""

OPERATORS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("implies",), "false only where the left side holds and the right one does not; to the right"),
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
