"""Each pass on its own: a guard before and after, as text anyone can read.

A case is a folder ``passes/<pass>/<case>`` with `before.txt` and `after.txt`; the guards are built
here, since text is not read back. `--update-golden` rewrites the files.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from lynkrc.ir.guard import (
    ALWAYS,
    NEVER,
    And,
    Compare,
    Guard,
    IntCompare,
    IntConst,
    IntMax,
    IntMin,
    IntScale,
    IntSelect,
    IntSteps,
    IntSum,
    Not,
    Or,
)
from lynkrc.ir.table import TierId
from lynkrc.ir.text import print_guard
from lynkrc.passes import Pass
from lynkrc.passes.fold_constants import fold_constants
from lynkrc.passes.merge_class_tests import merge_class_tests
from lynkrc.passes.normalize_guards import normalize_guards
from tests.unit.sample_table import (
    DATA,
    EFFORT,
    GREETS,
    MODEL,
    STREAM,
    TABLE,
    WORDS,
    compare,
    flag,
    hard_work,
    integer,
    is_class,
    rule,
)

FOLDER = Path(__file__).parent / "passes"
PASSES: dict[str, Pass] = {
    "fold_constants": fold_constants,
    "merge_class_tests": merge_class_tests,
    "normalize_guards": normalize_guards,
}
GREETING = And(operands=(compare(WORDS, "<=", 4), flag(GREETS)))


def at_least(left, literal: int) -> Guard:
    return IntCompare(op=Compare.GE, left=left, right=IntConst(value=literal))


GUARDS: dict[str, dict[str, Guard]] = {
    "normalize_guards": {
        "de-morgan": Not(operand=Or(operands=(GREETING, Not(operand=flag(STREAM))))),
        "flatten": And(operands=(flag(STREAM), And(operands=(GREETING, flag(STREAM))))),
        "negated-classes": Not(operand=is_class(MODEL, 0, 2)),
        "contradiction": And(operands=(hard_work(">=", 20), Not(operand=hard_work(">=", 20)))),
        "inside-a-choice": at_least(
            IntSelect(
                condition=Not(operand=GREETING), then=integer(WORDS), otherwise=IntConst(value=3)
            ),
            2,
        ),
    },
    "merge_class_tests": {
        "either": Or(operands=(is_class(MODEL, 3), flag(STREAM), is_class(MODEL, 2))),
        "both": And(operands=(is_class(MODEL, 2, 3), is_class(MODEL, 3, 4), is_class(DATA, 1))),
        "never-both": Or(
            operands=(And(operands=(is_class(MODEL, 2), is_class(MODEL, 3))), flag(STREAM))
        ),
    },
    "fold_constants": {
        "decided-by-range": Or(operands=(compare(WORDS, "<", 0), flag(STREAM))),
        "never": And(operands=(compare(WORDS, ">", 16_777_215), flag(STREAM))),
        "arithmetic": at_least(
            IntSum(
                terms=(
                    IntConst(value=3),
                    IntScale(factor=2, term=IntScale(factor=5, term=integer(WORDS))),
                    IntConst(value=-1),
                )
            ),
            9,
        ),
        "steps-out-of-reach": at_least(
            IntSteps(x=IntMin(operands=(integer(WORDS), IntConst(value=9))),
                     pairs=((-5, 1), (0, 2), (5, 3), (50, 4))),
            3,
        ),
        "bounds-that-never-bind": at_least(
            IntMax(
                operands=(IntMin(operands=(EFFORT, IntConst(value=100))), IntConst(value=-1))
            ),
            50,
        ),
        "constant-choice": at_least(
            IntSelect(
                condition=Or(operands=(NEVER, ALWAYS)),
                then=integer(WORDS),
                otherwise=IntConst(value=1),
            ),
            2,
        ),
        "all-classes": And(operands=(is_class(DATA, 0, 1, 2), flag(STREAM))),
    },
}  # fmt: skip
CASES = [(name, case) for name, cases in GUARDS.items() for case in cases]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_guard_before_and_after(name: str, case: str, update_golden: bool) -> None:
    made = rule(0, "r", GUARDS[name][case], "x", tier=TierId(0))
    before = replace(TABLE, rules=(made,))
    after = PASSES[name](before)
    folder = FOLDER / name / case
    for file, table in (("before.txt", before), ("after.txt", after)):
        text = print_guard(table.rules[0].guard, table.slots) + "\n"
        if update_golden:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8", newline="\n")
        assert text == (folder / file).read_text(encoding="utf-8")


def test_a_pass_leaves_everything_but_guards_alone() -> None:
    for rewrite in PASSES.values():
        after = rewrite(TABLE)
        assert [r.id for r in after.rules] == [r.id for r in TABLE.rules]
        assert replace(
            after,
            rules=TABLE.rules,
            pins=TABLE.pins,
            needs=TABLE.needs,
            dimensions=TABLE.dimensions,
        ) == TABLE  # fmt: skip


def test_every_folder_has_its_case() -> None:
    found = sorted(
        (path.parent.parent.name, path.parent.name) for path in FOLDER.glob("*/*/after.txt")
    )
    assert found == sorted(CASES)
