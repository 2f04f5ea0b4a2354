"""Expression text to trees: precedence, literals, spans, limits."""

import pytest

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.expr import (
    Binary,
    Call,
    Comparison,
    DecimalLiteral,
    Expr,
    IntLiteral,
    StringLiteral,
)
from lynkrc.syntax.parse import MAX_DEPTH, children, depth, parse_expression
from lynkrc.syntax.print_expr import print_expr


def parse(text: str) -> tuple[Expr | None, list[Diagnostic]]:
    file = SourceFile(path="x.yaml", text=text)
    return parse_expression(text, lambda start, end: Span(file=file, start=start, end=end))


def tree(text: str) -> Expr:
    expr, findings = parse(text)
    assert findings == []
    assert expr is not None
    return expr


def finding(text: str) -> Diagnostic:
    expr, findings = parse(text)
    assert expr is None
    assert len(findings) == 1
    return findings[0]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a implies b implies c", "a implies (b implies c)"),
        ("a or b implies c or d", "(a or b) implies (c or d)"),
        ("a or b and c", "a or (b and c)"),
        ("a or b or c", "(a or b) or c"),
        ("not a and b", "(not a) and b"),
        ("not a == b", "not (a == b)"),
        ("not not a", "not (not a)"),
        ("a + b * 2 < c", "(a + (b * 2)) < c"),
        ("a - b - c", "(a - b) - c"),
        ("-a * 2", "(-a) * 2"),
        ("- -a", "-(-a)"),
        ("a < b and c < d", "(a < b) and (c < d)"),
        ("x in ['a'] or y", "(x in ['a']) or y"),
        ("a + 1 in [2]", "(a + 1) in [2]"),
        ("1.5k < 2M", "1500 < 2000000"),
        ("model == 'a\"b'", 'model == "a\\"b"'),
    ],
)
def test_brackets_that_precedence_makes_needless(text: str, same: str) -> None:
    assert tree(text) == tree(same)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("a implies b implies c", "(a implies b) implies c"),
        ("a - b - c", "a - (b - c)"),
        ("3 <= turns < 10", "(3 <= turns) < 10"),
        ("not (a and b)", "not a and b"),
    ],
)
def test_brackets_that_matter(text: str, other: str) -> None:
    assert tree(text) != tree(other)


def test_a_chain_of_comparisons_is_one_node() -> None:
    expr = tree("3 <= tools.count < 10")
    assert isinstance(expr, Comparison)
    assert expr.ops == ("<=", "<")
    assert len(expr.operands) == 3


def test_words_of_the_grammar_inside_names_are_names() -> None:
    assert print_expr(tree("order.in and notes or android")) == "order.in and notes or android"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", IntLiteral),
        ("128k", IntLiteral),
        ("1.5k", IntLiteral),
        ("1.5", DecimalLiteral),
        ("'x'", StringLiteral),
    ],
)
def test_literals(text: str, expected: type[Expr]) -> None:
    assert isinstance(tree(text), expected)


def test_spans_leave_out_brackets_of_the_node_and_take_in_those_of_its_parts() -> None:
    expr = tree(" ((a or b)) and count( ask , x )")
    assert isinstance(expr, Binary)
    assert expr.span.text == "((a or b)) and count( ask , x )"
    assert expr.left.span.text == "a or b"
    call = expr.right
    assert isinstance(call, Call)
    assert (call.name_span.text, call.span.text) == ("count", "count( ask , x )")
    assert [arg.span.text for arg in call.args] == ["ask", "x"]


def test_depth_is_bounded_and_needless_brackets_do_not_count() -> None:
    assert depth(tree("not " * (MAX_DEPTH - 1) + "a")) == MAX_DEPTH
    assert finding("not " * MAX_DEPTH + "a").code.id == "LK302"
    assert finding(" or ".join("a" * (MAX_DEPTH + 1))).code.id == "LK302"
    assert depth(tree("(" * 5000 + "a" + ")" * 5000)) == 1


def test_a_text_of_a_mebibyte_is_read_without_recursion() -> None:
    assert finding("-" * (1 << 17) + "a").code.id == "LK302"
    assert finding("(" * (1 << 17)).code.id == "LK300"


def test_children_are_in_the_order_written() -> None:
    expr = tree("when(a < b, [1, 2], -c)")
    assert [child.span.text for child in children(expr)] == ["a < b", "[1, 2]", "-c"]


@pytest.mark.parametrize(
    ("text", "place", "help"),
    [
        ("a = b", "=", "`==` compares"),
        ("a && b", "&", "write `and`"),
        ("a || b", "|", "write `or`"),
        ("!a", "!", "write `not`"),
        ("a not in [1]", "not", "write `not (x in [...])`"),
        ("a == not b", "not", "put it in brackets: `(not ...)`"),
        ("a AND b", "AND", "operators are written small"),
        ("a <> b", ">", "write `!=`"),
        ("a => b", "=", "write `>=` to compare, or `implies`"),
        ("a in b in c", "in", "this does not chain: join two comparisons by `and`"),
        ("a / 2", "/", "only `+`, `-` and `*` calculate; multiply by a constant"),
        ("and a", "and", "a part is missing before this"),
        ("(a", "a", "add `)`"),
        ("“a”", "“", "use straight quotes"),
    ],
)
def test_habits_of_other_languages_are_answered(text: str, place: str, help: str) -> None:
    found = finding(text)
    assert (found.span.text, found.help) == (place, help)


def test_an_unclosed_bracket_is_shown() -> None:
    (label,) = finding("f(a, [b], ')'").labels
    assert (label.span.start, label.message) == (1, "opened here")


@pytest.mark.parametrize("text", ["'a\nb'", "'a\x1bb'", "'a\u2028b'"])
def test_a_string_cannot_break_a_line(text: str) -> None:
    assert finding(text).code.id == "LK304"


def test_every_bad_literal_is_reported() -> None:
    _, findings = parse("a == 1_0 and b == '\\d' and c == 007")
    assert [found.code.id for found in findings] == ["LK303", "LK304", "LK303"]
