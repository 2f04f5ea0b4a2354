"""Which targets are called in the Responses dialect, and where."""

import pytest

from lynkrc_runtime.protocol.tables import TARGET_DIALECTS
from lynkrc_runtime.providers.address import url_of
from lynkrc_runtime.providers.kind import ProviderKind
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.providers.ways import chosen, ways

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"
SPEAKING = [kind for kind in KINDS.values() if RESPONSES in {one.dialect for one in kind.endpoints}]


@pytest.mark.parametrize("kind", SPEAKING, ids=lambda kind: kind.name)
def test_who_is_called_so_unasked(kind: ProviderKind) -> None:
    offered = ways(kind, "any", None, None)
    found = {client: chosen(offered, client).dialect for client in (MESSAGES, CHAT, RESPONSES)}
    is_whole = kind.name in ("openai", "azure-openai")
    assert found[RESPONSES] == (RESPONSES if is_whole else offered[0].dialect)
    assert found[CHAT] == (offered[0].dialect if kind.name == "ollama" else CHAT)
    assert found[MESSAGES] != RESPONSES


@pytest.mark.parametrize("kind", SPEAKING, ids=lambda kind: kind.name)
def test_a_target_may_ask_for_it(kind: ProviderKind) -> None:
    (only,) = ways(kind, "any", RESPONSES, None)
    assert only.dialect == RESPONSES
    base = kind.base_url or "https://h/v1"
    assert url_of(base, only.path, "any").endswith("/responses")
    assert bool(only.count_path) <= (TARGET_DIALECTS[RESPONSES].counting is not None)


def test_a_model_may_prefer_it() -> None:
    offered = ways(KINDS["openai"], "gpt-5.6", None, [RESPONSES, CHAT])
    assert [chosen(offered, client).dialect for client in (MESSAGES, CHAT, RESPONSES)] == [
        RESPONSES,
        CHAT,
        RESPONSES,
    ]
    # A reseller that speaks Chat alone serves the same model in it.
    offered = ways(KINDS["together"], "gpt-5.6", None, [RESPONSES, CHAT])
    assert {chosen(offered, client).dialect for client in (MESSAGES, CHAT, RESPONSES)} == {CHAT}


@pytest.mark.parametrize(
    ("kind", "base", "url"),
    [
        ("openai", "https://api.openai.com/v1", "https://api.openai.com/v1/responses"),
        (
            "azure-openai",
            "https://r.openai.azure.com",
            "https://r.openai.azure.com/openai/v1/responses",
        ),
        (
            "azure-openai",
            "https://r.openai.azure.com/openai/v1/chat/completions",
            "https://r.openai.azure.com/openai/v1/responses",
        ),
        (
            "databricks",
            "https://w.test/serving-endpoints",
            "https://w.test/serving-endpoints/responses",
        ),
        ("openai-compatible", "https://h/v1", "https://h/v1/responses"),
        ("openrouter", None, "https://openrouter.ai/api/v1/responses"),
        ("deepseek", None, "https://api.deepseek.com/responses"),
        ("groq", None, "https://api.groq.com/openai/v1/responses"),
        ("xai", None, "https://api.x.ai/v1/responses"),
        ("llamacpp", None, "http://localhost:8080/v1/responses"),
        ("lmstudio", None, "http://localhost:1234/v1/responses"),
        ("vllm", None, "http://localhost:8000/v1/responses"),
        ("openai", "https://h/v1/chat/completions", "https://h/v1/responses"),
        ("openai", "https://h/v1/responses", "https://h/v1/responses"),
        ("ollama", "http://localhost:11434/v1", "http://localhost:11434/v1/responses"),
    ],
)
def test_addresses(kind: str, base: str | None, url: str) -> None:
    (only,) = ways(KINDS[kind], "any", RESPONSES, None)
    assert url_of(base or KINDS[kind].base_url or "", only.path, "any") == url
