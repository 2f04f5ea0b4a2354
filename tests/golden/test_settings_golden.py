"""Each case is a folder: the sections of `routing.yaml` in, the findings about them out.

The tiers are LOW and HIGH, the targets small and large. `--update-golden` rewrites the expected
files; read the difference before you commit it.
"""

from pathlib import Path

import pytest

from lynkrc.diagnostics.model import in_order
from lynkrc.diagnostics.render_text import render_text
from lynkrc.sema.settings import read_settings
from lynkrc.syntax.read import read_source

FOLDER = Path(__file__).parent / "settings"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/routing.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_the_findings_about_settings(case: str, update_golden: bool) -> None:
    config, findings = read_source("routing.yaml", (FOLDER / case / "routing.yaml").read_bytes())
    assert findings == []
    assert config is not None
    _, findings = read_settings(config.settings, tiers=["LOW", "HIGH"], targets=["small", "large"])
    text = render_text(in_order(findings))
    expected = FOLDER / case / "expected.txt"
    if update_golden:
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")


def test_every_expected_file_has_its_case() -> None:
    assert CASES
    assert sorted(path.parent.name for path in FOLDER.glob("*/expected.txt")) == CASES
