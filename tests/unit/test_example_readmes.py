"""The pages of the examples do what they say: each command is run, its output is as printed."""

import re
import shlex
from pathlib import Path

import pytest

from lynkrc.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
SHOWN = re.compile(r"^```sh\nlynkrc (.*?)\n```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = [
    (path.parent.name, *found)
    for path in sorted(ROOT.glob("examples/*/README.md"))
    for found in SHOWN.findall(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("example", "command", "expected"), COMMANDS)
def test_a_command_prints_what_the_page_shows(
    example: str,
    command: str,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    main(shlex.split(command))
    out, err = capsys.readouterr()
    assert (out, err) == (expected, ""), example


def test_the_page_on_privacy_shows_a_proof_a_leak_and_the_tests() -> None:
    firsts = [shown.split()[0] for name, _, shown in COMMANDS if name == "privacy"]
    assert firsts[:2] == ["refuted", "proved"]
    assert len(firsts) == 4
