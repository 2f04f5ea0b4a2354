"""Provider rows and the environment to addresses."""

import pytest

from lynkrc_runtime.dispatch import Provider, ProviderSettings
from lynkrc_runtime.providers.address import UnresolvedProvider, expand, join, resolve


def provider(kind: str = "openai", **members: object) -> Provider:
    values: dict[str, object] = {
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
    return Provider(**(values | members))  # type: ignore[arg-type]  # values are of mixed types


def test_a_kind_brings_its_address_and_its_way_to_carry_the_key() -> None:
    address = resolve(provider(), {"KEY": "k1"})
    assert address.url == "https://api.openai.com/v1/chat/completions"
    assert address.headers == {"authorization": "Bearer k1"}
    anthropic = resolve(provider("anthropic"), {"KEY": "k2"})
    assert anthropic.url == "https://api.anthropic.com/v1/messages"
    assert anthropic.headers == {"x-api-key": "k2"}


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
        ("http://h/v1/chat/completions", "/chat/completions", "http://h/v1/chat/completions"),
    ],
)
def test_joining_never_doubles_a_part(base: str, path: str, url: str) -> None:
    assert join(base, path) == url
