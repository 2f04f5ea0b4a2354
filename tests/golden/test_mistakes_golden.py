"""A file with many different mistakes: each is found in its place, and none is made up.

A comment `# LKnnn` ends the line on which a finding is expected.
"""

import re
from pathlib import Path

from lynkrc.diagnostics.render_text import render_text
from lynkrc.pipeline import check_spec
from tests.unit.sema_sample import Files, catalog

FOLDER = Path(__file__).parent / "mistakes" / "thirty"
DATA = (FOLDER / "routing.yaml").read_bytes()
MARKER = re.compile(r"# (LK\d{3})$")


def test_each_marked_line_has_its_finding_and_no_other_line_has_one() -> None:
    found = check_spec("routing.yaml", DATA, loader=Files(), catalog=catalog()).diagnostics
    marked = {
        (number, marker[1])
        for number, line in enumerate(DATA.decode().splitlines(), start=1)
        if (marker := MARKER.search(line))
    }
    assert sorted((one.span.line, one.code.id) for one in found) == sorted(marked)
    assert len({code for _, code in marked}) == len(marked) >= 30


def test_the_findings_as_they_are_shown(update_golden: bool) -> None:
    found = check_spec("routing.yaml", DATA, loader=Files(), catalog=catalog()).diagnostics
    text = render_text(found)
    expected = FOLDER / "expected.txt"
    if update_golden:
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")
