"""The fixes of every golden case and page: each mends its finding and breaks nothing.

After one fix the document is read at least as far as before and that finding is gone; after all
of them together no finding is left that has a fix, and nothing that was sound is faulted.
"""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import lynkrc.diagnostics
from lynkrc.cli.fixing import fix_all
from lynkrc.diagnostics.case_codes import CASE_CODES
from lynkrc.diagnostics.codes import CODES
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.pipeline import Checked, check_spec
from lynkrc.source.decode_text import decode_source
from lynkrc.source.edits import apply_edits, select_fixes
from lynkrc.source.text import SourceFile
from lynkrc.source.yaml_nodes import read_nodes
from tests.unit.sema_sample import Files, catalog, complete

GOLDEN = Path(__file__).parent
PAGES = Path(lynkrc.diagnostics.__file__).parent / "pages"
FAILING = re.compile(r"^## Fails$.*?^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CATALOG = catalog()


def cases() -> dict[str, bytes]:
    found = {
        f"{path.parent.parent.name}/{path.parent.name}": path.read_bytes()
        for folder in ("diagnostics", "sema", "pipeline")
        for path in sorted((GOLDEN / folder).glob("*/routing.yaml"))
    }
    # Of files of tests no fixes are made.
    for code in sorted(CODES.keys() - {one.id for one in CASE_CODES}):
        page = FAILING.search((PAGES / f"{code}.md").read_text(encoding="utf-8"))
        if page is not None:
            is_whole = code in ("LK501", *(id for id in CODES if id < "LK310" and id != "LK211"))
            whole = page[1] if is_whole else complete(page[1])
            found[f"page/{code}"] = whole.encode()
    return found


CASES = cases()


@cache
def check(data: bytes) -> Checked:
    return check_spec("routing.yaml", data, loader=Files(), catalog=CATALOG)


def reads_to_its_end(text: str) -> bool:
    return read_nodes(SourceFile(path="routing.yaml", text=text))[0] is not None


def key(finding: Diagnostic) -> tuple[str, str]:
    return finding.code.id, finding.message


@pytest.mark.parametrize("case", CASES)
def test_a_fix_alone_mends_its_finding(case: str) -> None:
    data = CASES[case]
    file, _ = decode_source("routing.yaml", data)
    before = check(data).diagnostics
    for finding in before:
        if finding.fix is None or finding.span.file != file:
            continue
        text = apply_edits(file.text, finding.fix.edits)
        assert text != file.text, finding
        assert reads_to_its_end(text) or not reads_to_its_end(file.text), finding
        counted = Counter(map(key, before))
        after = Counter(map(key, check(text.encode()).diagnostics))
        assert after[key(finding)] < counted[key(finding)], (finding, after)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("unsafe", [False, True])
def test_all_fixes_come_to_an_end(case: str, unsafe: bool) -> None:
    data = CASES[case]
    before = check(data)
    fixed = fix_all("routing.yaml", data, check, unsafe=unsafe)
    assert (fixed.count == 0) == (fixed.data == data)
    file, _ = decode_source("routing.yaml", fixed.data)
    assert select_fixes(fixed.checked.diagnostics, file, unsafe=unsafe) == ()
    assert fixed.checked.has_errors <= before.has_errors


def test_many_cases_have_fixes() -> None:
    codes = {
        finding.code.id
        for data in CASES.values()
        for finding in check(data).diagnostics
        if finding.fix is not None
    }
    assert codes >= {
        *("LK013", "LK014", "LK016", "LK101", "LK102", "LK104", "LK108", "LK110", "LK113", "LK116"),
        *(
            "LK300",
            "LK303",
            "LK401",
            "LK402",
            "LK403",
            "LK404",
            "LK405",
            "LK413",
            "LK502",
            "LK503",
            "LK504",
        ),
    }
