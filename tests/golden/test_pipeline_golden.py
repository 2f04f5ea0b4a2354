"""What `lynkrc check` prints for whole documents, and the route table of sound ones.

One folder a case. `--update-golden` rewrites the expected files; read the difference before you
commit it.
"""

from pathlib import Path

import pytest

from lynkrc.cli.specs import DiskLoader
from lynkrc.diagnostics.render_text import render_text
from lynkrc.pipeline import Compilation, compile_spec
from tests.unit.sema_sample import catalog

FOLDER = Path(__file__).parent / "pipeline"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/routing.yaml"))


def compiled(case: str, monkeypatch: pytest.MonkeyPatch) -> Compilation:
    # Findings show the path they are given, and files that a spec names lie beside it.
    monkeypatch.chdir(FOLDER / case)
    data = Path("routing.yaml").read_bytes()
    return compile_spec("routing.yaml", data, loader=DiskLoader(), catalog=catalog())


def compare(path: Path, text: str, update_golden: bool) -> None:
    if update_golden:
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_the_findings_of_a_document(
    case: str, monkeypatch: pytest.MonkeyPatch, update_golden: bool
) -> None:
    text = render_text(compiled(case, monkeypatch).diagnostics)
    compare(FOLDER / case / "expected.txt", text, update_golden)


@pytest.mark.parametrize("case", CASES)
def test_the_route_table_of_a_sound_document(
    case: str, monkeypatch: pytest.MonkeyPatch, update_golden: bool
) -> None:
    artifacts = compiled(case, monkeypatch).artifacts
    expected = FOLDER / case / "routes.txt"
    if artifacts is not None:
        compare(expected, artifacts.routes, update_golden)
    assert expected.exists() == (artifacts is not None)
