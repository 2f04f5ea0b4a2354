"""Where each provider kind makes embeddings, in which form, and what it takes."""

from collections.abc import Mapping
from types import MappingProxyType

from lynkrc_runtime.protocol.embeddings.takes import Takes
from lynkrc_runtime.providers.kind import Embedding

# A.2.5; vLLM's and llama.cpp's documentation lists `encoding_format` with base64 as OpenAI's does.
_BASE64 = Takes(base64=True)
_PLAIN = Embedding(path="/embeddings")
_V1_BASE64 = Embedding(path="/v1/embeddings", takes=_BASE64)
# mistralai's EmbeddingRequest; other members are refused as everywhere there.
_MISTRAL = Takes(
    members={
        "dimensions": "output_dimension",
        "output_dimension": "output_dimension",
        "output_dtype": "output_dtype",
        "metadata": "metadata",
    }
)

EMBEDDING_OF: Mapping[str, Embedding] = MappingProxyType(
    {
        "openai": Embedding(path="/embeddings", takes=_BASE64),
        "openai-compatible": _PLAIN,
        "azure-openai": Embedding(
            path="/openai/v1/embeddings",
            versioned_path="/openai/deployments/{model}/embeddings?api-version={api_version}",
            takes=_BASE64,
        ),
        "databricks": Embedding(path="/serving-endpoints/embeddings"),
        "openrouter": _PLAIN,
        "fireworks": _PLAIN,
        "mistral": Embedding(path="/embeddings", takes=_MISTRAL),
        "together": _PLAIN,
        "ollama": Embedding(path="/api/embed", form="ollama"),
        "llamacpp": _V1_BASE64,
        "lmstudio": Embedding(path="/v1/embeddings"),
        "vllm": _V1_BASE64,
        "gemini": Embedding(path="/models/{model}:batchEmbedContents", form="gemini"),
        "simulator": Embedding(path="/embeddings", takes=_BASE64),
    }
)
"""Kind -> where it makes embeddings. A kind that is not here makes none (B.1: mlx_lm.server)."""
