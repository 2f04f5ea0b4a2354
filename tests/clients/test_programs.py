"""Claude Code, Codex and aider as installed, through the gateway, to a target of every dialect."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.clients.conftest import CLIENTS, PATIENCE, ClientLab
from tests.clients.drivers import clean_environment

TARGETS = ("messages", "chat", "responses", "gemini", "converse", "ollama")
each_target = pytest.mark.parametrize("target", TARGETS)

Ask = Callable[[ClientLab, str, str, Path], str]


def spoken(command: list[str], environ: Mapping[str, str], folder: Path) -> str:
    done = subprocess.run(
        command,
        env=clean_environment(environ),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


def claude(lab: ClientLab, target: str, ask: str, folder: Path) -> str:
    command = [str(CLIENTS / "node" / "node_modules" / ".bin" / "claude")]
    command += ["--model", f"claude-lynkr-{target}", "--allowedTools", "Bash", "-p", ask]
    environ = {
        "ANTHROPIC_BASE_URL": lab.gateway.url,
        "ANTHROPIC_AUTH_TOKEN": "local",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "2",
    }
    return spoken(command, environ, folder)


def codex(lab: ClientLab, target: str, ask: str, folder: Path) -> str:
    home = folder / "codex-home"
    home.mkdir()
    (home / "config.toml").write_text(
        f'model = "lynkr/{target}"\n'
        'model_provider = "lynkrc"\n'
        "[model_providers.lynkrc]\n"
        'name = "lynkrc"\n'
        f'base_url = "{lab.gateway.url}/v1"\n'
        'env_key = "LYNKRC_KEY"\n'
        'wire_api = "responses"\n',
        encoding="utf-8",
    )
    command = [str(CLIENTS / "node" / "node_modules" / ".bin" / "codex"), "exec"]
    command += ["--skip-git-repo-check", "--sandbox", "danger-full-access", ask]
    return spoken(command, {"CODEX_HOME": str(home), "LYNKRC_KEY": "local"}, folder)


def aider(lab: ClientLab, target: str, ask: str, folder: Path) -> str:
    command = [str(CLIENTS / "aider" / "bin" / "aider"), "--model", f"openai/lynkr/{target}"]
    command += ["--message", ask, "--no-git", "--yes-always", "--no-show-model-warnings"]
    command += ["--no-check-update", "--analytics-disable", "--no-pretty", "--edit-format", "ask"]
    environ = {"OPENAI_API_BASE": lab.gateway.url + "/v1", "OPENAI_API_KEY": "local"}
    # Its price list would be fetched from the network.
    return spoken(command, environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}, folder)


PROGRAMS: Mapping[str, Ask] = {"claude": claude, "codex": codex, "aider": aider}
each_program = pytest.mark.parametrize("program", PROGRAMS)

SHELL: Mapping[str, Callable[[str], str]] = {
    "claude": lambda command: f"[[call: Bash {json.dumps({'command': command})}]]",
    "codex": lambda command: f"[[call: exec_command {json.dumps({'cmd': command})}]]",
}
"""How a model asks each program to run a command."""


@each_program
@each_target
def test_a_program_is_answered(lab: ClientLab, program: str, target: str, tmp_path: Path) -> None:
    assert "Good evening." in PROGRAMS[program](lab, target, "[[say: Good evening.]]", tmp_path)


@pytest.mark.parametrize("program", SHELL)
@each_target
def test_a_program_runs_what_the_model_calls_in_parallel(
    lab: ClientLab, program: str, target: str, tmp_path: Path
) -> None:
    first, second = (SHELL[program](f"echo word-$(({number} * 7))") for number in (6, 9))
    answer = PROGRAMS[program](lab, target, f"{first} {second}", tmp_path)
    assert "word-42" in answer
    assert "word-63" in answer


@each_program
@each_target
def test_a_program_survives_an_overload(
    lab: ClientLab, program: str, target: str, tmp_path: Path
) -> None:
    ask = f"[[fail: 503 1]] [[say: Back again.]] {program} {target}"
    assert "Back again." in PROGRAMS[program](lab, target, ask, tmp_path)
