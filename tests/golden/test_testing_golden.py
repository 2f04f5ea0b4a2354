"""What `lynkrc test` prints: each case is a folder with tests of the one spec beside the folders.

`arguments` adds some to the command line. `--update-golden` rewrites `expected.txt`; read the
difference before you commit it.
"""

from pathlib import Path

import pytest

from lynkrc.cli.main import main
from lynkrc.diagnostics.render_text import render_text
from lynkrc.testing.cases import read_cases
from tests.unit.page_examples import examples
from tests.unit.testing_sample import body_file, sample_table

FOLDER = Path(__file__).parent / "testing"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/routing.test.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_the_report_on_a_file(
    case: str,
    update_golden: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(FOLDER / case)
    more = Path("arguments").read_text().split() if Path("arguments").exists() else []
    code = main(["test", "../routing.yaml", "--tests", "routing.test.yaml", *more])
    out, err = capsys.readouterr()
    text = f"exit {code:d}\n{err}{out}"
    expected = Path("expected.txt")
    if update_golden:
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")


def test_the_finding_about_features_no_request_has(update_golden: bool) -> None:
    text = dict(examples("LK654"))["Fails"].replace("ask.bytes", "ask.questions")
    _, findings = read_cases(
        "routing.test.yaml",
        text.encode(),
        sample_table(),
        bodies=body_file,
        violated=lambda *_: ["ask.words <= ask.bytes"],
    )
    expected = FOLDER / "LK654.txt"
    if update_golden:
        expected.write_text(render_text(findings), encoding="utf-8", newline="\n")
    assert render_text(findings) == expected.read_text(encoding="utf-8")


def test_every_expected_file_has_its_case() -> None:
    assert sorted(path.parent.name for path in FOLDER.glob("*/expected.txt")) == CASES
