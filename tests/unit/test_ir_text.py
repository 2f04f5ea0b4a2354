"""Guards and tables as text."""

from lynkrc.ir.guard import ALWAYS, And, Compare, IntCompare, IntConst, IntScale, IntSum, Not, Or
from lynkrc.ir.text import print_guard, print_points, print_table
from tests.unit.sample_table import (
    DATA,
    GREETS,
    SLOTS,
    STREAM,
    TABLE,
    WORDS,
    compare,
    flag,
    integer,
    is_class,
)


def test_brackets_stand_only_where_they_are_needed() -> None:
    either = Or(operands=(flag(GREETS), flag(STREAM)))
    both = And(operands=(either, Not(operand=either), compare(WORDS, "<", 5)))
    assert print_guard(both, SLOTS) == (
        "(matches(ask, greeting) or wants.stream)"
        " and not (matches(ask, greeting) or wants.stream) and ask.words < 5"
    )
    assert print_guard(Or(operands=(both, flag(STREAM))), SLOTS).endswith("< 5 or wants.stream")


def test_a_class_test_names_its_classes() -> None:
    text = print_guard(is_class(DATA, 0, 2), SLOTS)
    assert text == 'header("x-data-class") in {absent, "confidential"}'


def test_products_of_sums_are_bracketed() -> None:
    total = IntSum(terms=(integer(WORDS), IntConst(value=-3)))
    guard = IntCompare(
        op=Compare.GE, left=IntScale(factor=15, term=total), right=IntConst(value=30)
    )
    assert print_guard(guard, SLOTS) == "15 * (ask.words + -3) >= 30"


def test_sixty_fourths_are_exact_decimals() -> None:
    assert [print_points(n) for n in (64, 32, -1, 0, 6400)] == ["1", "0.5", "-0.015625", "0", "100"]


def test_the_text_is_complete_and_names_no_place() -> None:
    text = print_table(TABLE)
    assert text == print_table(TABLE)
    parts = (
        "otherwise escalate",
        '3.5 "prove*"',
        "ceiling COMPLEX",
        "keep mid when never",
        "offset -2",
        "terms points(ask, weights)",
        "deny 403",
        "messages count_tokens: local",
        '"house-best" when model in {"house-best"}: tier REASONING',
    )
    for part in parts:
        assert part in text
    assert "routing.yaml" not in text
    assert print_guard(ALWAYS, ()) == "always"
