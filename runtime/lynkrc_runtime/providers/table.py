"""Provider kinds as rows of facts: endpoints, credentials, quirks. No kind has code of its own.

A row says how a provider is reached, in which dialects, and what of a request all its models
refuse. The kinds whose dialect or credentials this version does not speak are here for the
compiler; `lynkrc_runtime.served` lists them.
Sources: wire reference B.1 and the pages of each provider there (addresses, auth headers, paths).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias, final

from lynkrc_runtime.protocol.embeddings import Takes
from lynkrc_runtime.protocol.shapes import RequestShape


class Credentials(Enum):
    """Whether a provider of the kind needs `api_key`."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One dialect a kind is called in.

    `path` is below the base URL; ``{model}`` in it stands for the model, percent-encoded.
    `stream_path` is where streams are asked for, '' at the same place. `passes`: a client that
    speaks the dialect is served here, though it is not the kind's first endpoint. `models` are
    prefixes of the models this is the first endpoint of. `frame` names what is done to a written
    request before it is sent (`providers/frames.py`), '' nothing. `count_path` is where tokens are
    counted, where the dialect can (`TargetDialect.counting`).
    """

    dialect: str
    path: str
    stream_path: str = ""
    passes: bool = False
    models: tuple[str, ...] = ()
    frame: str = ""
    count_path: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """Where a kind makes embeddings: `path` below the base URL, ``{model}`` as in `Endpoint`.

    `form` names how they are asked for (`protocol/embeddings`): openai, gemini or ollama.
    """

    path: str
    form: str = "openai"
    takes: Takes = field(default_factory=Takes)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderKind:
    """One kind.

    `base_url` None must be written in the spec; ``{region}`` in it stands for the provider's
    `region`, which only kinds with `needs_region` take. The first of `endpoints` is called where
    nothing else is said (`providers/ways.py`). The key goes into each of `auth_headers`, after
    `auth_prefix`. `shape` is what is legal for every model of the kind, where a model's own shape
    does not say. `embedding` None: the kind makes none. `base_ends` is what people add to the base
    URL that no endpoint is below; it is taken off again.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    base_url: str | None
    credentials: Credentials
    auth_headers: tuple[str, ...]
    auth_prefix: str
    needs_region: bool
    shape: RequestShape
    embedding: Embedding | None = None
    base_ends: str = ""

    @property
    def dialect(self) -> str:
        """The dialect of the first endpoint."""
        return self.endpoints[0].dialect


_MESSAGES = "anthropic-messages"
_CHAT = "openai-chat"
_COMPLETIONS = "/chat/completions"
_V1_COMPLETIONS = "/v1/chat/completions"

_ANYTHING = RequestShape()

# A.2.5; vLLM's and llama.cpp's documentation lists `encoding_format` with base64 as OpenAI's does.
_BASE64 = Takes(base64=True)
_EMBEDDINGS = Embedding(path="/embeddings")
_V1_EMBEDDINGS = Embedding(path="/v1/embeddings")
_V1_BASE64_EMBEDDINGS = Embedding(path="/v1/embeddings", takes=_BASE64)

_Auth: TypeAlias = tuple[tuple[str, ...], str]
_BEARER: _Auth = (("authorization",), "Bearer ")
_X_API_KEY: _Auth = (("x-api-key",), "")


def _messages(
    name: str,
    base_url: str | None,
    path: str = "/v1/messages",
    *,
    credentials: Credentials = Credentials.REQUIRED,
    auth: _Auth = _X_API_KEY,
    counts: bool = False,
    embedding: Embedding | None = None,
) -> ProviderKind:
    return ProviderKind(
        name=name,
        endpoints=(
            Endpoint(
                dialect=_MESSAGES, path=path, count_path=f"{path}/count_tokens" if counts else ""
            ),
        ),
        base_url=base_url,
        credentials=credentials,
        auth_headers=auth[0],
        auth_prefix=auth[1],
        needs_region=False,
        shape=_ANYTHING,
        embedding=embedding,
    )


def _chat(
    name: str,
    base_url: str | None,
    path: str = _COMPLETIONS,
    *,
    credentials: Credentials = Credentials.REQUIRED,
    auth: _Auth = _BEARER,
    shape: RequestShape = _ANYTHING,
    embedding: Embedding | None = None,
) -> ProviderKind:
    return ProviderKind(
        name=name,
        endpoints=(Endpoint(dialect=_CHAT, path=path),),
        base_url=base_url,
        credentials=credentials,
        auth_headers=auth[0],
        auth_prefix=auth[1],
        needs_region=False,
        shape=shape,
        embedding=embedding,
    )


def _house(name: str, base_url: str, embedding: Embedding | None = _V1_EMBEDDINGS) -> ProviderKind:
    """A server that people run themselves: its key, if it has one, was chosen by them."""
    return _chat(
        name,
        base_url,
        _V1_COMPLETIONS,
        credentials=Credentials.OPTIONAL,
        embedding=embedding,
    )


_ROWS: tuple[ProviderKind, ...] = (
    _messages("anthropic", "https://api.anthropic.com", counts=True),
    _messages("anthropic-compatible", None, credentials=Credentials.OPTIONAL),
    # B.1: https://RESOURCE.services.ai.azure.com; the official client sends both headers.
    _messages(
        "azure-anthropic", None, "/anthropic/v1/messages", auth=(("x-api-key", "api-key"), "")
    ),
    _chat(
        "openai",
        "https://api.openai.com/v1",
        embedding=Embedding(path="/embeddings", takes=_BASE64),
    ),
    _chat("openai-compatible", None, credentials=Credentials.OPTIONAL, embedding=_EMBEDDINGS),
    # B.4, the v1 form: https://RESOURCE.openai.azure.com; `model` is the deployment's name.
    _chat(
        "azure-openai",
        None,
        "/openai/v1/chat/completions",
        auth=(("api-key",), ""),
        embedding=Embedding(path="/openai/v1/embeddings", takes=_BASE64),
    ),
    # B.6: https://WORKSPACE; `model` is the endpoint's name. Some endpoints refuse these members.
    _chat(
        "databricks",
        None,
        "/serving-endpoints/chat/completions",
        shape=RequestShape(stream_options=False, parallel_tool_calls=False),
        embedding=Embedding(path="/serving-endpoints/embeddings"),
    ),
    _chat("openrouter", "https://openrouter.ai/api/v1", embedding=_EMBEDDINGS),
    _chat("deepseek", "https://api.deepseek.com"),
    _chat("fireworks", "https://api.fireworks.ai/inference/v1", embedding=_EMBEDDINGS),
    _chat("groq", "https://api.groq.com/openai/v1"),
    # B.15: unknown members are refused with 422; usage stands on the last chunk unasked.
    _chat(
        "mistral",
        "https://api.mistral.ai/v1",
        shape=RequestShape(stream_options=False, max_tokens_field="max_tokens"),
        # mistralai's EmbeddingRequest; other members are refused as everywhere there.
        embedding=Embedding(
            path="/embeddings",
            takes=Takes(
                members={
                    "dimensions": "output_dimension",
                    "output_dimension": "output_dimension",
                    "output_dtype": "output_dtype",
                    "metadata": "metadata",
                }
            ),
        ),
    ),
    _chat("moonshot", "https://api.moonshot.ai/v1"),
    _chat("together", "https://api.together.ai/v1", embedding=_EMBEDDINGS),
    _chat("xai", "https://api.x.ai/v1"),
    # B.13: usage comes unasked; `tool_choice` is `auto` or nothing.
    _chat(
        "zai",
        "https://api.z.ai/api/paas/v4",
        shape=RequestShape(
            stream_options=False, max_tokens_field="max_tokens", tool_choice=["auto"]
        ),
    ),
    # B.10. Native first: the others cannot set num_ctx, beyond which a prompt is cut in silence,
    # so not even clients that speak them pass. Chat and Messages lack `tool_choice` as well; a
    # target's `dialect` chooses them.
    ProviderKind(
        name="ollama",
        endpoints=(
            Endpoint(dialect="ollama-chat", path="/api/chat"),
            Endpoint(dialect=_CHAT, path=_V1_COMPLETIONS),
            Endpoint(dialect=_MESSAGES, path="/v1/messages"),
        ),
        base_url="http://localhost:11434",
        credentials=Credentials.OPTIONAL,
        auth_headers=_BEARER[0],
        auth_prefix=_BEARER[1],
        needs_region=False,
        # B.10: of Chat and Messages there.
        shape=RequestShape(tool_choice_ignored=True),
        embedding=Embedding(path="/api/embed", form="ollama"),
        base_ends="/v1",
    ),
    _house("llamacpp", "http://localhost:8080", _V1_BASE64_EMBEDDINGS),
    _house("lmstudio", "http://localhost:1234"),
    # B.1: mlx_lm.server makes no embeddings.
    _house("mlx", "http://localhost:8080", None),
    _house("vllm", "http://localhost:8000", _V1_BASE64_EMBEDDINGS),
    ProviderKind(
        name="bedrock",
        endpoints=(
            Endpoint(
                dialect="bedrock-converse",
                path="/model/{model}/converse",
                stream_path="/model/{model}/converse-stream",
            ),
        ),
        base_url="https://bedrock-runtime.{region}.amazonaws.com",
        credentials=Credentials.REQUIRED,
        auth_headers=_BEARER[0],
        auth_prefix=_BEARER[1],
        needs_region=True,
        shape=_ANYTHING,
    ),
    ProviderKind(
        name="gemini",
        endpoints=(
            Endpoint(
                dialect="gemini",
                path="/models/{model}:generateContent",
                stream_path="/models/{model}:streamGenerateContent?alt=sse",
            ),
        ),
        base_url="https://generativelanguage.googleapis.com/v1beta",
        credentials=Credentials.REQUIRED,
        auth_headers=("x-goog-api-key",),
        auth_prefix="",
        needs_region=False,
        shape=_ANYTHING,
        embedding=Embedding(path="/models/{model}:batchEmbedContents", form="gemini"),
    ),
    # B.7: the address names project and place: .../v1/projects/PROJECT/locations/REGION.
    ProviderKind(
        name="vertex",
        endpoints=(
            Endpoint(
                dialect="gemini",
                path="/publishers/google/models/{model}:generateContent",
                stream_path="/publishers/google/models/{model}:streamGenerateContent?alt=sse",
            ),
        ),
        base_url=None,
        credentials=Credentials.REQUIRED,
        auth_headers=_BEARER[0],
        auth_prefix=_BEARER[1],
        needs_region=False,
        shape=_ANYTHING,
    ),
    _messages(
        "simulator",
        "http://simulator.invalid",
        credentials=Credentials.NONE,
        embedding=Embedding(path="/embeddings", takes=_BASE64),
    ),
)

KINDS: Mapping[str, ProviderKind] = MappingProxyType({kind.name: kind for kind in _ROWS})
"""Every kind by name."""
