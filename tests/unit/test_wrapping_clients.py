"""What a wrapped client is given and what is withheld from it."""

import json
import tomllib
from pathlib import Path

import pytest

from lynkrc.wrapping.clients import CLIENTS, wrapped
from lynkrc.wrapping.overruled import overruled

URL = "http://127.0.0.1:9000"


@pytest.mark.parametrize("name", CLIENTS)
def test_a_credential_of_the_callers_is_not_sent_to_the_gateway(name: str) -> None:
    sent = {
        "claude": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"),
        "codex": ("LYNKRC_KEY",),
        "aider": ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"),
    }
    mine = {one: f"mine-{one}" for one in sent[name]}
    told = wrapped(CLIENTS[name], URL, "local", {**mine, "HOME": "/h"})
    assert [one for one in sent[name] if told.environ.get(one) == mine[one]] == []
    assert told.environ["HOME"] == "/h"
    assert set(told.withheld) == set(mine) - {"LYNKRC_KEY"}


def test_another_way_than_the_gateway_is_closed() -> None:
    around = {"CLAUDE_CODE_USE_BEDROCK": "1", "ANTHROPIC_BASE_URL": "https://elsewhere.test"}
    told = wrapped(CLIENTS["claude"], URL, "local", around)
    assert "CLAUDE_CODE_USE_BEDROCK" not in told.environ
    assert told.environ["ANTHROPIC_BASE_URL"] == URL


def test_codex_reads_its_settings_as_toml() -> None:
    told = wrapped(CLIENTS["codex"], URL, "lk_1", {})
    assert told.arguments[::2] == ("-c",) * 3
    settings = tomllib.loads("\n".join(told.arguments[1::2]))
    assert settings["model_provider"] == "lynkrc"
    provider = settings["model_providers"]["lynkrc"]
    assert provider["base_url"] == f"{URL}/v1"
    assert told.environ[provider["env_key"]] == "lk_1"


def test_a_proxy_does_not_hear_of_it() -> None:
    told = wrapped(CLIENTS["aider"], URL, "local", {"HTTPS_PROXY": "p:1", "NO_PROXY": "a.test"})
    assert told.environ["NO_PROXY"] == "a.test,127.0.0.1,localhost,::1"
    assert "NO_PROXY" not in wrapped(CLIENTS["aider"], URL, "local", {}).environ


def test_settings_that_go_before_what_is_given_are_found(tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    mine = tmp_path / ".claude" / "settings.json"
    env = {"ANTHROPIC_BASE_URL": "https://a.test", "CLAUDE_CODE_USE_BEDROCK": "1", "EDITOR": "vi"}
    mine.write_text(json.dumps({"env": env}), encoding="utf-8")
    (tmp_path / ".env").write_text(f"OPENAI_API_BASE={URL}/v1\nOPENAI_API_KEY=sk-mine\n")
    environ = {"HOME": str(tmp_path)}

    def found(name: str) -> list[tuple[Path, tuple[str, ...]]]:
        how = wrapped(CLIENTS[name], URL, "local", environ)
        return list(overruled(CLIENTS[name], how, environ, tmp_path / "none"))

    assert found("claude") == [(mine, ("ANTHROPIC_BASE_URL", "CLAUDE_CODE_USE_BEDROCK"))]
    assert found("aider") == [(tmp_path / ".env", ("OPENAI_API_KEY",))]
    assert found("codex") == []
    for broken in ("{", '{"env": 1}', "\udcff"):
        mine.write_text(broken, encoding="utf-8", errors="surrogateescape")
        assert found("claude") == []
