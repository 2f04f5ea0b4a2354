"""The dialects by name: the one place that knows them all.

What is lost between two of them is a table of its own, `losses/`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from lynkrc_runtime.protocol import (
    anthropic,
    bedrock_converse,
    gemini,
    ollama,
    openai_chat,
    openai_responses,
)
from lynkrc_runtime.protocol.dialect import ClientDialect, TargetDialect

CLIENT_DIALECTS: Mapping[str, ClientDialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (anthropic.CLIENT, openai_chat.CLIENT, openai_responses.CLIENT)
    }
)
"""What clients speak."""

TARGET_DIALECTS: Mapping[str, TargetDialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            anthropic.TARGET,
            openai_chat.TARGET,
            openai_responses.TARGET,
            gemini.TARGET,
            bedrock_converse.TARGET,
            ollama.TARGET,
        )
    }
)
"""What targets speak."""
