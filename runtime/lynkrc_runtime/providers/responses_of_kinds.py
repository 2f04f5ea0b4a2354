"""Where each provider kind speaks the Responses API, and whether it is called there unasked."""

from collections.abc import Mapping
from types import MappingProxyType

from lynkrc_runtime.providers.kind import Endpoint

_RESPONSES = "openai-responses"


def _responses(path: str, *, passes: bool = False, counts: bool = False) -> Endpoint:
    return Endpoint(
        dialect=_RESPONSES,
        path=path,
        passes=passes,
        count_path=f"{path}/input_tokens" if counts else "",
    )


# Only OpenAI's own implementation is called unasked, for clients that speak Responses: it is whole,
# and complete without a store (`store: false`, encrypted reasoning). The others are partial, in
# ways a client cannot see: free-form tools, reasoning items or `include` missing or refused, beta
# (B.1: OpenRouter, Groq), without state (Ollama, DeepSeek, OpenRouter) or with state of their own
# (LM Studio, vLLM, xAI). A target calls them by saying `dialect: openai-responses`.
RESPONSES_OF: Mapping[str, Endpoint] = MappingProxyType(
    {
        "openai": _responses("/responses", passes=True, counts=True),
        # B.4, the v1 form. Its own client asks for no counts.
        "azure-openai": _responses("/openai/v1/responses", passes=True),
        "openai-compatible": _responses("/responses"),
        "databricks": _responses("/serving-endpoints/responses"),
        "openrouter": _responses("/responses"),
        "deepseek": _responses("/responses"),
        "groq": _responses("/responses"),
        "xai": _responses("/responses"),
        "ollama": _responses("/v1/responses"),
        "llamacpp": _responses("/v1/responses", counts=True),
        "lmstudio": _responses("/v1/responses"),
        "vllm": _responses("/v1/responses"),
    }
)
"""Kind -> where it speaks Responses (wire reference B.1, B.4, B.6, B.11)."""
