"""Every pattern finding has a page whose failing example fails with that finding."""

from pathlib import Path

import pytest

import lynkrc.diagnostics
from lynkrc.diagnostics.model import Code
from lynkrc.diagnostics.pattern_codes import AUTOMATON_TOO_LARGE, PATTERN_CODES
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern_parse import parse_pattern

PAGES = Path(lynkrc.diagnostics.__file__).parent / "pages"
SPAN = Span(file=SourceFile(path="-", text=""), start=0, end=0)


def entries(page: str, heading: str) -> list[str]:
    """The entries of the YAML list under `heading` of a page."""
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [
        line.removeprefix("- '").removesuffix("'")
        for line in section.splitlines()
        if line.startswith("- '")
    ]


@pytest.mark.parametrize("code", PATTERN_CODES, ids=lambda code: code.id)
def test_the_page_names_its_code(code: Code) -> None:
    page = (PAGES / f"{code.id}.md").read_text()
    assert page.startswith(f"# {code.id}: {code.name}\n")


@pytest.mark.parametrize(
    "code", [c for c in PATTERN_CODES if c is not AUTOMATON_TOO_LARGE], ids=lambda code: code.id
)
def test_the_examples_do_what_the_page_says(code: Code) -> None:
    page = (PAGES / f"{code.id}.md").read_text()
    failing, fixed = entries(page, "Fails"), entries(page, "Fixed")
    assert failing
    assert fixed
    for entry in failing:
        assert {finding.code for finding in parse_pattern(entry, SPAN, None)[1]} == {code}
    for entry in fixed:
        assert parse_pattern(entry, SPAN, None)[1] == []
