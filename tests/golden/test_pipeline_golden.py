"""What `lynkrc check` prints for whole documents: one folder a case.

`--update-golden` rewrites the expected files; read the difference before you commit it.
"""

from pathlib import Path

import pytest

from lynkrc.cli.specs import DiskLoader
from lynkrc.diagnostics.render_text import render_text
from lynkrc.pipeline import compile_spec
from tests.unit.sema_sample import catalog

FOLDER = Path(__file__).parent / "pipeline"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/routing.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_the_findings_of_a_document(case: str, update_golden: bool) -> None:
    data = (FOLDER / case / "routing.yaml").read_bytes()
    compilation = compile_spec("routing.yaml", data, loader=DiskLoader(), catalog=catalog())
    text = render_text(compilation.diagnostics)
    expected = FOLDER / case / "expected.txt"
    if update_golden:
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")
