"""Lynkr's provider ids as rows: their variables, their defaults, and which of our vendors they are.

Facts of Lynkr 9.14.1; `api_key`, `endpoint` and `model` are names of variables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LynkrProvider:
    """One id. `vendor` is a row of `vendors`, None for what needs a rule of its own.

    `others` are further variables with what becomes of them; `default_model` is Lynkr's.
    """

    id: str
    vendor: str | None
    keys: tuple[str, ...] = ()
    endpoint: str | None = None
    model: str | None = None
    region: str | None = None
    concurrent: str | None = None
    """The variable of how many calls may run at once."""
    default_model: str = ""
    others: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    """Header and the variable it carries."""
    messages_url: str | None = None
    """Where it is called by default, in Anthropic's dialect, when that is not the vendor's row."""
    without: str = ""


_ROWS: tuple[LynkrProvider, ...] = (
    LynkrProvider(
        id="openai",
        vendor="openai",
        keys=("OPENAI_API_KEY",),
        endpoint="OPENAI_ENDPOINT",
        model="OPENAI_MODEL",
        default_model="gpt-4o",
        headers=(("OpenAI-Organization", "OPENAI_ORGANIZATION"),),
    ),
    LynkrProvider(
        id="openrouter",
        vendor="openrouter",
        keys=("OPENROUTER_API_KEY",),
        endpoint="OPENROUTER_ENDPOINT",
        model="OPENROUTER_MODEL",
        default_model="openai/gpt-4o-mini",
    ),
    LynkrProvider(
        id="ollama",
        vendor="ollama",
        endpoint="OLLAMA_ENDPOINT",
        model="OLLAMA_MODEL",
        default_model="qwen2.5-coder:7b",
        others=(("OLLAMA_KEEP_ALIVE", "set it where Ollama is started"),),
    ),
    LynkrProvider(
        id="llamacpp",
        vendor="llamacpp",
        keys=("LLAMACPP_API_KEY",),
        endpoint="LLAMACPP_ENDPOINT",
        model="LLAMACPP_MODEL",
        default_model="default",
    ),
    LynkrProvider(
        id="lmstudio",
        vendor="lmstudio",
        keys=("LMSTUDIO_API_KEY",),
        endpoint="LMSTUDIO_ENDPOINT",
        model="LMSTUDIO_MODEL",
        default_model="default",
    ),
    LynkrProvider(
        id="moonshot",
        vendor="moonshot",
        keys=("MOONSHOT_API_KEY",),
        endpoint="MOONSHOT_ENDPOINT",
        model="MOONSHOT_MODEL",
    ),
    LynkrProvider(
        id="zai",
        vendor="zai",
        keys=("ZAI_API_KEY",),
        endpoint="ZAI_ENDPOINT",
        model="ZAI_MODEL",
        default_model="GLM-4.7",
        messages_url="https://api.z.ai/api/anthropic",
        concurrent="ZAI_MAX_CONCURRENT",
    ),
    LynkrProvider(
        id="edenai",
        vendor="edenai",
        keys=("EDENAI_API_KEY",),
        endpoint="EDENAI_ENDPOINT",
        model="EDENAI_MODEL",
    ),
    LynkrProvider(
        id="atlas",
        vendor="atlas",
        keys=("ATLASCLOUD_API_KEY",),
        endpoint="ATLASCLOUD_ENDPOINT",
        model="ATLASCLOUD_MODEL",
        default_model="qwen/qwen3.8-max",
    ),
    LynkrProvider(
        id="baidu",
        vendor="baidu",
        keys=("BAIDU_API_KEY",),
        endpoint="BAIDU_ENDPOINT",
        model="BAIDU_MODEL",
        default_model="ernie-4.5-turbo-128k",
    ),
    LynkrProvider(
        id="azure-anthropic",
        vendor=None,
        keys=("AZURE_ANTHROPIC_API_KEY",),
        endpoint="AZURE_ANTHROPIC_ENDPOINT",
        model="MODEL_DEFAULT",
        others=(("AZURE_ANTHROPIC_VERSION", "the gateway sends the version it speaks"),),
    ),
    LynkrProvider(
        id="azure-openai",
        vendor=None,
        keys=("AZURE_OPENAI_API_KEY",),
        endpoint="AZURE_OPENAI_ENDPOINT",
        model="AZURE_OPENAI_DEPLOYMENT",
        default_model="gpt-4o",
        others=(
            ("AZURE_OPENAI_API_VERSION", "Azure's v1 API, which the spec names, has no versions"),
            ("AZURE_OPENAI_REASONING_EFFORT", "effort is the client's to ask for"),
        ),
    ),
    LynkrProvider(
        id="databricks",
        vendor=None,
        keys=("DATABRICKS_API_KEY",),
        endpoint="DATABRICKS_API_BASE",
        model="DATABRICKS_ENDPOINT_PATH",
        default_model="/serving-endpoints/databricks-claude-sonnet-4-5/invocations",
    ),
    LynkrProvider(
        id="vertex",
        vendor="gemini",
        keys=("VERTEX_API_KEY", "GOOGLE_API_KEY"),
        model="VERTEX_MODEL",
        default_model="gemini-2.0-flash",
    ),
    LynkrProvider(
        id="bedrock",
        vendor="bedrock",
        keys=("AWS_BEDROCK_API_KEY",),
        model="AWS_BEDROCK_MODEL_ID",
        region="AWS_BEDROCK_REGION",
    ),
    LynkrProvider(
        id="codex",
        vendor=None,
        model="CODEX_MODEL",
        default_model="gpt-5.3-codex",
        others=(
            ("CODEX_ENABLED", "the gateway starts no Codex process"),
            ("CODEX_BINARY_PATH", "the gateway starts no Codex process"),
            ("CODEX_TIMEOUT", "the gateway starts no Codex process"),
        ),
        without="the gateway starts no Codex process",
    ),
)

LYNKR_PROVIDERS: Mapping[str, LynkrProvider] = MappingProxyType({row.id: row for row in _ROWS})
"""Every provider by its id in `MODEL_PROVIDER` and `TIER_*`."""


def variables_of(row: LynkrProvider) -> tuple[str, ...]:
    """Every variable of a provider."""
    named = (row.endpoint, row.model, row.region, row.concurrent)
    single = tuple(name for name in named if name is not None)
    pairs = (*(name for name, _ in row.others), *(name for _, name in row.headers))
    return (*row.keys, *single, *pairs)
