"""The pages of the findings of `sema`: their failing examples fail so, the fixed ones do not."""

import pytest

from lynkrc.diagnostics.model import Severity
from lynkrc.diagnostics.sema_codes import CONTRADICTORY, LOSSY_PAIR, PROVED, SEMA_CODES
from lynkrc.pipeline import check_spec, prove
from tests.unit.page_examples import examples
from tests.unit.sema_sample import Files, catalog, complete, resolved

TOO_LONG = {"LK320", "LK415", "LK424", "LK510", "LK515"}
"""What cannot be shown on a page; tested elsewhere."""


BY_PROOF = {CONTRADICTORY.id}
"""What only a proof finds."""

NOTES = {code.id for code in SEMA_CODES if code.severity is Severity.NOTE}


def codes_proved(text: str) -> set[str]:
    data = complete(text).encode()
    checked = check_spec("routing.yaml", data, loader=Files(), catalog=catalog())
    return {one.code.id for one in prove(checked)[0].diagnostics}


SHOWN = [code.id for code in SEMA_CODES if code.id not in TOO_LONG]


@pytest.mark.parametrize("code", SHOWN)
def test_the_failing_example_fails_with_this_finding_alone(code: str) -> None:
    (text,) = [text for heading, text in examples(code) if heading == "Fails"]
    if code in BY_PROOF:
        assert codes_proved(text) == {code}
        return
    _, findings = resolved(text, whole=code == "LK501", notes=code in NOTES)
    assert {one.code.id for one in findings} == {code}


@pytest.mark.parametrize("code", SHOWN)
def test_the_fixed_example_has_no_finding(code: str) -> None:
    (text,) = [text for heading, text in examples(code) if heading == "Fixed"]
    typed, findings = resolved(text, notes=code in NOTES)
    assert [(one.code.id, one.message) for one in findings] == []
    assert typed is not None


@pytest.mark.parametrize("code", sorted(code.id for code in PROVED))
def test_the_fixed_example_of_what_proofs_find_stands_up_to_them(code: str) -> None:
    (text,) = [text for heading, text in examples(code) if heading == "Fixed"]
    assert codes_proved(text) <= {LOSSY_PAIR.id}


def test_the_codes_in_use_are_numbered_without_gaps() -> None:
    for first, last in (("LK310", "LK322"), ("LK401", "LK422"), ("LK501", "LK515")):
        ids = [code.id for code in SEMA_CODES if first <= code.id <= last]
        assert ids == [f"LK{n}" for n in range(int(first[2:]), int(last[2:]) + 1)]
