"""The text of an expression to the same tokens with canonical blanks between them.

Numbers, quotes and brackets stay as written (``4k`` says more than ``4000``, and brackets that
are not needed help a reader), so this does not print the tree. A text that is no expression, or
would be read differently, stays as it is.

>>> space_expression("tools.count>0 and(turns  in[ 1,2 ])")
'tools.count > 0 and (turns in [1, 2])'
>>> space_expression("- 3*turns-  4k")
'-3 * turns - 4k'
"""

from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.expr import Expr
from lynkrc.syntax.parse import parse_expression, tokens

_OPENING = frozenset({"(", "["})
_NO_BLANK_BEFORE = frozenset({")", "]", ","})
_OPERANDS = frozenset({"NAME", "NUMBER", "STRING", "TRUE", "FALSE", "RPAR", "RSQB"})


def space_expression(text: str) -> str:
    """`text` with canonical blanks, on one line."""
    tree = _parsed(text)
    if tree is None:
        return text
    spaced = _spaced(text)
    # Blanks that mean something would be our mistake; the author's text is right in any case.
    return spaced if _parsed(spaced) == tree else text


def _spaced(text: str) -> str:
    words: list[str] = []
    before, end = "", 0
    glued = True  # nothing stands before the first token
    for token in tokens(text):
        touches = token.start == end
        is_minus = token.kind == "MINUS"
        is_call = token.text == "(" and before == "NAME"
        # `claude-code` without quotes is a mistake that is found by its hyphen touching both names.
        is_hyphen = is_minus and touches and before == "NAME" and _name_follows(text, token.end)
        if not (glued or is_call or is_hyphen or token.text in _NO_BLANK_BEFORE):
            words.append(" ")
        words.append(token.text)
        is_sign = is_minus and before not in _OPERANDS
        glued = token.text in _OPENING or is_sign or is_hyphen
        before, end = token.kind, token.end
    return "".join(words)


def _name_follows(text: str, at: int) -> bool:
    return at < len(text) and (text[at].isalpha() or text[at] == "_")


def _parsed(text: str) -> Expr | None:
    file = SourceFile(path="", text=text)
    tree, _ = parse_expression(text, lambda start, end: Span(file=file, start=start, end=end))
    return tree
