"""Every code has its page and every page its code; all are built alike and their examples true."""

import re
from pathlib import Path

import pytest

import lynkrc.diagnostics
from lynkrc.diagnostics.codes import CODES, PHASES, found
from lynkrc.diagnostics.pages import introduction, read_page
from lynkrc.diagnostics.render_page import render_page
from lynkrc.diagnostics.snippet import columns_of
from lynkrc.pipeline import check_spec
from lynkrc.syntax.read import read_source
from tests.unit.page_examples import examples
from tests.unit.sema_sample import Files, catalog, complete

# Pages of the codes that reading one document gives; others are tested beside their phase.
READ = sorted(id for id in CODES if id < "LK310" and id not in ("LK209", "LK211"))

NOT_SHOWN = {
    *("LK001", "LK002", "LK003", "LK017", "LK305", "LK320", "LK415", "LK424", "LK510", "LK515"),
}
"""Too long for a page, not to be seen on one, or no mistake in a spec: told in words."""


def codes_in(text: str) -> set[str]:
    _, findings = read_source("routing.yaml", text.encode())
    return {finding.code.id for finding in findings}


def test_a_page_for_each_code_and_a_code_for_each_page() -> None:
    pages = Path(lynkrc.diagnostics.__file__).parent / "pages"
    assert sorted(path.stem for path in pages.iterdir()) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_pages_are_built_alike(code: str) -> None:
    page = read_page(code)
    assert page.startswith(f"# {code}: {CODES[code].name}\n\n")
    assert page.endswith("\n```\n")
    prose = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^#+ .*$", prose, re.MULTILINE)[1:] == ["## Fails", "## Fixed"]
    assert page.count("\n```") == 4
    meaning = introduction(page)
    # What it means, and why it is a finding.
    assert len(meaning) >= 2
    assert len(" ".join(meaning).split()) >= 20


@pytest.mark.parametrize("code", CODES)
def test_only_what_cannot_be_shown_is_told_in_words(code: str) -> None:
    assert ("Fails" not in dict(examples(code))) == (code in NOT_SHOWN)


@pytest.mark.parametrize("code", READ)
def test_the_examples_of_a_page_fail_and_pass(code: str) -> None:
    for heading, text in examples(code):
        assert codes_in(text) == ({code} if heading == "Fails" else set())


def test_the_examples_of_the_page_on_automata() -> None:
    for heading, text in examples("LK209"):
        data = complete(text).encode()
        checked = check_spec("routing.yaml", data, loader=Files(), catalog=catalog())
        codes = {finding.code.id for finding in checked.diagnostics}
        assert codes == ({"LK209"} if heading == "Fails" else set())


@pytest.mark.parametrize("code", CODES)
def test_a_page_fits_a_terminal(code: str) -> None:
    rendered = render_page(read_page(code), columns=60)
    for line in rendered.splitlines():
        assert line.startswith("    ") or len(line) <= 60 or " " not in line.strip("`")
    plain = re.sub("\x1b\\[[0-9;]*m", "", render_page(read_page(code), columns=60, colour=True))
    assert plain == rendered


def test_lines_end_where_a_terminal_does_in_every_script() -> None:
    wide = "`安全审计` is written without blanks, `证明` too, and `安全审计证明`, as all here."
    rendered = render_page(wide, columns=40)
    assert rendered.replace("\n", " ") == wide
    widths = [columns_of(line) for line in rendered.splitlines()]
    assert max(widths) <= 40 and len(widths) == 3


def test_ids_and_names_of_codes_are_distinct_and_lead_to_them() -> None:
    names = [code.name for code in CODES.values()]
    assert len(names) == len(set(names))
    assert list(CODES) == sorted(CODES)
    for id, code in CODES.items():
        assert id == code.id
        assert found(id.lower()) == found(code.name) == code
        assert id[:3] in PHASES
