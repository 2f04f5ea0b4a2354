"""Every code has its page and every page its code; the examples on the pages are true."""

import re
from pathlib import Path

import pytest

import lynkrc.diagnostics
from lynkrc.diagnostics.codes import CODES
from lynkrc.syntax.read import read_source

PAGES = Path(lynkrc.diagnostics.__file__).parent / "pages"
EXAMPLE = re.compile(r"^## (Fails|Fixed)$.*?^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Pages of the codes that reading one document gives; others are tested beside their phase.
READ = sorted(id for id in CODES if id < "LK200" or "LK300" <= id < "LK310")


def examples(code: str) -> list[tuple[str, str]]:
    """Heading and text of each example that is a whole document."""
    return EXAMPLE.findall((PAGES / f"{code}.md").read_text(encoding="utf-8"))


def found(text: str) -> set[str]:
    _, findings = read_source("routing.yaml", text.encode())
    return {finding.code.id for finding in findings}


def test_a_page_for_each_code_and_a_code_for_each_page() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.md")) == sorted(CODES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_page_begins_with_its_code(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {code}: {CODES[code].name}\n")
    assert len(text.split("\n\n")) > 1


@pytest.mark.parametrize("code", READ)
def test_the_examples_of_a_page_fail_and_pass(code: str) -> None:
    for heading, text in examples(code):
        assert found(text) == ({code} if heading == "Fails" else set())


def test_nearly_every_page_has_a_failing_example() -> None:
    without = {code for code in READ if "Fails" not in dict(examples(code))}
    # Of these the mistake cannot be shown on a page, or is too long for one.
    assert without == {"LK001", "LK002", "LK003", "LK017", "LK305"}


def test_names_of_codes_are_distinct() -> None:
    names = [code.name for code in CODES.values()]
    assert len(names) == len(set(names))
    assert all(id == code.id for id, code in CODES.items())
