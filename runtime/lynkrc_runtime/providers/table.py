"""Provider kinds as rows of facts: endpoints, credentials, quirks. No kind has code of its own.

A row says how a provider is reached, in which dialects, and what of a request all its models
refuse.
Sources: wire reference B.1 and the pages of each provider there (addresses, auth headers, paths).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from lynkrc_runtime.protocol.shapes import ANYTHING, RequestShape
from lynkrc_runtime.providers import shapes_of_kinds as shapes
from lynkrc_runtime.providers.embeddings_of_kinds import EMBEDDING_OF
from lynkrc_runtime.providers.kind import Credentials, Endpoint, ProviderKind
from lynkrc_runtime.providers.responses_of_kinds import RESPONSES_OF

_MESSAGES = "anthropic-messages"
_CHAT = "openai-chat"
_COMPLETIONS = "/chat/completions"
_V1_COMPLETIONS = "/v1/chat/completions"

_Auth: TypeAlias = tuple[tuple[str, ...], str]
_BEARER: _Auth = (("authorization",), "Bearer ")
_X_API_KEY: _Auth = (("x-api-key",), "")

_CLAUDE_ON_BEDROCK = tuple(
    f"{region}anthropic.claude"
    for region in ("", "us.", "eu.", "apac.", "au.", "jp.", "global.", "us-gov.")
)
"""Ids of models and of their inference profiles. An ARN does not tell its family."""


def _messages(
    name: str,
    base_url: str | None,
    path: str = "/v1/messages",
    *,
    credentials: Credentials = Credentials.REQUIRED,
    auth: _Auth = _X_API_KEY,
    counts: bool = False,
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
        shape=ANYTHING,
    )


def _chat(
    name: str,
    base_url: str | None,
    path: str = _COMPLETIONS,
    *,
    credentials: Credentials = Credentials.REQUIRED,
    auth: _Auth = _BEARER,
    shape: RequestShape = ANYTHING,
    messages: Endpoint | None = None,
    versioned_path: str = "",
) -> ProviderKind:
    others = () if messages is None else (messages,)
    return ProviderKind(
        name=name,
        endpoints=(Endpoint(dialect=_CHAT, path=path, versioned_path=versioned_path), *others),
        base_url=base_url,
        credentials=credentials,
        auth_headers=auth[0],
        auth_prefix=auth[1],
        needs_region=False,
        shape=shape,
    )


def _house(
    name: str, base_url: str, shape: RequestShape, messages: Endpoint | None = None
) -> ProviderKind:
    """A server that people run themselves: its key, if it has one, was chosen by them."""
    return _chat(
        name,
        base_url,
        _V1_COMPLETIONS,
        credentials=Credentials.OPTIONAL,
        shape=shape,
        messages=messages,
    )


_HOUSE_MESSAGES = Endpoint(dialect=_MESSAGES, path="/v1/messages")

_ROWS: tuple[ProviderKind, ...] = (
    _messages("anthropic", "https://api.anthropic.com", counts=True),
    _messages("anthropic-compatible", None, credentials=Credentials.OPTIONAL),
    # B.1: https://RESOURCE.services.ai.azure.com; the official client sends both headers.
    _messages(
        "azure-anthropic", None, "/anthropic/v1/messages", auth=(("x-api-key", "api-key"), "")
    ),
    _chat("openai", "https://api.openai.com/v1"),
    _chat("openai-compatible", None, credentials=Credentials.OPTIONAL),
    # B.4: https://RESOURCE.openai.azure.com; `model` is the deployment's name. The v1 form, or with
    # an `api_version` the older one.
    _chat(
        "azure-openai",
        None,
        "/openai/v1/chat/completions",
        auth=(("api-key",), ""),
        versioned_path="/openai/deployments/{model}/chat/completions?api-version={api_version}",
    ),
    # B.6: https://WORKSPACE; `model` is the endpoint's name. Claude's own endpoints speak Messages,
    # without what Chat loses (signatures, marks of the cache): those are called so by everyone.
    _chat(
        "databricks",
        None,
        "/serving-endpoints/chat/completions",
        shape=shapes.DATABRICKS,
        messages=Endpoint(
            dialect=_MESSAGES,
            path="/serving-endpoints/anthropic/v1/messages",
            replaces=("/serving-endpoints",),
            models=("databricks-claude-",),
        ),
    ),
    # B.9: /messages serves every model with reasoning, pictures and marks of the cache.
    _chat(
        "openrouter",
        "https://openrouter.ai/api/v1",
        shape=shapes.OPENROUTER,
        messages=Endpoint(dialect=_MESSAGES, path="/messages", passes=True),
    ),
    # B.14: the Messages endpoint is made for Claude Code. It ignores betas, marks of the cache and
    # budgets, as Chat there has none of them; it keeps reasoning in its blocks.
    _chat(
        "deepseek",
        "https://api.deepseek.com",
        shape=shapes.DEEPSEEK,
        messages=Endpoint(
            dialect=_MESSAGES,
            path="/anthropic/v1/messages",
            replaces=("/v1", "/beta"),
            passes=True,
        ),
    ),
    # B.1. Of what its Messages endpoint leaves out we have not read enough to choose it unasked.
    _chat(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        shape=shapes.FIREWORKS,
        messages=Endpoint(dialect=_MESSAGES, path="/messages"),
    ),
    _chat("groq", "https://api.groq.com/openai/v1", shape=shapes.GROQ),
    _chat("mistral", "https://api.mistral.ai/v1", shape=shapes.MISTRAL),
    # B.1, B.12: it keeps reasoning in its blocks, as DeepSeek's. What it ignores we have not read.
    _chat(
        "moonshot",
        "https://api.moonshot.ai/v1",
        shape=shapes.MOONSHOT,
        messages=Endpoint(
            dialect=_MESSAGES, path="/anthropic/v1/messages", replaces=("/v1",), passes=True
        ),
    ),
    _chat("together", "https://api.together.ai/v1", shape=shapes.TOGETHER),
    # B.1: of what its Messages endpoint leaves out we have read nothing.
    _chat(
        "xai",
        "https://api.x.ai/v1",
        messages=Endpoint(dialect=_MESSAGES, path="/messages"),
    ),
    # B.1, B.13: as Moonshot's; it stands beside both of the Chat addresses.
    _chat(
        "zai",
        "https://api.z.ai/api/paas/v4",
        shape=shapes.ZAI,
        messages=Endpoint(
            dialect=_MESSAGES,
            path="/anthropic/v1/messages",
            replaces=("/coding/paas/v4", "/paas/v4"),
            passes=True,
        ),
    ),
    # B.10. Native first: the others cannot set num_ctx, beyond which a prompt is cut in silence,
    # so not even clients that speak them pass. Chat and Messages lack `tool_choice` as well, and
    # Messages documents and marks of the cache; a target's `dialect` chooses them.
    ProviderKind(
        name="ollama",
        endpoints=(
            Endpoint(dialect="ollama-chat", path="/api/chat"),
            Endpoint(dialect=_CHAT, path=_V1_COMPLETIONS, shape=shapes.OLLAMA),
            Endpoint(dialect=_MESSAGES, path="/v1/messages", shape=shapes.OLLAMA),
        ),
        base_url="http://localhost:11434",
        credentials=Credentials.OPTIONAL,
        auth_headers=_BEARER[0],
        auth_prefix=_BEARER[1],
        needs_region=False,
        shape=ANYTHING,
        base_ends="/v1",
    ),
    # B.11, B.1: only newer versions of these three speak Messages.
    _house(
        "llamacpp",
        "http://localhost:8080",
        shapes.LLAMACPP,
        Endpoint(dialect=_MESSAGES, path="/v1/messages", count_path="/v1/messages/count_tokens"),
    ),
    _house("lmstudio", "http://localhost:1234", shapes.LMSTUDIO, _HOUSE_MESSAGES),
    _house("mlx", "http://localhost:8080", shapes.MLX),
    _house("vllm", "http://localhost:8000", shapes.VLLM, _HOUSE_MESSAGES),
    # B.5. Claude is called in its own dialect, which every Claude on Bedrock takes at InvokeModel;
    # `dialect` on a target chooses another way.
    ProviderKind(
        name="bedrock",
        endpoints=(
            Endpoint(
                dialect="bedrock-converse",
                path="/model/{model}/converse",
                stream_path="/model/{model}/converse-stream",
                count_path="/model/{model}/count-tokens",
            ),
            Endpoint(
                dialect=_MESSAGES,
                path="/model/{model}/invoke",
                stream_path="/model/{model}/invoke-with-response-stream",
                models=_CLAUDE_ON_BEDROCK,
                frame="bedrock-invoke",
                count_path="/model/{model}/count-tokens",
            ),
            Endpoint(dialect=_CHAT, path="/openai/v1/chat/completions"),
        ),
        base_url="https://bedrock-runtime.{region}.amazonaws.com",
        credentials=Credentials.FOUND,
        auth_headers=_BEARER[0],
        auth_prefix=_BEARER[1],
        needs_region=True,
        shape=ANYTHING,
        signer="aws",
        extra="aws",
    ),
    # B.8; C.1.9: the last turn is the user's.
    ProviderKind(
        name="gemini",
        endpoints=(
            Endpoint(
                dialect="gemini",
                path="/models/{model}:generateContent",
                stream_path="/models/{model}:streamGenerateContent?alt=sse",
                count_path="/models/{model}:countTokens",
            ),
        ),
        base_url="https://generativelanguage.googleapis.com/v1beta",
        credentials=Credentials.REQUIRED,
        auth_headers=("x-goog-api-key",),
        auth_prefix="",
        needs_region=False,
        shape=RequestShape(prefill=False),
    ),
    # B.7. Without a project an API key is enough (express mode); Claude needs one.
    ProviderKind(
        name="vertex",
        endpoints=(
            Endpoint(
                dialect="gemini",
                path="/publishers/google/models/{model}:generateContent",
                stream_path="/publishers/google/models/{model}:streamGenerateContent?alt=sse",
                count_path="/publishers/google/models/{model}:countTokens",
                shape=RequestShape(prefill=False),
            ),
            Endpoint(
                dialect=_MESSAGES,
                path="/publishers/anthropic/models/{model}:rawPredict",
                stream_path="/publishers/anthropic/models/{model}:streamRawPredict",
                models=("claude",),
                frame="vertex-claude",
                count_path="/publishers/anthropic/models/count-tokens:rawPredict",
            ),
            Endpoint(dialect=_CHAT, path="/endpoints/openapi/chat/completions"),
        ),
        base_url="https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}",
        credentials=Credentials.FOUND,
        auth_headers=_BEARER[0],
        auth_prefix=_BEARER[1],
        needs_region=True,
        shape=ANYTHING,
        needs_project=True,
        hosts=(
            ("global", "aiplatform.googleapis.com"),
            ("us", "aiplatform.us.rep.googleapis.com"),
            ("eu", "aiplatform.eu.rep.googleapis.com"),
        ),
        keyed_url="https://aiplatform.googleapis.com/v1",
        keyed_header="x-goog-api-key",
        signer="gcp",
    ),
    _messages("simulator", "http://simulator.invalid", credentials=Credentials.NONE),
)


def _with_rows_elsewhere(kind: ProviderKind) -> ProviderKind:
    """The kind with what stands in the tables of Responses and of embeddings."""
    responses = RESPONSES_OF.get(kind.name)
    return replace(
        kind,
        endpoints=kind.endpoints if responses is None else (*kind.endpoints, responses),
        embedding=EMBEDDING_OF.get(kind.name),
    )


KINDS: Mapping[str, ProviderKind] = MappingProxyType(
    {kind.name: _with_rows_elsewhere(kind) for kind in _ROWS}
)
"""Every kind by name."""
