"""What of the language this version of the runtime serves: the compiler tells the rest.

A spec may declare what a later runtime will serve; it is checked and compiled whole, and
`lynkrc check` says of each part listed here that it is not served yet. A version that learns to
serve something removes its line.
"""

from collections.abc import Mapping
from types import MappingProxyType

RUNTIME = "0.1"
"""The version of the runtime this table is about."""

NOT_SERVED: Mapping[str, str] = MappingProxyType(
    {
        "cache": "no answer is kept",
        "optimize": "no request is shortened",
        "memory": "nothing is remembered",
        "mcp": "no tool is added",
        "observability.prompts": "nothing of a prompt is stored",
    }
)
"""Parts by their path, and what happens instead; a path covers everything below it."""
