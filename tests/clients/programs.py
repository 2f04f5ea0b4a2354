"""Claude Code, Codex and aider as installed: a task each, to a command and what came of it."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.clients.conftest import CLIENTS, PATIENCE
from tests.clients.drivers import clean_environment

CLAUDE_RETRIES = 2
"""How often we let Claude Code try again. Left alone it tries ten times."""


@dataclass(frozen=True)
class Task:
    """What to ask of a gateway, in which folder; `more` is added to the environment."""

    url: str
    model: str
    ask: str
    folder: Path
    key: str = "local"
    more: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Done:
    """What came of it; `text` is all that the user sees."""

    code: int
    text: str


Command = tuple[list[str], dict[str, str]]


def claude(task: Task) -> Command:
    """With a virtual key where a login's token would be."""
    return _claude(task, "ANTHROPIC_AUTH_TOKEN")


def claude_api_key(task: Task) -> Command:
    """With a virtual key where an API key would be."""
    return _claude(task, "ANTHROPIC_API_KEY")


def _claude(task: Task, key: str) -> Command:
    command = [str(CLIENTS / "node" / "node_modules" / ".bin" / "claude")]
    command += ["--model", task.model, "--allowedTools", "Bash", "-p", task.ask]
    environ = {
        "ANTHROPIC_BASE_URL": task.url,
        key: task.key,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": str(CLAUDE_RETRIES),
    }
    return command, environ


def codex(task: Task) -> Command:
    """With a provider of its own, as docs/clients/codex.md has it."""
    home = task.folder / "codex-home"
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(
        f'model = "{task.model}"\n'
        'model_provider = "lynkrc"\n'
        "[model_providers.lynkrc]\n"
        'name = "lynkrc"\n'
        f'base_url = "{task.url}/v1"\n'
        'env_key = "LYNKRC_KEY"\n'
        'wire_api = "responses"\n',
        encoding="utf-8",
    )
    command = [str(CLIENTS / "node" / "node_modules" / ".bin" / "codex"), "exec"]
    command += ["--skip-git-repo-check", "--sandbox", "danger-full-access", task.ask]
    return command, {"CODEX_HOME": str(home), "LYNKRC_KEY": task.key}


def aider(task: Task) -> Command:
    """On Chat Completions."""
    command = [str(CLIENTS / "aider" / "bin" / "aider"), "--model", f"openai/{task.model}"]
    command += ["--message", task.ask, "--no-git", "--yes-always", "--no-show-model-warnings"]
    command += ["--no-check-update", "--analytics-disable", "--no-pretty", "--edit-format", "ask"]
    environ = {"OPENAI_API_BASE": task.url + "/v1", "OPENAI_API_KEY": task.key}
    # Its price list would be fetched from the network.
    return command, environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}


PROGRAMS: Mapping[str, Callable[[Task], Command]] = {
    "claude": claude,
    "claude-api-key": claude_api_key,
    "codex": codex,
    "aider": aider,
}


def model_of(program: str, pin: str) -> str:
    """The name by which a program pins a tier or target."""
    return f"claude-lynkr-{pin}" if program.startswith("claude") else f"lynkr/{pin}"


def ran(program: str, task: Task, patience: float = PATIENCE) -> Done:
    """The program run on a task. Raises TimeoutExpired after `patience` seconds."""
    command, environ = PROGRAMS[program](task)
    done = subprocess.run(
        command,
        env=clean_environment(environ | dict(task.more or {})),
        cwd=task.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=patience,
        check=False,
    )
    return Done(done.returncode, done.stdout)
