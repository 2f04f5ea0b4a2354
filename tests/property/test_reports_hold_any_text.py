"""Whatever a spec holds, a report of its findings is what the form says it is."""

import json
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc.diagnostics.codes import UNKNOWN_KEY
from lynkrc.diagnostics.formats import FORMATS, render
from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.places import Run
from lynkrc.diagnostics.render_text import render_text
from lynkrc.source.text import SourceFile, Span
from tests.property.effort import tried

RUN = Run(root="/project", spec="routing.yaml", version="1.0")
TEXT = st.text(st.characters(codec=None), max_size=60)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    text = draw(TEXT)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, len(text)))
    path = draw(st.sampled_from(["routing.yaml", "base, one.yaml", "../a:b.yaml"]))
    return Span(file=SourceFile(path=path, text=text), start=start, end=end)


FINDINGS = st.lists(
    st.builds(
        Diagnostic,
        code=st.just(UNKNOWN_KEY),
        message=TEXT,
        span=spans(),
        help=st.none() | TEXT,
        labels=st.lists(st.builds(Label, span=spans(), message=TEXT), max_size=3).map(tuple),
    ),
    max_size=4,
)


@pytest.mark.parametrize("form", FORMATS)
@given(findings=FINDINGS)
@tried(25)
def test_a_report_is_well_formed(form: str, findings: list[Diagnostic]) -> None:
    text = render(findings, form, RUN)
    if form in ("json", "sarif", "gitlab"):
        json.loads(text)
    elif form == "junit":
        root = ElementTree.fromstring(text)
        assert len(root.findall("testsuite/testcase")) == max(1, len(findings))
    else:
        kinds = {unicodedata.category(char) for char in text if char != "\n"}
        assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
        lines = text.split("\n")[:-1]
        if form == "github":
            assert all(line.startswith("::error file=") for line in lines)
        if form in ("github", "concise"):
            assert len(lines) == len(findings)


@given(findings=FINDINGS, columns=st.integers(1, 80))
@tried(40)
def test_colour_changes_no_character_at_any_width(findings: list[Diagnostic], columns: int) -> None:
    plain = render_text(findings, columns=columns)
    coloured = render_text(findings, columns=columns, colour=True)
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[1;31m", "\x1b[1;34m"):
        coloured = coloured.replace(code, "")
    assert [line.rstrip() for line in coloured.split("\n")] == plain.split("\n")
