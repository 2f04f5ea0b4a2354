"""A printed expression parses to the same tree, and no text makes the parser fail."""

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.expr import (
    Binary,
    BoolLiteral,
    Call,
    Comparison,
    DecimalLiteral,
    Expr,
    IntLiteral,
    ListLiteral,
    Ref,
    StringLiteral,
    Unary,
)
from lynkrc.syntax.parse import KEYWORDS, MAX_DEPTH, depth, parse_expression
from lynkrc.syntax.print_expr import print_expr
from tests.property.effort import tried

_FILE = SourceFile(path="x.yaml", text="")
_SPAN = Span(file=_FILE, start=0, end=0)

_NAMES = st.from_regex(r"[a-zA-Z_][a-z0-9_]{0,3}(\.[a-z_][a-z0-9]{0,3})?", fullmatch=True).filter(
    lambda name: name not in KEYWORDS
)
_STRINGS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]) | st.sampled_from("\"'\\"),
    max_size=6,
)
_LEAVES = st.one_of(
    st.integers(0, 2**53 - 1).map(lambda value: IntLiteral(value=value, span=_SPAN)),
    st.decimals(0, 1000, places=2).map(lambda value: DecimalLiteral(text=f"{value}", span=_SPAN)),
    _STRINGS.map(lambda value: StringLiteral(value=value, span=_SPAN)),
    st.booleans().map(lambda value: BoolLiteral(value=value, span=_SPAN)),
    _NAMES.map(lambda name: Ref(name=name, span=_SPAN)),
)


def _grow(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    lists = st.lists(parts, max_size=3).map(tuple)
    chain = st.lists(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), min_size=1, max_size=3)
    return st.one_of(
        st.builds(Call, name=_NAMES, args=lists, name_span=st.just(_SPAN), span=st.just(_SPAN)),
        st.builds(ListLiteral, items=lists, span=st.just(_SPAN)),
        st.builds(Unary, op=st.sampled_from(["not", "-"]), operand=parts, span=st.just(_SPAN)),
        st.builds(
            Binary,
            op=st.sampled_from(["+", "-", "*", "and", "or", "implies"]),
            left=parts,
            right=parts,
            span=st.just(_SPAN),
        ),
        chain.flatmap(
            lambda ops: st.builds(
                Comparison,
                operands=st.tuples(*[parts] * (len(ops) + 1)),
                ops=st.just(tuple(ops)),
                span=st.just(_SPAN),
            )
        ),
        st.builds(
            Comparison,
            operands=st.tuples(parts, parts),
            ops=st.sampled_from([("in",), ("starts_with",)]),
            span=st.just(_SPAN),
        ),
    )


_EXPRESSIONS: st.SearchStrategy[Expr] = st.recursive(_LEAVES, _grow, max_leaves=12)


@tried(150)
@given(_EXPRESSIONS)
def test_printed_expressions_parse_to_themselves(expr: Expr) -> None:
    text = print_expr(expr)
    assert len(text.splitlines()) == 1
    parsed, findings = parse_expression(text, lambda *_: _SPAN)
    assert findings == []
    assert parsed == expr
    assert parsed is not None
    assert print_expr(parsed) == text


_TOKENS = st.sampled_from(
    ["a", "b.c", "1", "2k", "1.5", '"x"', "'", '"', "(", ")", "[", "]", ",", "+", "-", "*", "==",
     "<", "=", "!", "and", "or", "not", "in", "implies", "starts_with", "true", "\\", "é", "\n"]
)  # fmt: skip


@tried(250)
@given(st.lists(_TOKENS, max_size=14), st.sampled_from([" ", ""]))
def test_any_text_gives_a_tree_or_a_finding_inside_it(tokens: list[str], blank: str) -> None:
    text = blank.join(tokens)
    file = SourceFile(path="x.yaml", text=text)
    expr, findings = parse_expression(
        text, lambda start, end: Span(file=file, start=start, end=end)
    )
    assert (expr is None) == bool(findings)
    for finding in findings:
        assert 0 <= finding.span.start <= finding.span.end <= len(text)
    if expr is not None:
        assert depth(expr) <= MAX_DEPTH
