"""Claude Code, Codex and aider as installed, through the gateway, to a target of every dialect."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.clients.conftest import ClientLab
from tests.clients.programs import Task, model_of, ran

TARGETS = ("messages", "chat", "responses", "gemini", "converse", "ollama")
each_target = pytest.mark.parametrize("target", TARGETS)
each_program = pytest.mark.parametrize("program", ["claude", "codex", "aider"])


def spoken(lab: ClientLab, program: str, target: str, ask: str, folder: Path) -> str:
    done = ran(program, Task(lab.gateway.url, model_of(program, target), ask, folder))
    assert done.code == 0, done.text[-3000:]
    return done.text


SHELL: Mapping[str, Callable[[str], str]] = {
    "claude": lambda command: f"[[call: Bash {json.dumps({'command': command})}]]",
    "codex": lambda command: f"[[call: exec_command {json.dumps({'cmd': command})}]]",
}
"""How a model asks each program to run a command."""


@each_program
@each_target
def test_a_program_is_answered(lab: ClientLab, program: str, target: str, tmp_path: Path) -> None:
    assert "Good evening." in spoken(lab, program, target, "[[say: Good evening.]]", tmp_path)


@pytest.mark.parametrize("program", SHELL)
@each_target
def test_a_program_runs_what_the_model_calls_in_parallel(
    lab: ClientLab, program: str, target: str, tmp_path: Path
) -> None:
    first, second = (SHELL[program](f"echo word-$(({number} * 7))") for number in (6, 9))
    answer = spoken(lab, program, target, f"{first} {second}", tmp_path)
    assert "word-42" in answer
    assert "word-63" in answer


@each_program
@each_target
def test_a_program_survives_an_overload(
    lab: ClientLab, program: str, target: str, tmp_path: Path
) -> None:
    ask = f"[[fail: 503 1]] [[say: Back again.]] {program} {target}"
    assert "Back again." in spoken(lab, program, target, ask, tmp_path)
