"""An expression to its canonical text, on one line and with no more brackets than it needs.

Parsing the text gives an equal tree. Strings hold no line breaks (the parser refuses them), so
the text may stand in a comment.

>>> from lynkrc.source.text import SourceFile, Span
>>> from lynkrc.syntax.parse import parse_expression
>>> file = SourceFile(path="x", text="((a) or b)and 3k<=turns")
>>> expr, _ = parse_expression(file.text, lambda i, j: Span(file=file, start=i, end=j))
>>> print_expr(expr)
'(a or b) and 3000 <= turns'
"""

from typing import assert_never

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

# Levels of the grammar, loosest first; a part looser than its place needs brackets.
_IMPLIES, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _NEGATIVE, _ATOM = range(9)
_LEVELS = {"implies": _IMPLIES, "or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT}


def print_expr(expr: Expr) -> str:
    """The canonical text of `expr`."""
    return _print(expr, _IMPLIES)


def _print(expr: Expr, place: int) -> str:
    text, level = _plain(expr)
    return f"({text})" if level < place else text


def _plain(expr: Expr) -> tuple[str, int]:
    """The text without brackets around it, and its level."""
    match expr:
        case IntLiteral(value=value):
            return str(value), _ATOM
        case DecimalLiteral(text=text):
            return text, _ATOM
        case StringLiteral(value=value):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"', _ATOM
        case BoolLiteral(value=value):
            return "true" if value else "false", _ATOM
        case Ref(name=name):
            return name, _ATOM
        case Call(name=name, args=args):
            return f"{name}({_joined(args)})", _ATOM
        case ListLiteral(items=items):
            return f"[{_joined(items)}]", _ATOM
        case Unary(op=op, operand=operand):
            level = _NOT if op == "not" else _NEGATIVE
            blank = " " if op == "not" else ""
            return f"{op}{blank}{_print(operand, level)}", level
        case Binary(op=op, left=left, right=right):
            level = _LEVELS[op]
            # `implies` leans to the right, everything else to the left.
            first, second = (level + 1, level) if op == "implies" else (level, level + 1)
            return f"{_print(left, first)} {op} {_print(right, second)}", level
        case Comparison(operands=operands, ops=ops):
            parts = [_print(operands[0], _SUM)]
            for op, operand in zip(ops, operands[1:], strict=True):
                parts += [op, _print(operand, _SUM)]
            return " ".join(parts), _COMPARE
        case _:
            assert_never(expr)


def _joined(exprs: tuple[Expr, ...]) -> str:
    return ", ".join(_print(expr, _IMPLIES) for expr in exprs)
