"""Completion scripts: of every command, and what the shells that are installed make of them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lynkrc.cli.completion import SHELLS, commands_of, whole_parser
from lynkrc.cli.main import COMMANDS, main

ASKED = {
    "lynkrc sta": {"statusline"},
    "lynkrc wr": {"wrap"},
    "lynkrc wrap co": {"codex"},
    "lynkrc wrap claude --ga": {"--gateway"},
    "lynkrc serve --dry": {"--dry-run"},
    "lynkrc check --format sa": {"sarif"},
    "lynkrc explain LK60": {"LK601", "LK602"},
    "lynkrc usage --by tie": {"tier"},
    "lynkrc schema rou": {"routing"},
    "lynkrc check rout": {"routing.yaml"},
}
"""A line to what must be among its completions."""

BASH = """\
complete_line() {
  COMP_LINE="$1" COMP_POINT=${#1}
  read -ra COMP_WORDS <<<"$1"
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  "$entry" lynkrc "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
  printf '%s\\n' "${COMPREPLY[@]}"
}
entry=$(complete -p lynkrc | sed 's/.*-F \\([^ ]*\\).*/\\1/')
while IFS= read -r asked; do echo "> $asked"; complete_line "$asked"; done
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    for shell in SHELLS:
        with pytest.MonkeyPatch.context() as patch, (folder / shell).open("w") as out:
            patch.setattr("sys.stdout", out)
            assert main(["completion", shell]) == 0
    (folder / "routing.yaml").touch()
    return folder


def test_every_command_and_option_is_known(scripts: Path) -> None:
    commands = commands_of(whole_parser())
    assert list(commands) == [name for name, _ in COMMANDS]
    options = {
        option.removeprefix("--")
        for command in commands.values()
        for action in command._actions
        for option in action.option_strings
        if option.startswith("--")
    }
    assert {"dry-run", "usage-log", "gateway", "admin-port"} <= options
    for shell in SHELLS:
        text = (scripts / shell).read_text(encoding="utf-8")
        assert [one for one in (*commands, *options) if one not in text] == []


def test_bash_completes(scripts: Path) -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", f"source {scripts / 'bash'}\n{BASH}"],
        input="".join(f"{line}\n" for line in ASKED),
        cwd=scripts,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    told = {
        part.split("\n", 1)[0]: set(part.split()) - set(part.split("\n", 1)[0].split())
        for part in done.stdout.split("> ")[1:]
    }
    assert [line for line, wanted in ASKED.items() if not wanted <= told[line]] == []


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(scripts: Path) -> None:
    lines = "; ".join(f"echo '> {line}'; complete -C '{line}'" for line in ASKED)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {scripts / 'fish'}; {lines}"],
        cwd=scripts,
        env={"PATH": os.environ["PATH"], "HOME": str(scripts)},
        capture_output=True,
        text=True,
        check=True,
    )
    told = {
        part.split("\n", 1)[0]: {line.split("\t")[0] for line in part.splitlines()[1:]}
        for part in done.stdout.split("> ")[1:]
    }
    assert [line for line, wanted in ASKED.items() if not wanted <= told[line]] == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_reads_the_script(shell: str, scripts: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run(
        [shell, "-n", str(scripts / shell)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
