"""LiteLLM's `provider/model` to one of our vendors and the model's own name.

>>> split_model("together_ai/Qwen/Qwen3-32B")
('together_ai', 'Qwen/Qwen3-32B')
>>> split_model("gpt-4o"), split_model("claude-sonnet-4-5")
(('openai', 'gpt-4o'), ('anthropic', 'claude-sonnet-4-5'))
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """What a prefix stands for: a vendor, and the variable LiteLLM reads its key from."""

    vendor: str
    key: str | None


PREFIXES: Mapping[str, Prefix] = MappingProxyType(
    {
        "openai": Prefix(vendor="openai", key="OPENAI_API_KEY"),
        "anthropic": Prefix(vendor="anthropic", key="ANTHROPIC_API_KEY"),
        "azure": Prefix(vendor="azure", key="AZURE_API_KEY"),
        "gemini": Prefix(vendor="gemini", key="GEMINI_API_KEY"),
        "bedrock": Prefix(vendor="bedrock", key="AWS_BEARER_TOKEN_BEDROCK"),
        "vertex_ai": Prefix(vendor="vertex", key="VERTEX_ACCESS_TOKEN"),
        "openrouter": Prefix(vendor="openrouter", key="OPENROUTER_API_KEY"),
        "groq": Prefix(vendor="groq", key="GROQ_API_KEY"),
        "mistral": Prefix(vendor="mistral", key="MISTRAL_API_KEY"),
        "deepseek": Prefix(vendor="deepseek", key="DEEPSEEK_API_KEY"),
        "xai": Prefix(vendor="xai", key="XAI_API_KEY"),
        "together_ai": Prefix(vendor="together", key="TOGETHERAI_API_KEY"),
        "fireworks_ai": Prefix(vendor="fireworks", key="FIREWORKS_AI_API_KEY"),
        "moonshot": Prefix(vendor="moonshot", key="MOONSHOT_API_KEY"),
        "zai": Prefix(vendor="zai", key="ZAI_API_KEY"),
        "ollama": Prefix(vendor="ollama", key=None),
        "ollama_chat": Prefix(vendor="ollama", key=None),
        "hosted_vllm": Prefix(vendor="vllm", key=None),
        "lm_studio": Prefix(vendor="lmstudio", key=None),
    }
)
"""Prefixes this conversion knows a way for, or a reason why there is none."""


def split_model(text: str) -> tuple[str, str]:
    """The prefix and the rest; for a bare name the prefix LiteLLM infers, "" where unknown."""
    head, slash, rest = text.partition("/")
    if slash:
        return head, rest
    if re.match(r"(gpt-|o[0-9]|chatgpt-)", text):
        return "openai", text
    return ("anthropic" if text.startswith("claude-") else ""), text
