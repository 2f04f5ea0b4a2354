"""Provider rows and the environment to addresses."""

from typing import Any

import pytest

from lynkrc_runtime.dispatch import Provider, ProviderSettings
from lynkrc_runtime.protocol.tables import TARGET_DIALECTS
from lynkrc_runtime.providers.address import (
    Address,
    UnresolvedProvider,
    expand,
    join,
    resolve,
    url_of,
)
from lynkrc_runtime.providers.table import KINDS


def provider(kind: str = "openai", **members: Any) -> Provider:
    values: dict[str, Any] = {
        "name": "p",
        "kind": kind,
        "trust": "cloud",
        "base_url": None,
        "api_key": "${KEY}",
        "headers": {},
        "connect": None,
        "first_event": None,
        "idle": None,
        "total": None,
        "retries": None,
        "backoff": None,
        "max_backoff": None,
        "simulate": None,
        "rest": ProviderSettings(),
    }
    return Provider(**(values | members))


def test_a_kind_brings_its_address_and_its_way_to_carry_the_key() -> None:
    address = resolve(provider(), {"KEY": "k1"})
    assert main_url(address, "openai") == "https://api.openai.com/v1/chat/completions"
    assert address.headers == {"authorization": "Bearer k1"}
    anthropic = resolve(provider("anthropic"), {"KEY": "k2"})
    assert main_url(anthropic, "anthropic") == "https://api.anthropic.com/v1/messages"
    assert anthropic.headers == {"x-api-key": "k2"}


ADDRESSES = {
    "anthropic": "https://api.anthropic.com/v1/messages",
    "openai": "https://api.openai.com/v1/chat/completions",
    "openrouter": "https://openrouter.ai/api/v1/chat/completions",
    "deepseek": "https://api.deepseek.com/chat/completions",
    "fireworks": "https://api.fireworks.ai/inference/v1/chat/completions",
    "groq": "https://api.groq.com/openai/v1/chat/completions",
    "mistral": "https://api.mistral.ai/v1/chat/completions",
    "moonshot": "https://api.moonshot.ai/v1/chat/completions",
    "together": "https://api.together.ai/v1/chat/completions",
    "xai": "https://api.x.ai/v1/chat/completions",
    "zai": "https://api.z.ai/api/paas/v4/chat/completions",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/models/model:generateContent",
    "ollama": "http://localhost:11434/api/chat",
    "llamacpp": "http://localhost:8080/v1/chat/completions",
    "lmstudio": "http://localhost:1234/v1/chat/completions",
    "mlx": "http://localhost:8080/v1/chat/completions",
    "vllm": "http://localhost:8000/v1/chat/completions",
    "bedrock": "https://bedrock-runtime.eu-west-1.amazonaws.com/model/model/converse",
    "vertex": (
        "https://eu-west-1-aiplatform.googleapis.com/v1/projects/acme/locations/eu-west-1"
        "/publishers/google/models/model:generateContent"
    ),
    "simulator": "http://simulator.invalid/v1/messages",
}
OWN_ADDRESSES = {
    "anthropic-compatible": ("https://h/gw", "https://h/gw/v1/messages"),
    "openai-compatible": ("https://h/v1", "https://h/v1/chat/completions"),
    "azure-anthropic": (
        "https://r.services.ai.azure.com/anthropic",
        "https://r.services.ai.azure.com/anthropic/v1/messages",
    ),
    "azure-openai": (
        "https://r.openai.azure.com",
        "https://r.openai.azure.com/openai/v1/chat/completions",
    ),
    "databricks": (
        "https://w.cloud.databricks.com/serving-endpoints",
        "https://w.cloud.databricks.com/serving-endpoints/chat/completions",
    ),
}


def main_url(address: Address, kind: str) -> str:
    return url_of(address.base, KINDS[kind].endpoints[0].path, "model")


def test_every_kind_is_served_has_an_address_and_speaks_its_dialects() -> None:
    assert set(KINDS) == {*ADDRESSES, *OWN_ADDRESSES}
    for name, kind in KINDS.items():
        base, url = OWN_ADDRESSES.get(name, (None, ADDRESSES.get(name)))
        rest = ProviderSettings(
            region="eu-west-1" if kind.needs_region else None,
            project="acme" if kind.needs_project else None,
        )
        address = resolve(provider(name, base_url=base, rest=rest), {"KEY": "k"})
        assert main_url(address, name) == url
        assert {endpoint.dialect for endpoint in kind.endpoints} <= set(TARGET_DIALECTS)
        assert (kind.base_url is None) == (name in OWN_ADDRESSES)


@pytest.mark.parametrize("kind", ["openai", "bedrock", "vertex"])
def test_a_caller_s_credentials_are_no_key_of_ours(kind: str) -> None:
    """Nor are what the machine has in their place: the caller is to pay."""
    rest = ProviderSettings(forwards_credentials=True, region="eu-west-1", project="acme")
    address = resolve(provider(kind, api_key=None, rest=rest), {"OPENAI_API_KEY": "of-the-house"})
    assert not address.signs
    assert address.headers == {}


def test_only_an_address_with_a_region_needs_one() -> None:
    with_region = {name for name, kind in KINDS.items() if "{region}" in (kind.base_url or "")}
    assert with_region == {name for name, kind in KINDS.items() if kind.needs_region}
    with_project = {name for name, kind in KINDS.items() if "{project}" in (kind.base_url or "")}
    assert with_project == {name for name, kind in KINDS.items() if kind.needs_project}
    assert (with_region, with_project) == ({"bedrock", "vertex"}, {"vertex"})


def test_azure_gets_the_key_as_its_own_client_sends_it() -> None:
    openai = resolve(provider("azure-openai", base_url="https://h"), {"KEY": "k"})
    assert openai.headers == {"api-key": "k"}
    claude = resolve(provider("azure-anthropic", base_url="https://h"), {"KEY": "k"})
    assert claude.headers == {"api-key": "k", "x-api-key": "k"}


def test_secrets_are_not_in_the_repr() -> None:
    assert "k1" not in repr(resolve(provider(), {"KEY": "k1"}))


@pytest.mark.parametrize("environ", [{}, {"KEY": ""}])
def test_a_missing_or_empty_variable_is_named_with_its_provider(environ: dict[str, str]) -> None:
    with pytest.raises(UnresolvedProvider, match=r"provider p: .* KEY is not set"):
        resolve(provider(), environ)


def test_defaults_stand_in_for_unset_and_empty() -> None:
    text = "${HOST:-localhost}:${PORT:-}"
    assert expand(text, {}) == "localhost:"
    assert expand(text, {"HOST": "", "PORT": "1"}) == "localhost:1"


def test_header_values_are_resolved_too() -> None:
    row = provider("ollama", api_key=None, headers={"X-Team": "${TEAM}"})
    assert resolve(row, {"TEAM": "red"}).headers == {"x-team": "red"}


def test_required_credentials_are_required() -> None:
    with pytest.raises(UnresolvedProvider, match="needs an api_key"):
        resolve(provider(api_key=None), {})


@pytest.mark.parametrize("key", ["a\nb", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(UnresolvedProvider) as caught:
        resolve(provider(), {"KEY": key})
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "base",
    ["", "ftp://x", "http://", "localhost:1", "http://u:p@h", "http://h/?q=1", "http://h:99999"],
)
def test_a_base_url_must_be_an_http_address(base: str) -> None:
    with pytest.raises(UnresolvedProvider, match="base_url must be"):
        resolve(provider("openai-compatible", api_key=None, base_url=base), {})


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("http://h", "/v1/messages", "http://h/v1/messages"),
        ("http://h/", "/v1/messages", "http://h/v1/messages"),
        ("http://h/v1", "/v1/messages", "http://h/v1/messages"),
        ("http://h/gw", "/v1/messages", "http://h/gw/v1/messages"),
        ("http://h/v1", "/chat/completions", "http://h/v1/chat/completions"),
        ("http://h/chat", "/chat/completions", "http://h/chat/chat/completions"),
        ("http://h/a/v1", "/a/v1/messages", "http://h/a/v1/messages"),
        ("http://h/a", "/a/v1/messages", "http://h/a/v1/messages"),
        ("http://h/v1/chat/completions", "/chat/completions", "http://h/v1/chat/completions"),
    ],
)
def test_joining_never_doubles_a_part(base: str, path: str, url: str) -> None:
    assert join(base, path) == url
