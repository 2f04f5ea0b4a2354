"""Each case is a folder: `routing.yaml` in, the findings as text in `expected.txt` out.

`--update-golden` rewrites the expected files; read the difference before you commit it.
"""

from pathlib import Path

import pytest

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.render_text import render_text
from lynkrc.syntax.read import read_source

FOLDER = Path(__file__).parent / "diagnostics"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/routing.yaml"))


def check(path: str, data: bytes) -> list[Diagnostic]:
    """Every finding of the compiler about one file."""
    _, findings = read_source(path, data)
    return findings


@pytest.mark.parametrize("case", CASES)
def test_the_findings_of_a_file(case: str, update_golden: bool) -> None:
    data = (FOLDER / case / "routing.yaml").read_bytes()
    text = render_text(check("routing.yaml", data))
    expected = FOLDER / case / "expected.txt"
    if update_golden:
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")


def test_every_expected_file_has_its_case() -> None:
    assert sorted(path.parent.name for path in FOLDER.glob("*/expected.txt")) == CASES
