"""The findings of `sema` as people see them: the failing example of each page, and whole cases.

`LKnnn.txt` holds what the page's example gives; a folder has its own `routing.yaml`.
`--update-golden` rewrites the expected files; read the difference before you commit it.
"""

from pathlib import Path

import pytest

from lynkrc.diagnostics.model import in_order
from lynkrc.diagnostics.render_text import render_text
from lynkrc.diagnostics.sema_codes import CONTRADICTORY, SEMA_CODES
from lynkrc.sema.resolve import resolve
from lynkrc.source.text import SourceFile
from lynkrc.syntax.read import read_config
from tests.unit.page_examples import examples
from tests.unit.sema_sample import Files, catalog, complete

FOLDER = Path(__file__).parent / "sema"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/routing.yaml"))
EXAMPLES = {
    code.id: dict(examples(code.id))["Fails"]
    for code in SEMA_CODES
    if "Fails" in dict(examples(code.id)) and code is not CONTRADICTORY  # found by proof alone
}


def rendered(text: str) -> str:
    config, findings = read_config(SourceFile(path="routing.yaml", text=text))
    assert config is not None
    assert findings == []
    _, findings = resolve(config, Files(), catalog())
    return render_text(in_order(findings))


def compare(text: str, expected: Path, update: bool) -> None:
    if update:
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_findings_of_a_page(code: str, update_golden: bool) -> None:
    text = EXAMPLES[code]
    whole = text if code == "LK501" else complete(text)
    compare(rendered(whole), FOLDER / f"{code}.txt", update_golden)


@pytest.mark.parametrize("case", CASES)
def test_the_findings_of_a_case(case: str, update_golden: bool) -> None:
    text = (FOLDER / case / "routing.yaml").read_text(encoding="utf-8")
    compare(rendered(text), FOLDER / case / "expected.txt", update_golden)


def test_every_expected_file_has_its_input() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(EXAMPLES)
    assert sorted(path.parent.name for path in FOLDER.glob("*/expected.txt")) == CASES
