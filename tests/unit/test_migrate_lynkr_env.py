"""A Lynkr `.env` to a spec: what is carried over is right, and no variable goes missing."""

from collections import Counter
from pathlib import Path

import pytest

from lynkrc.cli.init import known_models
from lynkrc.migrate.account import Fate
from lynkrc.migrate.lynkr_env import migrate_env
from lynkrc.migrate.lynkr_providers import LYNKR_PROVIDERS, variables_of
from lynkrc.migrate.lynkr_settings import SETTINGS
from lynkrc.migrate.lynkr_variables import ROWS, SPECIAL
from lynkrc.migrate.migration import Migration, Unreadable
from lynkrc.migrate.read_env import read_env
from tests.unit.migrate_check import sound_text

VARIABLES = Path(__file__).parent / "lynkr_variables.txt"
"""The variables Lynkr 9.14 reads, one a line."""


def migrated(text: str) -> Migration:
    found = migrate_env(".env", text.encode(), known_models())
    assert isinstance(found, Migration)
    return found


def spec_of(found: Migration) -> str:
    return sound_text(found.draft)


def fates(found: Migration) -> dict[str, Fate]:
    return {one.name: one.fate for one in found.accounts}


def test_every_variable_is_answered_for_exactly_once() -> None:
    names = VARIABLES.read_text(encoding="utf-8").split()
    assert len(names) > 280
    values = {"MODEL_PROVIDER": "openai", "TIER_SIMPLE": "ollama:a", "TIER_MEDIUM": "openai:gpt-4o"}
    text = "".join(f"{name}={values.get(name, 'secret-value-1')}\n" for name in names)
    found = migrated(text)
    assert Counter(one.name for one in found.accounts) == Counter(names)
    assert {one.text for one in found.accounts if "no variable of Lynkr" in one.text} == set()
    written = spec_of(found)
    assert "secret-value-1" not in written
    ending = "\n".join(found.draft.ending).replace(",", " ").split()
    assert {name: ending.count(name) for name in names} == dict.fromkeys(names, 1)


def test_each_row_of_the_table_is_of_a_variable_in_the_list() -> None:
    names = VARIABLES.read_text(encoding="utf-8").split()
    for pattern in (name for row in ROWS for name in row.names):
        beginning = pattern.removesuffix("*")
        assert any(
            name.startswith(beginning) if pattern.endswith("*") else name == pattern
            for name in names
        ), pattern
    own = [name for row in LYNKR_PROVIDERS.values() for name in variables_of(row)]
    assert {*SPECIAL, *SETTINGS, *own} <= {*names}


@pytest.mark.parametrize("id", LYNKR_PROVIDERS)
def test_every_provider_is_called_or_named_with_a_reason(id: str) -> None:
    row = LYNKR_PROVIDERS[id]
    lines = [f"MODEL_PROVIDER={id}"]
    lines += [f"{name}=https://api.example.com/v1" for name in (row.endpoint,) if name]
    lines += [f"{name}=key-123456" for name in row.keys]
    if row.model and id != "databricks":
        lines.append(f"{row.model}=some-model")
    found = migrated("\n".join(lines))
    text = spec_of(found)
    assert "key-123456" not in text
    said = fates(found)
    callable_ = id != "codex"
    assert said["MODEL_PROVIDER"] is (Fate.CARRIED if callable_ else Fate.LEFT)
    assert ("simulator" in text) is not callable_
    # Every kind is served.
    assert not any("is carried over and compiled" in one for one in found.notices)


def test_a_chain_goes_up_the_tiers_then_down_then_to_the_fallback() -> None:
    found = migrated(
        "TIER_SIMPLE=ollama:a\nTIER_MEDIUM=ollama:b\nTIER_COMPLEX=ollama:c\n"
        "TIER_REASONING=ollama:d\nFALLBACK_PROVIDER=openai\nOPENAI_API_KEY=x\nOPENAI_MODEL=e\n"
    )
    spec_of(found)
    assert [tier.chain for tier in found.draft.tiers] == [
        ("a", "b", "c", "d", "e"),
        ("b", "c", "d", "a", "e"),
        ("c", "d", "b", "a", "e"),
        ("d", "c", "b", "a", "e"),
    ]
    assert [tier.up_to for tier in found.draft.tiers] == [19, 50, 75, None]


@pytest.mark.parametrize("absent", ["SIMPLE", "MEDIUM", "COMPLEX", "REASONING"])
def test_a_missing_tier_takes_its_neighbours_target_and_that_is_said(absent: str) -> None:
    tiers = ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")
    lines = [f"TIER_{name}=ollama:model-{name.lower()}" for name in tiers if name != absent]
    found = migrated("\n".join(lines))
    text = spec_of(found)
    donor = tiers[min(tiers.index(absent) + 1, 3)] if absent != "REASONING" else "COMPLEX"
    chain = next(tier.chain for tier in found.draft.tiers if tier.name == absent)
    assert chain[0] == f"model-{donor.lower()}"
    assert f"TIER_{absent} is not set: {absent} takes the target of {donor}" in found.notices
    assert any("Lynkr routes nothing" in notice for notice in found.notices)
    assert f"# TIER_{absent} is not set: the target of {donor}" in text


def test_a_tier_is_cut_at_its_first_colon() -> None:
    found = migrated("TIER_SIMPLE=ollama:qwen2.5:7b\n")
    assert found.draft.targets[0].model == "qwen2.5:7b"


def test_a_tier_without_a_colon_is_a_model_of_the_model_provider() -> None:
    found = migrated("MODEL_PROVIDER=openai\nOPENAI_API_KEY=k\nTIER_SIMPLE=gpt-4o\n")
    target = found.draft.targets[0]
    assert (target.provider, target.model) == ("openai", "gpt-4o")
    assert fates(found)["MODEL_PROVIDER"] is Fate.CARRIED


def test_a_key_in_the_place_of_a_model_is_not_shown() -> None:
    found = migrated("TIER_SIMPLE=openai:abcdef123456\nOPENAI_API_KEY=abcdef123456\n")
    assert "abcdef123456" not in spec_of(found) + repr(found)


def test_an_address_with_a_password_is_not_shown() -> None:
    found = migrated(
        "TIER_SIMPLE=openai:gpt-4o\nOPENAI_API_KEY=k\nOPENAI_ENDPOINT=https://u:pass-word@h/v1\n"
    )
    text = spec_of(found)
    assert "pass-word" not in text + repr(found)
    assert fates(found)["OPENAI_ENDPOINT"] is Fate.LEFT


def test_another_host_under_the_name_of_openai_is_a_compatible_provider() -> None:
    found = migrated(
        "TIER_SIMPLE=openai:m\nOPENAI_API_KEY=k\n"
        "OPENAI_ENDPOINT=http://localhost:9000/v1/chat/completions\n"
    )
    provider = found.draft.providers[0]
    assert (provider.kind, provider.trust) == ("openai-compatible", "local")
    assert provider.base_url == "${OPENAI_ENDPOINT}"


def test_zai_speaks_the_dialect_its_address_says() -> None:
    lines = "TIER_SIMPLE=zai:glm-4.7\nZAI_API_KEY=k\n"
    assert migrated(lines).draft.providers[0].kind == "anthropic-compatible"
    chat = migrated(lines + "ZAI_ENDPOINT=https://api.z.ai/api/paas/v4/chat/completions\n")
    assert chat.draft.providers[0].kind == "zai"


def test_a_key_that_the_file_lacks_is_asked_for() -> None:
    found = migrated("TIER_SIMPLE=openrouter:some/model\n")
    assert "OPENROUTER_API_KEY is not in the file: openrouter needs it" in found.notices
    assert found.draft.providers[0].api_key == "${OPENROUTER_API_KEY}"


def test_names_that_may_be_pieces_of_a_key_are_shown_by_their_line() -> None:
    found = migrated("A_KEY=-----BEGIN\nMIIEvQIBADANBgkqh=\n")
    assert [one.name for one in found.accounts] == ["A_KEY", "line 2"]


def test_what_is_no_text_is_refused() -> None:
    found = migrate_env("my.env", b"\xff\xfe", known_models())
    assert isinstance(found, Unreadable)
    assert found.lines == ("error: my.env is not UTF-8; save it as UTF-8",)


def test_quotes_comments_and_several_lines_are_read_as_dotenv_does() -> None:
    read = read_env(
        'A = plain # why\nB=\'it # stays\'\nC="two\\nlines"\nD="one\ntwo" # end\nE=\'open\n'
        "export F=`x`\r\n\n# G=1\nH=\n"
    )
    assert {one.name: one.value for one in read.assignments} == {
        "A": "plain",
        "B": "it # stays",
        "C": "two\nlines",
        "D": "one\ntwo",
        "E": "'open",
        "F": "x",
        "H": "",
    }
    assert read.malformed == ()


def settings_of(text: str) -> dict[str, str]:
    found = migrated(text)
    sound_text(found.draft)
    return {".".join(one.path): one.value for one in found.draft.settings}


def test_what_lynkr_enforces_becomes_a_section() -> None:
    found = settings_of(
        "TIER_SIMPLE=ollama:a\nLYNKR_STICKY_SESSIONS=true\nLYNKR_STICKY_TTL_MS=21600000\n"
        "LYNKR_PIN_DRIFT_MARGIN=15\nPORT=8081\nREQUEST_JSON_LIMIT=64mb\n"
        "LOAD_SHEDDING_ACTIVE_REQUESTS_THRESHOLD=500\nLOAD_SHEDDING_MEMORY_THRESHOLD=.85\n"
        "HOT_RELOAD_ENABLED=true\nLYNKR_STREAM_IDLE_TIMEOUT_MS=90000\nRATE_LIMIT_MAX=30\n"
        "PROMPT_CACHE_TTL_MS=1500\nTOOL_RESULT_COMPRESSION_ENABLED=true\nLOG_LEVEL=warn\n"
    )
    assert found == {
        "sessions.within": "session",
        "sessions.ttl": "6h",
        "sessions.drift_margin": "15",
        "server.port": "8081",
        "server.body_limit": "64MiB",
        "server.shedding.active": "500",
        "server.shedding.memory": "85",
        "server.reload.watch": "true",
        "resilience.timeouts.idle": "90s",
        "limits.-.name": "clients",
        "limits.-.per": "key",
        "limits.-.requests": "30",
        "limits.-.within": "1m",
        "cache.exact.ttl": "1500ms",
        "cache.exact.entries": "64",
        "optimize.tool_results.over": "2k",
        "observability.log.level": "warning",
    }


@pytest.mark.parametrize(
    "line",
    [
        "PORT=0",
        "PORT=x",
        "REQUEST_JSON_LIMIT=lots",
        "LOAD_SHEDDING_MEMORY_THRESHOLD=85",
        "LYNKR_STREAM_IDLE_TIMEOUT_MS=0",
        "LYNKR_STICKY_SESSIONS=maybe",
        "LYNKR_PIN_DRIFT_MARGIN=101",
        "LOG_LEVEL=loud",
        "RATE_LIMIT_KEY_BY=ip",
    ],
)
def test_what_says_nothing_is_left_with_a_reason(line: str) -> None:
    found = migrated(line)
    assert found.draft.settings == ()
    assert [one.fate for one in found.accounts] == [Fate.LEFT]


@pytest.mark.parametrize("name", ["RATE_LIMIT", "PROMPT_CACHE"])
def test_what_is_switched_off_is_off_here_too(name: str) -> None:
    other = {"RATE_LIMIT": "RATE_LIMIT_MAX", "PROMPT_CACHE": "PROMPT_CACHE_TTL_MS"}[name]
    found = migrated(f"{name}_ENABLED=false\n{other}=5\n")
    assert found.draft.settings == ()
    assert fates(found) == {f"{name}_ENABLED": Fate.CARRIED, other: Fate.LEFT}
    on = migrated(f"{name}_ENABLED=true\n")
    assert on.draft.settings
    assert fates(on) == {f"{name}_ENABLED": Fate.CARRIED}


def test_no_price_is_invented_and_none_is_left_out_where_one_is_known() -> None:
    found = migrated(
        "TIER_SIMPLE=ollama:llama3.2\nTIER_MEDIUM=openrouter:openai/gpt-4o-mini\n"
        "TIER_COMPLEX=openai:gpt-4o\nTIER_REASONING=azure-anthropic:claude-opus-4-5\n"
        "AZURE_ANTHROPIC_ENDPOINT=https://x.services.ai.azure.com/anthropic/v1/messages\n"
    )
    text = spec_of(found)
    assert {one.name: (one.price, one.unpriced) for one in found.draft.targets} == {
        "llama3-2": ("free", False),
        "gpt-4o-mini": (None, True),
        "gpt-4o": (None, False),
        "opus": (None, True),
    }
    assert text.count("# price: {input: ..., output: ...}  # USD per million tokens") == 2


def test_a_long_chain_has_no_empty_comment() -> None:
    tiers = ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")
    found = migrated("".join(f"TIER_{one}=ollama:a-rather-long-name-{one}\n" for one in tiers))
    assert " #\n" not in spec_of(found)


def test_zai_keeps_its_limit_on_calls() -> None:
    found = migrated("TIER_SIMPLE=zai:glm-4.7\nZAI_API_KEY=k\nZAI_MAX_CONCURRENT=2\n")
    spec_of(found)
    assert found.draft.providers[0].concurrency == (("limit", 2), ("queue", 50))


def test_bedrock_has_its_region_by_name() -> None:
    lines = "TIER_SIMPLE=bedrock:eu.anthropic.claude-x\nAWS_BEDROCK_API_KEY=k\n"
    found = migrated(lines + "AWS_BEDROCK_REGION=eu-west-1\n")
    spec_of(found)
    provider = found.draft.providers[0]
    assert (provider.kind, provider.region) == ("bedrock", "${AWS_BEDROCK_REGION}")
    lacking = migrated(lines)
    assert "AWS_BEDROCK_REGION is not in the file: bedrock needs it" in lacking.notices
