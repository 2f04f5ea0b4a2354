"""Provider kinds as rows of facts: endpoints, credentials, quirks. No kind has code of its own.

A row says how a provider is reached, in which dialects, and what of a request all its models
refuse. The kinds whose dialect or credentials this version does not speak are here for the
compiler; `lynkrc_runtime.served` lists them.
Sources: wire reference B.1 and the pages of each provider there (addresses, auth headers, paths).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias, final

from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.providers import shapes_of_kinds as shapes


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
    counted, where the dialect can (`TargetDialect.counting`). `replaces` are ends of a base URL
    that `path` stands in the place of, instead of below it; the first that fits.
    """

    dialect: str
    path: str
    stream_path: str = ""
    passes: bool = False
    models: tuple[str, ...] = ()
    frame: str = ""
    count_path: str = ""
    replaces: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderKind:
    """One kind.

    `base_url` None must be written in the spec; ``{region}`` in it stands for the provider's
    `region`, which only kinds with `needs_region` take. The first of `endpoints` is called where
    nothing else is said (`providers/ways.py`). The key goes into each of `auth_headers`, after
    `auth_prefix`. `shape` is what is legal for every model of the kind, where a model's own shape
    does not say.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    base_url: str | None
    credentials: Credentials
    auth_headers: tuple[str, ...]
    auth_prefix: str
    needs_region: bool
    shape: RequestShape

    @property
    def dialect(self) -> str:
        """The dialect of the first endpoint."""
        return self.endpoints[0].dialect


_MESSAGES = "anthropic-messages"
_CHAT = "openai-chat"
_COMPLETIONS = "/chat/completions"
_V1_COMPLETIONS = "/v1/chat/completions"

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
        shape=shapes.ANYTHING,
    )


def _chat(
    name: str,
    base_url: str | None,
    path: str = _COMPLETIONS,
    *,
    credentials: Credentials = Credentials.REQUIRED,
    auth: _Auth = _BEARER,
    shape: RequestShape = shapes.ANYTHING,
    messages: Endpoint | None = None,
) -> ProviderKind:
    others = () if messages is None else (messages,)
    return ProviderKind(
        name=name,
        endpoints=(Endpoint(dialect=_CHAT, path=path), *others),
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
    # B.4, the v1 form: https://RESOURCE.openai.azure.com; `model` is the deployment's name.
    _chat("azure-openai", None, "/openai/v1/chat/completions", auth=(("api-key",), "")),
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
    # B.10: Messages there has no `tool_choice`, documents or marks of the cache.
    _house("ollama", "http://localhost:11434", shapes.OLLAMA, _HOUSE_MESSAGES),
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
        shape=shapes.ANYTHING,
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
        shape=shapes.ANYTHING,
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
        shape=shapes.ANYTHING,
    ),
    _messages("simulator", "http://simulator.invalid", credentials=Credentials.NONE),
)

KINDS: Mapping[str, ProviderKind] = MappingProxyType({kind.name: kind for kind in _ROWS})
"""Every kind by name."""
