"""Each case is a folder: `input.yaml` as people write, `expected.yaml` in its canonical form.

`--update-golden` rewrites the expected files; read the difference before you commit it.
"""

from pathlib import Path

import pytest

from lynkrc.source.decode_text import decode_source
from lynkrc.source.text import SourceFile
from lynkrc.syntax.fmt import format_spec

FOLDER = Path(__file__).parent / "fmt"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/input.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_the_canonical_form_of_a_file(case: str, update_golden: bool) -> None:
    file, unreadable = decode_source(case, (FOLDER / case / "input.yaml").read_bytes())
    text, findings = format_spec(file)
    assert (unreadable, findings) == ([], [])
    assert text is not None
    expected = FOLDER / case / "expected.yaml"
    if update_golden:
        expected.write_bytes(text.encode())
    assert text.encode() == expected.read_bytes()


@pytest.mark.parametrize("case", CASES)
def test_the_canonical_form_is_its_own(case: str) -> None:
    text = (FOLDER / case / "expected.yaml").read_text(encoding="utf-8")
    assert format_spec(SourceFile(path=case, text=text)) == (text, [])


def test_every_expected_file_has_its_case() -> None:
    assert sorted(path.parent.name for path in FOLDER.glob("*/expected.yaml")) == CASES
