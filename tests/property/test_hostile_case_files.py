"""Whatever is done to a file of tests, reading it ends with findings or with cases that run."""

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.diagnostics.render_text import render_text
from lynkrc.source.edits import apply_edits
from lynkrc.testing.cases import read_cases
from lynkrc.testing.report_text import render_text as render_report
from lynkrc.testing.results import FileRuns, Results
from lynkrc.testing.runner import run_case
from lynkrc.testing.update import update
from tests.property.effort import tried
from tests.property.test_any_text_is_compiled_or_explained import TOKEN, changed
from tests.unit.testing_sample import FOLDER, body_file, sample_engines, sample_table

SEEDS = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*/routing.test.yaml"))]
WORDS = [
    *sorted({word for seed in SEEDS for word in TOKEN.findall(seed)}),
    *("yes", "~", "1e309", "1e-9", ".nan", "0x1F", "${X}", "&a", "*a", "!!str", "---", "|", ">"),
    *("null", "true", "\t", "\r", "\x00", "\u202e", "\ufeff", "\ud7ff", "9" * 19, "- -", "? ", ""),
    *("points: ", "features: ", "expect: ", "chain: ", "[", "{", "embeddings", "ask", "score: 1"),
]
_place = st.integers(0, 2_000)
_changes = st.lists(
    st.one_of(
        st.tuples(st.just("drop"), _place, st.just("")),
        st.tuples(st.sampled_from(("insert", "replace")), _place, st.sampled_from(WORDS)),
        st.tuples(st.sampled_from(("repeat", "remove")), _place, st.just("")),
        st.tuples(st.just("indent"), _place, st.sampled_from(("", " ", "   ", "\t"))),
    ),
    max_size=5,
)


def check(text: str) -> None:
    """Read, run, report, and update what is there."""
    data = text.encode(errors="replace")
    file, findings = read_cases("t.yaml", data, sample_table(), bodies=body_file)
    assert findings or file.cases
    assert all(found.fix is None for found in findings)
    assert render_text(findings)
    runs = tuple(run_case(case, sample_engines()) for case in file.cases)
    ran = Results(
        spec="routing.yaml", files=(FileRuns(path="t.yaml", runs=runs),), skipped=0, coverage=None
    )
    assert render_report(ran).endswith("\n")
    if findings:
        return
    found = update(run for run in runs if not run.is_passed)
    updated = apply_edits(file.file.text, found.edits)
    again, findings = read_cases("t.yaml", updated.encode(), sample_table(), bodies=body_file)
    assert findings == []
    left = {one.run.case.name for one in found.left}
    for case in again.cases:
        assert run_case(case, sample_engines()).is_passed or case.name in left


@tried(60)
@given(st.sampled_from(SEEDS), _changes)
def test_a_changed_file_of_tests(seed: str, changes: list[tuple[str, int, str]]) -> None:
    text = seed
    for what, place, word in changes:
        text = changed(text, what, place, word)
    check(text)


@tried(20)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    check(text)
