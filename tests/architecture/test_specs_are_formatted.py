"""The specs and examples we ship are in the canonical form that `lynkrc fmt` writes."""

from pathlib import Path

import pytest

from lynkrc.source.decode_text import decode_source
from lynkrc.syntax.fmt import format_spec

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted(
    path.relative_to(ROOT)
    for pattern in (
        "specs/builtin/*.yaml",
        "specs/starter/*.yaml",
        "examples/*/routing.yaml",
        "lynkrc/docs/example.yaml",
    )
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("path", SPECS, ids=str)
def test_a_shipped_spec_is_formatted(path: Path) -> None:
    data = (ROOT / path).read_bytes()
    file, _ = decode_source(str(path), data)
    text, findings = format_spec(file)
    assert findings == []
    assert text is not None
    assert text.encode() == data, f"run: lynkrc fmt {path}"


def test_the_quickstart_is_among_them() -> None:
    assert Path("examples/quickstart/routing.yaml") in SPECS
