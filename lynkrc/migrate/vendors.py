"""Whom a spec can call, as rows of facts: the kind of their own, else a compatible one and where.

A kind of its own is used where the runtime has it, so a row needs no change when the runtime learns
one. Sources of the addresses: wire reference B.1 to B.15.

>>> groq = VENDORS["groq"]
>>> way_to(groq, {}).base_url
'https://api.groq.com/openai/v1'
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from lynkrc_runtime.providers.kind import ProviderKind

CHAT = "openai-compatible"
MESSAGES = "anthropic-compatible"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One API. `models` is a ladder for the four tiers, cheapest first: empty, nothing is chosen.

    `base_url` None is an address that only the user knows; `key` is the usual variable of its key,
    None where there usually is none. `compatible` None is a dialect that no other kind speaks.
    """

    id: str
    title: str
    compatible: str | None
    base_url: str | None
    key: str | None
    trust: str = "cloud"
    models: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How to call a vendor: a kind, and the address where the kind has none of its own."""

    kind: str
    base_url: str | None


def way_to(vendor: Vendor, kinds: Mapping[str, ProviderKind]) -> Way:
    """The kind of the vendor's own where the runtime has it, else the compatible one."""
    if vendor.compatible is not None and vendor.id not in kinds:
        return Way(kind=vendor.compatible, base_url=vendor.base_url)
    own = kinds[vendor.id]
    return Way(kind=own.name, base_url=None if own.base_url else vendor.base_url)


_ROWS: tuple[Vendor, ...] = (
    Vendor(
        id="anthropic",
        title="Anthropic",
        compatible=MESSAGES,
        base_url="https://api.anthropic.com",
        key="ANTHROPIC_API_KEY",
        models=("claude-haiku-5-5", "claude-sonnet-5-5", "claude-sonnet-5-5", "claude-opus-5-5"),
    ),
    Vendor(
        id="openai",
        title="OpenAI",
        compatible=CHAT,
        base_url="https://api.openai.com/v1",
        key="OPENAI_API_KEY",
        models=("gpt-4o-mini", "gpt-5.6-terra", "gpt-5.6-terra", "gpt-5.6-terra"),
    ),
    Vendor(
        id="gemini",
        title="Gemini",
        compatible=None,
        base_url=None,
        key="GEMINI_API_KEY",
        models=("gemini-3.8-flash",),
    ),
    Vendor(
        id="deepseek",
        title="DeepSeek",
        compatible=CHAT,
        base_url="https://api.deepseek.com",
        key="DEEPSEEK_API_KEY",
        models=("deepseek-flash", "deepseek-flash", "deepseek-v4-pro"),
    ),
    Vendor(
        id="moonshot",
        title="Moonshot",
        compatible=CHAT,
        base_url="https://api.moonshot.ai/v1",
        key="MOONSHOT_API_KEY",
        models=("kimi-k2.6", "kimi-k2.6", "kimi-k3"),
    ),
    Vendor(
        id="zai",
        title="Z.AI",
        compatible=CHAT,
        base_url="https://api.z.ai/api/paas/v4",
        key="ZAI_API_KEY",
        models=("glm-4.7", "glm-5.2"),
    ),
    Vendor(
        id="mistral",
        title="Mistral",
        compatible=CHAT,
        base_url="https://api.mistral.ai/v1",
        key="MISTRAL_API_KEY",
        models=("mistral-medium-latest",),
    ),
    Vendor(
        id="xai",
        title="xAI",
        compatible=CHAT,
        base_url="https://api.x.ai/v1",
        key="XAI_API_KEY",
        models=("grok-4.7",),
    ),
    Vendor(
        id="groq",
        title="Groq",
        compatible=CHAT,
        base_url="https://api.groq.com/openai/v1",
        key="GROQ_API_KEY",
        models=("openai/gpt-oss-120b",),
    ),
    Vendor(
        id="openrouter",
        title="OpenRouter",
        compatible=CHAT,
        base_url="https://openrouter.ai/api/v1",
        key="OPENROUTER_API_KEY",
    ),
    Vendor(
        id="together",
        title="Together",
        compatible=CHAT,
        base_url="https://api.together.ai/v1",
        key="TOGETHER_API_KEY",
    ),
    Vendor(
        id="fireworks",
        title="Fireworks",
        compatible=CHAT,
        base_url="https://api.fireworks.ai/inference/v1",
        key="FIREWORKS_API_KEY",
    ),
    Vendor(
        id="edenai",
        title="Eden AI",
        compatible=CHAT,
        base_url="https://api.edenai.run/v3",
        key="EDENAI_API_KEY",
    ),
    Vendor(
        id="atlas",
        title="Atlas Cloud",
        compatible=CHAT,
        base_url="https://api.atlascloud.ai/v1",
        key="ATLASCLOUD_API_KEY",
    ),
    Vendor(
        id="baidu",
        title="Baidu Qianfan",
        compatible=CHAT,
        base_url="https://qianfan.baidubce.com/v2",
        key="BAIDU_API_KEY",
    ),
    Vendor(
        id="ollama",
        title="Ollama",
        compatible=CHAT,
        base_url="http://localhost:11434",
        key=None,
        trust="local",
    ),
    Vendor(
        id="llamacpp",
        title="llama.cpp",
        compatible=CHAT,
        base_url="http://localhost:8080/v1",
        key=None,
        trust="local",
    ),
    Vendor(
        id="lmstudio",
        title="LM Studio",
        compatible=CHAT,
        base_url="http://localhost:1234/v1",
        key=None,
        trust="local",
    ),
    Vendor(
        id="vllm",
        title="vLLM",
        compatible=CHAT,
        base_url="http://localhost:8000/v1",
        key=None,
        trust="local",
    ),
    Vendor(
        id="bedrock",
        title="Bedrock",
        compatible=None,
        base_url=None,
        key="AWS_BEDROCK_API_KEY",
    ),
)

VENDORS: Mapping[str, Vendor] = MappingProxyType({vendor.id: vendor for vendor in _ROWS})
"""Every vendor by the name of its kind."""
