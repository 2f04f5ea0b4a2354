"""Guards and tables as text."""

from dataclasses import replace

from lynkrc.ir.guard import ALWAYS, And, Compare, IntCompare, IntConst, IntScale, IntSum, Not, Or
from lynkrc.ir.text import print_guard, print_points, print_table
from tests.unit.full_table import FULL, KEY_DIGEST
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


def test_groups_answers_preferences_and_settings_are_told() -> None:
    lines = print_table(FULL).splitlines()
    told = (
        "  0 SIMPLE: [small | mid] weighted 3:1, big",
        "  1 MEDIUM: [mid | big] round_robin",
        "  5 rule:tool-house: small, [mid | big] fastest",
        '    respond "\\"pong\\"\\n"',
        "    chain rule:tool-shed",
        "    prefer cheapest",
        "    prefer big",
        "  never: confidential and target.trust == cloud",
        '  embeddings: {"text-embedding-*": "mid"}',
    )
    for line in told:
        assert line in lines
    (limits,) = [line for line in lines if line.startswith("  limits: ")]
    assert '"name": "fair"' in limits and '"requests": 1500' in limits


def test_of_the_digest_of_a_key_only_the_start_is_told_and_a_secret_is_a_reference() -> None:
    text = print_table(FULL)
    assert KEY_DIGEST not in text
    assert f"{KEY_DIGEST[:8]}..." in text and '"secret": "${CI_KEY}"' in text
    other = FULL.settings.replace(KEY_DIGEST, "0" * 64)
    assert print_table(replace(FULL, settings=other)) != text
