"""The pages of the findings of `sema`: their failing examples fail so, the fixed ones do not."""

import pytest

from lynkrc.diagnostics.sema_codes import LOSSY_PAIR, SEMA_CODES
from tests.unit.page_examples import examples
from tests.unit.sema_sample import resolved

TOO_LONG = {"LK320", "LK415", "LK424", "LK510"}
"""What cannot be shown on a page; tested elsewhere."""


SHOWN = [code.id for code in SEMA_CODES if code.id not in TOO_LONG]


@pytest.mark.parametrize("code", SHOWN)
def test_the_failing_example_fails_with_this_finding_alone(code: str) -> None:
    (text,) = [text for heading, text in examples(code) if heading == "Fails"]
    _, findings = resolved(text, whole=code == "LK501", notes=code == LOSSY_PAIR.id)
    assert {one.code.id for one in findings} == {code}


@pytest.mark.parametrize("code", SHOWN)
def test_the_fixed_example_has_no_finding(code: str) -> None:
    (text,) = [text for heading, text in examples(code) if heading == "Fixed"]
    typed, findings = resolved(text, notes=code == LOSSY_PAIR.id)
    assert [(one.code.id, one.message) for one in findings] == []
    assert typed is not None


def test_the_codes_in_use_are_numbered_without_gaps() -> None:
    for first, last in (("LK310", "LK322"), ("LK401", "LK422"), ("LK501", "LK513")):
        ids = [code.id for code in SEMA_CODES if first <= code.id <= last]
        assert ids == [f"LK{n}" for n in range(int(first[2:]), int(last[2:]) + 1)]
