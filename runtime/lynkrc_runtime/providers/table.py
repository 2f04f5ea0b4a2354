"""Provider kinds as rows of facts: endpoints, credentials, quirks. No kind has code of its own.

A row says how a provider is reached, in which dialects, and what of a request all its models
refuse. The kinds whose dialect or credentials this version does not speak are here for the
compiler; `lynkrc_runtime.served` lists them.
Sources: wire reference B.1 and the pages of each provider there (addresses, auth headers, paths).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias, final

from lynkrc_runtime.protocol.shapes import RequestShape

CREDENTIAL_HEADERS = frozenset(("authorization", "api-key", "x-api-key", "x-goog-api-key"))
"""Headers that stand in for `api_key` where a provider writes one of them itself."""


class Credentials(Enum):
    """Whether a provider of the kind needs `api_key`."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"
    FOUND = "found"
    """Without `api_key` it is called as the cloud's own tools are, with what they find here."""


_ANYTHING = RequestShape()


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
    versioned_path: str = ""
    """Where it is instead for a provider with an `api_version`, which stands in it."""
    shape: RequestShape = _ANYTHING
    """What all models called here refuse, where neither the model's shape nor the kind's says."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderKind:
    """One kind.

    `base_url` None must be written in the spec; ``{region}`` in it stands for the provider's
    `region`, which only kinds with `needs_region` take. The first of `endpoints` is called where
    nothing else is said (`providers/ways.py`). The key goes into each of `auth_headers`, after
    `auth_prefix`. `shape` is what is legal for every model of the kind, where a model's own shape
    does not say.

    ``{project}`` in `base_url` stands for the provider's `project`; `hosts` are (region, host)
    where the host is another than the address says. Where nobody writes a project, the key alone
    is enough at `keyed_url`, in `keyed_header`. `signer` names who gives the credentials where no
    key is written (`providers/signers.py`), `extra` the extra of this package without which no
    provider of the kind can be called.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    base_url: str | None
    credentials: Credentials
    auth_headers: tuple[str, ...]
    auth_prefix: str
    needs_region: bool
    shape: RequestShape
    needs_project: bool = False
    hosts: tuple[tuple[str, str], ...] = ()
    keyed_url: str = ""
    keyed_header: str = ""
    signer: str = ""
    extra: str = ""

    @property
    def dialect(self) -> str:
        """The dialect of the first endpoint."""
        return self.endpoints[0].dialect

    @property
    def takes_api_version(self) -> bool:
        """Whether an address of it may hold the provider's `api_version`."""
        return any(endpoint.versioned_path for endpoint in self.endpoints)


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
        shape=_ANYTHING,
    )


def _chat(
    name: str,
    base_url: str | None,
    path: str = _COMPLETIONS,
    *,
    credentials: Credentials = Credentials.REQUIRED,
    auth: _Auth = _BEARER,
    shape: RequestShape = _ANYTHING,
    versioned_path: str = "",
) -> ProviderKind:
    return ProviderKind(
        name=name,
        endpoints=(Endpoint(dialect=_CHAT, path=path, versioned_path=versioned_path),),
        base_url=base_url,
        credentials=credentials,
        auth_headers=auth[0],
        auth_prefix=auth[1],
        needs_region=False,
        shape=shape,
    )


def _house(name: str, base_url: str) -> ProviderKind:
    """A server that people run themselves: its key, if it has one, was chosen by them."""
    return _chat(name, base_url, _V1_COMPLETIONS, credentials=Credentials.OPTIONAL)


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
    # B.6: https://WORKSPACE; `model` is the endpoint's name. Some endpoints refuse these members.
    _chat(
        "databricks",
        None,
        "/serving-endpoints/chat/completions",
        shape=RequestShape(stream_options=False, parallel_tool_calls=False),
    ),
    _chat("openrouter", "https://openrouter.ai/api/v1"),
    _chat("deepseek", "https://api.deepseek.com"),
    _chat("fireworks", "https://api.fireworks.ai/inference/v1"),
    _chat("groq", "https://api.groq.com/openai/v1"),
    # B.15: unknown members are refused with 422; usage stands on the last chunk unasked.
    _chat(
        "mistral",
        "https://api.mistral.ai/v1",
        shape=RequestShape(stream_options=False, max_tokens_field="max_tokens"),
    ),
    _chat("moonshot", "https://api.moonshot.ai/v1"),
    _chat("together", "https://api.together.ai/v1"),
    _chat("xai", "https://api.x.ai/v1"),
    # B.13: usage comes unasked; `tool_choice` is `auto` or nothing.
    _chat(
        "zai",
        "https://api.z.ai/api/paas/v4",
        shape=RequestShape(
            stream_options=False, max_tokens_field="max_tokens", tool_choice=["auto"]
        ),
    ),
    _house("ollama", "http://localhost:11434"),
    _house("llamacpp", "http://localhost:8080"),
    _house("lmstudio", "http://localhost:1234"),
    _house("mlx", "http://localhost:8080"),
    _house("vllm", "http://localhost:8000"),
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
        shape=_ANYTHING,
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
        shape=_ANYTHING,
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
_RESPONSES_OF: Mapping[str, Endpoint] = MappingProxyType(
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


def _with_responses(kind: ProviderKind) -> ProviderKind:
    endpoint = _RESPONSES_OF.get(kind.name)
    return kind if endpoint is None else replace(kind, endpoints=(*kind.endpoints, endpoint))


KINDS: Mapping[str, ProviderKind] = MappingProxyType(
    {kind.name: _with_responses(kind) for kind in _ROWS}
)
"""Every kind by name."""
