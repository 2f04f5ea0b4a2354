"""The reports of plans by hand, as a person, a pull request and a program get them.

`--update-golden` rewrites `diff/NAME.txt`, `.md` and `.json`; read the difference.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lynkrc.diff.plan import Plan
from lynkrc.diff.report_json import render_json
from lynkrc.diff.report_markdown import render_markdown
from lynkrc.diff.report_text import render_plan
from tests.unit.sample_plan import PLANS

FOLDER = Path(__file__).parent / "diff"
FORMS: Mapping[str, Callable[[Plan], str]] = {
    "txt": render_plan,
    "md": render_markdown,
    "json": render_json,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", PLANS)
def test_the_report_of_a_plan(case: str, form: str, update_golden: bool) -> None:
    text = FORMS[form](PLANS[case])
    expected = FOLDER / f"{case}.{form}"
    if update_golden:
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")


def test_every_expected_file_is_made() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{case}.{form}" for case in PLANS for form in FORMS
    }
