"""Claude Code, Codex and aider run by `lynkrc wrap`, as somebody runs them who has only a spec."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import CLIENTS, SPEC
from tests.clients.drivers import clean_environment
from tests.clients.model_server import ModelServer, model_server
from tests.e2e.gateway import ROOT, built
from tests.pseudo_terminal import terminal

PATHS = (CLIENTS / "node" / "node_modules" / ".bin", CLIENTS / "aider" / "bin")
ASK = "[[say: Good evening.]]"
WORDS = {
    "claude": ("--model", "claude-lynkr-messages", "-p", ASK),
    "codex": ("exec", "--skip-git-repo-check", "-c", 'model="lynkr/responses"', ASK),
    "aider": (
        *("--model", "openai/lynkr/chat", "--message", ASK, "--no-git", "--yes-always"),
        *("--no-show-model-warnings", "--no-check-update", "--analytics-disable", "--no-pretty"),
    ),
}
MINE = {"ANTHROPIC_API_KEY": "sk-ant-mine", "OPENAI_API_KEY": "sk-mine"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(SPEC, tmp_path_factory.mktemp("wrapped"), "clients")


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with model_server() as one:
        yield one


@pytest.mark.parametrize("program", WORDS)
def test_a_wrapped_program_is_answered(
    program: str, bundle: Path, model: ModelServer, tmp_path: Path
) -> None:
    environ = clean_environment(
        {
            **MINE,
            "MODEL_URL": model.url,
            "KEY": "key-of-the-provider",
            "PATH": os.pathsep.join((*map(str, PATHS), os.environ["PATH"])),
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "runtime"))),
            "CODEX_HOME": str(tmp_path),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            # What was said is no file of the folder the tests run in.
            "AIDER_CHAT_HISTORY_FILE": str(tmp_path / "chat.md"),
            "AIDER_INPUT_HISTORY_FILE": str(tmp_path / "input"),
        }
    )
    command = [sys.executable, "-m", "lynkrc", "wrap", program, "--bundle", str(bundle), "--"]
    with terminal([*command, *WORDS[program]], environ, columns=200) as seen:
        assert seen.end() == 0, seen.text
    assert "Good evening." in seen.text
    assert "lynkrc: 1 request, " in seen.text
    heard = str([call.headers for call in model.calls])
    assert [key for key in MINE.values() if key in heard] == []
