"""What the solver finds in whole specs, as people see it, and near misses where it finds nothing.

One folder a case: `routing.yaml`, what is found in it, and `near.yaml`, which differs in little and
has no finding. Sections that a case leaves out are those of every sample. `--update-golden`
rewrites the expected files; read the difference before you commit it.
"""

from pathlib import Path

import pytest

from lynkrc.analysis.findings import find
from lynkrc.analysis.study import study
from lynkrc.diagnostics.model import Severity
from lynkrc.diagnostics.render_text import render_text
from lynkrc.diagnostics.sema_codes import UNDECIDED
from lynkrc.lower.table import lower_decision
from lynkrc.pipeline import Checked, check_spec, compile_spec, prove, prove_compiled
from tests.unit.sema_sample import Files, catalog, complete

FOLDER = Path(__file__).parent / "proved"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/routing.yaml"))
NEAR = sorted(path.parent.name for path in FOLDER.glob("*/near.yaml"))


def document(case: str, name: str) -> bytes:
    return complete((FOLDER / case / name).read_text(encoding="utf-8")).encode()


def proved(data: bytes) -> Checked:
    return prove(check_spec("routing.yaml", data, loader=Files(), catalog=catalog()))[0]


@pytest.mark.parametrize("case", CASES)
def test_what_is_found_in_a_case(case: str, update_golden: bool) -> None:
    text = render_text(proved(document(case, "routing.yaml")).diagnostics)
    expected = FOLDER / case / "expected.txt"
    if update_golden:
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", NEAR)
def test_nothing_is_found_in_a_near_miss(case: str) -> None:
    found = proved(document(case, "near.yaml")).diagnostics
    assert [one.message for one in found if one.severity is not Severity.NOTE] == []


@pytest.mark.parametrize("case", CASES)
def test_a_build_finds_the_same(case: str) -> None:
    data = document(case, "routing.yaml")
    compiled = compile_spec("routing.yaml", data, loader=Files(), catalog=catalog())
    built, _ = prove_compiled(compiled)
    assert built.diagnostics == proved(data).diagnostics


def test_what_was_not_decided_is_told_once(update_golden: bool) -> None:
    data = document("rules-without-effect", "routing.yaml")
    checked = check_spec("routing.yaml", data, loader=Files(), catalog=catalog())
    assert checked.typed is not None
    found = find(study(lower_decision(checked.typed), rlimit=1), "routing.yaml")
    assert {one.code for one in found} == {UNDECIDED}
    text = render_text(found)
    expected = FOLDER / "undecided.txt"
    if update_golden:
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")


def test_without_proofs_nothing_of_a_case_is_found() -> None:
    for case in CASES:
        data = document(case, "routing.yaml")
        checked = check_spec("routing.yaml", data, loader=Files(), catalog=catalog())
        quick = [one for one in checked.diagnostics if one.severity is not Severity.NOTE]
        assert quick == [] or case == "rules-without-effect", case


def test_every_case_has_a_near_miss_and_every_finding_a_case() -> None:
    assert set(CASES) - set(NEAR) == {"allowed"}, "it shows that findings can be allowed"
    told = "".join((FOLDER / case / "expected.txt").read_text(encoding="utf-8") for case in NEAR)
    codes = ("LK321", "LK504", "LK505", "LK506", "LK507", "LK508", "LK509", "LK512", "LK514")
    assert [code for code in codes if f"[{code}]" not in told] == []
