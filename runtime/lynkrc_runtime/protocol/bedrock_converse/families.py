"""What the families of models on Bedrock take of Converse, as rows (wire reference B.5, C.2).

Converse is one form for models of many makers, and refuses with 400 what a model does not know.
A model is told by its maker's part of the id, behind a region's prefix or inside an ARN; one we
cannot tell (an application profile's ARN) gets what every model takes.

>>> family_of("us.anthropic.claude-sonnet-4-5-20250929-v1:0").claude
True
>>> family_of("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0").status
True
"""

import re
from dataclasses import dataclass
from typing import Final, final

NAME: Final = "bedrock-converse"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Which parts beyond the common ones a family takes."""

    claude: bool = False
    """`additionalModelRequestFields` in the words of the Messages API, and signed reasoning."""
    status: bool = False
    """`status` of a tool's result."""
    cache: bool = False
    """`cachePoint`."""
    forced_tools: bool = True
    """`toolChoice` any and tool."""


# The AWS pages of tool use, prompt caching and ToolResultBlock, as the wire reference has them.
_ROWS: tuple[tuple[str, Family], ...] = (
    ("anthropic.claude", Family(claude=True, status=True, cache=True)),
    ("amazon.nova", Family(status=True, cache=True)),
    ("mistral.mistral-large", Family()),
    ("meta.llama", Family(forced_tools=False)),
    ("cohere.command", Family(forced_tools=False)),
    ("ai21.jamba", Family(forced_tools=False)),
)
_ANY = Family()

_BEFORE_MAKER = re.compile(r"^(?:.*/)?(?:(?:us|eu|apac|au|jp|global|us-gov)\.)?")


def family_of(model: str) -> Family:
    """The row of a model id, inference profile or ARN."""
    name = _BEFORE_MAKER.sub("", model, count=1)
    return next((family for start, family in _ROWS if name.startswith(start)), _ANY)
