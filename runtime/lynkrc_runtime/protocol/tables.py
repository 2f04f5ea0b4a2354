"""The dialects by name: the one place that knows them all."""

from collections.abc import Mapping
from types import MappingProxyType

from lynkrc_runtime.protocol import anthropic, openai_chat
from lynkrc_runtime.protocol.dialect import Dialect

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {dialect.name: dialect for dialect in (anthropic.DIALECT, openai_chat.DIALECT)}
)
