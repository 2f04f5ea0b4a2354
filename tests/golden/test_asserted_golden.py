"""What is said of whole specs' assertions: findings, and what `lynkrc prove` prints.

One folder a case: `routing.yaml`, what is found and shown of it, and `near.yaml`, which differs in
little and has no finding. Sections that a case leaves out are those of every sample.
`--update-golden` rewrites the expected files; read the difference before you commit it.
"""

from pathlib import Path

import pytest

from lynkrc.diagnostics.proof_codes import PROOF_CODES
from lynkrc.diagnostics.render_text import render_text
from lynkrc.pipeline import check_spec, claims_of
from lynkrc.proofs.run import Proved, run
from lynkrc.proofs.show import show
from tests.unit.page_examples import examples
from tests.unit.sema_sample import Files, catalog, complete

FOLDER = Path(__file__).parent / "asserted"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/routing.yaml"))
NEAR = sorted(path.parent.name for path in FOLDER.glob("*/near.yaml"))
CODES = [code.id for code in PROOF_CODES]


def proved(text: str) -> Proved:
    data = complete(text).encode()
    checked = check_spec("routing.yaml", data, loader=Files(), catalog=catalog())
    assert checked.typed is not None, [one.message for one in checked.diagnostics]
    claimed = claims_of(checked.typed)
    assert claimed is not None
    return run(*claimed)


@pytest.mark.parametrize("case", CASES)
def test_what_is_found_and_shown_of_a_case(case: str, update_golden: bool) -> None:
    found = proved((FOLDER / case / "routing.yaml").read_text(encoding="utf-8"))
    for name, text in (
        ("expected.txt", render_text(found.diagnostics)),
        ("shown.txt", show(found, colour=False)),
    ):
        expected = FOLDER / case / name
        if update_golden:
            expected.write_text(text, encoding="utf-8", newline="\n")
        assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", NEAR)
def test_nothing_is_found_in_a_near_miss(case: str) -> None:
    found = proved((FOLDER / case / "near.yaml").read_text(encoding="utf-8"))
    assert found.holds
    assert [one.message for one in found.diagnostics] == []


def test_every_finding_about_assertions_has_a_case_and_a_near_miss() -> None:
    told = {case: (FOLDER / case / "expected.txt").read_text(encoding="utf-8") for case in NEAR}
    assert [code for code in CODES if not any(f"[{code}]" in text for text in told.values())] == []


@pytest.mark.parametrize("code", CODES)
def test_the_examples_of_its_page(code: str) -> None:
    shown = dict(examples(code))
    assert {one.code.id for one in proved(shown["Fails"]).diagnostics} == {code}
    assert proved(shown["Fixed"]).diagnostics == ()
