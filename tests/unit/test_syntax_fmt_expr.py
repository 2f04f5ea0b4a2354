"""Blanks of expressions: canonical between tokens, none that would mean something else."""

import pytest

from lynkrc.syntax.fmt_expr import space_expression


@pytest.mark.parametrize(
    ("text", "spaced"),
    [
        ("a>-1 and -b<c", "a > -1 and -b < c"),
        ("f( -1,- 2 )", "f(-1, -2)"),
        ("x  in[-1,'a  b']", "x in [-1, 'a  b']"),
        ("not( a)or(b )", "not (a) or (b)"),
        ("a*-2 - -3", "a * -2 - -3"),
        ("turns-4", "turns - 4"),
        ("client == claude-code", "client == claude-code"),
        ("a - b", "a - b"),
        ("a\n  and\n  b", "a and b"),
        ("1.50+4k", "1.50 + 4k"),
        ("", ""),
        ("a ? b", "a ? b"),
    ],
)
def test_blanks(text: str, spaced: str) -> None:
    assert space_expression(text) == spaced
    assert space_expression(spaced) == spaced
