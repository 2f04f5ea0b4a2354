"""`lynkrc init` as people see it: what it writes, and what it says on standard error.

A case is a folder with an `input.env`, a `config.yaml` or the `variables.txt` that are set.
`--update-golden` rewrites the expected files; read the difference before you commit it.
"""

import os
import re
import shutil
from pathlib import Path

import pytest

from lynkrc.cli.main import main
from lynkrc.cli.specs import check_file
from tests.unit.migrate_check import canonical

FOLDER = Path(__file__).parent / "migrate"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
NOWHERE = "http://127.0.0.1:9"
"""The port of a service that is not there: no Ollama answers."""


def arguments(case: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    for name in [one for one in os.environ if one.endswith("_API_KEY")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OLLAMA_ENDPOINT", NOWHERE)
    monkeypatch.chdir(folder)
    if (case / "input.env").exists():
        shutil.copy(case / "input.env", folder / ".env")
        return ["init", "--from-env", ".env"]
    if (case / "config.yaml").exists():
        shutil.copy(case / "config.yaml", folder / "config.yaml")
        return ["init", "--from-litellm", "config.yaml"]
    for name in (case / "variables.txt").read_text(encoding="utf-8").split():
        monkeypatch.setenv(name, "a value that nobody prints")
    return ["init"]


def compare(text: str, expected: Path, update: bool) -> None:
    if update and text:
        expected.write_text(text, encoding="utf-8", newline="\n")
    elif update:
        expected.unlink(missing_ok=True)
    wanted = expected.read_text(encoding="utf-8") if expected.exists() else ""
    assert text == wanted


@pytest.mark.parametrize("case", CASES)
def test_a_case(
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    update_golden: bool,
) -> None:
    source = FOLDER / case
    words = arguments(source, tmp_path, monkeypatch)
    code = main(words)
    out, err = capsys.readouterr()
    written = tmp_path / "routing.yaml"
    text = written.read_text(encoding="utf-8") if written.exists() else ""
    compare(text, source / "routing.yaml", update_golden)
    compare(err, source / "stderr.txt", update_golden)
    assert out == ""
    assert (code == 0) == bool(text)
    if text:
        assert canonical(text) == text
        findings = [
            one.message
            for one in check_file(written).diagnostics
            if one.code.id not in ("LK601", "LK602")
        ]
        announced = re.search(r"before it checks, write the price of: (.*)", err)
        names = announced[1].split(", ") if announced else []
        assert findings == [f"nothing states the price of `{name}`" for name in names]
        assert (tmp_path / ".routing.schema.json").exists()
